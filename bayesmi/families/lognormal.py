"""The log-normal family: the logarithm is Gaussian around the linear predictor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults, refuse_values

__all__ = ["LogNormal"]

_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


@dataclass(frozen=True)
class LogNormal(FamilyDefaults):
    """log y ~ N(eta, sigma²), y > 0."""

    name: str = "lognormal"
    link: str = "identity of the logarithm"
    form: str = "gaussian"
    kinds: tuple[str, ...] = ("continuous", "count")
    parameters: tuple[FamilyParameter, ...] = (
        FamilyParameter("sigma", "log", "residual sd of the logarithm"),
    )

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        sigma = scales["sigma"]
        return -0.5 * ((xp.log(y) - eta) / sigma) ** 2 - xp.log(sigma) - _HALF_LOG_2PI - xp.log(y)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the mean, exp(eta + sigma² / 2)."""
        return xp.exp(eta + 0.5 * scales["sigma"] ** 2)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y."""
        return np.asarray(np.exp(eta + scales["sigma"] * rng.standard_normal(np.shape(eta))))

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.LogNormal."""
        import pymc as pm

        return pm.LogNormal(name, mu=eta, sigma=scales["sigma"], **kwargs)

    def constant(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return -log y, the Jacobian."""
        return -np.log(y)

    def to_kernel(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log y."""
        return np.log(y)

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Observed mean and sd of the logarithm."""
        return float(np.log(y).mean()), float(np.log(y).std(ddof=1))

    def check(self, variable: str, y: NDArray[np.float64]) -> None:
        """Refuse values that are not positive."""
        refuse_values(variable, y, y <= 0, self.name, "positive numbers")

    @property
    def support(self) -> tuple[float, float]:
        """Positive numbers."""
        return 0.0, np.inf
