"""An estimate over a grid of deltas, with the point where the conclusion turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.errors import DataError
from bayesmi.plots.style import COMPLETED, GREY, IMPUTED, OBSERVED, new_axes, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["sensitivity"]


def sensitivity(found: Any, term: str | None = None, ax: Axes | None = None, *, tipping: Any = None) -> Axes:
    """Draw an estimate with its interval against delta, or against a correlation.

    Parameters
    ----------
    found : Sensitivity or TippingPoint
        Over one delta; a `TippingPoint` brings the mark.
    term : str, optional
        The estimand; by default that of the tipping point, or the only one.
    ax : Axes, optional
        Where to draw.
    tipping : TippingPoint, optional
        Marked with its Monte Carlo error.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If the grid has two deltas.
    ModelError
        If there are several estimands and none, or an unknown one, is named.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> found = fit.sensitivity({"bmi": [-2, 0, 2]}, m=5, progress=False)
    >>> ax = bmi.plots.sensitivity(found, "bmi")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('delta_conditional of bmi', 'bmi')
    """
    if hasattr(found, "sensitivity"):
        tipping, found = found, found.sensitivity
        term = tipping.term if term is None else term
    if len(found.grid.names) != 1:
        raise DataError("this grid has two axes: plots.sensitivity_map draws it")
    term = found.check_term(term)
    (name,), (column,) = found.grid.names, found.columns
    table = found.table
    own = table[table["term"] == term].sort_values(column)
    x = own[column].to_numpy()
    ax = new_axes(ax, 6.0, 3.8)
    ax.fill_between(
        x, own["conf.low"], own["conf.high"], color=OBSERVED, alpha=0.18, linewidth=0, label="95 % interval"
    )
    ax.plot(x, own["estimate"], color=OBSERVED, linewidth=1.8, label="estimate")
    grid = np.isin(x, found.grid.values[name])
    ax.plot(x[grid], own["estimate"].to_numpy()[grid], "o", color=OBSERVED, markersize=4.5)
    low, high = ax.get_ylim()
    if low - 0.15 * (high - low) < 0.0 < high + 0.15 * (high - low):
        ax.axhline(0.0, color=GREY, linewidth=0.8, zorder=0)
    if x[0] <= 0.0 <= x[-1]:
        ax.axvline(0.0, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
        ax.annotate(
            found.grid.at_zero, (0.0, 0.0), (4, 4), xycoords=("data", "axes fraction"), textcoords="offset points",
            fontsize=8, color=COMPLETED,
        )  # fmt: skip
    if tipping is not None and np.isfinite(tipping.value):
        ax.axvline(tipping.value, color=IMPUTED, linewidth=1.2, linestyle="--")
        if np.isfinite(tipping.mcse):
            ax.axvspan(
                tipping.value - 1.96 * tipping.mcse, tipping.value + 1.96 * tipping.mcse, color=IMPUTED, alpha=0.12,
                linewidth=0,
            )  # fmt: skip
        right = tipping.value > 0.5 * (x[0] + x[-1])
        ax.annotate(
            f"{tipping.criterion}\nat {tipping.value:.3g} ± {1.96 * tipping.mcse:.2g}",
            (tipping.value, 0.98), (-5 if right else 5, 0), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="right" if right else "left", va="top", fontsize=8, color=IMPUTED,
        )  # fmt: skip
    ax.set_xlabel(found.grid.label(name))
    ax.set_ylabel(term)
    quiet(ax)
    ax.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return ax
