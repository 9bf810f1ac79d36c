"""Ordered levels by cumulative logits (McCullagh 1980): P(y ≤ k) = 1 / (1 + exp(eta - threshold_k))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults
from bayesmi.priors import Prior

__all__ = ["Ordinal", "anchor_of"]

_FAR = 1e3  # stands for infinity


def anchor_of(start: NDArray[np.float64]) -> int:
    """Return which threshold most is known of, by where thresholds start: the one nearest to half and half.

    It is sampled itself, the others as gaps away from it. Counted from the first, all thresholds would hang on the rarest
    level, and their sums would have to undo what its chains do.
    """
    return int(np.abs(start).argmin())


@dataclass(frozen=True)
class Ordinal(FamilyDefaults):
    """K ordered levels coded 0 … K-1; K-1 increasing thresholds take the place of the intercept."""

    name: str = "ordinal"
    link: str = "cumulative logit"
    kinds: tuple[str, ...] = ("ordinal",)
    parameters: tuple[FamilyParameter, ...] = (
        FamilyParameter("threshold", "ordered", "thresholds between the levels", per_level=True),
    )
    is_discrete: bool = True
    has_levels: bool = True
    has_intercept: bool = False
    integer_valued: bool = True

    def _padded(self, xp: Any, threshold: Any) -> Any:
        """Thresholds with both ends of the line."""
        ends = xp.ones_like(threshold[..., :1]) * _FAR
        return xp.concatenate([-ends, threshold, ends], axis=-1)

    def _bounds(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> tuple[Any, Any]:
        """Upper and lower threshold of the level, less eta."""
        padded = self._padded(xp, scales["threshold"])
        if xp is np:
            codes = np.asarray(y, dtype=np.intp)
            if padded.ndim == 1:
                return padded[codes + 1] - eta, padded[codes] - eta
            at = np.arange(len(padded))[:, None]
            codes = np.broadcast_to(codes, np.shape(eta))
            padded = padded.reshape(len(padded), -1)
            return padded[at, codes + 1] - eta, padded[at, codes] - eta
        return padded[y.astype("int64") + 1] - eta, padded[y.astype("int64")] - eta

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log P(y): log of F(upper) - F(lower), with the logistic distribution function F."""
        upper, lower = self._bounds(xp, y, eta, scales)
        gap = xp.log1p(-xp.exp(lower - upper))
        return gap - xp.logaddexp(0.0, lower) - xp.logaddexp(0.0, -upper)

    def probabilities(self, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the probability of each level on a new last axis."""
        threshold = np.asarray(scales["threshold"])
        below = 1.0 / (1.0 + np.exp(np.clip(np.asarray(eta)[..., None] - threshold, -700, 700)))
        padded = np.concatenate(
            [np.zeros((*below.shape[:-1], 1)), below, np.ones((*below.shape[:-1], 1))], axis=-1
        )
        return np.diff(padded, axis=-1)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the mean of the codes."""
        p = self.probabilities(eta, scales)
        return p @ np.arange(p.shape[-1])

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw a code: a logistic variable around eta, counted past the thresholds."""
        latent = np.asarray(eta + rng.logistic(size=np.shape(eta)))
        return (latent[..., None] > np.asarray(scales["threshold"])).sum(axis=-1).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.OrderedLogistic."""
        import pymc as pm

        return pm.OrderedLogistic(name, eta=eta, cutpoints=scales["threshold"], compute_p=False, **kwargs)

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Logits are of order one around zero."""
        return 0.0, 1.0

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Independent Student-t(3, 0, 2.5), increasing."""
        return Prior("StudentT", 3.0, 0.0, 2.5)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """Logits of the observed cumulative proportions."""
        counts = np.bincount(y.astype(np.intp), minlength=n_levels) + 0.5
        below = np.cumsum(counts)[:-1] / counts.sum()
        return np.asarray(np.log(below) - np.log1p(-below))

    @property
    def whitening_scale(self) -> float:
        """As for two levels."""
        return 2.0

    @property
    def latent_residual_sd(self) -> float:
        """Standard deviation of the standard logistic distribution, pi / sqrt(3)."""
        return float(np.pi / np.sqrt(3.0))
