"""Counts with more zeros than the Poisson or negative binomial has, or with zeros of their own (hurdle).

Zero-inflated (Lambert 1992): 0 with probability zi, else a count, which may be 0 too. Hurdle (Mullahy 1986): 0 with
probability hu, else a count that is at least 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.functions import log1mexp
from bayesmi.families.negativebinomial import ALPHA, NegativeBinomial
from bayesmi.families.poisson import Poisson
from bayesmi.priors import Prior

__all__ = [
    "HurdleNegativeBinomial",
    "HurdlePoisson",
    "ZeroInflatedNegativeBinomial",
    "ZeroInflatedPoisson",
]

Floats = NDArray[np.float64]
_RARE = -300.0  # eta below which a count of one or more has the probability exp(eta), whatever the shape
_ZI = FamilyParameter("zi", "logit", "probability of an extra zero")
_HU = FamilyParameter("hu", "logit", "probability of zero")


def _is_zero(xp: Any, y: Any) -> Any:
    return np.equal(y, 0.0) if xp is np else xp.eq(y, 0.0)


class _ZeroInflated:
    """Mixed in before the counts' own family."""

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y)."""
        count = super().log_density(xp, y, eta, scales) + xp.log1p(-scales["zi"])  # type: ignore[misc]
        return xp.where(_is_zero(xp, y), xp.logaddexp(xp.log(scales["zi"]), count), count)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return (1 - zi) times the mean of the counts."""
        return (1.0 - scales["zi"]) * super().mean(xp, eta, scales)  # type: ignore[misc]

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> Floats:
        """Draw a count."""
        stands = rng.random(np.shape(eta)) >= scales["zi"]
        return np.asarray(stands * super().draw(rng, eta, scales))  # type: ignore[misc]

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Uniform for zi."""
        if parameter == "zi":
            return Prior("Beta", 1.0, 1.0)
        return super().default_prior(parameter, spread)  # type: ignore[misc]

    def start(self, parameter: str, y: Floats, n_levels: int) -> Floats:
        """Half the observed share of zeros."""
        if parameter == "zi":
            return np.array([0.5 * float((y == 0).mean()) + 0.01])
        return super().start(parameter, y, n_levels)  # type: ignore[misc]


class _Hurdle:
    """Mixed in before the counts' own family."""

    def _log_zero(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Log probability of zero in the counts' own family."""
        return super().log_density(xp, xp.zeros_like(eta), eta, scales)  # type: ignore[misc]

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y)."""
        log_zero = self._log_zero(xp, xp.maximum(eta, _RARE), scales)
        above = xp.where(eta < _RARE, eta, log1mexp(xp, log_zero))
        count = super().log_density(xp, y, eta, scales) - above  # type: ignore[misc]
        return xp.where(_is_zero(xp, y), xp.log(scales["hu"]), count + xp.log1p(-scales["hu"]))

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return (1 - hu) times the mean of the counts that are at least 1."""
        eta = xp.maximum(eta, _RARE)
        above = -xp.expm1(self._log_zero(xp, eta, scales))
        return (1.0 - scales["hu"]) * super().mean(xp, eta, scales) / above  # type: ignore[misc]

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Uniform for hu."""
        if parameter == "hu":
            return Prior("Beta", 1.0, 1.0)
        return super().default_prior(parameter, spread)  # type: ignore[misc]

    def start(self, parameter: str, y: Floats, n_levels: int) -> Floats:
        """The observed share of zeros."""
        if parameter == "hu":
            return np.array([min(max(float((y == 0).mean()), 0.01), 0.99)])
        return super().start(parameter, y, n_levels)  # type: ignore[misc]

    def location_and_spread(self, y: Floats) -> tuple[float, float]:
        """Logarithm of the mean of the positive counts."""
        return super().location_and_spread(y[y > 0])  # type: ignore[misc]

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> Floats:
        """Draw a count; one that is at least 1 as the events of a (mixed) Poisson process after its first one.

        The time of the first of at least one event is drawn by inverting P(no event yet), which is closed; no sum over
        counts is inverted, so that the cost is the same for any mean and shape.
        """
        eta = np.clip(np.asarray(eta, dtype=float), -700.0, 40.0)
        at_least_one = -np.expm1(self._log_zero(np, eta, scales))
        none_yet = np.log1p(-rng.random(eta.shape) * at_least_one)
        rest = self._rate_after_first(rng, none_yet, np.exp(eta), scales)
        drawn = 1.0 + rng.poisson(np.clip(rest, 0.0, 1e18))
        return np.where(rng.random(eta.shape) < scales["hu"], 0.0, drawn)

    def _rate_after_first(
        self, rng: np.random.Generator, none_yet: Floats, mean: Floats, scales: Mapping[str, Any]
    ) -> Floats:
        """Mean number of further events, given log P(no event yet) at the first one and the mean number of events."""
        raise NotImplementedError


@dataclass(frozen=True)
class ZeroInflatedPoisson(_ZeroInflated, Poisson):
    """0 with probability zi, else Poisson(exp(eta))."""

    name: str = "zeroinflatedpoisson"
    parameters: tuple[FamilyParameter, ...] = (_ZI,)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.ZeroInflatedPoisson."""
        import pymc as pm
        import pytensor.tensor as pt

        return pm.ZeroInflatedPoisson(name, psi=1.0 - scales["zi"], mu=pt.exp(eta), **kwargs)


