"""Log densities of the families with their derivatives, one scalar function a family.

Each returns (log f, d/d eta, d/d sigma, d/d y). A family's code is its position in CODES.
"""

from __future__ import annotations

import math

from bayesmi.kernel.jit import kernel

__all__ = ["CODES", "family_density"]

CODES = ("gaussian", "bernoulli")
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@kernel
def _gaussian(y, eta, sigma):  # type: ignore[no-untyped-def]
    z = (y - eta) / sigma
    slope = z / sigma
    return -0.5 * z * z - math.log(sigma) - _HALF_LOG_2PI, slope, (z * z - 1.0) / sigma, -slope


@kernel
def _bernoulli(y, eta):  # type: ignore[no-untyped-def]
    if eta > 0.0:
        small = math.exp(-eta)
        p = 1.0 / (1.0 + small)
        log_one_plus = eta + math.log1p(small)
    else:
        small = math.exp(eta)
        p = small / (1.0 + small)
        log_one_plus = math.log1p(small)
    return y * eta - log_one_plus, y - p, 0.0, 0.0


@kernel
def family_density(code, y, eta, sigma):  # type: ignore[no-untyped-def]
    """Return (log f, d eta, d sigma, d y) of the family with that code."""
    if code == 0:
        return _gaussian(y, eta, sigma)
    return _bernoulli(y, eta)
