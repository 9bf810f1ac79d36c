"""Levels without order by multinomial logits: log P(k) / P(0) = eta_k."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.defaults import FamilyDefaults

__all__ = ["Nominal"]


@dataclass(frozen=True)
class Nominal(FamilyDefaults):
    """K levels coded 0 … K-1; `eta` is a list of K-1 linear predictors, the first level's is zero."""

    name: str = "nominal"
    link: str = "softmax"
    kinds: tuple[str, ...] = ("nominal", "ordinal", "binary")
    is_discrete: bool = True
    has_levels: bool = True
    has_equations: bool = True
    integer_valued: bool = True

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return eta_y - log of the sum over levels of exp(eta_k)."""
        total: Any = xp.zeros_like(eta[0])
        own: Any = xp.zeros_like(eta[0])
        for k, one in enumerate(eta):
            total = xp.logaddexp(total, one)
            own = own + xp.where(xp.equal(y, k + 1.0) if xp is np else (y == k + 1), one, 0.0)
        return own - total

    def probabilities(self, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the probability of each level on a new last axis."""
        stacked = np.stack([np.zeros_like(eta[0]), *eta], axis=-1)
        stacked = np.exp(stacked - stacked.max(axis=-1, keepdims=True))
        return np.asarray(stacked / stacked.sum(axis=-1, keepdims=True))

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the probability of leaving the first level: codes have no mean."""
        return 1.0 - self.probabilities(eta, scales)[..., 0]

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw a code by Gumbel noise."""
        stacked = np.stack([np.zeros_like(eta[0]), *eta], axis=-1)
        return np.argmax(stacked + rng.gumbel(size=stacked.shape), axis=-1).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Categorical."""
        import pymc as pm
        import pytensor.tensor as pt

        return pm.Categorical(name, logit_p=pt.stack([pt.zeros_like(eta[0]), *eta], axis=-1), **kwargs)

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Logits are of order one around zero."""
        return 0.0, 1.0

    @property
    def whitening_scale(self) -> float:
        """As for two levels."""
        return 2.0

    @property
    def latent_residual_sd(self) -> float:
        """Standard deviation of the standard logistic distribution, pi / sqrt(3)."""
        return float(np.pi / np.sqrt(3.0))
