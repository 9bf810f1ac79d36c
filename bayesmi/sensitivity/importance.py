"""Draws of one posterior reweighted to another, with Pareto-smoothed weights that say whether that is accurate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Importance", "bridge", "bridged", "pareto_limit", "smoothed"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Importance:
    """Weights of S draws.

    Attributes
    ----------
    weights : ndarray, shape (S,)
        Sum to one.
    pareto_k : float
        Shape of the tail of the raw ratios; above `pareto_limit` the weights are not to be trusted.
    """

    weights: Floats
    pareto_k: float

    @property
    def holds(self) -> bool:
        """Whether the reweighted draws may stand for the other posterior."""
        return self.pareto_k <= pareto_limit(len(self.weights)) and self.effective >= _LEAST

    @property
    def effective(self) -> float:
        """Number of equally weighted draws that would be as accurate."""
        return float(1.0 / (self.weights**2).sum())


_LEAST = 100.0  # equally weighted draws


def pareto_limit(n: int) -> float:
    """Return the largest Pareto k at which n draws suffice: min(1 - 1 / log10(n), 0.7) (Vehtari et al. 2024)."""
    return min(1.0 - 1.0 / math.log10(max(n, 11)), 0.7)


def bridge(at_first: Floats, at_second: Floats) -> float:
    """Return the log ratio of two marginal likelihoods, second over first, by bridge sampling (Meng & Wong 1996).

    Parameters
    ----------
    at_first, at_second : (S,) arrays
        Log likelihood ratios, second over first, at draws of the first and of the second posterior.

    Examples
    --------
    >>> import numpy as np
    >>> round(bridge(np.full(100, 2.0), np.full(100, 2.0)), 6)
    2.0
    """
    return bridged(at_first, at_second)[0]


def bridged(at_first: Floats, at_second: Floats) -> tuple[float, float]:
    """Return what `bridge` does and its standard error, draws taken as independent (Frühwirth-Schnatter 2004, eq. 16)."""
    share = len(at_second) / (len(at_first) + len(at_second))
    middle = float(np.median(at_second))
    first, second = at_first - middle, at_second - middle
    log_r = 0.0
    for _ in range(200):
        mixed_first = np.logaddexp(np.log(share) + first, np.log1p(-share) + log_r)
        mixed_second = np.logaddexp(np.log(share) + second, np.log1p(-share) + log_r)
        new = _log_mean(first - mixed_first) - _log_mean(-mixed_second)
        done = abs(new - log_r) < 1e-10
        log_r = new
        if done:
            break
    mixed_first = np.logaddexp(np.log(share) + first, np.log1p(-share) + log_r)
    mixed_second = np.logaddexp(np.log(share) + second, np.log1p(-share) + log_r)
    error = np.sqrt(_relative(first - mixed_first) + _relative(-mixed_second))
    return log_r + middle, float(error)


def _relative(logs: Floats) -> float:
    """Squared standard error of a mean of exponentials over the mean."""
    values = np.exp(logs - logs.max())
    return float(values.var() / len(values) / values.mean() ** 2)


def _log_mean(values: Floats) -> float:
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).mean()))


def smoothed(log_ratios: Floats) -> Importance:
    """Return Pareto-smoothed weights of log density ratios, (S,).

    Examples
    --------
    >>> import numpy as np
    >>> own = smoothed(np.zeros(1000))
    >>> own.pareto_k, round(own.effective)
    (0.0, 1000)
    """
    n = len(log_ratios)
    if float(np.ptp(log_ratios)) < 1e-10:
        return Importance(np.full(n, 1.0 / n), 0.0)
    from arviz_stats.base import array_stats

    log_weights, k = array_stats.psislw(
        -log_ratios
    )  # which takes log likelihoods left out, the negative ratios
    log_weights = np.asarray(log_weights, dtype=float)
    weights = np.exp(log_weights - log_weights.max())
    return Importance(weights / weights.sum(), float(k))