@dataclass(frozen=True)
class ZeroInflatedNegativeBinomial(_ZeroInflated, NegativeBinomial):
    """0 with probability zi, else negative binomial with mean exp(eta) and shape alpha."""

    name: str = "zeroinflatednegativebinomial"
    parameters: tuple[FamilyParameter, ...] = (ALPHA, _ZI)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.ZeroInflatedNegativeBinomial."""
        import pymc as pm
        import pytensor.tensor as pt

        return pm.ZeroInflatedNegativeBinomial(
            name, psi=1.0 - scales["zi"], mu=pt.exp(eta), alpha=scales["alpha"], **kwargs
        )


@dataclass(frozen=True)
class HurdlePoisson(_Hurdle, Poisson):
    """0 with probability hu, else Poisson(exp(eta)) given that it is at least 1."""

    name: str = "hurdlepoisson"
    parameters: tuple[FamilyParameter, ...] = (_HU,)

    def _rate_after_first(
        self, rng: np.random.Generator, none_yet: Floats, mean: Floats, scales: Mapping[str, Any]
    ) -> Floats:
        return mean + none_yet  # P(no event yet) is exp(-mean · time)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return the hurdle counts as pm.CustomDist: pm.HurdlePoisson is a mixture that cannot be a latent."""
        return _custom(self, name, eta, [scales["hu"]], ["hu"], kwargs)


@dataclass(frozen=True)
class HurdleNegativeBinomial(_Hurdle, NegativeBinomial):
    """0 with probability hu, else negative binomial with mean exp(eta) and shape alpha given that it is at least 1."""

    name: str = "hurdlenegativebinomial"
    parameters: tuple[FamilyParameter, ...] = (ALPHA, _HU)

    def _rate_after_first(
        self, rng: np.random.Generator, none_yet: Floats, mean: Floats, scales: Mapping[str, Any]
    ) -> Floats:
        alpha = scales["alpha"]
        # mean · time: P(no event yet) is (1 + mean · time / alpha)^-alpha
        past = alpha * np.expm1(-none_yet / alpha)
        return np.asarray((mean - past) * rng.gamma(alpha + 1.0, size=mean.shape) / (alpha + past))

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return the hurdle counts as pm.CustomDist: PyMC's is a mixture that cannot be a latent."""
        return _custom(self, name, eta, [scales["alpha"], scales["hu"]], ["alpha", "hu"], kwargs)


def _custom(
    family: Any, name: str, eta: Any, values: list[Any], names: list[str], kwargs: dict[str, Any]
) -> Any:
    """The family's own density and draw as a PyMC variable."""
    import pymc as pm
    import pytensor.tensor as pt

    def logp(y: Any, eta: Any, *own: Any) -> Any:
        return family.log_density(pt, y, eta, dict(zip(names, own, strict=True)))

    def random(eta: Any, *own: Any, rng: Any = None, size: Any = None) -> Any:
        eta = np.broadcast_to(eta, size) if size is not None else eta
        return family.draw(rng, eta, dict(zip(names, own, strict=True))).astype(np.int64)

    return pm.CustomDist(name, eta, *values, logp=logp, random=random, dtype="int64", **kwargs)
