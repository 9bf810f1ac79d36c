"""The exponential family of waiting times with log link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.positive import PositiveDefaults

__all__ = ["Exponential"]


@dataclass(frozen=True)
class Exponential(PositiveDefaults):
    """y ~ Exponential with mean exp(eta): in the kernel a gamma variable of shape 1."""

    name: str = "exponential"
    link: str = "log"
    kinds: tuple[str, ...] = ("continuous", "count")
    form: str = "gamma"
    constants: tuple[float, ...] = (1.0,)

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        return -eta - y * xp.exp(-eta)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y."""
        return np.asarray(np.exp(eta) * rng.standard_exponential(np.shape(eta)))

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Exponential."""
        import pymc as pm
        import pytensor.tensor as pt

        return pm.Exponential(name, scale=pt.exp(eta), **kwargs)

    def tail_rates(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """The density of log y falls as y below."""
        return 1.0, np.inf

    @property
    def whitening_scale(self) -> float:
        """Standard deviation of a working response."""
        return 1.0
