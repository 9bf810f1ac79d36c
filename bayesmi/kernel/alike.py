"""Gaussian cells integrated out of many units at once: those into whose rows the cells enter with the same coefficients.

The formulas are those of `integrals.py`. Here A (the a_k), the precisions t_k, L and its determinant belong to a class of units,
and a unit has its residuals r0 of its own only. With m = L^-1 A' T r0 and r = r0 - A m,

    log integral = constant - sum_k t_k r0_k r_k / 2,

so that a unit costs a few products, and units pass in tiles that stay in the first cache. No cell lies between limits here, no
scale has a model, and no cell enters through group effects.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.cell_weights import cell_weight_backward, cell_weights
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import dot, inverse_of, total_of

__all__ = ["alike_backward", "integrate_alike"]

_TILE = 256
_LOG_2PI = math.log(2 * math.pi)


@kernel
def _work(i):  # type: ignore[no-untyped-def]
    """Return room for the numbers of a class (as `_shared` fills them) and of a tile of its units (as `_tile` does)."""
    most, widest = 0, 0
    for c in range(i[k.G_ALIKE]):
        record = i[k.G_ALIKE_TABLE] + c * k.N_SIZE
        most, widest = max(most, i[record + k.N_CELLS]), max(widest, i[record + k.N_MEMBERS])
    return (
        np.empty((widest, most)),
        np.empty(widest),
        np.empty((most, most)),
        np.empty((most, most)),
        np.empty((most, widest)),
        np.empty((widest, _TILE)),
        np.empty((widest, _TILE)),
        np.empty((most, _TILE)),
    )


@kernel
def _shared(f, i, record, beta, u, sigma, a, precisions, precision, inverse, gain):  # type: ignore[no-untyped-def]
    """Fill a (member, cell), the members' precisions, L^-1 and m's coefficients of r0 (cell, member); return the constant."""
    q, members = i[record + k.N_CELLS], i[record + k.N_MEMBERS]
    for v in range(q):
        for w in range(v + 1):
            precision[v, w] = 0.0
    constant = 0.5 * q * _LOG_2PI
    for m in range(members):
        member = i[record + k.N_MEMBER_TABLE] + m * k.MEMBER_SIZE
        s = sigma[i[member]]
        precisions[m] = 1.0 / (s * s)
        constant -= math.log(s) + 0.5 * _LOG_2PI
        cell_weights(f, i, member, q, beta, u, a[m])
        for v in range(q):
            for w in range(v + 1):
                precision[v, w] += precisions[m] * a[m, v] * a[m, w]
    constant -= inverse_of(precision, q, inverse)
    for v in range(q):
        for m in range(members):
            value = 0.0
            for w in range(q):
                value += inverse[v, w] * a[m, w]
            gain[v, m] = precisions[m] * value
    return constant


@kernel
def _tile(i, record, first, n, y, eta, a, gain, r0, means, r):  # type: ignore[no-untyped-def]
    """Fill residuals without the cells, means of the cells, and residuals at these, of n units."""
    q, members = i[record + k.N_CELLS], i[record + k.N_MEMBERS]
    for m in range(members):
        member = i[record + k.N_MEMBER_TABLE] + m * k.MEMBER_SIZE
        start = i[i[i[k.G_FACTOR_TABLE] + i[member]] + k.F_ROW_START]
        place = i[member + 1] + first
        rows, own = i[place : place + n], r0[m]
        for t in range(n):
            own[t] = y[start + rows[t]] - eta[start + rows[t]]
    for v in range(q):
        mean = means[v]
        for t in range(n):
            mean[t] = 0.0
        for m in range(members):
            share, own = gain[v, m], r0[m]
            for t in range(n):
                mean[t] += share * own[t]
    for m in range(members):
        own, left = r0[m], r[m]
        for t in range(n):
            left[t] = own[t]
        for v in range(q):
            slope, mean = a[m, v], means[v]
            if slope != 0.0:
                for t in range(n):
                    left[t] -= slope * mean[t]


@kernel
def integrate_alike(f, i, beta, u, sigma, y, eta, log_weights):  # type: ignore[no-untyped-def]
    """Return the log integral of the units that are not expanded; add the others to log_weights."""
    total = 0.0
    if i[k.G_ALIKE] == 0:
        return total
    a, precisions, precision, inverse, gain, r0, r, means = _work(i)
    values = np.empty(_TILE)
    for c in range(i[k.G_ALIKE]):
        record = i[k.G_ALIKE_TABLE] + c * k.N_SIZE
        units, expanded = i[record + k.N_UNITS], i[record + k.N_EXPANDED]
        constant = _shared(f, i, record, beta, u, sigma, a, precisions, precision, inverse, gain)
        for first in range(0, units, _TILE):
            n = min(_TILE, units - first)
            _tile(i, record, first, n, y, eta, a, gain, r0, means, r)
            for t in range(n):
                values[t] = constant
            for m in range(i[record + k.N_MEMBERS]):
                half, own, left = 0.5 * precisions[m], r0[m], r[m]
                for t in range(n):
                    values[t] -= half * own[t] * left[t]
            if expanded < 0:
                total += total_of(values[:n])
            else:
                entries = i[expanded + first : expanded + first + n]
                for t in range(n):
                    log_weights[entries[t]] += values[t]
    return total


@kernel
def alike_backward(f, i, beta, u, sigma, y, eta, weights, d_eta, d_beta, d_u, d_sigma):  # type: ignore[no-untyped-def]
    """Set d eta of the units' rows; add to d beta what goes through the cells, and to d sigma."""
    if i[k.G_ALIKE] == 0:
        return
    a, precisions, precision, inverse, gain, r0, r, means = _work(i)
    share, squares, products = np.empty(_TILE), np.empty_like(precisions), np.empty_like(a)
    for c in range(i[k.G_ALIKE]):
        record = i[k.G_ALIKE_TABLE] + c * k.N_SIZE
        units, expanded = i[record + k.N_UNITS], i[record + k.N_EXPANDED]
        q, members = i[record + k.N_CELLS], i[record + k.N_MEMBERS]
        _shared(f, i, record, beta, u, sigma, a, precisions, precision, inverse, gain)
        squares[:] = 0.0
        products[:, :] = 0.0
        mass = 0.0
        for first in range(0, units, _TILE):
            n = min(_TILE, units - first)
            _tile(i, record, first, n, y, eta, a, gain, r0, means, r)
            if expanded < 0:
                share[:n] = 1.0
            else:
                entries = i[expanded + first : expanded + first + n]
                for t in range(n):
                    share[t] = weights[entries[t]]
            mass += total_of(share[:n])
            for m in range(members):
                member = i[record + k.N_MEMBER_TABLE] + m * k.MEMBER_SIZE
                start = i[i[i[k.G_FACTOR_TABLE] + i[member]] + k.F_ROW_START]
                rows = i[i[member + 1] + first : i[member + 1] + first + n]
                left, scaled = r[m], r0[m]
                for t in range(n):
                    scaled[t] = share[t] * left[t]
                squares[m] += dot(scaled[:n], left[:n])
                for v in range(q):
                    products[m, v] += dot(scaled[:n], means[v, :n])
                precision_of = precisions[m]
                for t in range(n):
                    d_eta[start + rows[t]] = precision_of * scaled[t]
        for m in range(members):
            member = i[record + k.N_MEMBER_TABLE] + m * k.MEMBER_SIZE
            number = i[member]
            spread = 0.0
            for v in range(q):
                va = gain[v, m] / precisions[m]
                spread += a[m, v] * va
                value = precisions[m] * (products[m, v] - mass * va)
                cell_weight_backward(f, i, member, v, value, d_beta, d_u)
            change = precisions[m] * (squares[m] + mass * spread) - mass
            d_sigma[number] += change / sigma[number]
