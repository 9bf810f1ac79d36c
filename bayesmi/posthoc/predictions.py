"""Predicted means with intervals, pooled over the completed data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.analyses import Analyses
from bayesmi.errors import PoolError
from bayesmi.pool.inference import infer
from bayesmi.pool.rubin import rubin
from bayesmi.posthoc.design import FitDesign, design_of

__all__ = ["predictions", "read_designs"]

_ADDED = ("estimate", "std.error", "conf.low", "conf.high", "df", "fmi", "mcse")


def predictions(
    analyses: Analyses,
    new: pd.DataFrame | Mapping[str, Any],
    *,
    scale: Literal["response", "link"] = "response",
    dfcom: float | None = None,
) -> pd.DataFrame:
    """Pool the predicted mean of new rows.

    Parameters
    ----------
    analyses : Analyses
        statsmodels fits made by formula: linear, generalised linear, logit, probit, Poisson, mixed (of a mixed model the
        fixed part: the mean of a typical cluster).
    new : DataFrame or mapping of columns
        Values of the predictors, r rows.
    scale : {"response", "link"}
        Means or linear predictors. Either way they are pooled as linear predictors, and intervals are carried back.
    dfcom : float, optional
        Complete-data degrees of freedom; by default those of the fits.

    Returns
    -------
    DataFrame
        ``new`` with the columns estimate, std.error, conf.low, conf.high, df, fmi and mcse (Monte Carlo error of the
        estimate) added.

    Raises
    ------
    PoolError
        If the fits cannot predict for these rows.

    Notes
    -----
    Predictions in each data set with variance x'Vx, pooled by Rubin's rules (Miles 2016). These are intervals for the mean,
    not for a new observation.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd, statsmodels.formula.api as smf
    >>> sets = [pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [1.0, 2.2, 2.9, 4.0 + i / 10]}) for i in range(3)]
    >>> fits = bmi.Analyses.from_results([smf.ols("y ~ x", d).fit() for d in sets])
    >>> bmi.predictions(fits, {"x": [2.5]})[["x", "estimate"]].round(3).to_numpy().tolist()
    [[2.5, 2.55]]
    """
    if scale not in ("response", "link"):
        raise PoolError(f"scale {scale!r} is not known: use 'response' or 'link'")
    table = new.copy() if isinstance(new, pd.DataFrame) else pd.DataFrame(dict(new))
    for name in _ADDED:
        if name in table.columns:
            raise PoolError(
                f"column {name!r} of new would be overwritten by that of the answer: rename that predictor"
            )
    fits = read_designs(analyses)
    eta, variances = [], []
    for i, fit in enumerate(fits, start=1):
        try:
            rows = fit.rows(table)
        except PoolError as error:
            raise PoolError(f"data set {i}: {error}") from None
        eta.append(rows @ fit.coefficients)
        variances.append(np.einsum("ij,jk,ik->i", rows, fit.covariance, rows))
    q, m = np.array(eta), len(fits)
    pooled = rubin(q, variances, smallest_df(fits) if dfcom is None else dfcom)
    test = infer(pooled)
    first = fits[0]
    back: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    if scale == "link":
        back, slope = np.asarray, np.ones_like(pooled.estimate)
    else:
        back, slope = first.inverse_link, np.abs(first.slope(pooled.estimate))
    ends = np.sort([back(test.conf_low), back(test.conf_high)], axis=0)
    return table.assign(
        **{
            "estimate": back(pooled.estimate),
            "std.error": slope * test.std_error,
            "conf.low": ends[0],
            "conf.high": ends[1],
            "df": pooled.df,
            "fmi": pooled.fmi,
            "mcse": slope * np.sqrt(pooled.b / m),
        }
    )


def read_designs(analyses: Analyses) -> list[FitDesign]:
    """Read every fit; all must have the same terms.

    Parameters
    ----------
    analyses : Analyses

    Returns
    -------
    list of FitDesign

    Raises
    ------
    PoolError
        If there are fewer than two fits, one cannot predict, or their terms differ.
    """
    if not isinstance(analyses, Analyses) or analyses.m < 2:
        raise PoolError(
            "pass the Analyses of at least two completed data sets, as Imputations.analyze() returns them"
        )
    designs = []
    for i, result in enumerate(analyses.results, start=1):
        try:
            designs.append(design_of(result))
        except PoolError as error:
            raise PoolError(f"data set {i}: {error}") from None
        if designs[-1].terms != designs[0].terms:
            raise PoolError(
                f"data set {i} has other terms than data set 1: fit one model, with the same levels in each"
            )
    return designs


def smallest_df(fits: Sequence[FitDesign]) -> float:
    """Complete-data df that counts for predictions: the smallest over the data sets."""
    return min(fit.dfcom for fit in fits)
