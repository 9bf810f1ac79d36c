"""Pool a proportion."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesmi.errors import PoolError
from bayesmi.pool.inference import infer
from bayesmi.pool.on_scale import pool_on_scale
from bayesmi.pool.rubin import rubin

__all__ = ["pool_proportion"]


def pool_proportion(
    proportions: ArrayLike, n: ArrayLike, *, method: Literal["wilson", "logit", "wald"] = "wilson"
) -> pd.DataFrame:
    """Pool m proportions.

    Parameters
    ----------
    proportions : array_like, shape (m,)
        The proportion in each completed data set, in [0, 1].
    n : array_like
        Number of rows, one for all or one per data set.
    method : {"wilson", "logit", "wald"}
        "wilson": mean and Wilson's interval with the variance between the data sets in it; stays in [0, 1] and exists at 0 and
        1. "logit": pooled on the logit scale. "wald": on the plain scale.

    Returns
    -------
    DataFrame
        One row: estimate, conf.low, conf.high, std.error, df, riv, lambda, fmi, mcse, scale.

    Raises
    ------
    PoolError
        If a proportion is outside [0, 1], at a bound where the method has no variance, or n is not positive.

    Notes
    -----
    Variance p(1 - p)/n in each data set. Wilson: Lott and Reiter (2020), the limits solve
    (p - mean)² = t² (1 + r) p (1 - p) / n, with t and r (relative increase in variance) by Rubin's rules.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.pool.pool_proportion([0.20, 0.24, 0.22], 100)[["estimate", "conf.low", "conf.high"]].round(3).to_numpy().tolist()
    [[0.22, 0.139, 0.329]]
    """
    p = np.asarray(proportions, dtype=float)
    if p.ndim != 1 or len(p) < 2:
        raise PoolError(f"pooling needs a proportion from at least two data sets, got shape {p.shape}")
    rows = np.broadcast_to(np.asarray(n, dtype=float), p.shape)
    for i, (one, count) in enumerate(zip(p, rows, strict=True), start=1):
        if not 0 <= one <= 1:
            raise PoolError(f"data set {i}: the proportion is {one:g}: it must lie in [0, 1]")
        if not count > 0:
            raise PoolError(f"data set {i}: n = {count:g}: at least one row is needed")
        if one in (0.0, 1.0) and method != "wilson":
            raise PoolError(
                f"data set {i}: the proportion is {one:g} and has no {method} interval: use method='wilson'"
            )
    variances = p * (1.0 - p) / rows
    if method in ("logit", "wald"):
        scale: Literal["logit", "identity"] = "logit" if method == "logit" else "identity"
        return pool_on_scale(["proportion"], p[:, None], variances[:, None], scale)
    if method != "wilson":
        raise PoolError(f"method {method!r} is not known: use 'wilson', 'logit' or 'wald'")
    mean = float(p.mean())
    # all 0 or all 1: nothing varies, and Wilson's interval is that of one data set
    pooled = rubin(p, np.where(variances.mean() > 0, variances, 1.0))
    test = infer(pooled)
    t = float((test.conf_high - pooled.estimate) / test.std_error)
    a = t**2 * (1.0 + float(pooled.riv)) / float(rows.mean())
    middle, root = 2.0 * mean + a, np.sqrt(a**2 + 4.0 * a * mean * (1.0 - mean))
    varies = variances.mean() > 0
    return pd.DataFrame(
        {
            "estimate": mean,
            "conf.low": (middle - root) / (2.0 * (1.0 + a)),
            "conf.high": (middle + root) / (2.0 * (1.0 + a)),
            "std.error": float(test.std_error) if varies else 0.0,
            "df": float(pooled.df),
            "riv": float(pooled.riv),
            "lambda": float(pooled.lambda_),
            "fmi": float(pooled.fmi),
            "mcse": float(np.sqrt(pooled.b / len(p))),
            "scale": "wilson",
        },
        index=["proportion"],
    )
