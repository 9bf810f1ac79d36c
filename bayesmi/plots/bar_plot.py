"""Proportions of the levels of a discrete variable, observed and imputed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.plots.sources import ImputedColumn, imputed_column
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, quiet, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bar", "draw_bars"]


def bar(imputations: Imputations, name: str, ax: Axes | None = None) -> Axes:
    """Draw the proportion of each level, observed beside imputed.

    Parameters
    ----------
    imputations : Imputations
        Completed data sets.
    name : str
        An imputed category, binary variable or small count.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Observed in blue bars, mean of the imputations in hatched red bars, each imputation a dot.

    Raises
    ------
    DataError
        If the variable is continuous (see `density`), or has no missing cell.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> imputed = bmi.impute(bmi.datasets.load("nhanes2"), "chl ~ hyp + bmi", m=5, seed=1, progress=False)
    >>> ax = bmi.plots.bar(imputed, "hyp")
    >>> ax.get_xlabel(), [label.get_text() for label in ax.get_xticklabels()]
    ('hyp', ['no', 'yes'])
    """
    found = imputed_column(imputations, name)
    if found.imputed.size == 0:
        raise DataError(f"column '{name}' has no missing cell: nothing to compare")
    if not found.levels:
        raise DataError(f"column '{name}' is {found.column.kind}, not discrete: use plots.density")
    ax = new_axes(ax, float(np.clip(2.6 + 0.9 * len(found.levels), 6.4, 14)))
    draw_bars(ax, found)
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(
        range(len(labels)), key=lambda k: (labels[k].startswith("each"), labels[k].startswith("imputed"))
    )
    handles, labels = [handles[k] for k in order], [labels[k] for k in order]
    ax.legend(
        handles,
        labels,
        frameon=False,
        fontsize=9,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=3,
        borderaxespad=0.2,
    )
    return ax


def draw_bars(ax: Axes, found: ImputedColumn) -> None:
    """Proportions of levels; each imputation a dot."""
    values = np.array([value for value, _ in found.levels])
    observed = (found.observed[:, None] == values).mean(axis=0)
    imputed = (found.imputed[:, :, None] == values).mean(axis=0)  # (m, levels)
    at = np.arange(len(values))
    ax.bar(at - 0.2, observed, 0.38, color=OBSERVED, label=f"observed ({len(found.observed)})")
    ax.bar(
        at + 0.2, imputed.mean(axis=0), 0.38, facecolor=IMPUTED, alpha=0.55, hatch="///", edgecolor="white",
        label=f"imputed, mean of {found.m}",
    )  # fmt: skip
    spread = np.linspace(-0.14, 0.14, found.m) if found.m > 1 else np.zeros(1)
    x = (at[None, :] + 0.2 + spread[:, None]).ravel()
    ax.plot(
        x, imputed.ravel(), "o", markersize=3.2, markerfacecolor="white", markeredgecolor=IMPUTED,
        markeredgewidth=0.8, label="each imputation", zorder=3,
    )  # fmt: skip
    names = shorten([label for _, label in found.levels], 18)
    slanted = sum(map(len, names)) > 60
    ax.set_xticks(at, names, rotation=30 if slanted else 0, ha="right" if slanted else "center")
    ax.set_xlabel(found.column.name)
    ax.set_ylabel("proportion")
    top = max(observed.max(), imputed.max())
    ax.set_ylim(0, top * 1.08)
    quiet(ax)
