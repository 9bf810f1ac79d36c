"""Rows in two passes over memory, where nothing stands between the rows of a factor and the entries of the expansion.

Its plain rows come first, and each further row stands for one entry, in their order. Then no row needs its log density, the
derivative by the scale and its mass kept: the forward pass leaves residuals behind (y - eta; y - p of a binary variable) and adds
to the entries, the backward pass takes the entries' weights. In tiles, so that what a row passes through stays in the first
cache. For Gaussian variables and binary ones with the logistic link.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.families import GAUSSIAN, bernoulli_density
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import copy, dot, total_of

__all__ = ["ordered_backward", "ordered_forward"]

_TILE = 512
_RUN = 64  # factors between one and two whose product is far from overflow
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@kernel
def _predict(f, i, at, slopes, eta, by_class, first, n, out):  # type: ignore[no-untyped-def]
    """Fill the linear predictors of n rows from `first` on."""
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    if codes < 0:
        copy(eta[start + first : start + first + n], out)
        return
    class_of = i[codes + first : codes + first + n]
    for t in range(n):
        out[t] = by_class[class_of[t]]
    for j in range(i[at + k.F_OWN]):
        slope = slopes[i[i[at + k.F_OWN_COLUMNS] + j]]
        place = i[at + k.F_OWN_DESIGN] + j * rows + first
        column = f[place : place + n]
        for t in range(n):
            out[t] += slope * column[t]


@kernel
def _binary(y, predictor, residuals):  # type: ignore[no-untyped-def]
    """Return the log density of rows that count once, leaving residuals: one logarithm for many rows."""
    total, product = 0.0, 1.0
    for t in range(len(y)):
        eta = predictor[t]
        small = math.exp(-abs(eta))
        one_more = 1.0 + small
        residuals[t] = y[t] - (1.0 if eta > 0.0 else small) / one_more
        total += y[t] * eta - max(eta, 0.0)
        product *= one_more
        if t % _RUN == _RUN - 1:
            total -= math.log(product)
            product = 1.0
    return total - math.log(product)


@kernel
def ordered_forward(f, i, at, slopes, sigma, eta, by_class, residuals, log_weights, d_aux):  # type: ignore[no-untyped-def]
    """Return the log density of plain rows, adding its derivative by sigma; add those of the others to their entries.

    `eta` has the linear predictors of the rows, or where rows have classes, `by_class` those of the classes. Leaves residuals.
    """
    start, rows, gaussian = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_FAMILY] == GAUSSIAN
    plain, entry, counts = i[at + k.F_PLAIN], i[at + k.F_FIRST_ENTRY], i[at + k.F_COUNTS]
    half, log_scale = 0.5 / (sigma * sigma), math.log(sigma) + _HALF_LOG_2PI
    predictors, work = np.empty(_TILE), np.empty(_TILE)
    total = 0.0
    for begin, end in ((0, plain), (plain, rows)):
        for first in range(begin, end, _TILE):
            n = min(_TILE, end - first)
            _predict(f, i, at, slopes, eta, by_class, first, n, predictors)
            r = residuals[start + first : start + first + n]
            response = i[at + k.F_RESPONSE] + first
            y, predictor, one = f[response : response + n], predictors[:n], work[:n]
            if gaussian:
                for t in range(n):
                    r[t] = y[t] - predictor[t]
                if first >= plain:
                    entries = log_weights[entry + first - plain : entry + first - plain + n]
                    for t in range(n):
                        entries[t] -= half * r[t] * r[t] + log_scale
                elif counts < 0:
                    total += dot(r, r)
                else:
                    count = f[counts + first : counts + first + n]
                    for t in range(n):
                        one[t] = count[t] * r[t]
                    total += dot(one, r)
            elif first < plain and counts < 0:
                total += _binary(y, predictor, r)
            else:
                for t in range(n):
                    one[t], r[t] = bernoulli_density(y[t], predictor[t])
                if first < plain:
                    total += dot(f[counts + first : counts + first + n], one)
                else:
                    entries = log_weights[entry + first - plain : entry + first - plain + n]
                    for t in range(n):
                        entries[t] += one[t]
    if not gaussian:
        return total
    number = i[at + k.F_PLAIN_TOTAL]
    d_aux[0] += (2.0 * half * total - number) / sigma
    return -half * total - number * log_scale


@kernel
def ordered_backward(f, i, at, sigma, weights, residuals, by_class, d_beta, d_aux):  # type: ignore[no-untyped-def]
    """From residuals and the weights of entries to sigma, the columns that differ within classes, and linear predictors.

    Derivatives by these are left in `by_class` where rows have classes, else in the place of the residuals.
    """
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    plain, entry, counts = i[at + k.F_PLAIN], i[at + k.F_FIRST_ENTRY], i[at + k.F_COUNTS]
    gaussian = i[at + k.F_FAMILY] == GAUSSIAN
    precision = 1.0 / (sigma * sigma) if gaussian else 1.0
    tile = np.empty(_TILE)
    squares, mass = 0.0, 0.0
    by_class[:] = 0.0
    for begin, end in ((0, plain), (plain, rows)):
        for first in range(begin, end, _TILE):
            n = min(_TILE, end - first)
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
                copy(d, r)
            else:
                class_of = i[codes + first : codes + first + n]
                for t in range(n):
                    by_class[class_of[t]] += d[t]
                for j in range(i[at + k.F_OWN]):
                    place = i[at + k.F_OWN_DESIGN] + j * rows + first
                    d_beta[i[i[at + k.F_OWN_COLUMNS] + j]] += dot(d, f[place : place + n])
    if gaussian:
        d_aux[0] += (squares * precision - mass) / sigma
