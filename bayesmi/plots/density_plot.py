"""Observed against imputed values of one variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.plots.bar_plot import draw_bars
from bayesmi.plots.sources import ImputedColumn, imputed_column
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, quiet, readable_alpha

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["density"]


def density(imputations: Imputations, name: str, ax: Axes | None = None) -> Axes:
    """Draw the distribution of observed values against that of each imputation.

    Parameters
    ----------
    imputations : Imputations
        Completed data sets.
    name : str
        An imputed variable.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Continuous: kernel densities, observed thick and blue, each imputation thin and red. Discrete:
        proportions of each level, observed in blue bars, mean of the imputations in hatched red bars, each
        imputation a dot.

    Raises
    ------
    DataError
        If there is no such variable, or it has no missing cell.

    Notes
    -----
    Bandwidth by Scott's rule; where values are heaped, as whole numbers are, at least 0.6 of the distance
    between heaps, so that these do not show as waves. Observed and imputed values may differ for a good
    reason: that is what missing at random allows.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
    >>> ax = bmi.plots.density(imputed, "chl")
    >>> ax.get_xlabel(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('chl', ['observed (15)', 'imputed (5 × 10)'])
    """
    found = imputed_column(imputations, name)
    if found.imputed.size == 0:
        raise DataError(f"column '{name}' has no missing cell: nothing to compare")
    ax = new_axes(ax)
    draw_bars(ax, found) if found.levels else _curves(ax, found)
    if found.levels:
        ax.set_ylim(0, ax.get_ylim()[1] * 1.2)  # room for the legend
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(
        range(len(labels)), key=lambda k: (labels[k].startswith("each"), labels[k].startswith("imputed"))
    )
    ax.legend([handles[k] for k in order], [labels[k] for k in order], frameon=False, fontsize=9)
    return ax


def _curves(ax: Axes, found: ImputedColumn) -> None:
    """Kernel densities; an imputation with too few distinct values is shown by ticks on the axis."""
    label: str | None = f"imputed ({found.m} × {len(found.imputed)})"
    for values in found.imputed.T:
        curve = _kernel(values)
        if curve is None:
            ax.plot(
                values,
                np.zeros_like(values),
                "|",
                color=IMPUTED,
                markersize=14,
                alpha=0.8,
                label=label,
                zorder=3,
            )
        else:
            ax.plot(
                *curve,
                color=IMPUTED,
                linewidth=0.9,
                alpha=readable_alpha(found.m),
                label=label,
                zorder=2,
            )
        label = None
    curve = _kernel(found.observed)
    if curve is not None:
        ax.plot(*curve, color=OBSERVED, linewidth=2.8, label=f"observed ({len(found.observed)})", zorder=4)
    ax.set_xlabel(found.column.name)
    ax.set_ylabel("density")
    ax.set_ylim(bottom=0)
    quiet(ax)


def _kernel(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Points and Gaussian kernel density at them, or None where it has no meaning."""
    distinct = np.unique(values)
    if len(distinct) < 3:
        return None
    from scipy.stats import gaussian_kde

    sd = values.std(ddof=1)
    width = sd * len(values) ** -0.2
    if 5 * len(distinct) < len(values):  # heaped: whole numbers, say
        width = max(width, 0.6 * float(np.median(np.diff(distinct))))
    grid = np.linspace(values.min() - 3 * width, values.max() + 3 * width, 400)
    return grid, np.asarray(gaussian_kde(values, bw_method=width / sd)(grid))
