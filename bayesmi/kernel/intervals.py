"""Log probability of an interval under a family, with its derivatives: rows whose value is only known to lie in one.

Normal, t and Weibull in closed form on the log scale; gamma, beta and skew-normal densities by quadrature: on the scale on
which they come as responses (log, logit, as they are) their logarithm is concave, so that the mass of an interval lies on
both sides of one point, each side a smooth function over a bounded drop, which a Gauss-Legendre rule integrates to rounding.
The derivative of the probability is the integral of density times score, from the same points.

A row may also be divided by the probability of an interval: its value would not have arrived outside of that.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.families import (
    BETA,
    GAMMA,
    GAUSSIAN,
    SKEW_NORMAL,
    STUDENT,
    TRUNCATED,
    WEIBULL,
    prepare,
    single_density,
)
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.special import log_interval, logistic
from bayesmi.kernel.student_cdf import log_student_cdf

__all__ = ["interval_probability", "interval_rows"]

_INFINITE = 1e300
_NODES, _WEIGHTS = (np.ascontiguousarray(part) for part in np.polynomial.legendre.leggauss(24))
_LEAST_DROP, _MOST_DROP = 37.0, 56.0  # of the log density at the ends of what is integrated
_STEPS = 400
_FIRST = 0.2  # of the way: the first of two panels, where the density bends


@kernel
def _ends(low, high, eta, sigma):  # type: ignore[no-untyped-def]
    return (low - eta) / sigma, (high - eta) / sigma


@kernel
def _gaussian(low, high, eta, sigma):  # type: ignore[no-untyped-def]
    """Log probability, d eta, d sigma."""
    a, b = _ends(low, high, eta, sigma)
    value, d_b, d_a = log_interval(a, b)
    stretch = 0.0
    if d_a != 0.0:
        stretch += a * d_a
    if d_b != 0.0:
        stretch += b * d_b
    return value, -(d_a + d_b) / sigma, -stretch / sigma


@kernel
def _student(low, high, eta, sigma, nu):  # type: ignore[no-untyped-def]
    """Log probability, d eta, d sigma, d nu; from the left tail, in which nothing cancels."""
    a, b = _ends(low, high, eta, sigma)
    sign = 1.0
    if a + b > 0.0:
        a, b, sign = -b, -a, -1.0
    value, d_b, d_nu = 0.0, 0.0, 0.0
    if b < _INFINITE:
        value, d_b, d_nu = log_student_cdf(b, nu)
    d_a = 0.0
    if a > -_INFINITE:
        below, slope, more = log_student_cdf(a, nu)
        share = math.exp(below - value)
        inverse = -1.0 / math.expm1(below - value)  # F(b) / (F(b) - F(a))
        value += math.log1p(-share)
        d_b *= inverse
        d_a = -slope * share * inverse
        d_nu = (d_nu - share * more) * inverse
    stretch = 0.0
    if d_a != 0.0:
        stretch += a * d_a
    if d_b != 0.0:
        stretch += b * d_b
    return value, -sign * (d_a + d_b) / sigma, -stretch / sigma, d_nu


@kernel
def _power(low, high, eta, alpha, shift, d_shift):  # type: ignore[no-untyped-def]
    """Log of exp(-s) - exp(-t), s and t the powers alpha of the ends over the scale; d eta, d alpha."""
    s, t, s_slope, t_slope = 0.0, math.inf, 0.0, 0.0
    if low > -_INFINITE:
        r = low - eta + shift
        s = math.exp(alpha * r)
        s_slope = s * (r + alpha * d_shift)
    if high < _INFINITE:
        r = high - eta + shift
        t = math.exp(alpha * r)
        t_slope = t * (r + alpha * d_shift)
    if not t - s < 700.0:
        return -s, alpha * s, -s_slope, 0.0
    odds = 1.0 / math.expm1(t - s)
    value = -s + math.log(-math.expm1(s - t))
    d_s, d_t = -1.0 - odds, odds
    return value, -alpha * (d_s * s + d_t * t), d_s * s_slope + d_t * t_slope, 0.0


@kernel
def _slope(code, z, eta, aux, n_aux):  # type: ignore[no-untyped-def]
    """Derivative of the log density by its argument."""
    if code == BETA:
        return aux[0] * (logistic(eta) - logistic(z))
    return -single_density(code, z, 1.0, eta, aux, n_aux)[1]


@kernel
def _highest(code, low, high, eta, aux, n_aux):  # type: ignore[no-untyped-def]
    """Where between the ends the density is highest."""
    if code != SKEW_NORMAL:
        return min(max(eta, low), high)
    left, right = max(low, eta - 12.0 * aux[0]), min(high, eta + 12.0 * aux[0])
    if left >= right:
        return low if low > eta else high
    if _slope(code, left, eta, aux, n_aux) <= 0.0:
        return left
    if _slope(code, right, eta, aux, n_aux) >= 0.0:
        return right
    for _ in range(60):
        middle = 0.5 * (left + right)
        if _slope(code, middle, eta, aux, n_aux) > 0.0:
            left = middle
        else:
            right = middle
    return 0.5 * (left + right)


@kernel
def _reach(code, top, top_value, end, step, eta, aux, n_aux):  # type: ignore[no-untyped-def]
    """How far the integral goes from its highest point towards an end: there, or to where nothing is left."""
    inner, outer = top, end
    if abs(end) > _INFINITE:
        outer = top + step
        for _ in range(_STEPS):
            if top_value - single_density(code, outer, 1.0, eta, aux, n_aux)[0] >= _LEAST_DROP:
                break
            inner = outer
            step *= 2.0
            outer = top + step
    for _ in range(_STEPS):
        drop = top_value - single_density(code, outer, 1.0, eta, aux, n_aux)[0]
        if drop <= _MOST_DROP:
            break
        middle = 0.5 * (inner + outer)
        if top_value - single_density(code, middle, 1.0, eta, aux, n_aux)[0] >= _LEAST_DROP:
            outer = middle
        else:
            inner = middle
    return outer


@kernel
def _integral(code, low, high, eta, aux, n_aux):  # type: ignore[no-untyped-def]
    """Log probability, d eta, d first, d second parameter, by quadrature."""
    top = _highest(code, low, high, eta, aux, n_aux)
    top_value = single_density(code, top, 1.0, eta, aux, n_aux)[0]
    step = aux[0] if code == SKEW_NORMAL else 1.0
    mass, d_eta, d_first, d_second = 0.0, 0.0, 0.0, 0.0
    for side in range(2):
        end = low if side == 0 else high
        if end == top:
            continue
        reach = _reach(code, top, top_value, end, -step if side == 0 else step, eta, aux, n_aux)
        bend = top + _FIRST * (reach - top)
        for panel in range(2):
            near, far = (top, bend) if panel == 0 else (bend, reach)
            half, middle = 0.5 * abs(far - near), 0.5 * (far + near)
            for j in range(len(_NODES)):
                value, s_eta, s_first, s_second = single_density(
                    code, middle + half * _NODES[j], 1.0, eta, aux, n_aux
                )
                weight = half * _WEIGHTS[j] * math.exp(value - top_value)
                mass += weight
                d_eta += weight * s_eta
                d_first += weight * s_first
                d_second += weight * s_second
    inverse = 1.0 / mass
    return top_value + math.log(mass), d_eta * inverse, d_first * inverse, d_second * inverse


@kernel
def interval_probability(code, low, high, eta, aux, n_aux):  # type: ignore[no-untyped-def]
    """Return (log P(low < y < high), d eta, d first, d second parameter); the ends come as responses do.

    What the family prepares has to stand behind its parameters.
    """
    if code == GAUSSIAN:
        value, d_eta, d_sigma = _gaussian(low, high, eta, aux[0])
        return value, d_eta, d_sigma, 0.0
    if code == STUDENT:
        return _student(low, high, eta, aux[0], aux[1])
    if code == TRUNCATED:
        value, d_eta, d_sigma = _gaussian(max(low, aux[1]), min(high, aux[2]), eta, aux[0])
        whole, of_eta, of_sigma = _gaussian(aux[1], aux[2], eta, aux[0])
        return value - whole, d_eta - of_eta, d_sigma - of_sigma, 0.0
    if code == WEIBULL:
        return _power(low, high, eta, aux[0], aux[1], aux[2])
    if code == GAMMA and aux[0] == 1.0:
        value, d_eta, _, _ = _power(low, high, eta, 1.0, 0.0, 0.0)
        if n_aux == 0:
            return value, d_eta, 0.0, 0.0
    return _integral(code, low, high, eta, aux, n_aux)


@kernel
def interval_rows(f, i, at, own, eta, d_eta, scales, values, slopes, firsts, seconds):  # type: ignore[no-untyped-def]
    """Put probabilities of intervals in the place of densities, or divide these by them, row by row.

    `scales` is where the rows of a modelled scale begin in the work vectors, -1 where there is one for all rows.
    """
    start, n = i[at + k.F_ROW_START], i[at + k.F_INTERVALS]
    family, n_aux = i[at + k.F_FAMILY], i[at + k.F_AUX_N]
    if family not in (GAUSSIAN, TRUNCATED) and scales < 0:
        prepare(family, own, n_aux)
    for record in range(n):
        t = i[i[at + k.F_INTERVAL_ROWS] + 2 * record]
        divides = i[i[at + k.F_INTERVAL_ROWS] + 2 * record + 1] > 0
        place = i[at + k.F_INTERVAL_ENDS] + 2 * record
        if scales >= 0:
            own[0] = math.exp(eta[scales + t])
            if family not in (GAUSSIAN, TRUNCATED):
                prepare(family, own, n_aux)
        value, slope, first, second = interval_probability(
            family, f[place], f[place + 1], eta[start + t], own, n_aux
        )
        sign = -1.0 if divides else 1.0
        keep = 1.0 if divides else 0.0
        values[t] = keep * values[t] + sign * value
        slopes[t] = keep * slopes[t] + sign * slope
        seconds[t] = keep * seconds[t] + sign * second
        if scales >= 0:
            d_eta[scales + t] = keep * d_eta[scales + t] + sign * first * own[0]
            firsts[t] = 0.0
        else:
            firsts[t] = keep * firsts[t] + sign * first
