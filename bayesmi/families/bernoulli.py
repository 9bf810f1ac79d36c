"""The Bernoulli family with logit link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.defaults import FamilyDefaults

__all__ = ["Bernoulli"]


@dataclass(frozen=True)
class Bernoulli(FamilyDefaults):
    """y ~ Bernoulli(1 / (1 + exp(-eta))), y coded 0 and 1."""

    name: str = "bernoulli"
    link: str = "logit"
    kinds: tuple[str, ...] = ("binary",)
    is_discrete: bool = True
    has_levels: bool = True
    integer_valued: bool = True

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y): y eta - log(1 + exp(eta))."""
        return y * eta - xp.logaddexp(0.0, eta)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the probability of 1."""
        return xp.exp(-xp.logaddexp(0.0, -eta))

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw 0 or 1."""
        return (rng.random(np.shape(eta)) < self.mean(np, eta, scales)).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Bernoulli."""
        import pymc as pm

        return pm.Bernoulli(name, logit_p=eta, **kwargs)

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Logits are of order one around zero."""
        return 0.0, 1.0

    @property
    def whitening_scale(self) -> float:
        """Standard deviation of a working response near one half."""
        return 2.0

    @property
    def latent_residual_sd(self) -> float:
        """Standard deviation of the standard logistic distribution, pi / sqrt(3)."""
        return float(np.pi / np.sqrt(3.0))
