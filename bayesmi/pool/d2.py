"""D2: pool the m test statistics themselves (Li, Meng, Raghunathan and Rubin 1991)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.estimates import Estimates
from bayesmi.pool.ftest import FTest
from bayesmi.pool.monte_carlo import monte_carlo_of_test

__all__ = ["d2", "read_statistics", "wald_statistics"]


def d2(
    statistics: ArrayLike,
    df: int,
    *,
    ariv: Literal["default", "positive"] = "default",
    terms: tuple[str, ...] = (),
) -> FTest:
    """Pool chi-square statistics (Wald or likelihood ratio).

    Parameters
    ----------
    statistics : array_like, shape (m,)
        One from each completed data set, not negative.
    df : int
        Their degrees of freedom, k.
    ariv : {"default", "positive"}
        As in mitml. D2's average relative increase in variance is a variance and never negative: both agree.
    terms : tuple of str
        What is tested, for the printout.

    Returns
    -------
    FTest

    Raises
    ------
    PoolError
        If a statistic is negative or not finite, or there are fewer than two.

    Notes
    -----
    r = (1 + 1/m) var(sqrt(d)); D2 = (dbar/k - (m + 1)/(m - 1) r) / (1 + r) on F(k, k^(-3/m) (m - 1)(1 +
    1/r)^2). Crude: prefer D1 or D4 where the estimates or likelihoods are at hand.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.pool.d2([10.0, 12.0, 11.0], df=2)
    D2: F(2, 1151.0) = 5.279, p = 0.00522, RIV = 0.030, m = 3
    """
    d = read_statistics(statistics)
    k = _read_df(df)
    if ariv not in ("default", "positive"):
        raise PoolError(f"ariv={ariv!r} is not known for D2: use 'default' or 'positive'")
    test = _d2(d, k, terms)
    if len(d) < 3:
        return test
    return replace(test, mcse=monte_carlo_of_test([_d2(np.delete(d, i), k, terms) for i in range(len(d))]))


def _d2(d: NDArray[np.float64], k: int, terms: tuple[str, ...]) -> FTest:
    """Compute the test itself."""
    m = len(d)
    r = (1.0 + 1.0 / m) * float(np.sqrt(d).var(ddof=1))
    statistic = (float(d.mean()) / k - (m + 1) / (m - 1) * r) / (1.0 + r)
    df2 = float("inf") if r == 0 else k ** (-3.0 / m) * (m - 1) * (1.0 + 1.0 / r) ** 2
    return FTest("D2", statistic, float(k), df2, r, m, terms)


def wald_statistics(estimates: Estimates) -> NDArray[np.float64]:
    """Wald chi-square of "all terms are zero" in each data set.

    Parameters
    ----------
    estimates : Estimates
        The tested terms only.

    Returns
    -------
    ndarray, shape (m,)
    """
    solved = np.linalg.solve(estimates.covariances, estimates.values[..., None])[..., 0]
    return np.einsum("mk,mk->m", estimates.values, solved)


def read_statistics(statistics: ArrayLike) -> NDArray[np.float64]:
    """Check m chi-square or F statistics.

    Parameters
    ----------
    statistics : array_like, shape (m,)

    Returns
    -------
    ndarray

    Raises
    ------
    PoolError
        If one is negative or not finite, or there are fewer than two.
    """
    d = np.asarray(statistics, dtype=float)
    if d.ndim != 1 or len(d) < 2:
        raise PoolError(
            f"pooling needs one statistic from each of at least two data sets, got shape {d.shape}"
        )
    for i, one in enumerate(d, start=1):
        if not np.isfinite(one) or one < 0:
            raise PoolError(
                f"data set {i}: the test statistic is {one:g}: it must be a finite number, not negative"
            )
    return d


def _read_df(df: int) -> int:
    """Whole and positive."""
    if int(df) != df or df < 1:
        raise PoolError(f"df={df} must be a positive whole number of tested parameters")
    return int(df)
