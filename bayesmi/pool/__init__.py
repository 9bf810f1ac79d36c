"""Pooling by Rubin's rules: numpy, scipy and pandas only, no model fitted.

`pool` combines (estimates, covariance) pairs; `d1` … `d4`, correlations, R-squared, chi-square and F
statistics have a function each. The module itself can be called: `bayesmi.pool(analyses)` is
`bayesmi.pool.pool(analyses)`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import pandas as pd

from bayesmi.errors import PoolError
from bayesmi.pool.chi_square import pool_chi_square
from bayesmi.pool.correlation import pool_correlation
from bayesmi.pool.d1 import d1
from bayesmi.pool.d2 import d2
from bayesmi.pool.d3 import d3
from bayesmi.pool.d4 import d4
from bayesmi.pool.dfcom import read_dfcom
from bayesmi.pool.estimates import Estimates
from bayesmi.pool.f_statistic import pool_f
from bayesmi.pool.ftest import FTest
from bayesmi.pool.inference import Rule
from bayesmi.pool.pooled import Pooled
from bayesmi.pool.proportion import pool_proportion
from bayesmi.pool.quantile import pool_quantiles
from bayesmi.pool.r_squared import pool_r_squared
from bayesmi.pool.read import read_estimates
from bayesmi.pool.recommended_m import Recommendation
from bayesmi.pool.scalar import pool_scalar
from bayesmi.pool.survival import pool_survival

__all__ = [
    "Estimates",
    "FTest",
    "Pooled",
    "Recommendation",
    "d1",
    "d2",
    "d3",
    "d4",
    "pool",
    "pool_chi_square",
    "pool_correlation",
    "pool_f",
    "pool_proportion",
    "pool_quantiles",
    "pool_r_squared",
    "pool_scalar",
    "pool_survival",
]


def pool(
    analyses: Iterable[Any],
    dfcom: Any = None,
    *,
    rule: Rule = "rubin1987",
    variance_components: Sequence[pd.DataFrame] = (),
    notices: Sequence[str] = (),
) -> Pooled:
    """Pool the same analysis of m completed data sets.

    Parameters
    ----------
    analyses : Analyses, or iterable of (estimates, covariance)
        What `Imputations.with_` or `Imputations.analyze` returned; or one pair per data set, m >= 2.
        Estimates: Series or mapping by term, or array of shape (k,).
        Covariance: matrix of shape (k, k) in the same order, or DataFrame labelled by term. Terms may come
        in any order but must be the same. A DataFrame or matrix that is NaN everywhere off the diagonal
        says that only variances are known.
    dfcom : None, number, mapping by term, Series or sequence, optional
        Complete-data degrees of freedom; None is infinity. One number, or one per term.
    rule : {"rubin1987", "reiter2003"}
        Missing data, or partially synthetic data.
    variance_components : sequence of DataFrame, optional
        One per data set; see `bayesmi.pool.variance_components.pool_variance_components`.
    notices : sequence of str, optional
        Remarks on single analyses that travel with the result.

    Returns
    -------
    Pooled

    Raises
    ------
    PoolError
        If there are fewer than two data sets, terms differ, a number is not finite, or a covariance is not
        one; the message names the data set.

    Notes
    -----
    Rubin (1987); degrees of freedom by Barnard and Rubin (1999) in mice 3.19's form, exact where the data
    sets agree. mice before 3.19 keeps lambda above 1e-4 and differs there. mitml's default is infinite
    dfcom, mice's the residual df of the first fit for all terms; here each term may have its own.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np
    >>> estimates = [{"a": 1.0, "b": 2.0}, {"a": 1.2, "b": 1.8}, {"a": 1.1, "b": 2.1}]
    >>> fits = [(one, np.eye(2)) for one in estimates]
    >>> bmi.pool(fits, dfcom={"a": 20, "b": 100}).table.loc["a", ["estimate", "t", "df"]].round(3).tolist()
    [1.1, 1.013, 17.993]
    """
    if callable(getattr(analyses, "pool", None)):  # Analyses: as R's pool(with(imp, …))
        pooled: Pooled = analyses.pool(dfcom, rule=rule)  # type: ignore[attr-defined]
        return pooled
    estimates = read_estimates(analyses)
    if rule not in ("rubin1987", "reiter2003"):
        raise PoolError(
            f"rule {rule!r} is not known: use 'rubin1987' (missing data) or 'reiter2003' (synthetic data)"
        )
    if variance_components and len(variance_components) != estimates.m:
        raise PoolError(f"{len(variance_components)} sets of variance components for {estimates.m} data sets")
    return Pooled(
        estimates, read_dfcom(dfcom, estimates.terms), rule, tuple(variance_components), tuple(notices)
    )


class _CallableModule(ModuleType):
    """`bayesmi.pool(...)` pools, and `bayesmi.pool.d1` and the others are found where one looks for them."""

    __call__ = staticmethod(pool)


sys.modules[__name__].__class__ = _CallableModule
