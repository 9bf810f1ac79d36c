"""Ordered levels by cumulative probits: P(y <= k) = Phi(threshold_k - eta)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.functions import log_interval
from bayesmi.families.ordinal import Ordinal

__all__ = ["OrdinalProbit"]


@dataclass(frozen=True)
class OrdinalProbit(Ordinal):
    """K ordered levels: an N(eta, 1) variable cut at K-1 increasing thresholds."""

    name: str = "ordinalprobit"
    link: str = "cumulative probit"

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log P(y); numpy only."""
        upper, lower = self._bounds(np, y, eta, scales)
        return log_interval(lower, upper)

    def probabilities(self, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the probability of each level on a new last axis."""
        ends = self._padded(np, scales["threshold"]) - np.asarray(eta)[..., None]
        return np.asarray(np.exp(log_interval(ends[..., :-1], ends[..., 1:])))

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw a code: a normal variable around eta, counted past the thresholds."""
        latent = np.asarray(eta + rng.standard_normal(np.shape(eta)))
        return (latent[..., None] > np.asarray(scales["threshold"])).sum(axis=-1).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.OrderedProbit."""
        import pymc as pm

        return pm.OrderedProbit(name, eta=eta, cutpoints=scales["threshold"], compute_p=False, **kwargs)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """Normal quantiles of the observed cumulative proportions."""
        from scipy.special import expit, ndtri

        return np.asarray(ndtri(expit(super().start(parameter, y, n_levels))))

    @property
    def whitening_scale(self) -> float:
        """As for two levels."""
        return math.sqrt(math.pi / 2.0)

    @property
    def latent_residual_sd(self) -> float:
        """Standard deviation of the latent variable."""
        return 1.0
