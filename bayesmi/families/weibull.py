"""The Weibull family of waiting times with log link on the mean."""

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

__all__ = ["Weibull"]

_SD_OF_LOG = float(np.pi / np.sqrt(6.0))  # of a standard exponential variable


@dataclass(frozen=True)
class Weibull(PositiveDefaults):
    """y ~ Weibull with mean exp(eta) and shape alpha; alpha = 1 is the exponential family."""

    name: str = "weibull"
    link: str = "log"
    kinds: tuple[str, ...] = ("continuous", "count")
    parameters: tuple[FamilyParameter, ...] = (FamilyParameter("alpha", "log", "shape"),)

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        alpha = scales["alpha"]
        r = xp.log(y) - eta + gammaln(xp, 1.0 + 1.0 / alpha)
        return xp.log(alpha) + alpha * r - xp.exp(alpha * r) - xp.log(y)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y; where a draw underflows, the smallest number above zero."""
        alpha = np.asarray(scales["alpha"])
        scale = np.exp(eta - gammaln(np, 1.0 + 1.0 / alpha))
        return np.maximum(scale * rng.weibull(alpha, size=np.shape(eta)), np.finfo(float).tiny)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Weibull."""
        import pymc as pm
        import pytensor.tensor as pt

        alpha = scales["alpha"]
        return pm.Weibull(
            name, alpha=alpha, beta=pt.exp(eta - gammaln(pt, 1.0 + 1.0 / pt.as_tensor(alpha))), **kwargs
        )

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Half-Cauchy on what the shape would be without predictors, 1.28 / (observed sd of log y)."""
        return Prior("HalfCauchy", _SD_OF_LOG / spread)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """1.28 / (observed sd of log y)."""
        return np.array([_SD_OF_LOG / self.location_and_spread(y)[1]])

    def tail_rates(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """The density of log y falls as exp(alpha log y) below."""
        return float(self.start("alpha", y, 0)[0]), np.inf
