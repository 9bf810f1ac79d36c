"""An estimate over a grid of two deltas, with the line where the conclusion turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.errors import DataError
from bayesmi.plots.style import COMPLETED, IMPUTED, new_axes, quiet
from bayesmi.sensitivity.tipping import read_criterion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["sensitivity_map"]


def sensitivity_map(
    found: Any,
    term: str | None = None,
    ax: Axes | None = None,
    *,
    show: str = "estimate",
    criterion: str | float = "interval",
    alpha: float = 0.05,
) -> Axes:
    """Draw an estimate (or p-value) over two deltas or correlations as a heat map with the tipping line.

    Parameters
    ----------
    found : Sensitivity
        Over two deltas.
    term : str, optional
        The estimand; by default the only one.
    ax : Axes, optional
        Where to draw.
    show : {"estimate", "p.value", "std.error", "conf.low", "conf.high"}
        What the colours mean.
    criterion, alpha
        Of the line, as in `Sensitivity.tipping_point`.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If the grid has one delta, or `show` is no column.
    ModelError
        If there are several estimands and none, or an unknown one, is named.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> found = fit.sensitivity({"chl": [-20, 0, 20], "bmi": [-2, 0, 2]}, m=5, progress=False)
    >>> ax = bmi.plots.sensitivity_map(found, "bmi", show="p.value")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('delta_conditional of chl', 'delta_conditional of bmi')
    """
    if len(found.grid.names) != 2:
        raise DataError("this grid has one axis: plots.sensitivity draws it")
    shown = ("estimate", "p.value", "std.error", "conf.low", "conf.high")
    if show not in shown:
        raise DataError(f"show={show!r}: show is one of {', '.join(shown)}")
    term = found.check_term(term)
    target, words = read_criterion(criterion, alpha)
    first, second = found.grid.names
    x, y = (np.array(found.grid.values[name]) for name in (first, second))
    values, margin = np.full((len(y), len(x)), np.nan), np.full((len(y), len(x)), np.nan)
    for point in found.points:
        place = int(np.searchsorted(y, point.values[1])), int(np.searchsorted(x, point.values[0]))
        values[place] = point.answer.table().loc[term, show]
        margin[place] = point.answer.margin(term, target, alpha)
    ax = new_axes(ax, 5.6, 4.2)
    mesh = ax.pcolormesh(x, y, values, shading="nearest", cmap="cividis", rasterized=True)
    ax.figure.colorbar(mesh, ax=ax, label=f"{show} of {term}")
    if (margin > 0).any() and (margin < 0).any() and min(margin.shape) > 1:
        ax.contour(x, y, margin, levels=[0.0], colors="white", linewidths=3.0)
        ax.contour(x, y, margin, levels=[0.0], colors=IMPUTED, linewidths=1.6)
        ax.plot([], [], color=IMPUTED, linewidth=1.6, label=words)
    if x[0] <= 0 <= x[-1] and y[0] <= 0 <= y[-1]:
        ax.plot(
            0,
            0,
            "o",
            color="white",
            markeredgecolor=COMPLETED,
            markersize=7,
            linestyle="none",
            label=found.grid.at_zero,
        )
    ax.set_xlabel(found.grid.label(first))
    ax.set_ylabel(found.grid.label(second))
    quiet(ax, None)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(
            frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2
        )
    return ax
