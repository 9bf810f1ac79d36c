"""Correlations of variables, and of variables with what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.explore.correlation import pairwise_correlations
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["correlations"]

_MOST_NUMBERS = 30  # columns; numbers in more of them would run into each other


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
        two, others are left out. Blue is negative, red positive; the number is printed in the cell, or with more than
        30 columns a colour bar is drawn in its place; empty where fewer than three pairs or no variation.

    Raises
    ------
    DataError
        If no two variables are numbers or ordered.

    Notes
    -----
    A variable that correlates with the missingness of another, or with the variable itself, is a candidate
    for its model (van Buuren 2018, section 6.3.2; mice's ``quickpred``).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> ax = bmi.plots.correlations(bmi.datasets.load("nhanes"))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['age', 'bmi', 'hyp', 'chl', 'bmi missing', 'hyp missing', 'chl missing']
    """
    found = pairwise_correlations(data)
    names = list(found.values.columns)
    labels = [*names, *(f"{shorten([name], 14)[0]} missing" for name in found.missing.index)]
    table = np.vstack([found.values.mask(np.eye(len(names), dtype=bool)), found.missing])
    p, q = table.shape[1], table.shape[0]
    ax = new_axes(ax, float(np.clip(2.4 + 0.55 * p, 4.8, 13)), float(np.clip(1.6 + 0.36 * q, 3.4, 12)))
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("correlation", [OBSERVED, "#FFFFFF", IMPUTED]).with_extremes(
        bad="#F2F2F2"
    )
    image = ax.imshow(table, cmap=colours, vmin=-1, vmax=1, aspect="auto")
    numbers = p <= _MOST_NUMBERS
    if not numbers:
        ax.figure.colorbar(image, ax=ax, shrink=0.5, pad=0.01, label="correlation")
    for (row, column), value in np.ndenumerate(table):
        if numbers and np.isfinite(value):
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
    ax.set_xticks(range(p), shorten(names), rotation=45, ha="left", fontsize=min(9.0, 700.0 / p))
    ax.xaxis.tick_top()
    ax.set_yticks(range(q), shorten(labels, 24), fontsize=min(9.0, 650.0 / q))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
