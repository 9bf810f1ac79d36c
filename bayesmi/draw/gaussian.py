"""Draws from many small Gaussian distributions at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_by_precision"]

Floats = NDArray[np.float64]


def draw_by_precision(precision: Floats, w: Floats, rng: np.random.Generator) -> Floats:
    """Draw from N(Q^-1 w, Q^-1) for each Q, (…, d, d), and w, (…, d).

    The Cholesky factor is written out entry by entry over all distributions at a time: for a few dimensions that is several
    times faster than one call a matrix.
    """
    d = w.shape[-1]
    root: dict[tuple[int, int], Floats] = {}
    for j in range(d):
        for i in range(j, d):
            value = precision[..., i, j].copy()
            for c in range(j):
                value -= root[i, c] * root[j, c]
            root[i, j] = np.sqrt(value) if i == j else value / root[j, j]
    noise = rng.standard_normal(w.shape)
    out = np.empty(w.shape)
    for i in range(d):
        value = w[..., i].copy()
        for c in range(i):
            value -= root[i, c] * out[..., c]
        out[..., i] = value / root[i, i]
    out += noise
    for i in range(d - 1, -1, -1):
        for c in range(i + 1, d):
            out[..., i] -= root[c, i] * out[..., c]
        out[..., i] /= root[i, i]
    return out
