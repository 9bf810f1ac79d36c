"""D3: pool likelihood ratios evaluated at pooled parameters (Meng and Rubin 1992)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.d1 import large_sample_df
from bayesmi.pool.ftest import FTest
from bayesmi.pool.monte_carlo import monte_carlo_of_test

__all__ = ["d3"]


def d3(
    own: ArrayLike,
    at_pooled: ArrayLike,
    df: int,
    *,
    ariv: Literal["default", "positive"] = "default",
    terms: tuple[str, ...] = (),
) -> FTest:
    """Pool likelihood-ratio statistics of nested maximum-likelihood fits.

    Parameters
    ----------
    own : array_like, shape (m,)
        2 (loglik full - loglik null) in each data set, each at its own estimates.
    at_pooled : array_like, shape (m,)
        The same with both models at their pooled parameters: means over the data sets of *all* parameters,
        variance components on the variance scale included.
    df : int
        Difference in number of parameters, k.
    ariv : {"default", "positive"}
        "positive" replaces a negative relative increase in variance by zero.
    terms : tuple of str
        What is tested, for the printout.

    Returns
    -------
    FTest
        Statistic, its two degrees of freedom and p-value.

    Raises
    ------
    PoolError
        If the lengths differ or a number is not finite.

    Notes
    -----
    r = (m + 1) / (k (m - 1)) (mean own - mean at_pooled); D3 = mean at_pooled / (k (1 + r)) with D1's
    large-sample df. This is mitml's D3. mice's D3 fixes only the regression coefficients and re-estimates
    variances, which is wrong for mixed models (mice issue 226); for its numbers hand in its deviances. r
    may be negative: then prefer D4. The Monte Carlo error is the jackknife; what the others gain when the pooled parameters
    move away from a data set that is left out is that data set's own gain, (own - at_pooled) / (m - 1), to second order.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> test = bmi.pool.d3([8.0, 9.5, 8.6], [7.6, 9.0, 8.3], df=2)
    >>> test.df1, round(test.statistic, 4), round(test.riv, 4)
    (2.0, 2.9643, 0.4)
    """
    d, dtilde = np.asarray(own, dtype=float), np.asarray(at_pooled, dtype=float)
    if d.ndim != 1 or d.shape != dtilde.shape or len(d) < 2:
        raise PoolError(
            f"D3 needs one deviance difference per data set, twice; got shapes {d.shape} and {dtilde.shape}"
        )
    for i, pair in enumerate(zip(d, dtilde, strict=True), start=1):
        if not np.isfinite(pair).all():
            raise PoolError(f"data set {i}: the log-likelihood is not finite: look at that fit")
    if int(df) != df or df < 1:
        raise PoolError(f"df={df} must be a positive whole number of tested parameters")
    if ariv not in ("default", "positive"):
        raise PoolError(f"ariv={ariv!r} is not known for D3: use 'default' or 'positive'")
    k, positive = int(df), ariv == "positive"
    test = _d3(d, dtilde, k, positive, terms)
    if len(d) == 2:
        return test
    gain = (d - dtilde) / (len(d) - 1) ** 2  # for each of the others, by what the pooled parameters move
    left_out = [
        _d3(np.delete(d, i), np.delete(dtilde, i) + gain[i], k, positive, terms) for i in range(len(d))
    ]
    return replace(test, mcse=monte_carlo_of_test(left_out))


def _d3(
    d: NDArray[np.float64], dtilde: NDArray[np.float64], k: int, positive: bool, terms: tuple[str, ...]
) -> FTest:
    """Return the test without its Monte Carlo error."""
    m = len(d)
    r = (m + 1) / (k * (m - 1)) * float(d.mean() - dtilde.mean())
    notes: tuple[str, ...] = ()
    if r < 0:
        notes = ("The relative increase in variance is negative: prefer D4 with ariv='robust'.",)
        if positive:
            r = 0.0
    statistic = float(dtilde.mean()) / (k * (1.0 + r))
    return FTest("D3", statistic, float(k), large_sample_df(k, m, r), r, m, terms, notes)
