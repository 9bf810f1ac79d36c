"""Maximum likelihood for the mean and covariance of a multivariate normal with missing values, by EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import DataError

__all__ = ["NormalFit", "PatternRows", "fit_normal", "rows_by_pattern"]

Floats = NDArray[np.float64]
_RIDGE = 1e-10  # a covariance on the correlation scale with a smaller eigenvalue is taken as singular


@dataclass(frozen=True, eq=False)
class PatternRows:
    """Rows with the same cells observed: their number, mean and scatter about it."""

    observed: NDArray[np.bool_]  # (p,)
    n: int
    mean: Floats  # (p_observed,)
    scatter: Floats  # (p_observed, p_observed), divided by nothing


@dataclass(frozen=True, eq=False)
class NormalFit:
    """Maximum-likelihood estimates.

    Attributes
    ----------
    mean : ndarray, shape (p,)
        Means.
    covariance : ndarray, shape (p, p)
        Covariance, with divisor n.
    iterations : int
        Iterations of EM.
    """

    mean: Floats
    covariance: Floats
    iterations: int


def rows_by_pattern(values: Floats) -> list[PatternRows]:
    """Sufficient statistics of each pattern of finite cells; rows without any are in none."""
    distinct, of_row = np.unique(np.isfinite(values), axis=0, return_inverse=True)
    of_row = of_row.ravel()
    found = []
    for k, observed in enumerate(distinct):
        if not observed.any():
            continue
        rows = values[of_row == k][:, observed]
        mean = rows.mean(axis=0)
        centred = rows - mean
        found.append(PatternRows(observed, len(rows), mean, centred.T @ centred))
    return found


def fit_normal(values: Floats, tolerance: float = 1e-9, max_iterations: int = 20_000) -> NormalFit:
    """Fit by EM on the sufficient statistics of each pattern.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        NaN where missing. Rows without any value say nothing.
    tolerance : float
        EM ends when no mean or covariance moves by more, in units of the observed standard deviations.
    max_iterations : int
        More are refused.

    Returns
    -------
    NormalFit

    Raises
    ------
    DataError
        If EM does not end, or the covariance is singular.

    Notes
    -----
    Little and Rubin (2019, Statistical Analysis with Missing Data, section 11.2.1), started from observed means and
    variances without correlation. The cost of an iteration depends on the number of patterns, not of rows.
    """
    centre = np.nanmean(values, axis=0)
    scale = np.nanstd(values, axis=0)
    patterns = rows_by_pattern((values - centre) / scale)
    n = sum(pattern.n for pattern in patterns)
    p = values.shape[1]
    mean, covariance = np.zeros(p), np.eye(p)
    for iteration in range(1, max_iterations + 1):
        total, products = np.zeros(p), np.zeros((p, p))
        for pattern in patterns:
            seen, gone = pattern.observed, ~pattern.observed
            expected = np.empty(p)
            slopes = np.zeros((p, int(seen.sum())))  # of every variable on the observed ones
            slopes[seen] = np.eye(int(seen.sum()))
            if gone.any():
                slopes[gone] = np.linalg.solve(
                    covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, gone)]
                ).T
            expected = mean + slopes @ (pattern.mean - mean[seen])
            total += pattern.n * expected
            products += slopes @ pattern.scatter @ slopes.T + pattern.n * np.outer(expected, expected)
            if gone.any():
                rest = covariance[np.ix_(gone, gone)] - slopes[gone] @ covariance[np.ix_(seen, gone)]
                products[np.ix_(gone, gone)] += pattern.n * rest
        new_mean = total / n
        new_covariance = products / n - np.outer(new_mean, new_mean)
        moved = max(np.abs(new_mean - mean).max(), np.abs(new_covariance - covariance).max())
        mean, covariance = new_mean, (new_covariance + new_covariance.T) / 2
        if np.linalg.eigvalsh(covariance)[0] < _RIDGE:
            raise DataError(
                "the covariance of the columns is singular: leave out columns that follow from others, or that are "
                "never observed together"
            )
        if moved < tolerance:
            return NormalFit(centre + scale * mean, covariance * np.outer(scale, scale), iteration)
    raise DataError(
        f"EM did not settle in {max_iterations} iterations: too little is observed together; leave out the columns "
        "with most missing"
    )
