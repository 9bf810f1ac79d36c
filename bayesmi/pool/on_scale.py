"""Pool a bounded quantity on a scale where it is nearly normal, and carry it back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesmi.pool.inference import infer
from bayesmi.pool.rubin import rubin
from bayesmi.pool.scales import BACK, DERIVATIVE_BACK, TO, Scale

__all__ = ["pool_on_scale", "pool_scaled"]

Floats = NDArray[np.float64]


def pool_on_scale(
    names: Sequence[object], values: ArrayLike, variances: ArrayLike, scale: Scale, dfcom: ArrayLike = np.inf
) -> pd.DataFrame:
    """Transform each estimate, pool by Rubin's rules, carry estimate and limits back.

    Parameters
    ----------
    names : sequence of length k
        Row labels.
    values, variances : array_like, shape (m, k)
        Estimates and their variances as they are, untransformed.
    scale : {"identity", "log", "logit", "cloglog", "atanh"}
        Where they are pooled; variances by the delta method.
    dfcom : array_like, default infinity
        Complete-data degrees of freedom.

    Returns
    -------
    DataFrame
        See `pool_scaled`.
    """
    x = np.asarray(values, dtype=float)
    z, slope = TO[scale](x)
    return pool_scaled(names, z, np.asarray(variances, dtype=float) * slope**2, scale, dfcom)


def pool_scaled(
    names: Sequence[object], z: ArrayLike, variances: ArrayLike, scale: Scale, dfcom: ArrayLike = np.inf
) -> pd.DataFrame:
    """Pool what is on its scale already.

    Parameters
    ----------
    names : sequence of length k
        Row labels.
    z, variances : array_like, shape (m, k)
        Estimates and variances on the scale.
    scale : {"identity", "log", "logit", "cloglog", "atanh"}
        How to come back from it.
    dfcom : array_like, default infinity
        Complete-data degrees of freedom.

    Returns
    -------
    DataFrame
        One row per name: estimate, conf.low, conf.high (95 %), std.error (delta method), df, riv, lambda, fmi (of the
        scale), mcse (Monte Carlo error of the estimate, jackknife) and scale.
    """
    q, u = np.asarray(z, dtype=float), np.asarray(variances, dtype=float)
    pooled = rubin(q, u, dfcom)
    test = infer(pooled)
    ends = np.sort([BACK[scale](test.conf_low), BACK[scale](test.conf_high)], axis=0)
    m = len(q)
    left_out = BACK[scale]((q.sum(axis=0) - q) / (m - 1))
    return pd.DataFrame(
        {
            "estimate": BACK[scale](pooled.estimate),
            "conf.low": ends[0],
            "conf.high": ends[1],
            "std.error": np.abs(DERIVATIVE_BACK[scale](pooled.estimate)) * test.std_error,
            "df": pooled.df,
            "riv": pooled.riv,
            "lambda": pooled.lambda_,
            "fmi": pooled.fmi,
            "mcse": np.sqrt((m - 1) / m * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)),
            "scale": scale,
        },
        index=pd.Index(list(names)),
    )
