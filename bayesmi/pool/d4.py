"""D4: pool likelihood ratios with the likelihood of the stacked data (Chan and Meng 2022)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from bayesmi.errors import PoolError
from bayesmi.pool.ftest import FTest

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

    Returns
    -------
    FTest

    Raises
    ------
    PoolError
        If the lengths differ, a number is not finite, or "robust" lacks `n_parameters`.

    Notes
    -----
    With dbar = mean 2 (full - null) and dhat = 2 (full_stacked - null_stacked)/m: r = (m + 1)/(k (m - 1))
    (dbar - dhat), D4 = dhat / (k (1 + r)) on F(k, k (m - 1)(1 + 1/r)^2). Robust: r = (m + 1)/(h (m - 1)) 2
    (mean full - full_stacked/m), df2 = h (m - 1)(1 + 1/r)^2. As mitml's `testModels(method = "D4")`.
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
    m, k = len(ll), int(df)
    dbar = 2.0 * float((ll - ll0).mean())
    dhat = 2.0 * (full_stacked - null_stacked) / m
    if ariv == "robust":
        if n_parameters is None:
            raise PoolError("ariv='robust' needs n_parameters, the number of parameters of the full model")
        h = n_parameters
        r = (m + 1) / (h * (m - 1)) * 2.0 * (float(ll.mean()) - full_stacked / m)
    elif ariv in ("default", "positive"):
        h = k
        r = (m + 1) / (k * (m - 1)) * (dbar - dhat)
    else:
        raise PoolError(f"ariv={ariv!r} is not known for D4: use 'default', 'positive' or 'robust'")
    notes: tuple[str, ...] = ()
    if r < 0:
        notes = ("The relative increase in variance is negative: use ariv='robust'.",)
        if ariv == "positive":
            r = 0.0
    df2 = float("inf") if r == 0 else h * (m - 1) * (1.0 + 1.0 / r) ** 2
    return FTest("D4", dhat / (k * (1.0 + r)), float(k), df2, r, m, terms, notes)
