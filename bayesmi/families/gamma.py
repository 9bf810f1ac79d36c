"""The gamma family with log link: positive, right-skewed, sd proportional to the mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.functions import gammaln
from bayesmi.families.positive import PositiveDefaults
from bayesmi.priors import Prior

__all__ = ["Gamma"]


@dataclass(frozen=True)
class Gamma(PositiveDefaults):
    """y ~ Gamma with mean exp(eta) and shape alpha; the coefficient of variation is 1 / sqrt(alpha)."""

    name: str = "gamma"
    link: str = "log"
    kinds: tuple[str, ...] = ("continuous", "count")
    parameters: tuple[FamilyParameter, ...] = (FamilyParameter("alpha", "log", "shape"),)

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        alpha, r = scales["alpha"], xp.log(y) - eta
        return alpha * (xp.log(alpha) + r - xp.exp(r)) - gammaln(xp, alpha) - xp.log(y)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y; where a draw underflows, the smallest number above zero."""
        alpha = scales["alpha"]
        drawn = np.exp(eta) / alpha * rng.gamma(alpha, size=np.shape(eta))
        return np.maximum(drawn, np.finfo(float).tiny)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Gamma."""
        import pymc as pm
        import pytensor.tensor as pt

        return pm.Gamma(name, alpha=scales["alpha"], beta=scales["alpha"] * pt.exp(-eta), **kwargs)

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Half-Cauchy on 1 / (observed sd of log y)², about what the shape would be without predictors."""
        return Prior("HalfCauchy", 1.0 / spread**2)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """1 / (observed sd of log y)²."""
        return np.array([1.0 / self.location_and_spread(y)[1] ** 2])

    def tail_rates(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """The density of log y falls as exp(alpha log y) below."""
        return min(float(self.start("alpha", y, 0)[0]), 20.0), np.inf
