"""Ranks of imputed means and standard deviations, chain by chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.plots.imputed_panels import panels, shared_legend
from bayesmi.plots.imputed_series import imputed_series
from bayesmi.plots.style import GREY, quiet, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["imputed_rank"]


def imputed_rank(
    imputations: Imputations,
    names: str | Sequence[str] | None = None,
    ax: Axes | Sequence[Axes] | None = None,
) -> NDArray[Any]:
    """Draw the ranks of imputed means and sds over all chains, as a step for each chain.

    Parameters
    ----------
    imputations : Imputations
        Completed data sets from two or more chains; 100 or more say something.
    names : str or sequence of str, optional
        Imputed columns; all by default.
    ax : Axes or sequence of Axes, optional
        Where to draw, one for each panel.

    Returns
    -------
    array of Axes
        Panels as in `imputed_trace`. The empirical distribution of the chain's ranks less the uniform one; the band holds 95 %
        of steps at each rank if the chains agree.

    Raises
    ------
    DataError
        If all imputations come from one chain.

    Notes
    -----
    Säilynoja, Bürkner and Vehtari (2022): differences of empirical distributions show what rank histograms show, without bins.
    A chain that lies too high sags below zero, one that varies too little is S-shaped. The band is pointwise, hypergeometric.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> axes = bmi.plots.imputed_rank(fit.impute(100), "chl")
    >>> [ax.get_title(loc="left") for ax in axes]
    ['chl: mean', 'chl: sd']
    """
    from scipy.stats import hypergeom

    series = imputed_series(imputations, names)
    chains = np.unique(series[0].chain)
    if len(chains) < 2:
        raise DataError("all imputations come from one chain: there is nothing to compare their ranks with")
    axes = panels(series, ax)
    for axis, one in zip(axes, series, strict=True):
        m = len(one.values)
        # ties, as of shares, are broken by draw, the same way every time
        order = np.lexsort((one.draw, one.values))
        share = np.arange(1, m + 1) / m
        smallest = min(int((one.chain == k).sum()) for k in chains)
        law = hypergeom(m, smallest, np.arange(1, m + 1))
        low, high = law.ppf(0.025) / smallest - share, law.ppf(0.975) / smallest - share
        axis.fill_between(
            share, low, high, color=GREY, alpha=0.25, linewidth=0, step="post", label="95 % if chains agree"
        )
        for k in chains:
            mine = one.chain[order] == k
            style = series_style(int(k))
            difference = np.cumsum(mine) / mine.sum() - share
            axis.step(
                share, difference, where="post", color=style["color"], linestyle=style["linestyle"], linewidth=1.4,
                label=f"chain {k}",
            )  # fmt: skip
        axis.axhline(0, color=GREY, linewidth=0.8)
        axis.set_title(one.title, fontsize=10, loc="left")
        axis.set_xlabel("rank / m")
        axis.set_ylabel("ECDF − uniform", fontsize=9)
        quiet(axis)
    shared_legend(axes, own_figure=ax is None)
    return np.array(axes, dtype=object)
