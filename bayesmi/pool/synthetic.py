"""Reiter's rule for partially synthetic data: the values are replaced, not missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bayesmi.pool.rubin import Rubin

__all__ = ["combine_synthetic"]


def combine_synthetic(
    m: int, estimate: ArrayLike, ubar: ArrayLike, b: ArrayLike, dfcom: ArrayLike = np.inf
) -> Rubin:
    """Combine analyses of m partially synthetic data sets.

    Parameters
    ----------
    m : int
        Number of synthetic data sets.
    estimate, ubar, b : array_like
        Mean of the estimates, mean of their variances, variance of the estimates (divisor m - 1).
    dfcom : array_like, default infinity
        Kept in the result; the rule does not use it.

    Returns
    -------
    Rubin
        With `lambda_` and `fmi` NaN: nothing is missing.

    Notes
    -----
    Reiter (2003): t = ubar + b/m, df = (m - 1)(1 + ubar / (b/m))^2. `riv` is (1 + 1/m) b / ubar, as mice
    prints it.

    Examples
    --------
    >>> pooled = combine_synthetic(4, 1.0, 0.5, 0.4)
    >>> float(pooled.t), float(pooled.df)
    (0.6, 108.0)
    """
    q, u, b_, nu = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (estimate, ubar, b, dfcom)))
    with np.errstate(divide="ignore"):
        df = (m - 1) * (1.0 + u / (b_ / m)) ** 2
    unknown = np.full(q.shape, np.nan)
    return Rubin(m, q, u, b_, u + b_ / m, nu, df, (1.0 + 1.0 / m) * b_ / u, unknown, unknown)
