"""Normal quantile residuals, observed values among their replications, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from bayesmi.errors import DataError
from bayesmi.plots.style import GREY, OBSERVED, readable_alpha

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_residuals", "quantile_band", "quantile_residuals"]

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


def draw_residuals(ax: Axes, residuals: Floats, name: str, *, detrended: bool) -> None:
    """Draw sorted residuals over normal quantiles with their line and band; detrended: less these quantiles."""
    expected, low, high = quantile_band(len(residuals))
    line = np.zeros(len(expected)) if detrended else expected
    if detrended:
        residuals, low, high = residuals - expected, low - expected, high - expected
    ax.fill_between(expected, low, high, color=GREY, alpha=0.25, linewidth=0, label="95 % if the model holds")
    ax.plot(expected, line, color=GREY, linewidth=1)
    ax.plot(
        expected, residuals, "o", color=OBSERVED, markersize=3.5, markeredgewidth=0,
        alpha=readable_alpha(len(residuals) // 50, many=0.4), label=f"{name} ({len(residuals):,})",
    )  # fmt: skip
    ax.set_xlabel("normal quantile")
    if detrended:
        reach = 1.15 * float(np.quantile(np.abs(np.concatenate([low, high, residuals])), 0.995))
        ax.set_ylim(-reach, reach)
