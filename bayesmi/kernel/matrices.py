"""Products and inverses of small matrices, by hand: no BLAS to load, nothing to link."""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel.jit import kernel

__all__ = ["invert", "product"]


@kernel
def product(left, right):  # type: ignore[no-untyped-def]
    """Return left times right."""
    out = np.zeros((left.shape[0], right.shape[1]))
    for i in range(left.shape[0]):
        for j in range(left.shape[1]):
            value = left[i, j]
            for c in range(right.shape[1]):
                out[i, c] += value * right[j, c]
    return out


@kernel
def invert(matrix):  # type: ignore[no-untyped-def]
    """Put the inverse of a positive definite matrix in its place; return half the log of its determinant."""
    q = matrix.shape[0]
    root = np.zeros((q, q))
    half = 0.0
    for v in range(q):
        for w in range(v + 1):
            entry = matrix[v, w]
            for u in range(w):
                entry -= root[v, u] * root[w, u]
            root[v, w] = math.sqrt(entry) if v == w else entry / root[w, w]
        half += math.log(root[v, v])
    for column in range(q):
        for v in range(q):
            entry = 1.0 if v == column else 0.0
            for w in range(v):
                entry -= root[v, w] * matrix[w, column]
            matrix[v, column] = entry / root[v, v]
        for v in range(q - 1, -1, -1):
            entry = matrix[v, column]
            for w in range(v + 1, q):
                entry -= root[w, v] * matrix[w, column]
            matrix[v, column] = entry / root[v, v]
    return half
