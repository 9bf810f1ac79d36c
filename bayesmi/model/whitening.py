"""Coefficients that are sampled uncorrelated and of order one, and which columns the others already say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import list_some

__all__ = ["said_of_dependent", "whitening_of"]


def whitening_of(
    centred: NDArray[np.float64], sds: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float64], list[int]]:
    """Return W with coefficients = W raw, raw of order one and uncorrelated, and columns that depend on the others.

    Near-posterior geometry: with residual sd s and default priors of sd 2.5 s / sd(x), the covariance of the slopes is
    s² (X'X + diag(sd(x)² / 2.5²))^-1, which exists however collinear the columns are.
    """
    p = len(sds)
    if p == 0:
        return np.zeros((0, 0)), []
    n = len(centred)
    if n <= p + 1:
        return np.diag(scale / sds), []
    scaled = centred / sds
    cross = scaled.T @ scaled / n
    dependent = []
    for j in range(p):
        before = [k for k in range(j) if k not in dependent]
        residual = cross[j, j]
        if before:
            block = cross[np.ix_(before, before)]
            residual = cross[j, j] - cross[j, before] @ np.linalg.solve(block, cross[before, j])
        if residual < 1e-9 * max(cross[j, j], 1e-300):
            dependent.append(j)
    root = np.linalg.cholesky(cross * n + np.eye(p) / 2.5**2)
    return scale * np.linalg.inv(root).T / sds[:, None], dependent


def said_of_dependent(columns: Sequence[str], of: str) -> tuple[str, ...]:
    """Return one notice about the predictors that depend on the others, or none."""
    if not columns:
        return ()
    one = len(columns) == 1
    subject = (
        f"predictor {columns[0]!r} of {of} is a linear combination"
        if one
        else (f"predictors {list_some(columns)} of {of} are linear combinations")
    )
    return (
        f"{subject} of the others in the observed rows: only {'its prior tells' if one else 'their priors tell'} them apart",
    )
