"""Two variables, with what is known of one where the other is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, quiet, readable_alpha

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["margin"]


def margin(data: Any, x: str, y: str, ax: Axes | None = None) -> Axes:
    """Draw two variables against each other, and in the margins each where the other is missing.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    x, y : str
        Numeric variables.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Blue circles: both observed. In the margin below, x where y is missing (red triangles), in the margin
        to the left, y where x is missing. Two box plots in each margin: blue where the other is observed, red
        where it is missing; under data missing completely at random they agree. The number in the corner has
        both missing.

    Raises
    ------
    DataError
        If there is no such column, it is no number, or it has no observed value.

    Notes
    -----
    As VIM's ``marginplot`` (Templ, Alfons and Filzmoser 2012).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> ax = bmi.plots.margin(bmi.datasets.load("nhanes"), "bmi", "chl")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('bmi', 'chl')
    """
    frame = as_frame(data)
    a, b = (_numbers(frame, name) for name in (x, y))
    ax = new_axes(ax, 5.6, 5.0)
    both = np.isfinite(a) & np.isfinite(b)
    only_a, only_b = np.isfinite(a) & ~np.isfinite(b), np.isfinite(b) & ~np.isfinite(a)
    left, width = _margin(a)
    below, height = _margin(b)
    alpha = readable_alpha(int(both.sum()) // 40, many=0.3)
    ax.plot(a[both], b[both], "o", color=OBSERVED, markersize=4.5, alpha=alpha, markeredgewidth=0,
            label=f"both observed ({both.sum()})")  # fmt: skip
    red: dict[str, Any] = {"color": IMPUTED, "markersize": 4.5, "markeredgewidth": 0, "alpha": 0.7}
    ax.plot(a[only_a], np.full(only_a.sum(), below), "^", label=f"{y} missing ({only_a.sum()})", **red)
    ax.plot(np.full(only_b.sum(), left), b[only_b], ">", label=f"{x} missing ({only_b.sum()})", **red)
    for shift, values, colour in ((1, a[both], OBSERVED), (2, a[only_a], IMPUTED)):
        _box(ax, values, below - shift * height, height, colour, "horizontal")
    for shift, values, colour in ((1, b[both], OBSERVED), (2, b[only_b], IMPUTED)):
        _box(ax, values, left - shift * width, width, colour, "vertical")
    ax.axhline(below + 0.7 * height, color="#BBBBBB", linewidth=0.8)
    ax.axvline(left + 0.7 * width, color="#BBBBBB", linewidth=0.8)
    ax.set_xlim(left - 2.8 * width, np.nanmax(a) + width)
    ax.set_ylim(below - 2.8 * height, np.nanmax(b) + height)
    neither = int((~np.isfinite(a) & ~np.isfinite(b)).sum())
    ax.text(left - 1.0 * width, below - 1.0 * height, f"{neither}", ha="center", va="center", color=IMPUTED)
    for axis, low, high in ((ax.xaxis, np.nanmin(a), np.nanmax(a)), (ax.yaxis, np.nanmin(b), np.nanmax(b))):
        ticks = [tick for tick in axis.get_major_locator().tick_values(low, high) if low <= tick <= high]
        axis.set_ticks(ticks)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    quiet(ax, None)
    ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2,
              handletextpad=0.2, columnspacing=1.0)  # fmt: skip
    return ax


def _numbers(frame: Any, name: str) -> NDArray[np.float64]:
    """Values of a numeric column, NaN where missing or absent."""
    if name not in frame.columns:
        raise DataError(f"no column '{name}' to plot: {did_you_mean(name, list(frame.columns))}")
    column = frame.columns[name]
    if not column.n_observed:
        raise DataError(f"column '{name}' has no observed value: nothing to draw")
    if not column.is_numeric:
        raise DataError(f"column '{name}' is {column.kind}: the margin plot takes numbers")
    return np.where(column.observed, column.values, np.nan)


def _margin(values: NDArray[np.float64]) -> tuple[float, float]:
    """Where the first line of the margin lies, and the distance between its lines."""
    low, spread = float(np.nanmin(values)), float(np.nanmax(values) - np.nanmin(values)) or 1.0
    return low - 0.09 * spread, 0.055 * spread


def _box(ax: Axes, values: NDArray[np.float64], at: float, width: float, colour: str, way: Any) -> None:
    """One box in a margin."""
    if len(values) < 3:
        return
    line = {"color": colour, "linewidth": 1.0}
    ax.boxplot(
        values, positions=[at], widths=0.6 * width, orientation=way, manage_ticks=False, showfliers=False,
        boxprops=line, whiskerprops=line, capprops=line, medianprops={"color": colour, "linewidth": 2.0},
    )  # fmt: skip
