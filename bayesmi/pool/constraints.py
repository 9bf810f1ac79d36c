"""Functions of the estimates by the delta method in each data set, and tests of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bayesmi.errors import PoolError
from bayesmi.pool.d1 import d1
from bayesmi.pool.d2 import d2, wald_statistics
from bayesmi.pool.estimates import Estimates
from bayesmi.pool.expressions import Dual, parse_expression
from bayesmi.pool.ftest import FTest

__all__ = ["transform", "wald_test"]


def transform(
    estimates: Estimates, expressions: Mapping[str, str]
) -> tuple[Estimates, list[tuple[str, ...]]]:
    """Compute functions of the terms, with covariance, in each data set.

    Parameters
    ----------
    estimates : Estimates
        Of the m completed data sets.
    expressions : mapping of str
        New name -> expression (`bayesmi.pool.expressions.parse_expression`).

    Returns
    -------
    transformed : Estimates
        One term per expression.
    used : list of tuple of str
        The terms each expression depends on.

    Raises
    ------
    PoolError
        If an expression cannot be read, or has no finite value or no slope in a data set.

    Notes
    -----
    First-order delta method with exact derivatives: covariance G U G' with G the Jacobian at that data set's
    estimates, as mitml's `testConstraints`, before pooling.
    """
    if not expressions:
        raise PoolError("no constraint given: write one like 'a - b = 0'")
    parsed = {str(name): parse_expression(str(text), estimates.terms) for name, text in expressions.items()}
    names: list[Any] = sorted({name for e in parsed.values() for name in e.names}, key=estimates.terms.index)
    needed = estimates.select(names, joint=len(names) > 1)
    basis = np.eye(len(names))
    values, covariances = [], []
    for i in range(needed.m):
        at = {name: Dual(float(needed.values[i, j]), basis[j]) for j, name in enumerate(names)}
        duals = [e(at) for e in parsed.values()]
        for name, dual in zip(parsed, duals, strict=True):
            if not (np.isfinite(dual.value) and np.isfinite(dual.gradient).all()):
                raise PoolError(f"data set {i + 1}: {name!r} has no finite value at its estimates")
            if not dual.gradient.any():
                raise PoolError(
                    f"data set {i + 1}: {name!r} has slope zero at its estimates: no delta method"
                )
        jacobian = np.array([dual.gradient for dual in duals])
        values.append([dual.value for dual in duals])
        covariances.append(jacobian @ needed.covariances[i] @ jacobian.T)
    return Estimates(tuple(parsed), np.array(values), np.array(covariances)), [
        e.names for e in parsed.values()
    ]


def wald_test(estimates: Estimates, dfcom: ArrayLike = np.inf, *, method: str = "D1") -> FTest:
    """Test that all terms are zero, by D1 or D2.

    Parameters
    ----------
    estimates : Estimates
        The tested terms only.
    dfcom : array_like
        Complete-data degrees of freedom; D2 does not use it.
    method : {"D1", "D2"}
        How the data sets are pooled.

    Returns
    -------
    FTest

    Raises
    ------
    PoolError
        If the method is not known or the covariance singular.
    """
    if method == "D1":
        return d1(estimates, dfcom)
    if method == "D2":
        try:
            statistics = wald_statistics(estimates)
        except np.linalg.LinAlgError:
            raise PoolError(
                f"the covariance of {', '.join(estimates.terms)} is singular: test fewer terms"
            ) from None
        return d2(statistics, len(estimates.terms), terms=estimates.terms)
    raise PoolError(
        f"method {method!r} is not known here: use 'D1' or 'D2' (D3 and D4 compare fits: Analyses.compare)"
    )
