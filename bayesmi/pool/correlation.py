"""Pool correlations on Fisher's z scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesmi.errors import PoolError
from bayesmi.pool.inference import infer
from bayesmi.pool.rubin import rubin

__all__ = ["pool_correlation"]


def pool_correlation(
    r: ArrayLike,
    n: ArrayLike,
    *,
    method: Literal["pearson", "spearman", "kendall"] = "pearson",
    partialled: int = 0,
    reference: Literal["t", "normal"] = "t",
) -> pd.DataFrame:
    """Pool m correlations.

    Parameters
    ----------
    r : array_like, shape (m,)
        The correlation in each completed data set, inside (-1, 1).
    n : array_like
        Number of rows, one for all or one per data set.
    method : {"pearson", "spearman", "kendall"}
        Kind of correlation: it decides the variance.
    partialled : int, default 0
        Number of variables partialled out.
    reference : {"t", "normal"}, default "t"
        Distribution of p value and interval: Student's t with the pooled df, or the normal one as miceadds' ``micombine.cor``
        (too narrow with few data sets).

    Returns
    -------
    DataFrame
        One row: r, conf.low, conf.high (carried back from z), z, std.error (of z), statistic, df, p.value,
        riv, lambda, fmi, mcse (Monte Carlo error of r, jackknife).

    Raises
    ------
    PoolError
        If a correlation is outside (-1, 1) or n is not above 3.

    Notes
    -----
    atanh(r) with variance 1/(n - 3 - partialled) (Fisher), pooled by Rubin's rules with infinite complete-data df.
    miceadds' ``micombine.cor`` has the same z, standard error and fmi, and Pearson's variance for every kind. Spearman:
    (1 + r²/2)/(n - 3), Bonett and Wright (2000); Kendall: .437/(n - 4), Fieller, Hartley and Pearson (1957).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.pool.pool_correlation([0.30, 0.35, 0.33], 200)[["r", "conf.low", "conf.high"]].round(3)
           r  conf.low  conf.high
    0  0.327     0.181      0.459
    """
    if reference not in ("t", "normal"):
        raise PoolError(f"reference={reference!r} is not known: use 't' or 'normal'")
    values = np.asarray(r, dtype=float)
    rows = np.broadcast_to(np.asarray(n, dtype=float), values.shape)
    if values.ndim != 1 or len(values) < 2:
        raise PoolError(f"pooling needs a correlation from at least two data sets, got shape {values.shape}")
    if method not in ("pearson", "spearman", "kendall"):
        raise PoolError(f"method {method!r} is not known: use 'pearson', 'spearman' or 'kendall'")
    least = (4 if method == "kendall" else 3) + partialled
    for i, (one, count) in enumerate(zip(values, rows, strict=True), start=1):
        if not abs(one) < 1:
            raise PoolError(f"data set {i}: the correlation is {one:g}: it must lie inside (-1, 1)")
        if not count > least:
            raise PoolError(f"data set {i}: n = {count:g}: at least {least + 1} rows are needed")
    if method == "spearman":
        variances = (1.0 + values**2 / 2.0) / (rows - least)
    elif method == "kendall":
        variances = 0.437 / (rows - least)
    else:
        variances = 1.0 / (rows - least)
    pooled = rubin(np.arctanh(values), variances)
    m = len(values)
    left_out = np.tanh((np.arctanh(values).sum() - np.arctanh(values)) / (m - 1))
    test = infer(pooled if reference == "t" else replace(pooled, df=np.full_like(pooled.df, np.inf)))
    return pd.DataFrame(
        {
            "r": [float(np.tanh(pooled.estimate))],
            "conf.low": float(np.tanh(test.conf_low)),
            "conf.high": float(np.tanh(test.conf_high)),
            "z": float(pooled.estimate),
            "std.error": float(test.std_error),
            "statistic": float(test.statistic),
            "df": float(pooled.df),
            "p.value": float(test.p_value),
            "riv": float(pooled.riv),
            "lambda": float(pooled.lambda_),
            "fmi": float(pooled.fmi),
            "mcse": float(np.sqrt((m - 1) * left_out.var())),
        }
    )
