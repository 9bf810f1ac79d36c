"""Observed against replicated values of one variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import DataError
from bayesmi.plots.style import COMPLETED, GREY, OBSERVED, new_axes, quiet, readable_alpha

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["replicated"]

Floats = NDArray[np.float64]
_MOST = 40  # replications drawn


def replicated(observed: Any, replicated: Any, *, name: str, ax: Axes | None = None) -> Axes:
    """Draw the distribution of observed values over those of replications from the posterior predictive distribution.

    Parameters
    ----------
    observed : array_like, shape (n,)
        Observed values of the variable.
    replicated : array_like, shape (replications, n)
        Values drawn for the same cells; 40 of them are drawn at most, evenly spaced.
    name : str
        The variable, for the axis.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Continuous: kernel densities with one bandwidth for all, observed thick and blue, each replication thin and
        grey. Zeros and ones: proportions, observed in blue bars, each replication a dot, their 95 % range a line.

    Raises
    ------
    DataError
        If there is nothing to draw or the shapes do not fit.

    Notes
    -----
    Gelman, Carlin, Stern, Dunson, Vehtari & Rubin (2013), *Bayesian Data Analysis*, ch. 6. Where the blue line leaves
    the grey ones the model does not make data that look like these.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmi import plots
    >>> rng = np.random.default_rng(1)
    >>> axes = plots.replicated(rng.normal(size=50), rng.normal(size=(20, 50)), name="score")
    >>> axes.get_xlabel()
    'score'
    """
    seen = np.asarray(observed, dtype=float)
    draws = np.asarray(replicated, dtype=float)
    if seen.ndim != 1 or not len(seen) or draws.ndim != 2 or not len(draws) or draws.shape[1] != len(seen):
        raise DataError(
            f"'{name}': observed values of shape {seen.shape} and replications of shape {draws.shape} do not fit: "
            "(n,) and (replications, n) are needed"
        )
    shown = draws[np.unique(np.linspace(0, len(draws) - 1, min(_MOST, len(draws))).astype(int))]
    ax = new_axes(ax)
    if np.isin(seen, (0.0, 1.0)).all() and np.isin(draws, (0.0, 1.0)).all():
        _bars(ax, seen, draws, shown)
    else:
        _curves(ax, seen, shown)
    ax.set_xlabel(name)
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda k: not labels[k].startswith("observed"))
    ax.legend([handles[k] for k in order], [labels[k] for k in order], frameon=False, fontsize=9)
    return quiet(ax)


def _curves(ax: Axes, seen: Floats, shown: Floats) -> None:
    """Kernel densities on one grid with one bandwidth."""
    width = _bandwidth(seen, shown)
    low, high = min(seen.min(), shown.min()), max(seen.max(), shown.max())
    grid = np.linspace(low - 3 * width, high + 3 * width, 400)
    label: str | None = f"{len(shown)} replications"
    for values in shown:
        curve = _density(values, grid, width)
        ax.plot(grid, curve, color=GREY, linewidth=0.9, alpha=readable_alpha(len(shown)), label=label)
        label = None
    curve = _density(seen, grid, width)
    ax.plot(grid, curve, color=OBSERVED, linewidth=2.6, label=f"observed ({len(seen):,})", zorder=4)
    ax.set_ylabel("density")
    ax.set_ylim(bottom=0)


def _bandwidth(seen: Floats, shown: Floats) -> float:
    """Scott's rule; at least 0.6 of the distance between heaps where values are heaped, as whole numbers are."""
    spread = float(seen.std() or shown.std() or 1.0)
    width = spread * len(seen) ** -0.2
    distinct = np.unique(seen)
    if len(distinct) > 1 and 5 * len(distinct) < len(seen):
        width = max(width, 0.6 * float(np.median(np.diff(distinct))))
    return width


def _density(values: Floats, grid: Floats, width: float) -> Floats:
    """Gaussian kernel density, by way of counts in the cells of the grid."""
    step = grid[1] - grid[0]
    edges = np.append(grid - step / 2, grid[-1] + step / 2)
    counts = np.histogram(values, edges)[0]
    reach = np.arange(-len(grid) + 1, len(grid)) * step
    kernel = np.exp(-0.5 * (reach / width) ** 2) / (width * np.sqrt(2 * np.pi))
    n = len(grid)
    return np.asarray(np.convolve(counts, kernel)[n - 1 : 2 * n - 1] / len(values))


def _bars(ax: Axes, seen: Floats, draws: Floats, shown: Floats) -> None:
    """Proportions of 0 and 1; the range is that of all replications."""
    at = np.arange(2)
    share = np.array([1 - seen.mean(), seen.mean()])
    means = shown.mean(axis=1)
    low, high = np.quantile(draws.mean(axis=1), (0.025, 0.975))
    ax.bar(at, share, 0.5, color=OBSERVED, alpha=0.75, label=f"observed ({len(seen):,})")
    jitter = np.linspace(-0.12, 0.12, len(means)) if len(means) > 1 else np.zeros(1)
    for k, values in enumerate((1 - means, means)):
        ax.plot(
            k + jitter, values, "o", markersize=3.2, markerfacecolor="white", markeredgecolor=COMPLETED,
            markeredgewidth=0.8, label=f"{len(shown)} replications" if k == 0 else None, zorder=3,
        )  # fmt: skip
    bounds = [(1 - high, 1 - low), (low, high)]
    ax.vlines(
        at + 0.32, *np.transpose(bounds), color=COMPLETED, linewidth=1.8, label="95 % of all replications"
    )
    ax.set_xticks(at, ["0", "1"])
    ax.set_xlim(-0.5, 1.55)
    ax.set_ylabel("proportion")
    ax.set_ylim(0, max(share.max(), means.max(), 1 - means.min(), high, 1 - low) * 1.35)
