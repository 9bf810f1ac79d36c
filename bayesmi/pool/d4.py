"""D4: pool likelihood ratios with the likelihood of the stacked data (Chan and Meng 2022)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.ftest import FTest
from bayesmi.pool.monte_carlo import monte_carlo_of_test

__all__ = ["d4"]


def d4(
    full: ArrayLike,
    null: ArrayLike,
    full_stacked: float,
    null_stacked: float,
    df: int,
    *,
    n_parameters: int | None = None,
    ariv: Literal["default", "positive", "robust"] = "default",
    terms: tuple[str, ...] = (),
    full_shares: ArrayLike | None = None,
    null_shares: ArrayLike | None = None,
) -> FTest:
    """Pool likelihood-ratio statistics of nested ML fits, by one more fit to the stacked data.

    Parameters
    ----------
    full, null : array_like, shape (m,)
        Log-likelihood of both models in each data set, each at its own maximum.
    full_stacked, null_stacked : float
        Log-likelihood of both models, fitted once to all m data sets stacked (clusters of different data
        sets kept apart), *as fitted*: the division by m is done here.
    df : int
        Difference in number of parameters, k.
    n_parameters : int, optional
        Number of parameters h of the full model; needed for "robust".
    ariv : {"default", "positive", "robust"}
        How the average relative increase in variance is estimated; "positive" never below zero; "robust"
        holds also when the null hypothesis is false.
    terms : tuple of str
        What is tested, for the printout.
    full_shares, null_shares : array_like, shape (m,), optional
        Log-likelihood of both models in each data set at the parameters of the stacked fit (the means over data sets serve as
        well): for the Monte Carlo error.

    Returns
    -------
    FTest
        Statistic, its two degrees of freedom and p-value.

    Raises
    ------
    PoolError
        If the lengths differ, a number is not finite, or "robust" lacks `n_parameters`.

    Notes
    -----
    With dbar = mean 2 (full - null) and dhat = 2 (full_stacked - null_stacked)/m: r = (m + 1)/(k (m - 1))
    (dbar - dhat), D4 = dhat / (k (1 + r)) on F(k, k (m - 1)(1 + 1/r)^2). Robust: r = (m + 1)/(h (m - 1)) 2
    (mean full - full_stacked/m), df2 = h (m - 1)(1 + 1/r)^2. As mitml's `testModels(method = "D4")`. The Monte Carlo error is
    the jackknife; without a data set the stacked fit loses that data set's share and gains (own - share) / (m - 1), to second
    order.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> test = bmi.pool.d4([-50.0, -51.0, -49.5], [-54.2, -55.1, -53.6], -151.5, -163.5, df=2)
    >>> test.df1, round(test.statistic, 4), round(test.riv, 4)
    (2.0, 3.1579, 0.2667)
    """
    ll, ll0 = np.asarray(full, dtype=float), np.asarray(null, dtype=float)
    if ll.ndim != 1 or ll.shape != ll0.shape or len(ll) < 2:
        raise PoolError(
            f"D4 needs one log-likelihood per data set of both models; got shapes {ll.shape} and {ll0.shape}"
        )
    for i, pair in enumerate(zip(ll, ll0, strict=True), start=1):
        if not np.isfinite(pair).all():
            raise PoolError(f"data set {i}: the log-likelihood is not finite: look at that fit")
    if not np.isfinite([full_stacked, null_stacked]).all():
        raise PoolError("the log-likelihood of the stacked data is not finite: look at that fit")
    if int(df) != df or df < 1:
        raise PoolError(f"df={df} must be a positive whole number of tested parameters")
    if ariv not in ("default", "positive", "robust"):
        raise PoolError(f"ariv={ariv!r} is not known for D4: use 'default', 'positive' or 'robust'")
    if ariv == "robust" and n_parameters is None:
        raise PoolError("ariv='robust' needs n_parameters, the number of parameters of the full model")
    h = int(n_parameters) if ariv == "robust" and n_parameters is not None else None
    test = _d4(ll, ll0, full_stacked, null_stacked, int(df), h, ariv == "positive", terms)
    if full_shares is None or null_shares is None or len(ll) == 2:
        return test
    shares, shares0 = np.asarray(full_shares, dtype=float), np.asarray(null_shares, dtype=float)
    if shares.shape != ll.shape or shares0.shape != ll.shape:
        raise PoolError(
            f"full_shares and null_shares need one log-likelihood per data set; got shapes {shares.shape} and {shares0.shape}"
        )
    left_out = [
        _d4(
            np.delete(ll, i),
            np.delete(ll0, i),
            full_stacked - shares[i] + (ll[i] - shares[i]) / (len(ll) - 1),
            null_stacked - shares0[i] + (ll0[i] - shares0[i]) / (len(ll) - 1),
            int(df),
            h,
            ariv == "positive",
            terms,
        )
        for i in range(len(ll))
    ]
    return replace(test, mcse=monte_carlo_of_test(left_out))


def _d4(
    ll: NDArray[np.float64],
    ll0: NDArray[np.float64],
    stacked: float,
    stacked0: float,
    k: int,
    h: int | None,
    positive: bool,
    terms: tuple[str, ...],
) -> FTest:
    """Return the test without its Monte Carlo error; robust where `h` is the number of parameters of the full model."""
    m = len(ll)
    dhat = 2.0 * (stacked - stacked0) / m
    if h is not None:
        r = (m + 1) / (h * (m - 1)) * 2.0 * (float(ll.mean()) - stacked / m)
    else:
        r = (m + 1) / (k * (m - 1)) * (2.0 * float((ll - ll0).mean()) - dhat)
    notes: tuple[str, ...] = ()
    if r < 0:
        notes = ("The relative increase in variance is negative: use ariv='robust'.",)
        if positive:
            r = 0.0
    df2 = float("inf") if r == 0 else (k if h is None else h) * (m - 1) * (1.0 + 1.0 / r) ** 2
    return FTest("D4", dhat / (k * (1.0 + r)), float(k), df2, r, m, terms, notes)
