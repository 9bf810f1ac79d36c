"""The skew-normal family (Azzalini 1985) by its mean, sd and slant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults
from bayesmi.families.functions import HALF_LOG_2PI, log_phi
from bayesmi.priors import Prior

__all__ = ["SkewNormal"]


@dataclass(frozen=True)
class SkewNormal(FamilyDefaults):
    """y is skew-normal with mean eta and sd sigma; alpha = 0 is the Gaussian family, its sign that of the skewness."""

    name: str = "skewnormal"
    link: str = "identity"
    kinds: tuple[str, ...] = ("continuous", "count")
    parameters: tuple[FamilyParameter, ...] = (
        FamilyParameter("sigma", "log", "residual sd"),
        FamilyParameter("alpha", "identity", "slant"),
    )
    grid_finer: float = 2.0

    def _standard(self, xp: Any, scales: Mapping[str, Any]) -> tuple[Any, Any]:
        """Scale omega, and mean of the standard form."""
        alpha = scales["alpha"]
        mean = math.sqrt(2.0 / math.pi) * alpha / xp.sqrt(1.0 + alpha**2)
        return scales["sigma"] / xp.sqrt(1.0 - mean**2), mean

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        omega, mean = self._standard(xp, scales)
        z = (y - eta) / omega + mean
        return math.log(2.0) - xp.log(omega) - 0.5 * z**2 - HALF_LOG_2PI + log_phi(xp, scales["alpha"] * z)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the mean."""
        return eta

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y: delta |u| + sqrt(1 - delta²) v."""
        omega, mean = self._standard(np, scales)
        delta = scales["alpha"] / np.sqrt(1.0 + np.asarray(scales["alpha"]) ** 2)
        u, v = rng.standard_normal(np.shape(eta)), rng.standard_normal(np.shape(eta))
        return np.asarray(eta + omega * (delta * np.abs(u) + np.sqrt(1.0 - delta**2) * v - mean))

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.SkewNormal."""
        import pymc as pm
        import pytensor.tensor as pt

        omega, mean = self._standard(pt, scales)
        return pm.SkewNormal(name, mu=eta - omega * mean, sigma=omega, alpha=scales["alpha"], **kwargs)

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Slant ~ Normal(0, 4) as in brms; sigma as in the Gaussian family."""
        return Prior("Normal", 0.0, 4.0) if parameter == "alpha" else super().default_prior(parameter, spread)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """A slant of the sign of the observed skewness (at zero its information is singular); the observed spread."""
        if parameter != "alpha":
            return super().start(parameter, y, n_levels)
        z = (y - y.mean()) / y.std()
        return np.array([math.copysign(1.0, float((z**3).mean()))])
