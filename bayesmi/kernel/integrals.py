"""Gaussian cells integrated out of a row, with derivatives.

A unit is one row (or one combination of its summed cells). Every factor in it has a residual affine in the missing
cells, r_k = r0_k - a_k'x, with precision t_k (that of the row where the factor's scale has a model). With
L = sum t_k a_k a_k', b = sum t_k a_k r0_k, m = L^-1 b:

    log integral = sum_k [ log t_k / 2 - log(2 pi) / 2 - t_k r0_k^2 / 2 ] + b'm / 2 - log|L| / 2 + q log(2 pi) / 2.

a_k is a constant (-1 where the cell is the response) plus coefficients and group effects times weights. A cell that an
observed derived value ties to the others is none of the unit's: it is an affine function of these, and residuals stay
affine.

One cell of a unit may be known to lie between limits: the log probability of that under its N(m, L^-1) is added.

Derivatives are the expectations of those of the joint density under x ~ N(m, L^-1), between the limits (Fisher's identity):
E r_k = r0_k - a_k'm, E r_k^2 = (E r_k)^2 + a_k'L^-1 a_k, E r_k x_v = E r_k m_v - (L^-1 a_k)_v.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.cell_weights import cell_weight_backward, cell_weights
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import inverse_of
from bayesmi.kernel.room import shaped
from bayesmi.kernel.scales import scale_start
from bayesmi.kernel.special import log_interval

__all__ = ["integrate_units", "units_backward"]

_LOG_2PI = math.log(2 * math.pi)


@kernel
def _of_factors(i, sigma):  # type: ignore[no-untyped-def]
    """Return where each factor's rows begin, where those of its scale do (or -1), its precision and log sd."""
    n_factors = i[k.G_FACTORS]
    starts, scales = np.empty(n_factors, dtype=np.int64), np.empty(n_factors, dtype=np.int64)
    precisions, logs = np.empty(n_factors), np.empty(n_factors)
    for n in range(n_factors):
        at = i[i[k.G_FACTOR_TABLE] + n]
        starts[n], scales[n] = i[at + k.F_ROW_START], scale_start(i, at)
        precisions[n], logs[n] = 1.0 / (sigma[n] * sigma[n]), math.log(sigma[n])
    return starts, scales, precisions, logs


@kernel
def _confine(lower, upper, place, q, mean, own, slope):  # type: ignore[no-untyped-def]
    """Return the log probability that one cell lies between its limits; mean and covariance become those given that."""
    variance = own[place, place]
    sd = math.sqrt(variance)
    low, high = (lower - mean[place]) / sd, (upper - mean[place]) / sd
    value, d_high, d_low = log_interval(low, high)
    shift = -(d_low + d_high)
    rest = 1.0 - shift * shift
    if d_low != 0.0:
        rest -= low * d_low
    if d_high != 0.0:
        rest -= high * d_high
    change = variance * (max(rest, 0.0) - 1.0)
    for v in range(q):
        slope[v] = own[v, place] / variance
    for v in range(q):
        mean[v] += slope[v] * sd * shift
        for w in range(q):
            own[v, w] += slope[v] * slope[w] * change
    return value


