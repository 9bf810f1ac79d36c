"""Means and standard deviations of imputed values along the chains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.imputations import Imputations
from bayesmi.plots.imputed_panels import panels, shared_legend
from bayesmi.plots.imputed_series import imputed_series
from bayesmi.plots.style import OBSERVED, quiet, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["imputed_trace"]


def imputed_trace(
    imputations: Imputations,
    names: str | Sequence[str] | None = None,
    ax: Axes | Sequence[Axes] | None = None,
) -> NDArray[Any]:
    """Draw mean and sd of the imputed values, imputation by imputation, chain by chain.

    Parameters
    ----------
    imputations : Imputations
        Completed data sets; ``fit.impute(200)`` shows more of the chains than 20.
    names : str or sequence of str, optional
        Imputed columns; all by default.
    ax : Axes or sequence of Axes, optional
        Where to draw, one for each panel.

    Returns
    -------
    array of Axes
        Two panels a numeric column, mean and sd; one for a category, the share of its most frequent level. One marker and dash
        a chain; the broad blue line is that of the observed values.

    Raises
    ------
    DataError
        If there is one imputation, or there are fewer Axes than panels.

    Notes
    -----
    What mice's ``plot(imp)`` shows over iterations is shown here over posterior draws, which have no iterations to converge
    over: chains should lie on top of each other, without a trend. That imputed and observed differ is no fault.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> axes = bmi.plots.imputed_trace(fit.impute(100), "chl")
    >>> [ax.get_title(loc="left") for ax in axes]
    ['chl: mean', 'chl: sd']
    """
    series = imputed_series(imputations, names)
    axes = panels(series, ax)
    for axis, one in zip(axes, series, strict=True):
        chains = np.unique(one.chain)
        for k in chains:
            here = np.flatnonzero(one.chain == k)
            order = here[np.argsort(one.draw[here], kind="stable")]
            style = series_style(int(k))
            axis.plot(
                one.draw[order], one.values[order], color=style["color"], linestyle=style["linestyle"], marker=style["marker"],
                markersize=3, linewidth=0.9, alpha=0.85, label=f"chain {k}",
            )  # fmt: skip
        if np.isfinite(one.observed):
            axis.axhline(one.observed, color=OBSERVED, linewidth=3, alpha=0.35, zorder=0, label="observed")
        axis.set_title(one.title, fontsize=10, loc="left")
        axis.set_xlabel("draw")
        quiet(axis)
    shared_legend(axes, own_figure=ax is None)
    return np.array(axes, dtype=object)
