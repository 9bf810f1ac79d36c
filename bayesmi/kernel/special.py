"""Special functions in scalar form: digamma, ratios of gamma functions, log normal probabilities, softplus."""

from __future__ import annotations

import math

from bayesmi.kernel.jit import kernel

__all__ = ["digamma", "log_gamma_tail", "log_interval", "log_phi", "log_rising", "logistic", "softplus"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_FAR = -37.0  # below it erfc underflows
_INFINITE = 1e300
_LARGE = 16.0  # from here on Stirling's series has every digit


@kernel
def softplus(x):  # type: ignore[no-untyped-def]
    """Return log(1 + exp(x))."""
    return math.log1p(math.exp(-abs(x))) + max(x, 0.0)


@kernel
def logistic(x):  # type: ignore[no-untyped-def]
    """Return 1 / (1 + exp(-x))."""
    small = math.exp(-abs(x))
    return (1.0 if x > 0.0 else small) / (1.0 + small)


@kernel
def digamma(x):  # type: ignore[no-untyped-def]
    """Return d/dx log Gamma(x), x > 0: recurrence to x >= 8, then Abramowitz & Stegun (1964) 6.3.18."""
    value = 0.0
    while x < 8.0:
        value -= 1.0 / x
        x += 1.0
    s = 1.0 / (x * x)
    tail = 1.0 / 12 - s * (
        1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132 - s * (691.0 / 32760 - s / 12))))
    )
    return value + math.log(x) - 0.5 / x - s * tail


@kernel
def log_gamma_tail(x):  # type: ignore[no-untyped-def]
    """Return what `log_rising` wants of x and its derivative: log Gamma(x), from 16 on only what Stirling leaves of it.

    log Gamma(x) = (x - 1/2) log x - x + log(2 pi) / 2 + tail, Abramowitz & Stegun (1964) 6.1.40.
    """
    if x < _LARGE:
        return math.lgamma(x), digamma(x)
    r = 1.0 / x
    s = r * r
    tail = r * (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s / 1188))))
    slope = -s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s / 132))))
    return tail, slope


@kernel
def log_rising(y, alpha, tail, d_tail):  # type: ignore[no-untyped-def]
    """Return log[Gamma(alpha + y) / (Gamma(alpha) alpha^y)], y >= 0, and its derivative by alpha; both tend to zero.

    `tail` and `d_tail` are `log_gamma_tail` of alpha. Where alpha is large, differences of log Gamma would lose the
    digits that alpha takes: at 1e16 a count's density was wrong by dozens, and a chain that came by stayed there.
    """
    total = alpha + y
    if alpha < _LARGE:
        return (
            math.lgamma(total) - tail - y * math.log(alpha),
            digamma(total) - d_tail - y / alpha,
        )
    above, d_above = log_gamma_tail(total)
    log_ratio = math.log1p(y / alpha)
    value = (total - 0.5) * log_ratio - y + above - tail
    return value, log_ratio - (total - 0.5) / total * (y / alpha) + d_above - d_tail


@kernel
def log_phi(z):  # type: ignore[no-untyped-def]
    """Return log of the normal distribution function; in the far tail Abramowitz & Stegun (1964) 26.2.12."""
    if z > 0.0:
        return math.log1p(-0.5 * math.erfc(z * math.sqrt(0.5)))
    if z > _FAR:
        return math.log(0.5 * math.erfc(-z * math.sqrt(0.5)))
    s = 1.0 / (z * z)
    return -0.5 * z * z - _HALF_LOG_2PI - math.log(-z) + math.log1p(-s * (1.0 - s * (3.0 - s * 15.0)))


@kernel
def log_interval(a, b):  # type: ignore[no-untyped-def]
    """Return log[Phi(b) - Phi(a)], a < b, one of them possibly infinite, and its derivatives by b and by a."""
    low, high = a, b
    if a > -b:  # in the left tail nothing cancels
        low, high = -b, -a
    value = log_phi(high)
    if low > -_INFINITE:
        value += math.log(-math.expm1(log_phi(low) - value))
    d_b, d_a = 0.0, 0.0
    if b < _INFINITE:
        d_b = math.exp(-0.5 * b * b - _HALF_LOG_2PI - value)
    if a > -_INFINITE:
        d_a = -math.exp(-0.5 * a * a - _HALF_LOG_2PI - value)
    return value, d_b, d_a
