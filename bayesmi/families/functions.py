"""Special functions for densities that are written once for numpy and for PyTensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "HALF_LOG_2PI",
    "gammaln",
    "log1mexp",
    "log_interval",
    "log_phi",
    "log_rising",
    "logistic",
    "softplus",
]

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_LARGE = 16.0  # from here on Stirling's series has every digit


def gammaln(xp: Any, x: Any) -> Any:
    """Return log Gamma(x)."""
    if xp is np:
        from scipy.special import gammaln as of_scipy

        return of_scipy(x)
    return xp.gammaln(x)


def log_rising(xp: Any, y: Any, alpha: Any) -> Any:
    """Return log[Gamma(alpha + y) / (Gamma(alpha) alpha^y)], y >= 0, with all digits where alpha is large (by Stirling)."""
    # neither way overflows where it is not taken
    large, small = xp.maximum(alpha, _LARGE), xp.minimum(alpha, _LARGE)
    total = large + y
    series = (total - 0.5) * xp.log1p(y / large) - y + _stirling_tail(total) - _stirling_tail(large)
    ratio = gammaln(xp, small + y) - gammaln(xp, small) - y * xp.log(small)
    return xp.where(alpha >= _LARGE if xp is np else xp.ge(alpha, _LARGE), series, ratio)


def _stirling_tail(x: Any) -> Any:
    r = 1.0 / x
    s = r * r
    return r * (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s / 1188))))


def softplus(xp: Any, x: Any) -> Any:
    """Return log(1 + exp(x))."""
    return xp.logaddexp(0.0, x)


def logistic(xp: Any, x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return xp.exp(-xp.logaddexp(0.0, -x))


def log1mexp(xp: Any, x: Any) -> Any:
    """Return log(1 - exp(x)), x < 0."""
    return xp.log(-xp.expm1(x))


def log_phi(xp: Any, z: Any) -> Any:
    """Return log of the normal distribution function."""
    if xp is np:
        from scipy.special import log_ndtr

        return log_ndtr(z)
    left = xp.log(0.5 * xp.erfcx(-xp.minimum(z, 0.0) / math.sqrt(2.0))) - 0.5 * z * z
    right = xp.log1p(-0.5 * xp.erfc(xp.maximum(z, 0.0) / math.sqrt(2.0)))
    return xp.where(xp.le(z, 0.0), left, right)


def log_interval(a: Any, b: Any) -> Any:
    """Return log[Phi(b) - Phi(a)] in numpy, a < b, either possibly infinite."""
    a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    right = a > -b  # in the left tail nothing cancels
    low, high = np.where(right, -b, a), np.where(right, -a, b)
    top = log_phi(np, high)
    with np.errstate(divide="ignore"):
        return top + np.log(-np.expm1(log_phi(np, low) - top))
