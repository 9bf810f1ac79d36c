"""Pool chi-square statistics."""

from __future__ import annotations

from numpy.typing import ArrayLike

from bayesmi.pool.d2 import d2
from bayesmi.pool.ftest import FTest

__all__ = ["pool_chi_square"]


def pool_chi_square(statistics: ArrayLike, df: int) -> FTest:
    """Pool m chi-square statistics, as of a contingency table.

    Parameters
    ----------
    statistics : array_like, shape (m,)
        One from each completed data set.
    df : int
        Their degrees of freedom.

    Returns
    -------
    FTest
        `D2` of Li, Meng, Raghunathan and Rubin (1991).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.pool.pool_chi_square([10.0, 12.0, 11.0], df=2).method
    'D2'
    """
    return d2(statistics, df)
