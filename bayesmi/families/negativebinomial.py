"""Counts with more variance than the Poisson's: the negative binomial family with log link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.functions import gammaln, log_rising, softplus
from bayesmi.families.poisson import Poisson
from bayesmi.priors import Prior

__all__ = ["NegativeBinomial"]

ALPHA = FamilyParameter("alpha", "log", "shape")


@dataclass(frozen=True)
class NegativeBinomial(Poisson):
    """Counts with mean mu = exp(eta) and variance mu + mu² / alpha; large alpha is the Poisson family."""

    name: str = "negativebinomial"
    parameters: tuple[FamilyParameter, ...] = (ALPHA,)

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y)."""
        alpha = scales["alpha"]
        log_zero = softplus(xp, eta - xp.log(alpha))  # log(1 + mu / alpha)
        return log_rising(xp, y, alpha) - gammaln(xp, y + 1.0) + y * (eta - log_zero) - alpha * log_zero

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw a count: Poisson with a gamma mean."""
        alpha = scales["alpha"]
        rate = np.exp(np.minimum(eta, 40.0)) / alpha * rng.gamma(alpha, size=np.shape(eta))
        return rng.poisson(np.minimum(rate, 1e18)).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.NegativeBinomial."""
        import pymc as pm
        import pytensor.tensor as pt

        return pm.NegativeBinomial(name, mu=pt.exp(eta), alpha=scales["alpha"], **kwargs)

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Shape ~ InverseGamma(0.4, 0.3), as in brms: room for strong overdispersion and for none."""
        return Prior("InverseGamma", 0.4, 0.3)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """By the observed mean and variance."""
        mean, excess = float(y.mean()), float(y.var() - y.mean())
        return np.array([min(max(mean**2 / max(excess, 1e-9), 0.1), 50.0)])

    def cell_values(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """From 0 to three times the largest observed count; the mass beyond is checked at the posterior."""
        top = float(y.max())
        return np.arange(np.ceil(3.0 * top + 5.0 * np.sqrt(top + 1.0) + 5.0) + 1.0)