@kernel
def integrate_units(f, i, beta, u, sigma, y, eta, mean, cov, log_weights):  # type: ignore[no-untyped-def]
    """Return the log integral of the units that are not expanded; add the others to log_weights.

    mean and cov take m and L^-1 of every unit, one after the other.
    """
    total = 0.0
    if i[k.G_UNITS] == 0:
        return total
    at_mean, at_cov = 0, 0
    most = i[k.G_UNIT_MOST]
    a = np.empty(most)
    b = np.empty(most)
    precision = np.empty((most, most))
    starts, scales, precisions, logs = _of_factors(i, sigma)
    for unit in range(i[k.G_UNITS]):
        q = i[i[k.G_UNIT_SIZES] + unit]
        value = 0.5 * q * _LOG_2PI
        for v in range(q):
            b[v] = 0.0
            for w in range(q):
                precision[v, w] = 0.0
        first = i[i[k.G_UNIT_MEMBERS] + unit]
        last = i[i[k.G_UNIT_MEMBERS] + unit + 1]
        for number in range(first, last):
            member = i[k.G_MEMBERS] + number * k.MEMBER_SIZE
            n = i[member]
            row, t, log_s = starts[n] + i[member + 1], precisions[n], logs[n]
            if scales[n] >= 0:
                log_s = eta[scales[n] + i[member + 1]]
                t = math.exp(-2.0 * log_s)
            r0 = y[row] - eta[row]
            value += -log_s - 0.5 * _LOG_2PI - 0.5 * t * r0 * r0
            cell_weights(f, i, member, q, beta, u, a)
            for v in range(q):
                b[v] += t * a[v] * r0
                for w in range(v + 1):
                    precision[v, w] += t * a[v] * a[w]
        own = shaped(cov[at_cov : at_cov + q * q], (q, q))
        if q == 1:
            own[0, 0] = 1.0 / precision[0, 0]
            value -= 0.5 * math.log(precision[0, 0])
        else:
            value -= inverse_of(precision, q, own)
        for v in range(q):
            entry = 0.0
            for w in range(q):
                entry += own[v, w] * b[w]
            mean[at_mean + v] = entry
            value += 0.5 * entry * b[v]
        limited = i[i[k.G_UNIT_LIMITED] + unit]
        if limited >= 0:
            ends = i[k.G_UNIT_ENDS] + 2 * unit
            value += _confine(f[ends], f[ends + 1], limited, q, mean[at_mean : at_mean + q], own, a)
        expanded = i[i[k.G_UNIT_EXPANDED] + unit]
        if expanded < 0:
            total += value
        else:
            log_weights[expanded] += value
        at_mean += q
        at_cov += q * q
    return total


@kernel
def units_backward(f, i, beta, u, sigma, y, eta, mean, cov, weights, d_eta, d_beta, d_u, d_sigma):  # type: ignore[no-untyped-def]
    """Set d eta of the rows with integrated cells; add to d beta and d u what goes through the cells, and to d sigma."""
    if i[k.G_UNITS] == 0:
        return
    at_mean, at_cov = 0, 0
    a = np.empty(i[k.G_UNIT_MOST])
    va = np.empty(i[k.G_UNIT_MOST])
    starts, scales, precisions, _ = _of_factors(i, sigma)
    d_log_sigma = np.zeros(len(starts))
    for unit in range(i[k.G_UNITS]):
        q = i[i[k.G_UNIT_SIZES] + unit]
        own = shaped(cov[at_cov : at_cov + q * q], (q, q))
        expanded = i[i[k.G_UNIT_EXPANDED] + unit]
        weight = 1.0
        if expanded >= 0:
            weight = weights[expanded]
        first = i[i[k.G_UNIT_MEMBERS] + unit]
        last = i[i[k.G_UNIT_MEMBERS] + unit + 1]
        for number in range(first, last):
            member = i[k.G_MEMBERS] + number * k.MEMBER_SIZE
            n = i[member]
            row, t = starts[n] + i[member + 1], precisions[n]
            if scales[n] >= 0:
                t = math.exp(-2.0 * eta[scales[n] + i[member + 1]])
            cell_weights(f, i, member, q, beta, u, a)
            r = y[row] - eta[row]
            spread = 0.0
            for v in range(q):
                r -= a[v] * mean[at_mean + v]
                va[v] = 0.0
                for w in range(q):
                    va[v] += own[v, w] * a[w]
                spread += a[v] * va[v]
            d_eta[row] = weight * t * r
            change = weight * ((r * r + spread) * t - 1.0)
            if scales[n] < 0:
                d_log_sigma[n] += change
            else:
                d_eta[scales[n] + i[member + 1]] = change
            for v in range(q):
                value = weight * t * (r * mean[at_mean + v] - va[v])
                cell_weight_backward(f, i, member, v, value, d_beta, d_u)
        at_mean += q
        at_cov += q * q
    for n in range(len(starts)):
        if d_log_sigma[n] != 0.0:
            d_sigma[n] += d_log_sigma[n] / sigma[n]
