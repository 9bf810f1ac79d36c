"""Every observed and imputed value, imputation by imputation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmi.imputations import Imputations
from bayesmi.plots.sources import imputed_column
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, quiet, readable_alpha, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["strip"]


def strip(imputations: Imputations, name: str, ax: Axes | None = None) -> Axes:
    """Draw every observed and imputed value of a variable, one column an imputation.

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
        Column 0 holds the observed values (blue circles); columns 1 … m the imputed ones (red triangles). The
        shaded band and the line run from the 5 % to the 95 % quantile, and at the median, of the observed
        values.

    Raises
    ------
    DataError
        If there is no such variable.

    Notes
    -----
    Sideways jitter only tells points apart, and is the same every time. Levels of a discrete variable are
    jittered upwards as well.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
    >>> ax = bmi.plots.strip(imputed, "bmi")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('imputation (0: observed)', 'bmi')
    """
    found = imputed_column(imputations, name)
    rng = np.random.default_rng(0)
    ax = new_axes(ax, width=float(np.clip(3.2 + 0.25 * found.m, 6.4, 14)))
    levels = found.levels
    upward = 0.0
    if levels:
        values = np.array([value for value, _ in levels])
        upward = 0.18 * (np.diff(values).min() if len(values) > 1 else 1.0)
    columns = [found.observed, *found.imputed.T]
    for number, column in enumerate(columns):
        x = number + rng.uniform(-0.32, 0.32, len(column))
        y = column + rng.uniform(-upward, upward, len(column))
        seen = number == 0
        ax.plot(
            x, y, "o" if seen else "^", color=OBSERVED if seen else IMPUTED,
            markersize=float(np.clip(22 / max(1, len(column)) ** 0.35, 1.8, 5)), markeredgewidth=0,
            alpha=max(0.25, readable_alpha(len(column) // 20, many=0.25)), rasterized=True,
            label={0: f"observed ({len(column)})", 1: f"imputed ({len(column)} cells)"}.get(number),
        )  # fmt: skip
    if len(found.observed) and not levels:
        low, middle, high = np.quantile(found.observed, [0.05, 0.5, 0.95])
        ax.axhspan(low, high, color=OBSERVED, alpha=0.07, zorder=0)
        ax.axhline(middle, color=OBSERVED, linewidth=0.8, zorder=0)
    step = max(1, int(np.ceil(found.m / 25)))
    ax.set_xticks([0, *range(1, found.m + 1, step)])
    ax.set_xlim(-0.6, found.m + 0.6)
    ax.set_xlabel("imputation (0: observed)")
    ax.set_ylabel(name)
    quiet(ax)
    if levels:
        ax.set_yticks([value for value, _ in levels], shorten([label for _, label in levels]))
    legend = ax.legend(
        frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set(markersize=6, alpha=1)  # whatever the points are
    return ax
