"""Gaussian variables with known bounds: truncated there, or Gaussian on the scale that has none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults, refuse_values
from bayesmi.families.functions import HALF_LOG_2PI, log_interval
from bayesmi.families.support import constrain, unconstrain

__all__ = ["Bounded", "Truncated"]

Floats = NDArray[np.float64]


class _WithBounds(FamilyDefaults):
    """Options and checks of both."""

    low: float
    high: float
    short: str
    kinds: tuple[str, ...] = ("continuous", "count")

    def __post_init__(self) -> None:
        if not self.low < self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise ModelError(
                f"family {self.name!r} needs a lower and a higher bound, one of them finite: say '{self.short}(0, 10)' "
                f"or '{self.short}(0, inf)'"
            )

    @property
    def name(self) -> str:  # type: ignore[override]
        """The family with its bounds, as `families=` takes it."""
        return f"{self.short}({self.low:.15g}, {self.high:.15g})"

    @property
    def support(self) -> tuple[float, ...]:
        """Between the bounds."""
        return self.low, self.high

    def _refuse(self, variable: str, y: Floats, wrong: NDArray[np.bool_], more: str) -> None:
        refuse_values(variable, y, wrong, self.name, f"numbers between {self.low:g} and {self.high:g}{more}")


@dataclass(frozen=True)
class Truncated(_WithBounds):
    """y ~ N(eta, sigma²) given that it lies between the bounds; most mass may be at a bound.

    Parameters
    ----------
    low, high : float
        Bounds, in the variable's units; one may be infinite.
    """

    low: float = 0.0
    high: float = math.inf
    short: str = "truncated"
    form: str = "truncated"
    link: str = "identity"
    parameters: tuple[FamilyParameter, ...] = (
        FamilyParameter("sigma", "log", "residual sd before truncation"),
    )
    grid_finer: float = 1.9

    @property
    def constants(self) -> tuple[float, ...]:  # type: ignore[override]
        """The bounds."""
        return self.low, self.high

    def _ends(self, eta: Any, scales: Mapping[str, Any]) -> tuple[Any, Any]:
        return (self.low - eta) / scales["sigma"], (self.high - eta) / scales["sigma"]

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y; numpy only."""
        sigma = scales["sigma"]
        z = (y - eta) / sigma
        return -0.5 * z**2 - np.log(sigma) - HALF_LOG_2PI - log_interval(*self._ends(eta, scales))

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the mean."""
        a, b = self._ends(eta, scales)
        log_mass = log_interval(a, b)
        below = np.exp(-0.5 * a**2 - HALF_LOG_2PI - log_mass)
        above = np.exp(-0.5 * b**2 - HALF_LOG_2PI - log_mass)
        return np.clip(eta + scales["sigma"] * (below - above), self.low, self.high)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> Floats:
        """Draw y by inverting the distribution function, in the tail that is exact."""
        from scipy.stats import truncnorm

        a, b = self._ends(np.asarray(eta, dtype=float), scales)
        z = truncnorm.ppf(rng.random(np.shape(eta)), a, b)
        return np.clip(eta + scales["sigma"] * z, self.low, self.high)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.TruncatedNormal."""
        import pymc as pm

        ends = {
            key: value for key, value in (("lower", self.low), ("upper", self.high)) if math.isfinite(value)
        }
        return pm.TruncatedNormal(name, mu=eta, sigma=scales["sigma"], **ends, **kwargs)

    def check(self, variable: str, y: Floats) -> None:
        """Refuse values outside of the bounds."""
        self._refuse(variable, y, (y < self.low) | (y > self.high), "")

    def tail_rates(self, y: Floats) -> tuple[float, float]:
        """On the log or logit scale a density that is finite at a bound falls as exp(-|z|)."""
        return (1.0 if math.isfinite(self.low) else np.inf), (1.0 if math.isfinite(self.high) else np.inf)

    @property
    def latent_residual_sd(self) -> float:
        """What is left of sigma depends on eta."""
        return float("nan")


@dataclass(frozen=True)
class Bounded(_WithBounds):
    """The logit of y between its bounds (the logarithm of its distance from the only one) is N(eta, sigma²).

    Parameters
    ----------
    low, high : float
        Bounds, in the variable's units; one may be infinite.
    """

    low: float = 0.0
    high: float = 1.0
    short: str = "bounded"
    form: str = "gaussian"
    link: str = "logit between the bounds"
    parameters: tuple[FamilyParameter, ...] = (
        FamilyParameter("sigma", "log", "residual sd on the scale without bounds"),
    )

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y; numpy only."""
        sigma = scales["sigma"]
        z = (self.to_kernel(np.asarray(y, dtype=float)) - eta) / sigma
        return -0.5 * z**2 - np.log(sigma) - HALF_LOG_2PI + self.constant(np.asarray(y, dtype=float))

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the mean, by Gauss-Hermite quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(64)
        total: Any = 0.0
        for node, weight in zip(nodes, weights / weights.sum(), strict=True):
            total = total + weight * constrain(eta + scales["sigma"] * node, self.support)[0]
        return total

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> Floats:
        """Draw y."""
        drawn = eta + scales["sigma"] * rng.standard_normal(np.shape(eta))
        return np.clip(constrain(drawn, self.support)[0], self.low, self.high)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return a pm.CustomDist."""
        import pymc as pm
        import pytensor.tensor as pt

        low, high = np.float64(self.low), np.float64(self.high)

        def free(y: Any) -> tuple[Any, Any]:
            if math.isinf(high):
                return pt.log(y - low), -pt.log(y - low)
            if math.isinf(low):
                return -pt.log(high - y), -pt.log(high - y)
            return pt.log(y - low) - pt.log(high - y), np.log(high - low) - pt.log(y - low) - pt.log(high - y)

        def logp(y: Any, mu: Any, sigma: Any) -> Any:
            z, jacobian = free(y)
            return pm.logp(pm.Normal.dist(mu, sigma), z) + jacobian

        def random(mu: Any, sigma: Any, rng: Any = None, size: Any = None) -> Any:
            return constrain(rng.normal(mu, sigma, size=size), (low, high))[0]

        if "observed" not in kwargs and "default_transform" not in kwargs:
            ends = (low if math.isfinite(low) else None, high if math.isfinite(high) else None)
            kwargs["default_transform"] = pm.distributions.transforms.Interval(*ends)
        return pm.CustomDist(name, eta, scales["sigma"], logp=logp, random=random, **kwargs)

    def constant(self, y: Floats) -> Floats:
        """Return the log Jacobian."""
        return -constrain(self.to_kernel(y), self.support)[1]

    def to_kernel(self, y: Floats) -> Floats:
        """Return y on the scale without bounds."""
        return unconstrain(y, self.support)

    def location_and_spread(self, y: Floats) -> tuple[float, float]:
        """Mean and sd on the scale without bounds."""
        return super().location_and_spread(self.to_kernel(y))

    def check(self, variable: str, y: Floats) -> None:
        """Refuse values outside of the bounds and on them."""
        self._refuse(variable, y, (y <= self.low) | (y >= self.high), ", both left out")
