"""Rows of a Gaussian variable in two passes over memory, where nothing stands between its rows and the entries of the expansion.

Its plain rows come first, and each further row stands for one entry, in their order. Then no row needs its log density, the
derivative by the scale and its mass kept: the forward pass leaves residuals behind and adds to the entries, the backward pass
takes the entries' weights. In tiles, so that what a row passes through stays in the first cache.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import dot, total_of

__all__ = ["gaussian_backward", "gaussian_forward"]

_TILE = 512
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@kernel
def gaussian_forward(f, i, at, slopes, sigma, eta, by_class, residuals, log_weights, d_aux):  # type: ignore[no-untyped-def]
    """Return the log density of plain rows, adding its derivative by sigma; add those of the others to their entries.

    `eta` has the linear predictors of the rows, or where rows have classes, `by_class` those of the classes. Leaves residuals.
    """
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    plain, entry, counts = i[at + k.F_PLAIN], i[at + k.F_FIRST_ENTRY], i[at + k.F_COUNTS]
    half, log_scale = 0.5 / (sigma * sigma), math.log(sigma) + _HALF_LOG_2PI
    weighted = np.empty(_TILE)
    squares = 0.0
    first = 0
    while first < rows:
        n = min(_TILE, (plain if first < plain else rows) - first)
        r = residuals[start + first : start + first + n]
        response = i[at + k.F_RESPONSE] + first
        y = f[response : response + n]
        if codes < 0:
            predictor = eta[start + first : start + first + n]
            for t in range(n):
                r[t] = y[t] - predictor[t]
        else:
            class_of = i[codes + first : codes + first + n]
            for t in range(n):
                r[t] = y[t] - by_class[class_of[t]]
            for j in range(i[at + k.F_OWN]):
                slope = slopes[i[i[at + k.F_OWN_COLUMNS] + j]]
                place = i[at + k.F_OWN_DESIGN] + j * rows + first
                column = f[place : place + n]
                for t in range(n):
                    r[t] -= slope * column[t]
        if first >= plain:
            entries = log_weights[entry + first - plain : entry + first - plain + n]
            for t in range(n):
                entries[t] -= half * r[t] * r[t] + log_scale
        elif counts < 0:
            squares += dot(r, r)
        else:
            count, one = f[counts + first : counts + first + n], weighted[:n]
            for t in range(n):
                one[t] = count[t] * r[t]
            squares += dot(one, r)
        first += n
    number = i[at + k.F_PLAIN_TOTAL]
    d_aux[0] += (2.0 * half * squares - number) / sigma
    return -half * squares - number * log_scale


@kernel
def gaussian_backward(f, i, at, sigma, weights, residuals, by_class, d_beta, d_aux):  # type: ignore[no-untyped-def]
    """From residuals and the weights of entries to sigma, the columns that differ within classes, and linear predictors.

    Derivatives by these are left in `by_class` where rows have classes, else in the place of the residuals.
    """
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    plain, entry, counts = i[at + k.F_PLAIN], i[at + k.F_FIRST_ENTRY], i[at + k.F_COUNTS]
    precision = 1.0 / (sigma * sigma)
    tile = np.empty(_TILE)
    squares, mass = 0.0, 0.0
    by_class[:] = 0.0
    first = 0
    while first < rows:
        n = min(_TILE, (plain if first < plain else rows) - first)
        r, d = residuals[start + first : start + first + n], tile[:n]
        if first >= plain:
            share = weights[entry + first - plain : entry + first - plain + n]
            for t in range(n):
                d[t] = share[t] * r[t]
            squares += dot(d, r)
            mass += total_of(share)
            for t in range(n):
                d[t] *= precision
        elif counts < 0:
            for t in range(n):
                d[t] = precision * r[t]
        else:
            count = f[counts + first : counts + first + n]
            for t in range(n):
                d[t] = precision * count[t] * r[t]
        if codes < 0:
            r[:] = d
        else:
            class_of = i[codes + first : codes + first + n]
            for t in range(n):
                by_class[class_of[t]] += d[t]
            for j in range(i[at + k.F_OWN]):
                place = i[at + k.F_OWN_DESIGN] + j * rows + first
                d_beta[i[i[at + k.F_OWN_COLUMNS] + j]] += dot(d, f[place : place + n])
        first += n
    d_aux[0] += (squares * precision - mass) / sigma
