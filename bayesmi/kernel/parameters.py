"""Parameters of a factor: onto the scale of the data, and back with priors and Jacobians."""

from __future__ import annotations

import math

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.links import link_spread
from bayesmi.kernel.priors import log_prior

__all__ = ["parameters_backward", "scaled_coefficients", "scaled_parameters"]


@kernel
def scaled_coefficients(x, f, i, at, beta, n):  # type: ignore[no-untyped-def]
    """Coefficients of factor n on the scale of the data, links after the design's columns."""
    p = i[at + k.F_COLUMNS] + i[at + k.F_LINKS]
    start = i[at + k.F_COEFFICIENTS_X]
    whitening = i[at + k.F_WHITENING]
    for j in range(p):
        value = 1.0 if start < 0 else 0.0
        for c in range(p if start >= 0 else 0):
            value += f[whitening + j * p + c] * x[start + c]
        beta[n, j] = value
    for m in range(i[at + k.F_LINKS]):
        spread_of_link, _, _ = link_spread(x, f, i, i[at + k.F_LINK_TABLE] + m * k.L_SIZE)
        beta[n, i[at + k.F_COLUMNS] + m] /= spread_of_link


@kernel
def scaled_parameters(x, f, i, at, a, beta, aux, sigma, n):  # type: ignore[no-untyped-def]
    """Intercept, coefficients and the family's parameters of factor n on the scale of the data."""
    location, spread = f[i[at + k.F_SCALE]], f[i[at + k.F_SCALE] + 1]
    if i[at + k.F_INTERCEPT_X] >= 0:
        a[n] = location + spread * x[i[at + k.F_INTERCEPT_X]]
    scaled_coefficients(x, f, i, at, beta, n)
    for record in range(i[at + k.F_AUX]):
        one = i[at + k.F_AUX_TABLE] + record * k.A_SIZE
        place, first, own = i[one + k.A_X], i[one + k.A_START], i[one + k.A_F]
        transform = i[one + k.A_TRANSFORM]
        for j in range(i[one + k.A_N]):
            if transform == k.TRANSFORM_LOG:
                aux[n, first + j] = math.exp(x[place + j])
            elif transform == k.TRANSFORM_LOGIT:
                aux[n, first + j] = 1.0 / (1.0 + math.exp(-x[place + j]))
            elif transform == k.TRANSFORM_ORDERED and j > i[one + k.A_ANCHOR]:
                aux[n, first + j] = aux[n, first + j - 1] + f[own + j] * math.exp(x[place + j])
            else:
                aux[n, first + j] = f[own + j] + x[place + j]
        if transform == k.TRANSFORM_ORDERED:
            for j in range(i[one + k.A_ANCHOR] - 1, -1, -1):
                aux[n, first + j] = aux[n, first + j + 1] - f[own + j] * math.exp(x[place + j])
    for j in range(i[at + k.F_CONSTANTS_N]):
        aux[n, i[at + k.F_AUX_N] + j] = f[i[at + k.F_CONSTANTS] + j]
    if i[at + k.F_AUX_N] > 0:
        sigma[n] = aux[n, 0]


@kernel
def parameters_backward(x, f, i, at, n, a, beta, aux, d_a, d_beta, d_aux, gradient):  # type: ignore[no-untyped-def]
    """Priors of one factor's parameters, and their gradient on the sampler's scale; returns the log priors."""
    total = 0.0
    if i[at + k.F_COEFFICIENTS_X] < 0:
        return total
    columns = i[at + k.F_COLUMNS]
    p = columns + i[at + k.F_LINKS]
    for j in range(p):
        place = i[at + k.F_COEFFICIENT_PRIORS] + j * k.P_SIZE
        value, slope = log_prior(f[place : place + k.P_SIZE], beta[n, j])
        total += value
        d_beta[n, j] += slope
    if i[at + k.F_INTERCEPT_X] >= 0:
        at_prior = a[n]
        centers = i[at + k.F_CENTERS]
        if i[at + k.F_INTERCEPT_AT_MEANS] == 0:
            for j in range(p):
                at_prior -= f[centers + j] * beta[n, j]
        place = i[at + k.F_INTERCEPT_PRIOR]
        value, slope = log_prior(f[place : place + k.P_SIZE], at_prior)
        total += value
        d_a[n] += slope
        if i[at + k.F_INTERCEPT_AT_MEANS] == 0:
            for j in range(p):
                d_beta[n, j] -= slope * f[centers + j]
        gradient[i[at + k.F_INTERCEPT_X]] += d_a[n] * f[i[at + k.F_SCALE] + 1]
    for record in range(i[at + k.F_AUX]):
        one = i[at + k.F_AUX_TABLE] + record * k.A_SIZE
        total += _aux_backward(x, f, i, at, one, n, p, beta, aux, d_beta, d_aux, gradient)
    for m in range(i[at + k.F_LINKS]):
        spread, slope, place = link_spread(x, f, i, i[at + k.F_LINK_TABLE] + m * k.L_SIZE)
        total -= math.log(spread)
        gradient[place] -= (d_beta[n, columns + m] * beta[n, columns + m] + 1.0) * slope / spread
        d_beta[n, columns + m] /= spread
    start = i[at + k.F_COEFFICIENTS_X]
    whitening = i[at + k.F_WHITENING]
    for j in range(p):
        for c in range(p):
            gradient[start + c] += f[whitening + j * p + c] * d_beta[n, j]
    return total


@kernel
def _aux_backward(x, f, i, at, one, n, p, beta, aux, d_beta, d_aux, gradient):  # type: ignore[no-untyped-def]
    """Priors and Jacobian of one of the family's parameters, and their gradient; returns the log priors."""
    total = 0.0
    place, first, own = i[one + k.A_X], i[one + k.A_START], i[one + k.A_F]
    count, transform, prior = i[one + k.A_N], i[one + k.A_TRANSFORM], i[one + k.A_PRIOR]
    shift = 0.0
    if i[one + k.A_AT_MEANS] == 0:
        for j in range(p):
            shift += f[i[at + k.F_CENTERS] + j] * beta[n, j]
    for j in range(count):
        value, slope = log_prior(f[prior : prior + k.P_SIZE], aux[n, first + j] + shift)
        total += value
        d_aux[n, first + j] += slope
        if i[one + k.A_AT_MEANS] == 0:
            for c in range(p):
                d_beta[n, c] += slope * f[i[at + k.F_CENTERS] + c]
    anchor = i[one + k.A_ANCHOR]
    later = 0.0  # derivative of everything that lies above an ordered number
    if transform == k.TRANSFORM_ORDERED:
        below = 0.0  # and of everything below it
        for j in range(anchor):
            below += d_aux[n, first + j]
            total += x[place + j]
            gradient[place + j] += 1.0 - below * f[own + j] * math.exp(x[place + j])
        gradient[place + anchor] += below
    for j in range(count - 1, -1, -1):
        d = d_aux[n, first + j]
        if transform == k.TRANSFORM_LOG:
            total += x[place + j]
            gradient[place + j] += d * aux[n, first + j] + 1.0
        elif transform == k.TRANSFORM_LOGIT:
            h = aux[n, first + j]
            total += math.log(h) + math.log1p(-h)
            gradient[place + j] += d * h * (1.0 - h) + 1.0 - 2.0 * h
        elif transform == k.TRANSFORM_ORDERED:
            later += d
            if j > anchor:
                total += x[place + j]
                gradient[place + j] += later * f[own + j] * math.exp(x[place + j]) + 1.0
            elif j == anchor:
                gradient[place + j] += later
        else:
            gradient[place + j] += d
    return total
