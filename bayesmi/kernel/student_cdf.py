"""The distribution function of Student's t on the log scale, with its derivatives by the argument and by nu.

By the continued fraction of the incomplete beta function (Press et al. 2007, section 6.4), evaluated from its far end
together with its derivative.
"""

from __future__ import annotations

import math

from bayesmi.kernel.jit import kernel
from bayesmi.kernel.special import digamma

__all__ = ["log_student_cdf"]

_LEAST = 1e-300


@kernel
def _fraction(a, b, x, d_a, d_b, d_x):  # type: ignore[no-untyped-def]
    """Continued fraction of I_x(a, b) and its derivative in the direction (d_a, d_b, d_x)."""
    value, slope = 1.0, 0.0
    for m in range(30 + int(2.0 * math.sqrt(max(a, b))), 0, -1):
        # even term
        low, high = a + 2.0 * m - 1.0, a + 2.0 * m
        term = m * (b - m) * x / (low * high)
        d_term = m * (d_b * x + (b - m) * d_x) / (low * high) - term * d_a * (1.0 / low + 1.0 / high)
        slope = (d_term - term * slope / value) / value
        value = 1.0 + term / value
        # odd term before it
        k = m - 1.0
        low, high = a + 2.0 * k, a + 2.0 * k + 1.0
        top, wide = a + k, a + b + k
        term = -top * wide * x / (low * high)
        d_term = -(d_a * wide * x + top * (d_a + d_b) * x + top * wide * d_x) / (low * high)
        d_term -= term * d_a * (1.0 / low + 1.0 / high)
        slope = (d_term - term * slope / value) / value
        value = 1.0 + term / value
    return 1.0 / value, -slope / (value * value)


@kernel
def log_student_cdf(x, nu):  # type: ignore[no-untyped-def]
    """Return (log F(x), d/dx, d/dnu) of the t distribution with nu degrees of freedom."""
    square = x * x
    whole = nu + square
    w, rest = nu / whole, square / whole
    d_w = square / (whole * whole)
    half = 0.5 * nu
    log_beta = math.lgamma(half) + 0.5 * math.log(math.pi) - math.lgamma(half + 0.5)
    d_log_beta = 0.5 * (digamma(half) - digamma(half + 0.5))
    log_power = half * math.log(w) + 0.5 * math.log(max(rest, _LEAST)) - log_beta
    d_log_power = 0.5 * math.log(w) + half * d_w / w - 0.5 / whole - d_log_beta
    tail_is_small = w < (half + 1.0) / (half + 2.5)
    # the tail beyond |x| is p = I_w(nu / 2, 1 / 2) / 2; near zero 1 / 2 less half of I_rest(1 / 2, nu / 2)
    if tail_is_small:
        part, d_part = _fraction(half, 0.5, w, 0.5, 0.0, d_w)
        log_tail = log_power + math.log(part) - math.log(nu)
        d_log_tail = d_log_power + d_part / part - 1.0 / nu
        tail = math.exp(log_tail)
        d_tail = tail * d_log_tail
    else:
        part, d_part = _fraction(0.5, half, rest, 0.0, 0.5, -d_w)
        middle = math.exp(log_power) * part
        tail = 0.5 - middle
        d_tail = -middle * (d_log_power + d_part / part)
        log_tail = math.log(tail)
        d_log_tail = d_tail / tail
    log_density = -log_beta - 0.5 * math.log(nu) - 0.5 * (nu + 1.0) * math.log1p(square / nu)
    if x < 0.0:
        return log_tail, math.exp(log_density - log_tail), d_log_tail
    value = math.log1p(-tail)
    return value, math.exp(log_density - value), -d_tail / (1.0 - tail)
