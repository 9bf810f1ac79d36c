"""Normal quantile residuals: observed values among their replications."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from bayesmi.errors import DataError

__all__ = ["quantile_band", "quantile_residuals"]

Floats = NDArray[np.float64]


def quantile_residuals(observed: Any, replicated: Any, *, name: str) -> Floats:
    """Place each observed value among its replications, as a normal score.

    Parameters
    ----------
    observed : array_like, shape (n,)
        Observed values.
    replicated : array_like, shape (replications, n)
        Draws for the same cells; 50 at least.
    name : str
        The variable, for messages.

    Returns
    -------
    ndarray, shape (n,)
        Sorted; standard normal if the model holds.

    Raises
    ------
    DataError
        If shapes do not fit or there are fewer than 50 replications.

    Notes
    -----
    Dunn and Smyth (1996), by simulation: the share of replications below, ties at random (the same every time).
    """
    seen, draws = np.asarray(observed, dtype=float), np.asarray(replicated, dtype=float)
    if seen.ndim != 1 or not len(seen) or draws.ndim != 2 or draws.shape[1] != len(seen):
        raise DataError(
            f"'{name}': observed values of shape {seen.shape} and replications of shape {draws.shape} do not fit: "
            "(n,) and (replications, n) are needed"
        )
    if len(draws) < 50:
        raise DataError(
            f"'{name}': {len(draws)} replications are too few for residuals: use fit.check(replications=200)"
        )
    below, ties = (draws < seen).sum(axis=0), (draws == seen).sum(axis=0)
    at = (below + np.random.default_rng(0).random(len(seen)) * (ties + 1)) / (len(draws) + 1)
    return np.sort(special.ndtri(at))


def quantile_band(n: int) -> tuple[Floats, Floats, Floats]:
    """Expected normal order statistics (Blom) and the 95 % range of each."""
    rank = np.arange(1, n + 1)
    expected = special.ndtri((rank - 0.375) / (n + 0.25))
    low, high = (special.ndtri(stats.beta.ppf(p, rank, n + 1 - rank)) for p in (0.025, 0.975))
    return expected, low, high
