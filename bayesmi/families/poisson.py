"""Counts: the Poisson family with log link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.defaults import FamilyDefaults, refuse_values

__all__ = ["Poisson"]


@dataclass(frozen=True)
class Poisson(FamilyDefaults):
    """y ~ Poisson(exp(eta))."""

    name: str = "poisson"
    link: str = "log"
    kinds: tuple[str, ...] = ("count", "continuous", "binary")
    is_discrete: bool = True
    integer_valued: bool = True

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return y eta - exp(eta) - log y!."""
        if xp is np:
            return y * eta - np.exp(eta) + self.constant(np.asarray(y, dtype=float))
        return y * eta - xp.exp(eta) - xp.gammaln(y + 1.0)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return exp(eta)."""
        return xp.exp(eta)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw a count."""
        return rng.poisson(np.exp(np.minimum(eta, 40.0))).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Poisson."""
        import pymc as pm
        import pytensor.tensor as pt

        return pm.Poisson(name, mu=pt.exp(eta), **kwargs)

    def constant(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return -log y!."""
        from scipy.special import gammaln

        return np.asarray(-gammaln(y + 1.0))

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Logarithm of the observed mean; effects on the log scale are of order one."""
        return float(np.log(y.mean())), 1.0

    def check(self, variable: str, y: NDArray[np.float64]) -> None:
        """Refuse what is not a count."""
        refuse_values(variable, y, (y < 0) | (y != np.floor(y)), self.name, "whole numbers from 0 up")

    def cell_values(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """From 0 to well beyond the largest observed count; the mass beyond is checked at the posterior."""
        top = float(y.max())
        return np.arange(np.ceil(top + 5.0 * np.sqrt(top + 1.0) + 5.0) + 1.0)

    def rough_response(self, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float | None]:
        """Return log(y + 1/2), and a large mean as the information of one observation."""
        return np.asarray(np.log(y + 0.5)), float(y.mean() + 2.0 * y.std()) + 1.0

    @property
    def whitening_scale(self) -> float:
        """Standard deviation of a working response at a mean of one."""
        return 1.0

    @property
    def latent_residual_sd(self) -> float:
        """No residual on the scale of the linear predictor."""
        return float("nan")
