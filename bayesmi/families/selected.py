"""A family whose values are seen only where a selection equation says so: Heckman's model and its relatives.

y comes from its own family; it is seen where eta_s + e_s > 0, and corr(e_y, e_s) = rho on the scale on which the family is
normal: that of a Gaussian variable, the logarithm of a log-normal one, the latent variable behind probit levels; with
Student errors (e_y, e_s) is bivariate t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.functions import HALF_LOG_2PI, log_interval, log_phi, log_rising
from bayesmi.families.rectangle import log_rectangle
from bayesmi.priors import Prior

__all__ = [
    "BY_DESIGN",
    "NOT_SELECTED",
    "NOT_SELECTED_KNOWN",
    "RHO",
    "SELECTED",
    "Selected",
    "can_be_selected",
    "prior_of_half",
]

Floats = NDArray[np.float64]
SELECTED, NOT_SELECTED_KNOWN, NOT_SELECTED, BY_DESIGN = range(4)  # kinds of a row, as in kernel/layout.py
RHO = FamilyParameter("rho", "correlation", "correlation of the outcome's and the selection's errors")
_FORMS = {
    "gaussian": "selectedgaussian",
    "lognormal": "selectedgaussian",
    "student": "selectedstudent",
    "probit": "selectedprobit",
    "ordinalprobit": "selectedordinalprobit",
}


def can_be_selected(name: str) -> bool:
    """Whether a family, by its name, has a form with a selection equation."""
    return name in _FORMS


def prior_of_half(prior: Prior) -> Prior:
    """Return the prior of (rho + 1) / 2: an LKJ(eta) of two is Beta(eta, eta), a Beta is of it already."""
    if prior.name != "LKJ":
        return prior
    return Prior("Beta", prior.parameters["eta"], prior.parameters["eta"])


@dataclass(frozen=True)
class Selected:
    """A family with a selection equation; what is not said here is that of the family itself.

    `scales` holds the family's parameters, rho, and of each row "selection", the linear predictor of being seen, and
    "selected", its kind.
    """

    base: Any
    rho: float | None = None  # known, or None: a parameter
    is_gaussian_identity: bool = field(default=False, init=False)

    def __getattr__(self, name: str) -> Any:
        if name == "base" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.base, name)

    @property
    def form(self) -> str:
        """Name of its density in the kernel."""
        return _FORMS[self.base.name]

    @property
    def parameters(self) -> tuple[FamilyParameter, ...]:
        """The family's own, and rho."""
        return (*self.base.parameters, RHO) if self.rho is None else tuple(self.base.parameters)

    @property
    def constants(self) -> tuple[float, ...]:
        """A known rho, as (rho + 1) / 2."""
        return () if self.rho is None else (0.5 * (self.rho + 1.0),)

    @property
    def grid_finer(self) -> float:
        """The part of the density that says a cell is not seen is narrower than the rest."""
        return 2.0 * float(self.base.grid_finer)

    def constant(self, y: Floats, selected: Floats | None = None) -> Floats:
        """Return the family's own, whatever the kind of the row."""
        return np.asarray(self.base.constant(y))

    def correlation(self, scales: Mapping[str, Any]) -> Any:
        """Return rho."""
        return scales["rho"] if self.rho is None else self.rho

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y, seen) or log f(y, not seen); where y was integrated out log P(not seen)."""
        kind = scales["selected"]
        gone = kind == NOT_SELECTED
        safe = xp.where(gone, self._somewhere(y), y)
        known = self.base.log_density(xp, safe, eta, scales) + self.log_share(xp, safe, eta, scales)
        return xp.where(gone, self.log_unseen(xp, scales), known)

    def log_unseen(self, xp: Any, scales: Mapping[str, Any]) -> Any:
        """Return log P(not seen), the value integrated out."""
        s = -scales["selection"]
        return log_student_cdf(xp, s, scales["nu"]) if self.is_student else log_phi(xp, s)

    def log_share(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log P(seen | y) where it is, log P(not seen | y) where it is not, zero where that is by design."""
        s, rho, kind = scales["selection"], self.correlation(scales), scales["selected"]
        sign = xp.where(kind == SELECTED, 1.0, -1.0)
        if self.base.has_levels:
            low, high = self._edges(xp, y, eta, scales)
            whole = (
                log_interval(low, high)
                if xp is np
                else xp.log(xp.exp(log_phi(xp, high)) - xp.exp(log_phi(xp, low)))
            )
            share = log_rectangle(xp, low, high, sign * s, -sign * rho) - whole
        else:
            z = (self._latent(xp, y) - eta) / scales["sigma"]
            inner = sign * (s + rho * z) / xp.sqrt(1.0 - rho**2)
            if self.is_student:
                nu = scales["nu"]
                share = log_student_cdf(xp, inner * xp.sqrt((nu + 1.0) / (nu + z**2)), nu + 1.0)
            else:
                share = log_phi(xp, inner)
        return xp.where(kind == BY_DESIGN, 0.0, share)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> Floats:
        """Draw y given whether it is seen: the selection's error first, truncated, then y given that error."""
        e, noise = self._errors(rng, np.shape(eta), scales)
        rho = self.correlation(scales)
        error = rho * e + np.sqrt(1.0 - rho**2) * noise
        if self.base.name == "probit":
            return np.asarray(eta + error > 0, dtype=float)
        if self.base.has_levels:
            latent = np.asarray(eta + error)
            return (latent[..., None] > np.asarray(scales["threshold"])).sum(axis=-1).astype(float)
        drawn = eta + scales["sigma"] * error
        return np.asarray(np.exp(drawn) if self.base.name == "lognormal" else drawn)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return E(y) given whether it is seen."""
        s, rho, kind = scales["selection"], self.correlation(scales), scales["selected"]
        sign = xp.where(kind == SELECTED, 1.0, -1.0)
        free = kind == BY_DESIGN
        if self.base.name == "ordinalprobit":
            p = self.probabilities(eta, scales)
            return p @ np.arange(p.shape[-1])
        if self.base.name == "probit":
            share = log_rectangle(xp, -eta, _zeros(xp, eta) + 1e3, sign * s, -sign * rho)
            chosen = xp.exp(share - log_phi(xp, sign * s))
            return xp.where(free, self.base.mean(xp, eta, scales), chosen)
        if self.base.name == "lognormal":
            ratio = log_phi(xp, sign * (s + rho * scales["sigma"])) - log_phi(xp, sign * s)
            return self.base.mean(xp, eta, scales) * xp.where(free, 1.0, xp.exp(ratio))
        return eta + rho * scales["sigma"] * xp.where(free, 0.0, self._mean_error(xp, s, sign, scales))

    def probabilities(self, eta: Any, scales: Mapping[str, Any]) -> Floats:
        """Return the probability of each level given whether it is seen, on a new last axis."""
        whole = np.asarray(self.base.probabilities(eta, scales))
        s, rho, kind = scales["selection"], self.correlation(scales), scales["selected"]
        sign = np.where(kind == SELECTED, 1.0, -1.0)
        ends = self.base._padded(np, np.asarray(scales["threshold"])) - np.asarray(eta)[..., None]
        wide = np.asarray(sign * s)[..., None]
        r = np.asarray(-sign * rho)
        r = r[..., None] if r.ndim else r
        joint = np.exp(log_rectangle(np, ends[..., :-1], ends[..., 1:], wide, r) - log_phi(np, wide))
        return np.where(np.broadcast_to(np.asarray(kind == BY_DESIGN)[..., None], joint.shape), whole, joint)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return PyMC's random variable of the family, with a Potential for whether it is seen."""
        import pymc as pm
        import pytensor.tensor as pt

        drawn = self.base.pymc(name, eta, scales, **kwargs)
        y = kwargs.get("observed", drawn)
        share = self.log_share(pt, pt.as_tensor(y), eta, scales)
        pm.Potential(f"{name}__selection", share)
        return drawn

    @property
    def is_student(self) -> bool:
        """Whether the errors are bivariate t."""
        return bool(self.base.name == "student")

    def _latent(self, xp: Any, y: Any) -> Any:
        """The value on the scale on which it is normal."""
        return xp.log(y) if self.base.name == "lognormal" else y

    def _somewhere(self, y: Any) -> Any:
        """A value that is in the family's support."""
        return 1.0 if self.base.name == "lognormal" else 0.0 * y

    def _edges(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> tuple[Any, Any]:
        """Between which values the error of the latent variable lies."""
        if self.base.name == "probit":
            return xp.where(y > 0.5, -eta, -1e3), xp.where(y > 0.5, 1e3, -eta)
        upper, lower = self.base._bounds(xp, y, eta, scales)
        return lower, upper

    def _mean_error(self, xp: Any, s: Any, sign: Any, scales: Mapping[str, Any]) -> Any:
        """Mean of the selection's error where it is seen (sign 1) and where it is not (sign -1)."""
        at = sign * s
        if not self.is_student:
            return sign * xp.exp(-0.5 * at**2 - HALF_LOG_2PI - log_phi(xp, at))
        nu = scales["nu"]
        constant = log_rising(xp, 0.5, 0.5 * nu) - HALF_LOG_2PI
        log_density = constant - 0.5 * (nu + 1.0) * xp.log1p(at**2 / nu)
        return sign * (nu + at**2) / (nu - 1.0) * xp.exp(log_density - log_student_cdf(xp, at, nu))

    def _errors(
        self, rng: np.random.Generator, shape: tuple[int, ...], scales: Mapping[str, Any]
    ) -> tuple[Floats, Floats]:
        """Draw the selection's error given whether y is seen, and a standardised error of y given that one."""
        from scipy.special import log_ndtr, ndtri_exp, stdtr, stdtrit

        kind = np.broadcast_to(scales["selected"], shape)
        s = np.broadcast_to(scales["selection"], shape)
        sign = np.where(kind == SELECTED, 1.0, -1.0)
        u = 1.0 - rng.random(shape)  # (0, 1]
        free = kind == BY_DESIGN
        if not self.is_student:
            log_mass = np.where(free, 0.0, log_ndtr(sign * s))
            e = np.where(free, 1.0, -sign) * ndtri_exp(np.minimum(np.log(u) + log_mass, -1e-17))
            return np.asarray(e), rng.standard_normal(shape)
        nu = np.broadcast_to(scales["nu"], shape)
        mass = np.where(free, 1.0, stdtr(nu, sign * s))
        e = np.where(free, 1.0, -sign) * stdtrit(nu, np.clip(u * mass, 1e-300, 1.0 - 1e-16))
        noise = np.sqrt((nu + e**2) / (nu + 1.0)) * rng.standard_t(nu + 1.0, size=shape)
        return np.asarray(e), noise


def log_student_cdf(xp: Any, x: Any, nu: Any) -> Any:
    """Return log F(x) of Student's t with nu degrees of freedom."""
    if xp is np:
        from scipy.special import stdtr

        with np.errstate(divide="ignore"):
            return np.log(stdtr(nu, x))
    tail = 0.5 * xp.betainc(0.5 * nu, 0.5, nu / (nu + x**2))
    return xp.log(xp.where(xp.lt(x, 0.0), tail, 1.0 - tail))


def _zeros(xp: Any, like: Any) -> Any:
    return 0.0 * like if xp is not np else np.zeros(np.shape(like))
