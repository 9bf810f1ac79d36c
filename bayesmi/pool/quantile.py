"""Pool quantiles of a variable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from bayesmi.errors import PoolError
from bayesmi.pool.on_scale import pool_on_scale

__all__ = ["pool_quantiles"]


def pool_quantiles(
    samples: Sequence[ArrayLike], probabilities: ArrayLike = (0.25, 0.5, 0.75)
) -> pd.DataFrame:
    """Pool quantiles of one variable over completed data sets.

    Parameters
    ----------
    samples : sequence of array_like, shape (n,)
        The completed variable in each of the m data sets, ``[d["age"] for d in imputed]``.
    probabilities : array_like
        Which quantiles, inside (0, 1).

    Returns
    -------
    DataFrame
        Indexed by probability: estimate, conf.low, conf.high, std.error, df, riv, lambda, fmi, mcse, scale.

    Raises
    ------
    PoolError
        If there are fewer than two data sets, a value is missing, or a quantile has no standard error because too many
        values are equal.

    Notes
    -----
    Standard error of a quantile by Woodruff (1952): the distance between the quantiles at p ± 1.96 (p (1 - p) / n)^½ over 2 x
    1.96. Where the probabilities run out of (0, 1), few rows for an extreme quantile, the sample's end is taken and the
    standard error is too small. Quantiles of imputed values that were predicted rather than drawn are not what this pools.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> base = rng.normal(10, 2, 200)
    >>> sets = [np.append(base, rng.normal(10, 2, 20)) for _ in range(5)]
    >>> bmi.pool.pool_quantiles(sets, [0.5]).round(2)["estimate"].tolist()
    [9.98]
    """
    if len(samples) < 2:
        raise PoolError(f"pooling needs at least two completed data sets, got {len(samples)}")
    p = np.atleast_1d(np.asarray(probabilities, dtype=float))
    if p.ndim != 1 or not ((p > 0) & (p < 1)).all():
        raise PoolError("probabilities must lie inside (0, 1), say [0.25, 0.5, 0.75]")
    values, variances = [], []
    for i, sample in enumerate(samples, start=1):
        x = np.asarray(sample, dtype=float)
        if x.ndim != 1 or len(x) < 5 or not np.isfinite(x).all():
            raise PoolError(f"data set {i}: a column of at least 5 completed numbers is needed")
        half = special.ndtri(0.975) * np.sqrt(p * (1.0 - p) / len(x))
        low, high = np.quantile(x, np.clip(p - half, 0, 1)), np.quantile(x, np.clip(p + half, 0, 1))
        error = (high - low) / (2.0 * special.ndtri(0.975))
        if (error <= 0).any():
            raise PoolError(
                f"data set {i}: the quantile at {p[error <= 0][0]:g} lies among equal values and has no standard error: "
                "pool proportions of a category instead"
            )
        values.append(np.quantile(x, p))
        variances.append(error**2)
    return pool_on_scale(p.tolist(), values, variances, "identity").rename_axis("probability")
