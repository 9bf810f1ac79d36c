"""Probability of a rectangle under the standard bivariate normal, on the log scale, with its derivatives.

P(a < Z < b, S < s) with correlation r. In the middle by Plackett's identity d P / d r = phi2 (Plackett 1954), integrated over
the arc sine of the correlation as Drezner & Wesolowsky (1990) and Genz (2004) do: one quadrature, smooth while |r| is not
near 1. Where it would cancel, or |r| is near 1, by the integral of phi(z) Phi((s - r z) / c), which is log-concave in z:
its mode and its bends cut it into pieces in which Gauss-Legendre is exact to double precision, and nothing cancels.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel.jit import kernel
from bayesmi.kernel.special import log_interval, log_phi

__all__ = ["log_rectangle"]

_LOG_2PI = math.log(2 * math.pi)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_STEEP = 0.925  # correlation from which the arc sine is no help
_CANCELLED = 1e-6  # of what is added and taken away, below which digits are lost
_INFINITE = 1e300
_LEAST = 1e-8  # sqrt(1 - r²), where r has rounded to one


@kernel
def _arc(h, s, angle):  # type: ignore[no-untyped-def]
    """Phi2(h, s, r) - Phi(h) Phi(s): the integral of phi2 over correlations from 0 to r = sin(angle)."""
    if abs(h) > _INFINITE:
        return 0.0
    total = 0.0
    square, product = 0.5 * (h * h + s * s), h * s
    for k in range(len(_NODES)):
        sine = math.sin(0.5 * angle * (1.0 + _NODES[k]))
        total += _WEIGHTS[k] * math.exp((sine * product - square) / (1.0 - sine * sine))
    return total * 0.5 * angle / (2.0 * math.pi)


@kernel
def _slope(z, s, r, c):  # type: ignore[no-untyped-def]
    """Derivative of log[phi(z) Phi((s - r z) / c)] by z, and minus its second derivative."""
    t = (s - r * z) / c
    ratio = math.exp(-0.5 * t * t - 0.5 * _LOG_2PI - log_phi(t))
    return -z - r / c * ratio, 1.0 + (r / c) * (r / c) * ratio * (ratio + t)


@kernel
def _mode(a, b, s, r, c):  # type: ignore[no-untyped-def]
    """Where phi(z) Phi((s - r z) / c) is largest in [a, b]: Newton's steps inside a bracket."""
    low, high = max(a, -40.0), min(b, 40.0)
    if low >= high:
        return low if abs(low) < abs(high) else high
    if _slope(low, s, r, c)[0] <= 0.0:
        return low
    if _slope(high, s, r, c)[0] >= 0.0:
        return high
    z = 0.5 * (low + high)
    for _ in range(60):
        slope, curvature = _slope(z, s, r, c)
        if slope > 0.0:
            low = z
        else:
            high = z
        step = z + slope / curvature
        z = step if low < step < high else 0.5 * (low + high)
        if abs(slope) < 1e-3 * math.sqrt(curvature) or high - low < 1e-13 * (1.0 + abs(z)):
            break
    return z


@kernel
def _by_pieces(a, b, s, r, c):  # type: ignore[no-untyped-def]
    """Log of the integral of phi(z) Phi((s - r z) / c) over [a, b]."""
    mode = _mode(a, b, s, r, c)
    slope, curvature = _slope(mode, s, r, c)
    far = 80.0 / (abs(slope) + math.sqrt(slope * slope + 80.0))  # exp(-40) of the largest value is beyond
    low, high = max(a, mode - far), min(b, mode + far)
    cuts = np.empty(9)
    cuts[0], cuts[1], cuts[2] = low, high, mode
    near = 6.0 / math.sqrt(curvature)
    cuts[3], cuts[4] = mode - near, mode + near
    bend, width = mode, 0.0
    if abs(r) > 1e-12:
        bend, width = s / r, 6.0 * c / abs(r)
    cuts[5], cuts[6], cuts[7], cuts[8] = bend - width, bend, bend + width, mode
    for k in range(9):
        cuts[k] = min(high, max(low, cuts[k]))
    cuts.sort()
    top = -0.5 * mode * mode + log_phi((s - r * mode) / c)
    total = 0.0
    for k in range(8):
        half = 0.5 * (cuts[k + 1] - cuts[k])
        if half <= 0.0:
            continue
        middle, part = cuts[k] + half, 0.0
        for m in range(len(_NODES)):
            z = middle + half * _NODES[m]
            part += _WEIGHTS[m] * math.exp(-0.5 * z * z + log_phi((s - r * z) / c) - top)
        total += half * part
    return top - 0.5 * _LOG_2PI + math.log(max(total, 1e-300))


@kernel
def _edge(h, s, r, c, value):  # type: ignore[no-untyped-def]
    """phi(h) Phi((s - r h) / c) / P and phi2(h, s, r) / P: derivatives of log P by an edge and by the correlation."""
    if abs(h) > _INFINITE:
        return 0.0, 0.0
    log_density = -0.5 * h * h - 0.5 * _LOG_2PI - value
    t = (s - r * h) / c
    return (
        math.exp(log_density + log_phi(t)),
        math.exp(log_density - 0.5 * t * t - 0.5 * _LOG_2PI) / c,
    )


@kernel
def log_rectangle(a, b, s, r, c):  # type: ignore[no-untyped-def]
    """Return log P(a < Z < b, S < s), correlation r, c = sqrt(1 - r²), and its derivatives by a, b, s and r.

    One of a and b may be infinite.
    """
    c = max(c, _LEAST)
    value, found = 0.0, False
    if abs(r) < _STEEP:
        angle = math.asin(r)
        both = math.exp(log_interval(a, b)[0] + log_phi(s))
        upper, lower = _arc(b, s, angle), _arc(a, s, angle)
        mass = both + upper - lower
        if mass > _CANCELLED * max(both, abs(upper), abs(lower)) and mass > 1e-280:
            value, found = math.log(mass), True
    if not found:
        value = _by_pieces(a, b, s, r, c)
    d_b, by_b = _edge(b, s, r, c, value)
    d_a, by_a = _edge(a, s, r, c, value)
    # phi(s) [Phi((b - r s) / c) - Phi((a - r s) / c)] / P
    inside, _, _ = log_interval(
        (a - r * s) / c if abs(a) < _INFINITE else a, (b - r * s) / c if abs(b) < _INFINITE else b
    )
    d_s = math.exp(-0.5 * s * s - 0.5 * _LOG_2PI + inside - value)
    return value, -d_a, d_b, d_s, by_b - by_a
