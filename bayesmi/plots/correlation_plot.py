"""Correlations of variables, and of variables with what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Column
from bayesmi.errors import DataError
from bayesmi.plots.sources import as_frame
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["correlations"]


def correlations(data: Any, ax: Axes | None = None) -> Axes:
    """Draw how variables correlate with each other, and with the missingness of each other.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Rows: the variables, then "x missing" for each incomplete x. Columns: the variables. Pearson
        correlations over pairs that are observed; categories enter by their code when they are ordered or
        two, others are left out. Blue is negative, red positive; the number is printed in the cell; empty
        where fewer than three pairs or no variation.

    Notes
    -----
    A variable that correlates with the missingness of another, or with the variable itself, is a candidate
    for its model (van Buuren 2018, section 6.3.2; mice's ``quickpred``).
    """
    frame = as_frame(data)
    chosen = [c for c in frame.columns.values() if _orderable(c)]
    if len(chosen) < 2:
        raise DataError("correlations need two numeric, binary or ordinal columns")
    values = np.column_stack([c.values for c in chosen])
    holes = [c for c in chosen if c.n_missing]
    rows = [c.values for c in chosen] + [c.missing.astype(float) for c in holes]
    labels = [c.name for c in chosen] + [f"{name} missing" for name in shorten([c.name for c in holes], 14)]
    table = np.array([[_pearson(row, column) for column in values.T] for row in rows])
    for k in range(len(chosen)):
        table[k, k] = np.nan
    p, q = len(chosen), len(rows)
    ax = new_axes(ax, float(np.clip(2.4 + 0.55 * p, 4.8, 13)), float(np.clip(1.6 + 0.36 * q, 3.4, 12)))
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("correlation", [OBSERVED, "#FFFFFF", IMPUTED]).with_extremes(
        bad="#F2F2F2"
    )
    ax.imshow(table, cmap=colours, vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        if np.isfinite(value):
            text = f"{round(value, 2) + 0.0:.2f}".replace("0.", ".", 1).replace("-", "−")
            ax.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=8,
                color="white" if abs(value) > 0.6 else "black",
            )
    ax.axhline(p - 0.5, color="black", linewidth=1)
    ax.set_xticks(range(p), shorten([c.name for c in chosen]), rotation=45, ha="left", fontsize=9)
    ax.xaxis.tick_top()
    ax.set_yticks(range(q), shorten(labels, 24), fontsize=9)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _orderable(column: Column) -> bool:
    """Whether its numbers or codes have an order, and vary."""
    fits = column.is_numeric or column.kind in ("binary", "ordinal")
    seen = column.values[column.observed]
    return fits and len(seen) > 2 and bool(np.ptp(seen) > 0)


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Correlation over complete pairs."""
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 3:
        return float("nan")
    a, b = x[both] - x[both].mean(), y[both] - y[both].mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")
