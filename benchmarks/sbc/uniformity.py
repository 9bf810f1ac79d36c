"""Are ranks uniform: the 99 % simultaneous band of the ECDF (Säilynoja, Bürkner & Vehtari 2022)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import bdtr

__all__ = ["PROB", "Ecdf", "band", "pit_of_ranks", "uniformity_p"]

PROB = 0.99
_SIMULATIONS = 20_000


def pit_of_ranks(ranks: np.ndarray, m: int, seed: int = 0) -> np.ndarray:
    """Return (rank + u) / (m + 1) with u uniform: continuous uniform where ranks are uniform on 0 ... m."""
    return (ranks + np.random.default_rng(seed).random(len(ranks))) / (m + 1)


def _ecdf(pit: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(pit), points, side="right")


def _statistic(counts: np.ndarray, n: int, points: np.ndarray) -> np.ndarray:
    """Smallest two-sided pointwise probability along the ECDF; counts (..., points)."""
    below = bdtr(counts, n, points)
    above = np.where(counts > 0, 1.0 - bdtr(np.maximum(counts - 1, 0), n, points), 1.0)
    return 2.0 * np.minimum(below, above).min(axis=-1)


@lru_cache(maxsize=32)
def _null(n: int) -> np.ndarray:
    """Sorted values of the statistic under uniformity."""
    rng = np.random.default_rng(214)
    points = np.arange(1, n) / n
    out = []
    for _ in range(_SIMULATIONS // 500):
        uniform = np.sort(rng.random((500, n)), axis=1)
        counts = np.stack([np.searchsorted(one, points, side="right") for one in uniform])
        out.append(_statistic(counts, n, points))
    return np.sort(np.concatenate(out))


def uniformity_p(pit: np.ndarray) -> float:
    """Return the probability under uniformity of an ECDF that leaves so wide a simultaneous band."""
    n = len(pit)
    points = np.arange(1, n) / n
    seen = float(_statistic(_ecdf(pit, points), n, points))
    null = _null(n)
    return float((np.searchsorted(null, seen, side="right") + 1) / (len(null) + 1))


class Ecdf:
    """ECDF minus the diagonal, with ArviZ's simultaneous band."""

    def __init__(self, pit: np.ndarray) -> None:
        n = len(pit)
        self.points, lower, upper = band(n)
        counts = _ecdf(pit, self.points)
        self.difference = counts / n - self.points
        self.lower, self.upper = lower - self.points, upper - self.points
        eps = 1e-12
        self.is_inside = bool(
            ((self.difference >= self.lower - eps) & (self.difference <= self.upper + eps)).all()
        )


@lru_cache(maxsize=32)
def band(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return evaluation points and the ends of the band for n values, from ArviZ."""
    from arviz_stats.ecdf_utils import ecdf_pit

    uniform = (np.arange(n) + 0.5) / n
    points, _, lower, upper = ecdf_pit(uniform, PROB, 5000)
    return np.asarray(points), np.asarray(lower), np.asarray(upper)
