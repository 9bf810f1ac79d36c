"""The Gaussian family with identity link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gaussian"]

_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Gaussian:
    """y ~ N(eta, sigma²)."""

    name: str = "gaussian"
    link: str = "identity"
    scale_parameters: tuple[str, ...] = ("sigma",)
    is_discrete: bool = False
    is_gaussian_identity: bool = True
    integer_valued: bool = False

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        sigma = scales["sigma"]
        return -0.5 * ((y - eta) / sigma) ** 2 - xp.log(sigma) - _HALF_LOG_2PI

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the mean."""
        return eta

    def draw(
        self, rng: np.random.Generator, eta: NDArray[np.float64], scales: Mapping[str, Any]
    ) -> NDArray[np.float64]:
        """Draw y."""
        return eta + scales["sigma"] * rng.standard_normal(np.shape(eta))

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Normal."""
        import pymc as pm

        return pm.Normal(name, mu=eta, sigma=scales["sigma"], **kwargs)

    def level_values(self) -> None:
        """Return None: a continuous cell has no levels."""
        return

    @property
    def latent_residual_sd(self) -> None:
        """None: sigma is a parameter."""
        return None
