"""Pool one scalar estimand given as m numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bayesmi.errors import PoolError
from bayesmi.pool.dfcom import read_dfcom
from bayesmi.pool.inference import Rule
from bayesmi.pool.pooled import Pooled
from bayesmi.pool.read import read_estimates

__all__ = ["pool_scalar"]


def pool_scalar(
    estimates: ArrayLike,
    variances: ArrayLike,
    dfcom: float | None = None,
    *,
    term: str = "estimate",
    rule: Rule = "rubin1987",
) -> Pooled:
    """Pool a scalar, as mice's `pool.scalar(Q, U, n, k)` with dfcom = n - k.

    Parameters
    ----------
    estimates : array_like, shape (m,)
        The estimate from each completed data set.
    variances : array_like, shape (m,)
        Its variance (squared standard error) in each.
    dfcom : float, optional
        Complete-data degrees of freedom; None is infinity.
    term : str
        Name of the one row.
    rule : {"rubin1987", "reiter2003"}
        Missing data, or partially synthetic data.

    Returns
    -------
    Pooled

    Raises
    ------
    PoolError
        If the lengths differ, or a variance is not positive.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.pool.pool_scalar([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]).table["riv"].round(4).to_dict()
    {'estimate': 1.3333}
    """
    q, u = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if q.ndim != 1 or q.shape != u.shape:
        raise PoolError(
            f"estimates and variances must be two vectors of length m, got shapes {q.shape} and {u.shape}"
        )
    read = read_estimates([({term: one}, [[variance]]) for one, variance in zip(q, u, strict=True)])
    return Pooled(read, read_dfcom(dfcom, read.terms), rule)
