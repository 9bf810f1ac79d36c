"""Sums of products, and products and inverses of small matrices, by hand: no BLAS to load, nothing to link."""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel.jit import kernel

__all__ = [
    "cholesky",
    "cholesky_backward",
    "copy",
    "copy_rows",
    "dot",
    "solve_lower",
    "solve_upper",
    "total_of",
    "weighted",
]


@kernel
def copy(source, out):  # type: ignore[no-untyped-def]
    """Put numbers in the first places of others: numba's own way brings sentences about shapes along, seconds to compile."""
    for t in range(len(source)):
        out[t] = source[t]


@kernel
def copy_rows(source, out):  # type: ignore[no-untyped-def]
    """Put a matrix in the upper left of another."""
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            out[row, column] = source[row, column]


@kernel
def dot(left, right):  # type: ignore[no-untyped-def]
    """Return the sum of products, in an order of its own: four sums side by side, so that none waits for the last."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    whole = len(left) // 4
    for b in range(whole):
        t = 4 * b
        first += left[t] * right[t]
        second += left[t + 1] * right[t + 1]
        third += left[t + 2] * right[t + 2]
        fourth += left[t + 3] * right[t + 3]
    for t in range(4 * whole, len(left)):
        first += left[t] * right[t]
    return (first + second) + (third + fourth)


@kernel
def total_of(values):  # type: ignore[no-untyped-def]
    """Return the sum, four sums side by side."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    whole = len(values) // 4
    for b in range(whole):
        t = 4 * b
        first += values[t]
        second += values[t + 1]
        third += values[t + 2]
        fourth += values[t + 3]
    for t in range(4 * whole, len(values)):
        first += values[t]
    return (first + second) + (third + fourth)


@kernel
def weighted(weights, values):  # type: ignore[no-untyped-def]
    """Do the same where values without weight may be infinite."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    whole = len(weights) // 4
    for b in range(whole):
        t = 4 * b
        first += weights[t] * values[t] if weights[t] > 0.0 else 0.0
        second += weights[t + 1] * values[t + 1] if weights[t + 1] > 0.0 else 0.0
        third += weights[t + 2] * values[t + 2] if weights[t + 2] > 0.0 else 0.0
        fourth += weights[t + 3] * values[t + 3] if weights[t + 3] > 0.0 else 0.0
    for t in range(4 * whole, len(weights)):
        first += weights[t] * values[t] if weights[t] > 0.0 else 0.0
    return (first + second) + (third + fourth)


@kernel
def cholesky(matrix, size):  # type: ignore[no-untyped-def]
    """Put the lower Cholesky factor of the first `size` rows in their place; return the sum of the logs of its diagonal."""
    total = 0.0
    for j in range(size):
        for c in range(j + 1):
            value = matrix[j, c]
            for b in range(c):
                value -= matrix[j, b] * matrix[c, b]
            if c == j:
                matrix[j, j] = math.sqrt(value)
                total += math.log(matrix[j, j])
            else:
                matrix[j, c] = value / matrix[c, c]
    return total


@kernel
def inverse_of(matrix, size, out):  # type: ignore[no-untyped-def]
    """Fill the inverse of the first `size` rows (lower part, overwritten); return half the log of the determinant."""
    half = cholesky(matrix, size)
    for column in range(size):
        for v in range(size):
            entry = 1.0 if v == column else 0.0
            for w in range(v):
                entry -= matrix[v, w] * out[w, column]
            out[v, column] = entry / matrix[v, v]
        for v in range(size - 1, -1, -1):
            entry = out[v, column]
            for w in range(v + 1, size):
                entry -= matrix[w, v] * out[w, column]
            out[v, column] = entry / matrix[v, v]
    return half


@kernel
def solve_lower(root, b):  # type: ignore[no-untyped-def]
    """Put L^-1 b in the place of b."""
    for j in range(len(b)):
        value = b[j]
        for c in range(j):
            value -= root[j, c] * b[c]
        b[j] = value / root[j, j]


@kernel
def solve_upper(root, b):  # type: ignore[no-untyped-def]
    """Put L'^-1 b in the place of b."""
    for j in range(len(b) - 1, -1, -1):
        value = b[j]
        for c in range(j + 1, len(b)):
            value -= root[c, j] * b[c]
        b[j] = value / root[j, j]


@kernel
def cholesky_backward(root, d_root, out):  # type: ignore[no-untyped-def]
    """Fill the symmetric derivative by a matrix, given that by its lower Cholesky factor (Murray 2016, eq. 10).

    With S = L'D below the diagonal, half of it on it: (L'^-1 (S + S') L^-1) / 2.
    """
    p = root.shape[0]
    for j in range(p):
        for c in range(j + 1):
            value = 0.0
            for b in range(j, p):
                value += root[b, j] * d_root[b, c]
            out[j, c] = 0.5 * value
            out[c, j] = 0.5 * value
    column = np.empty(p)
    for c in range(p):
        for j in range(p):
            column[j] = out[j, c]
        solve_upper(root, column)
        for j in range(p):
            out[j, c] = column[j]
    for j in range(p):
        solve_upper(root, out[j])
