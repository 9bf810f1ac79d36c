"""Box plots of observed and imputed values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.plots.sources import imputed_column
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["box"]


def box(imputations: Imputations, name: str, ax: Axes | None = None) -> Axes:
    """Draw a box plot of the observed values, and one of the imputed values of each imputation.

    Parameters
    ----------
    imputations : Imputations
        Completed data sets.
    name : str
        An imputed numeric variable.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Position 0 observed (blue, filled), 1 … m imputed (red, open). Whiskers reach 1.5 interquartile
        ranges; points beyond are shown. The line across is the observed median.

    Raises
    ------
    DataError
        If the variable is a category (see `density`), or has no missing cell.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
    >>> ax = bmi.plots.box(imputed, "chl")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('imputation (0: observed)', 'chl')
    """
    found = imputed_column(imputations, name)
    if found.column.categories is not None:
        raise DataError(f"column '{name}' holds categories: use plots.density, which draws their proportions")
    if found.imputed.size == 0:
        raise DataError(f"column '{name}' has no missing cell: nothing to compare")
    ax = new_axes(ax, width=float(np.clip(3.2 + 0.22 * found.m, 6.4, 14)))
    for number, values in enumerate([found.observed, *found.imputed.T]):
        colour = OBSERVED if number == 0 else IMPUTED
        line = {"color": colour, "linewidth": 1.0}
        ax.boxplot(
            values, positions=[number], widths=0.6, manage_ticks=False, patch_artist=True,
            boxprops={"edgecolor": colour, "facecolor": "#CFE2F3" if number == 0 else "white", "linewidth": 1.0},
            whiskerprops=line, capprops=line, medianprops={"color": colour, "linewidth": 2.0},
            flierprops={"marker": "o" if number == 0 else "^", "markersize": 2.5, "markerfacecolor": colour,
                        "markeredgewidth": 0, "alpha": 0.5},
        )  # fmt: skip
    ax.axhline(float(np.median(found.observed)), color=OBSERVED, linewidth=0.8, zorder=0)
    ax.set_xticks([0, *range(1, found.m + 1, max(1, int(np.ceil(found.m / 25))))])
    ax.set_xlim(-0.6, found.m + 0.6)
    ax.set_xlabel("imputation (0: observed)")
    ax.set_ylabel(name)
    return quiet(ax)
