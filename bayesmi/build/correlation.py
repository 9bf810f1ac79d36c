"""Correlation matrices of group effects: the LKJ distribution through its partial correlations.

Lewandowski, Kurowicka & Joe (2009): with partial correlations p_ij, given variables before i, independent
2 Beta(b_i, b_i) - 1 with b_i = eta + (q - 2 - i) / 2 (i counted from 0), the matrix is LKJ(eta). One random effect
has no correlation and needs no special case: it has no pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["beta_shapes", "cholesky_rows", "pairs", "partials_from_correlation"]


def pairs(q: int) -> list[tuple[int, int]]:
    """Return (row, column) of the partial correlations of q effects, row by row."""
    return [(row, column) for row in range(1, q) for column in range(row)]


def beta_shapes(q: int, eta: float) -> NDArray[np.float64]:
    """Return the Beta shape of each partial correlation, in the order of `pairs`."""
    return np.array([eta + (q - 2 - column) / 2.0 for _, column in pairs(q)])


def cholesky_rows(xp: Any, partials: Sequence[Any], q: int) -> list[list[Any]]:
    """Return the lower Cholesky factor of the correlation matrix as rows of scalars (or of equal-shaped arrays).

    Parameters
    ----------
    xp : module
        numpy or pytensor.tensor.
    partials : sequence
        Partial correlations in the order of `pairs(q)`.
    q : int
        Number of effects.
    """
    rows: list[list[Any]] = [[1.0]]
    k = 0
    for row in range(1, q):
        entries: list[Any] = []
        rest: Any = 1.0
        for _ in range(row):
            entry = partials[k] * xp.sqrt(rest) if entries else partials[k]
            entries.append(entry)
            rest = rest - entry**2
            k += 1
        entries.append(xp.sqrt(rest))
        rows.append(entries)
    return rows


def partials_from_correlation(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the partial correlations of correlation matrices (..., q, q), in the order of `pairs`."""
    root = np.linalg.cholesky(correlation)
    q = root.shape[-1]
    out = []
    for row, column in pairs(q):
        rest = 1.0 - (root[..., row, :column] ** 2).sum(-1)
        out.append(root[..., row, column] / np.sqrt(rest))
    return np.stack(out, axis=-1) if out else np.zeros((*correlation.shape[:-2], 0))
