"""Rubin's rules with Barnard and Rubin's degrees of freedom: the arithmetic, on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Rubin",
    "RubinMatrices",
    "barnard_rubin",
    "combine",
    "fraction_missing",
    "rubin",
    "rubin_matrices",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rubin:
    """Everything Rubin's rules say about k scalar estimands; every field but `m` has shape (k,) or any other.

    Attributes
    ----------
    m : int
        Number of completed data sets.
    estimate, ubar, b, t : ndarray
        Mean of the estimates, within-, between- and total variance.
    dfcom, df : ndarray
        Degrees of freedom of the complete data and of the pooled inference; may be infinite.
    riv, lambda_, fmi : ndarray
        Relative increase in variance, proportion of variance due to missing data, fraction of missing
        information.
    """

    m: int
    estimate: Floats
    ubar: Floats
    b: Floats
    t: Floats
    dfcom: Floats
    df: Floats
    riv: Floats
    lambda_: Floats
    fmi: Floats


@dataclass(frozen=True, eq=False)
class RubinMatrices:
    """Mean (k,), within, between and total covariance (k, k) of a vector estimand.

    Attributes
    ----------
    estimate : ndarray, shape (k,)
    within, between, total : ndarray, shape (k, k)
    """

    estimate: Floats
    within: Floats
    between: Floats
    total: Floats


def rubin(estimates: ArrayLike, variances: ArrayLike, dfcom: ArrayLike = np.inf) -> Rubin:
    """Pool scalar estimands by Rubin's rules.

    Parameters
    ----------
    estimates : array_like, shape (m, ...)
        The estimate from each of the m >= 2 completed data sets.
    variances : array_like, shape (m, ...)
        Its squared standard error in each of them, positive.
    dfcom : array_like, default infinity
        Degrees of freedom had the data been complete; one number, or one per estimand.

    Returns
    -------
    Rubin
        Fields of the trailing shape.

    Notes
    -----
    Rubin (1987), equations 3.1.2 to 3.1.10; degrees of freedom by `barnard_rubin`.

    Examples
    --------
    >>> pooled = rubin([1.0, 2.0, 3.0], [1.0, 1.0, 1.0])
    >>> float(pooled.estimate), float(pooled.b), round(float(pooled.t), 4), round(float(pooled.df), 4)
    (2.0, 1.0, 2.3333, 6.125)
    """
    q = np.asarray(estimates, dtype=float)
    u = np.asarray(variances, dtype=float)
    return combine(q.shape[0], q.mean(axis=0), u.mean(axis=0), q.var(axis=0, ddof=1), dfcom)


def combine(m: int, estimate: ArrayLike, ubar: ArrayLike, b: ArrayLike, dfcom: ArrayLike = np.inf) -> Rubin:
    """Rubin's rules from their sufficient statistics.

    Parameters
    ----------
    m : int
        Number of completed data sets.
    estimate, ubar, b : array_like
        Mean of the estimates, mean of their variances, variance of the estimates (divisor m - 1).
    dfcom : array_like, default infinity
        Degrees of freedom of the complete data.

    Returns
    -------
    Rubin
        Fields of the broadcast shape.
    """
    q, u, b_, df_complete = np.broadcast_arrays(
        *(np.asarray(a, dtype=float) for a in (estimate, ubar, b, dfcom))
    )
    extra = (1.0 + 1.0 / m) * b_
    t = u + extra
    riv, lambda_ = extra / u, extra / t
    df = barnard_rubin(m, lambda_, df_complete)
    return Rubin(m, q, u, b_, t, df_complete, df, riv, lambda_, fraction_missing(riv, df))


def barnard_rubin(m: int, lambda_: ArrayLike, dfcom: ArrayLike = np.inf) -> Floats:
    """Degrees of freedom of a pooled estimate.

    Parameters
    ----------
    m : int
        Number of completed data sets.
    lambda_ : array_like
        Proportion of the total variance that is due to missing data, in [0, 1].
    dfcom : array_like, default infinity
        Degrees of freedom of the complete data.

    Returns
    -------
    ndarray
        Infinite where both `lambda_` is 0 and `dfcom` infinite.

    Notes
    -----
    Barnard and Rubin (1999), formula 3, in the form of mice 3.19, which needs no floor on lambda: with v =
    (1 - lambda) dfcom (dfcom + 1), df = (m - 1) v / ((m - 1)(dfcom + 3) + lambda^2 v). At lambda = 0 it is
    dfcom (dfcom + 1) / (dfcom + 3); for infinite dfcom it is (m - 1) / lambda^2, Rubin (1987), equation
    3.1.6.
    """
    lam, nu = np.broadcast_arrays(np.asarray(lambda_, dtype=float), np.asarray(dfcom, dtype=float))
    finite = np.where(np.isinf(nu), 1.0, nu)
    v = (1.0 - lam) * finite * (finite + 1.0)
    small = (m - 1) * v / ((m - 1) * (finite + 3.0) + lam**2 * v)
    with np.errstate(divide="ignore", over="ignore"):
        large = (m - 1) / lam**2
    return np.where(np.isinf(nu), large, small)


def fraction_missing(riv: ArrayLike, df: ArrayLike) -> Floats:
    """Fraction of missing information, (riv + 2 / (df + 3)) / (1 + riv), with the df of the test.

    Parameters
    ----------
    riv : array_like
        Relative increase in variance.
    df : array_like
        Degrees of freedom of the pooled inference.

    Returns
    -------
    ndarray
    """
    r, nu = np.asarray(riv, dtype=float), np.asarray(df, dtype=float)
    return (r + 2.0 / (nu + 3.0)) / (1.0 + r)


def rubin_matrices(estimates: Any, covariances: Any) -> RubinMatrices:
    """Pool a vector estimand.

    Parameters
    ----------
    estimates : array_like, shape (m, k)
        The k estimates from each completed data set.
    covariances : array_like, shape (m, k, k)
        Their covariance matrix in each of them.

    Returns
    -------
    RubinMatrices

    Notes
    -----
    Rubin (1987), section 3.4: total = within + (1 + 1/m) between.
    """
    q = np.asarray(estimates, dtype=float)
    m, k = q.shape
    within = np.asarray(covariances, dtype=float).mean(axis=0)
    deviation = q - q.mean(axis=0)
    between = (deviation.T @ deviation / (m - 1)).reshape(k, k)
    return RubinMatrices(q.mean(axis=0), within, between, within + (1.0 + 1.0 / m) * between)
