"""From a pooled estimate and its degrees of freedom to standard error, t statistic, p-value and interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bayesmi.errors import PoolError
from bayesmi.pool.rubin import Rubin, combine
from bayesmi.pool.synthetic import combine_synthetic

__all__ = ["Inference", "Rule", "infer", "pool_moments"]

Rule = Literal["rubin1987", "reiter2003"]
Floats = NDArray[np.float64]

# 95 % equal-tailed, everywhere
_UPPER = 0.975


@dataclass(frozen=True, eq=False)
class Inference:
    """Test of zero and 95 % equal-tailed interval; fields of the shape of the estimates.

    Attributes
    ----------
    std_error, statistic, p_value, conf_low, conf_high : ndarray
    """

    std_error: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats


def infer(pooled: Rubin) -> Inference:
    """Two-sided t test of zero and 95 % interval with the pooled degrees of freedom.

    Parameters
    ----------
    pooled : Rubin
        What Rubin's (or Reiter's) rules gave.

    Returns
    -------
    Inference
    """
    se = np.sqrt(pooled.t)
    statistic = pooled.estimate / se
    half = _t_quantile(_UPPER, pooled.df) * se
    p = 2.0 * _t_cdf(-np.abs(statistic), pooled.df)
    return Inference(se, statistic, p, pooled.estimate - half, pooled.estimate + half)


def _t_quantile(p: float, df: Floats) -> Floats:
    """Quantile of t; of the normal at infinite df."""
    finite = np.isfinite(df)
    return np.where(finite, special.stdtrit(np.where(finite, df, 1.0), p), special.ndtri(p))


def _t_cdf(x: Floats, df: Floats) -> Floats:
    """Distribution function of t; of the normal at infinite df."""
    finite = np.isfinite(df)
    return np.where(finite, special.stdtr(np.where(finite, df, 1.0), x), special.ndtr(x))


def pool_moments(
    rule: Rule, m: int, estimate: ArrayLike, ubar: ArrayLike, b: ArrayLike, dfcom: ArrayLike
) -> Rubin:
    """Combine by the named rule.

    Parameters
    ----------
    rule : {"rubin1987", "reiter2003"}
        Missing data, or partially synthetic data.
    m : int
        Number of data sets.
    estimate, ubar, b : array_like
        Mean of the estimates, mean of their variances, variance of the estimates.
    dfcom : array_like
        Complete-data degrees of freedom (not used by reiter2003).

    Returns
    -------
    Rubin

    Raises
    ------
    PoolError
        If the rule is not known.
    """
    if rule == "rubin1987":
        return combine(m, estimate, ubar, b, dfcom)
    if rule == "reiter2003":
        return combine_synthetic(m, estimate, ubar, b, dfcom)
    raise PoolError(
        f"rule {rule!r} is not known: use 'rubin1987' (missing data) or 'reiter2003' (synthetic data)"
    )
