"""Pool F statistics of analyses of variance."""

from __future__ import annotations

from numpy.typing import ArrayLike

from bayesmi.pool.d2 import d2, read_statistics
from bayesmi.pool.ftest import FTest

__all__ = ["pool_f"]


def pool_f(statistics: ArrayLike, df1: int) -> FTest:
    """Pool m F statistics.

    Parameters
    ----------
    statistics : array_like, shape (m,)
        One from each completed data set, all with numerator df `df1`.
    df1 : int
        Numerator degrees of freedom.

    Returns
    -------
    FTest

    Notes
    -----
    df1 F is treated as chi-square with df1 degrees of freedom (denominator df large) and pooled by D2, as
    "micombine.F" does. Crude: D1 of the coefficients is better where they are at hand.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.pool.pool_f([5.0, 6.0, 5.5], df1=2).statistic == bmi.pool.d2([10.0, 12.0, 11.0], df=2).statistic
    True
    """
    return d2(read_statistics(statistics) * df1, df1)
