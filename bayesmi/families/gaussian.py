"""The Gaussian family with identity link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults

__all__ = ["Gaussian"]

_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Gaussian(FamilyDefaults):
    """y ~ N(eta, sigma²)."""

    name: str = "gaussian"
    link: str = "identity"
    kinds: tuple[str, ...] = ("continuous", "count", "binary")
    parameters: tuple[FamilyParameter, ...] = (FamilyParameter("sigma", "log", "residual sd"),)
    is_gaussian_identity: bool = True

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        sigma = scales["sigma"]
        return -0.5 * ((y - eta) / sigma) ** 2 - xp.log(sigma) - _HALF_LOG_2PI

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the mean."""
        return eta

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y."""
        return np.asarray(eta + scales["sigma"] * rng.standard_normal(np.shape(eta)))

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Normal."""
        import pymc as pm

        return pm.Normal(name, mu=eta, sigma=scales["sigma"], **kwargs)
