"""Pool the coefficient of determination on Fisher's z scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesmi.errors import PoolError
from bayesmi.pool.rubin import rubin

__all__ = ["pool_r_squared"]


def pool_r_squared(r_squared: ArrayLike, n: ArrayLike, *, adjusted: bool = False) -> pd.DataFrame:
    """Pool R-squared of m linear models.

    Parameters
    ----------
    r_squared : array_like, shape (m,)
        Plain or adjusted R-squared of each fit, in [0, 1).
    n : array_like
        Number of rows, one for all or one per fit.
    adjusted : bool, default False
        Names the row "adj R^2".

    Returns
    -------
    DataFrame
        One row with mice's columns: est, lo 95, hi 95, fmi; and mcse, the Monte Carlo error of est (jackknife).

    Raises
    ------
    PoolError
        If a value is outside [0, 1) or n is not above 3.

    Notes
    -----
    As mice's `pool.r.squared` (Harel 2009): atanh(sqrt(R2)) with variance 1/(n - 3) is pooled by Rubin's
    rules and carried back, with 1.96 standard errors. A lower limit below zero on the z scale is 0 here;
    mice squares it and prints a positive number.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.pool.pool_r_squared([0.40, 0.45, 0.42], 100).round(3)
           est  lo 95  hi 95    fmi   mcse
    R^2  0.423  0.261  0.573  0.141  0.015
    """
    r2 = np.asarray(r_squared, dtype=float)
    rows = np.broadcast_to(np.asarray(n, dtype=float), r2.shape)
    if r2.ndim != 1 or len(r2) < 2:
        raise PoolError(f"pooling needs R-squared from at least two data sets, got shape {r2.shape}")
    for i, (one, count) in enumerate(zip(r2, rows, strict=True), start=1):
        if not 0 <= one < 1:
            raise PoolError(f"data set {i}: R-squared is {one:g}: it must lie in [0, 1)")
        if not count > 3:
            raise PoolError(f"data set {i}: n = {count:g}: at least 4 rows are needed")
    pooled = rubin(np.arctanh(np.sqrt(r2)), 1.0 / (rows - 3.0))
    # mice prints 1.96 and the digits follow from it
    half = 1.96 * np.sqrt(pooled.t)
    z = np.maximum(0.0, [pooled.estimate, pooled.estimate - half, pooled.estimate + half])
    est, low, high = np.tanh(z) ** 2
    m, each = len(r2), np.arctanh(np.sqrt(r2))
    left_out = np.tanh((each.sum() - each) / (m - 1)) ** 2
    mcse = float(np.sqrt((m - 1) * left_out.var()))
    row = {"est": est, "lo 95": low, "hi 95": high, "fmi": float(pooled.fmi), "mcse": mcse}
    return pd.DataFrame(row, index=["adj R^2" if adjusted else "R^2"])
