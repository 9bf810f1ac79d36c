"""Log densities of the families with their derivatives. A family's code is its position in CODES.

`single_density` returns (log f, d/d eta, d/d first parameter) for families with one linear predictor;
`add_parameters` adds the derivatives of families with several parameters; `softmax_density` has several predictors.
Parts that depend on the response only are left out: they stand in the program as numbers.
"""

from __future__ import annotations

import math

from bayesmi.kernel.jit import kernel

__all__ = [
    "CODES",
    "GAUSSIAN",
    "LOGNORMAL",
    "NOMINAL",
    "ORDINAL",
    "add_parameters",
    "single_density",
    "softmax_density",
]

CODES = ("gaussian", "bernoulli", "ordinal", "nominal", "poisson", "lognormal")
GAUSSIAN, BERNOULLI, ORDINAL, NOMINAL, POISSON, LOGNORMAL = range(6)
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@kernel
def _gaussian(y, eta, sigma):  # type: ignore[no-untyped-def]
    z = (y - eta) / sigma
    return -0.5 * z * z - math.log(sigma) - _HALF_LOG_2PI, z / sigma, (z * z - 1.0) / sigma


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
    return y * eta - log_one_plus, y - p, 0.0


@kernel
def _logistic(x):  # type: ignore[no-untyped-def]
    if x > 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    small = math.exp(x)
    return small / (1.0 + small)


@kernel
def _log1p_exp(x):  # type: ignore[no-untyped-def]
    return math.log1p(math.exp(-abs(x))) + max(x, 0.0)


@kernel
def _ordinal(level, eta, thresholds, n):  # type: ignore[no-untyped-def]
    """log[F(upper) - F(lower)] and d/d eta; F(b) - F(a) = (e^b - e^a) / ((1 + e^a)(1 + e^b))."""
    if level == 0:
        b = thresholds[0] - eta
        return -_log1p_exp(-b), -_logistic(-b)
    if level == n:
        a = thresholds[n - 1] - eta
        return -_log1p_exp(a), _logistic(a)
    a, b = thresholds[level - 1] - eta, thresholds[level] - eta
    value = math.log(-math.expm1(a - b)) - _log1p_exp(a) - _log1p_exp(-b)
    return value, _logistic(a) - _logistic(-b)


@kernel
def single_density(code, y, eta, aux, n_aux):  # type: ignore[no-untyped-def]
    """Return (log f, d eta, d aux[0]) of a family with one linear predictor; aux are its parameters."""
    if code in (GAUSSIAN, LOGNORMAL):
        return _gaussian(y, eta, aux[0])
    if code == BERNOULLI:
        return _bernoulli(y, eta)
    if code == POISSON:
        rate = math.exp(eta)
        return y * eta - rate, y - rate, 0.0
    value, slope = _ordinal(int(y), eta, aux, n_aux)
    return value, slope, 0.0


@kernel
def add_parameters(code, y, eta, aux, n_aux, weight, d_aux):  # type: ignore[no-untyped-def]
    """Add weight times the derivative with respect to several parameters."""
    level = int(y)
    if level < n_aux:  # upper threshold
        b = aux[level] - eta
        d = _logistic(-b)
        if level > 0:
            a = aux[level - 1] - eta
            d += 1.0 / math.expm1(b - a)
        d_aux[level] += weight * d
    if level > 0:  # lower threshold
        a = aux[level - 1] - eta
        d = -_logistic(a)
        if level < n_aux:
            b = aux[level] - eta
            d -= 1.0 / math.expm1(b - a)
        d_aux[level - 1] += weight * d


@kernel
def softmax_density(y, eta, first, rows, n, d_eta):  # type: ignore[no-untyped-def]
    """Return log P(y) of one row; its n linear predictors stand `rows` apart from `first`; fill their derivatives."""
    top = 0.0
    for j in range(n):
        top = max(top, eta[first + j * rows])
    total = math.exp(-top)
    for j in range(n):
        total += math.exp(eta[first + j * rows] - top)
    log_total = top + math.log(total)
    value = -log_total
    for j in range(n):
        own = 1.0 if int(y) == j + 1 else 0.0
        e = eta[first + j * rows]
        if own > 0.0:
            value += e
        d_eta[first + j * rows] = own - math.exp(e - log_total)
    return value
