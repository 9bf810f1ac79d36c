"""D1: pool the vector of estimates and test it, with Reiter's degrees of freedom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from bayesmi.errors import PoolError
from bayesmi.pool.estimates import Estimates
from bayesmi.pool.ftest import FTest
from bayesmi.pool.monte_carlo import monte_carlo_of_test
from bayesmi.pool.rubin import rubin_matrices

__all__ = ["d1", "large_sample_df", "reiter_df"]


def d1(estimates: Estimates, dfcom: ArrayLike = np.inf) -> FTest:
    """Test that all of k estimands are zero.

    Parameters
    ----------
    estimates : Estimates
        The k tested terms only.
    dfcom : array_like, default infinity
        Complete-data degrees of freedom; of several the smallest counts.

    Returns
    -------
    FTest
        Statistic, its two degrees of freedom and p-value.

    Raises
    ------
    PoolError
        If the within covariance cannot be inverted.

    Notes
    -----
    r = (1 + 1/m) tr(B Ubar^-1) / k and D1 = Q' Ubar^-1 Q / (k (1 + r)), referred to F(k, df). Infinite
    dfcom: df of Li, Raghunathan and Rubin (1991), as mitml's default. Finite: Reiter (2007), as mice's D1
    (which passes dfcom by default) and mitml with `df.com`. Where Reiter's expansion does not exist (k (m -
    1) <= 4, or very few complete-data df), 1/df = 1/df of Li and others + 1/((1 - lambda) dfcom (dfcom + 1)
    / (dfcom + 3)) with lambda = r / (1 + r): for k = 1 Barnard and Rubin's, and never above dfcom; a note
    says so. mice and mitml evaluate the expansion there too: df may be NaN, negative or above dfcom.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np
    >>> pooled = bmi.pool([({"a": 1.0 + i, "b": 3.0 - i}, np.eye(2)) for i in (0.0, 0.5, 1.0)])
    >>> test = bmi.pool.d1(pooled.estimates, dfcom=50)
    >>> test.df1, round(test.statistic, 4), round(test.riv, 4)
    (2.0, 3.1875, 0.3333)
    """
    test = _d1(estimates, dfcom)
    if estimates.m < 3:
        return test
    rest = [np.arange(estimates.m) != i for i in range(estimates.m)]
    left_out = [
        _d1(Estimates(estimates.terms, estimates.values[others], estimates.covariances[others]), dfcom)
        for others in rest
    ]
    return replace(test, mcse=monte_carlo_of_test(left_out))


def _d1(estimates: Estimates, dfcom: ArrayLike) -> FTest:
    """Compute the test itself."""
    m, k = estimates.values.shape
    pooled = rubin_matrices(estimates.values, estimates.covariances)
    scale = np.sqrt(np.diag(pooled.within))
    if np.linalg.cond(pooled.within / np.outer(scale, scale)) > 1e12:
        raise PoolError(
            f"the covariance of {', '.join(estimates.terms)} is singular: "
            "test fewer terms, or constraints that do not follow from each other"
        )
    r = (1.0 + 1.0 / m) * float(np.trace(np.linalg.solve(pooled.within, pooled.between))) / k
    statistic = float(pooled.estimate @ np.linalg.solve(pooled.within, pooled.estimate)) / (k * (1.0 + r))
    nu = np.atleast_1d(np.asarray(dfcom, dtype=float))
    smallest = float(nu.min())
    notes: tuple[str, ...] = ()
    if nu.min() < nu.max():
        notes = (f"Complete-data df differ between the terms: the smallest, {smallest:g}, is used.",)
    if np.isinf(smallest):
        df2 = large_sample_df(k, m, r)
    else:
        reiter = reiter_df(k, m, r, smallest)
        if np.isnan(reiter):
            observed = smallest * (smallest + 1.0) / (smallest + 3.0) / (1.0 + r)
            df2 = 1.0 / (1.0 / large_sample_df(k, m, r) + 1.0 / observed)
            notes += ("Too little for Reiter's df: Barnard and Rubin's, for several parameters, are used.",)
        else:
            df2 = reiter
    return FTest("D1", statistic, float(k), df2, r, m, estimates.terms, notes)


def large_sample_df(k: int, m: int, r: float) -> float:
    """Denominator df for infinite complete-data df (Li, Raghunathan and Rubin 1991; also of D3).

    Parameters
    ----------
    k : int
        Number of tested parameters.
    m : int
        Number of completed data sets.
    r : float
        Average relative increase in variance.

    Returns
    -------
    float
        Infinite at r = 0.
    """
    t = k * (m - 1)
    if r == 0:
        return float("inf")
    if t > 4:
        return 4.0 + (t - 4) * (1.0 + (1.0 - 2.0 / t) / r) ** 2
    return t * (1.0 + 1.0 / k) * (1.0 + 1.0 / r) ** 2 / 2.0


def reiter_df(k: int, m: int, r: float, dfcom: float) -> float:
    """Denominator df for finite complete-data df (Reiter 2007, equations 1 and 2).

    Parameters
    ----------
    k : int
        Number of tested parameters.
    m : int
        Number of completed data sets.
    r : float
        Average relative increase in variance.
    dfcom : float
        Complete-data degrees of freedom.

    Returns
    -------
    float
        NaN where the expansion does not exist.
    """
    t = k * (m - 1)
    if t <= 4:
        return float("nan")
    a = r * t / (t - 2)
    v = dfcom * (dfcom + 1.0) / (dfcom + 3.0)
    c1, c2 = v - 2.0 * (1.0 + a), v - 4.0 * (1.0 + a)
    if c2 <= 0:
        return float("nan")
    bracket = (
        a**2 * c1 / ((1 + a) ** 2 * c2)
        + 8 * a**2 * c1 / ((1 + a) * c2**2)
        + 4 * a**2 / ((1 + a) * c2)
        + 4 * a**2 / (c1 * c2)
        + 16 * a**2 * c1 / c2**3
        + 8 * a**2 / c2**2
    )
    return 4.0 + 1.0 / (1.0 / c2 + bracket / (t - 4))
