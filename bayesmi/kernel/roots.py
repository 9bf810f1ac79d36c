"""Covariance roots of group effects, L = diag(sds) times the correlation's Cholesky factor, with derivatives."""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.special import softplus

__all__ = ["group_sds", "partials", "root_backward", "root_forward", "standardise"]


@kernel
def group_sds(x, f, i, at):  # type: ignore[no-untyped-def]
    """Group sds: as exp(x) near zero, linear farther out, where a half-normal prior would be a wall for exp(x)."""
    q = i[at + k.E_Q]
    sds = np.empty(q)
    for a in range(q):
        sds[a] = f[i[at + k.E_SD_SCALES] + a] * softplus(x[i[at + k.E_SD_X] + a])
    return sds


@kernel
def partials(x, f, i, block, pairs):  # type: ignore[no-untyped-def]
    """(partial correlation + 1) / 2 of the effects in a block."""
    if i[block + 2] < 0:
        return f[i[block + 3] : i[block + 3] + pairs].copy()
    return 1.0 / (1.0 + np.exp(-x[i[block + 2] : i[block + 2] + pairs]))


@kernel
def root_forward(start, stop, half, sds, root, corr):  # type: ignore[no-untyped-def]
    """Fill one block of L (q, q) and of the correlation's Cholesky factor from half = (partial + 1) / 2 and sds."""
    pair = 0
    for i in range(start, stop):
        rest = 1.0
        for j in range(start, i):
            entry = (2.0 * half[pair] - 1.0) * math.sqrt(rest)
            corr[i, j] = entry
            root[i, j] = sds[i] * entry
            rest -= entry * entry
            pair += 1
        corr[i, i] = math.sqrt(max(rest, 1e-300))
        root[i, i] = sds[i] * corr[i, i]


@kernel
def root_backward(start, stop, half, sds, corr, d_root, d_half, d_sds):  # type: ignore[no-untyped-def]
    """Add derivatives with respect to half and sds, given those with respect to L."""
    pair = 0
    for i in range(start, stop):
        for j in range(start, i + 1):
            d_sds[i] += d_root[i, j] * corr[i, j]
        first = pair
        n = i - start
        rests = np.empty(n + 1)
        rests[0] = 1.0
        for j in range(n):
            rests[j + 1] = rests[j] - corr[i, start + j] ** 2
        d_rest = d_root[i, i] * sds[i] / (2.0 * corr[i, i])
        for j in range(n - 1, -1, -1):
            partial = 2.0 * half[first + j] - 1.0
            root_rest = math.sqrt(max(rests[j], 1e-300))
            d_entry = d_root[i, start + j] * sds[i] - 2.0 * corr[i, start + j] * d_rest
            d_half[first + j] += 2.0 * d_entry * root_rest
            d_rest += d_entry * partial / (2.0 * root_rest)
        pair += n


@kernel
def standardise(h, square, root, hl, w, q_matrix):  # type: ignore[no-untyped-def]
    """Fill H L, w = L'h and L'H L of one group: h and H for u = L z become those for z."""
    d = len(h)
    for row in range(d):
        for column in range(d):
            value = 0.0
            for c in range(column, d):
                value += square[row, c] * root[c, column]
            hl[row, column] = value
    for row in range(d):
        for column in range(d):
            value = 0.0
            for c in range(row, d):
                value += root[c, row] * hl[c, column]
            q_matrix[row, column] = value
        value = 0.0
        for c in range(row, d):
            value += root[c, row] * h[c]
        w[row] = value
