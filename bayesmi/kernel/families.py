"""Log densities of the families with their derivatives. A family's code is the position of its form in CODES.

`single_density` returns (log f, d/d eta, and the derivatives by its first and second parameter) for families with one
linear predictor; `softmax_density` has several predictors. Parts that depend on the response only are left out: they
stand in the program as numbers. Families that differ by a transformation of the response, or by a parameter that is a
constant, share a form: the log-normal is the Gaussian one, the exponential is the gamma one with shape 1.

A family's numbers `aux` are its parameters, then its constants, then what `prepare` computes once for all rows.
"""

from __future__ import annotations

import math

from bayesmi.kernel.jit import kernel
from bayesmi.kernel.special import (
    digamma,
    log_gamma_tail,
    log_interval,
    log_phi,
    log_rising,
    logistic,
    softplus,
)

__all__ = [
    "BERNOULLI",
    "BETA",
    "CODES",
    "GAMMA",
    "GAUSSIAN",
    "NOMINAL",
    "PREPARED",
    "SELECTED_ORDINAL_PROBIT",
    "SELECTED_PROBIT",
    "SELECTED_STUDENT",
    "SKEW_NORMAL",
    "STUDENT",
    "TRUNCATED",
    "WEIBULL",
    "add_parameters",
    "bernoulli_density",
    "prepare",
    "prepare_student",
    "single_density",
    "softmax_density",
    "student_density",
]

CODES = (
    "gaussian",
    "bernoulli",
    "ordinal",
    "nominal",
    "poisson",
    "student",
    "skewnormal",
    "truncated",
    "gamma",
    "weibull",
    "beta",
    "probit",
    "ordinalprobit",
    "negativebinomial",
    "zeroinflatedpoisson",
    "zeroinflatednegativebinomial",
    "hurdlepoisson",
    "hurdlenegativebinomial",
    "selectedgaussian",
    "selectedstudent",
    "selectedprobit",
    "selectedordinalprobit",
)
(
    GAUSSIAN,
    BERNOULLI,
    ORDINAL,
    NOMINAL,
    POISSON,
    STUDENT,
    SKEW_NORMAL,
    TRUNCATED,
    GAMMA,
    WEIBULL,
    BETA,
    PROBIT,
    ORDINAL_PROBIT,
    NEGATIVE_BINOMIAL,
    INFLATED_POISSON,
    INFLATED_NEGATIVE_BINOMIAL,
    HURDLE_POISSON,
    HURDLE_NEGATIVE_BINOMIAL,
    SELECTED_GAUSSIAN,
    SELECTED_STUDENT,
    SELECTED_PROBIT,
    SELECTED_ORDINAL_PROBIT,
) = range(22)
PREPARED = 3  # most numbers that `prepare` fills; of ordered levels twice as many as there are thresholds
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_ROOT_2_PI = math.sqrt(2.0 / math.pi)
_RARE = -300.0  # eta below which a count of one or more has the probability exp(eta), whatever the shape
_FEW = 6.0  # counts up to which a ratio of gamma functions is a product


@kernel
def prepare_student(nu, out):  # type: ignore[no-untyped-def]
    """Fill the log of the t density's constant and its derivative by nu."""
    half = 0.5 * nu
    tail, d_tail = log_gamma_tail(half)
    ratio, d_ratio = log_rising(0.5, half, tail, d_tail)
    out[0], out[1] = ratio - _HALF_LOG_2PI, 0.5 * d_ratio


@kernel
def prepare(code, aux, n):  # type: ignore[no-untyped-def]
    """Fill what depends on the n parameters only, behind them."""
    if code == STUDENT:
        prepare_student(aux[1], aux[2:])
    elif code == ORDINAL:
        for level in range(1, n):
            gap = aux[level] - aux[level - 1]
            aux[n + level] = math.log(-math.expm1(-gap))
            aux[2 * n + level] = 1.0 / math.expm1(gap)
    elif code == SKEW_NORMAL:  # scale omega, mean of the standard form, its derivative by alpha
        alpha = aux[1]
        norm = 1.0 + alpha * alpha
        mean = _ROOT_2_PI * alpha / math.sqrt(norm)
        aux[2] = aux[0] / math.sqrt(1.0 - mean * mean)
        aux[3], aux[4] = mean, _ROOT_2_PI / (norm * math.sqrt(norm))
    elif code == GAMMA:
        alpha = aux[0]
        aux[1] = alpha * math.log(alpha) - math.lgamma(alpha)
        aux[2] = math.log(alpha) + 1.0 - digamma(alpha)
    elif code == WEIBULL:  # log Gamma(1 + 1 / alpha), its derivative by alpha, log alpha
        alpha = aux[0]
        aux[1] = math.lgamma(1.0 + 1.0 / alpha)
        aux[2] = -digamma(1.0 + 1.0 / alpha) / (alpha * alpha)
        aux[3] = math.log(alpha)
    elif code == BETA:
        aux[1], aux[2] = math.lgamma(aux[0]), digamma(aux[0])
    elif code in (NEGATIVE_BINOMIAL, INFLATED_NEGATIVE_BINOMIAL, HURDLE_NEGATIVE_BINOMIAL):
        aux[2], aux[3] = log_gamma_tail(aux[0])


@kernel
def _binomial(y, trials, eta):  # type: ignore[no-untyped-def]
    if eta > 0.0:
        small = math.exp(-eta)
        p = 1.0 / (1.0 + small)
        log_one_plus = eta + math.log1p(small)
    else:
        small = math.exp(eta)
        p = small / (1.0 + small)
        log_one_plus = math.log1p(small)
    return y * eta - trials * log_one_plus, y - trials * p, 0.0, 0.0


@kernel
def bernoulli_density(y, eta):  # type: ignore[no-untyped-def]
    """Return (log f, d/d eta) with the logistic link."""
    small = math.exp(-abs(eta))
    p = (1.0 if eta > 0.0 else small) / (1.0 + small)
    return y * eta - max(eta, 0.0) - math.log(1.0 + small), y - p


@kernel
def _probit(y, eta):  # type: ignore[no-untyped-def]
    sign = 2.0 * y - 1.0
    value = log_phi(sign * eta)
    return value, sign * math.exp(-0.5 * eta * eta - _HALF_LOG_2PI - value), 0.0, 0.0


@kernel
def _ordinal(code, level, eta, thresholds, n):  # type: ignore[no-untyped-def]
    """log[F(b) - F(a)] between thresholds less eta, its derivatives by eta, b and a.

    Logistic: F(b) - F(a) = (1 - e^(a - b)) e^b / ((1 + e^a)(1 + e^b)); what depends on b - a only is prepared.
    """
    if code == ORDINAL_PROBIT:
        a = thresholds[level - 1] - eta if level > 0 else -math.inf
        b = thresholds[level] - eta if level < n else math.inf
        value, d_b, d_a = log_interval(a, b)
        return value, -d_a - d_b, d_b, d_a
    value, d_a, d_b = 0.0, 0.0, 0.0
    if level > 0:
        a = thresholds[level - 1] - eta
        small = math.exp(-abs(a))
        value -= max(a, 0.0) + math.log(1.0 + small)
        d_a = -(1.0 if a > 0.0 else small) / (1.0 + small)
    if level < n:
        b = thresholds[level] - eta
        small = math.exp(-abs(b))
        value -= max(-b, 0.0) + math.log(1.0 + small)
        d_b = (small if b > 0.0 else 1.0) / (1.0 + small)
        if level > 0:
            value += thresholds[n + level]
            inverse = thresholds[2 * n + level]
            return value, -d_a - d_b, d_b + inverse, d_a - inverse
    return value, -d_a - d_b, d_b, d_a


@kernel
def student_density(y, eta, sigma, nu, constant, d_constant):  # type: ignore[no-untyped-def]
    """Return (log f, d eta, d sigma, d nu) of Student's t."""
    z = (y - eta) / sigma
    ratio = (nu + 1.0) * z / (nu + z * z)
    log_tail = math.log1p(z * z / nu)
    value = constant - math.log(sigma) - 0.5 * (nu + 1.0) * log_tail
    return value, ratio / sigma, (z * ratio - 1.0) / sigma, d_constant - 0.5 * log_tail + 0.5 * z * ratio / nu


@kernel
def _skew_normal(y, eta, aux):  # type: ignore[no-untyped-def]
    """By mean eta and sd sigma; omega and the place of the standard form follow from alpha."""
    sigma, alpha, omega, mean, slope = aux[0], aux[1], aux[2], aux[3], aux[4]
    r = (y - eta) / omega
    z = r + mean
    log_share = log_phi(alpha * z)
    ratio = math.exp(-0.5 * alpha * alpha * z * z - _HALF_LOG_2PI - log_share)
    d_z = alpha * ratio - z
    d_log_omega = -1.0 - d_z * r
    value = math.log(2.0) - math.log(omega) - 0.5 * z * z - _HALF_LOG_2PI + log_share
    d_alpha = ratio * z + d_z * slope + d_log_omega * mean * slope / (1.0 - mean * mean)
    return value, -d_z / omega, d_log_omega / sigma, d_alpha


@kernel
def _truncated(y, eta, aux):  # type: ignore[no-untyped-def]
    sigma = aux[0]
    z, a, b = (y - eta) / sigma, (aux[1] - eta) / sigma, (aux[2] - eta) / sigma
    log_mass, d_b, d_a = log_interval(a, b)
    value = -0.5 * z * z - math.log(sigma) - _HALF_LOG_2PI - log_mass
    shrink = z * z - 1.0
    if d_b != 0.0:
        shrink += b * d_b
    if d_a != 0.0:
        shrink += a * d_a
    return value, (z + d_a + d_b) / sigma, shrink / sigma, 0.0


@kernel
def _gamma(log_y, eta, aux):  # type: ignore[no-untyped-def]
    """With y / mean = exp(r); the response comes as its logarithm."""
    alpha = aux[0]
    r = log_y - eta
    ratio = math.exp(r)
    return aux[1] + alpha * (r - ratio), alpha * (ratio - 1.0), aux[2] + r - ratio, 0.0


@kernel
def _weibull(log_y, eta, aux):  # type: ignore[no-untyped-def]
    """By log mean eta; y / scale = exp(r); the response comes as its logarithm."""
    alpha = aux[0]
    r = log_y - eta + aux[1]
    power = math.exp(alpha * r)
    rest = 1.0 - power
    return (
        aux[3] + alpha * r - power,
        -alpha * rest,
        1.0 / alpha + r * rest + alpha * rest * aux[2],
        0.0,
    )


@kernel
def _beta(logit_y, eta, aux):  # type: ignore[no-untyped-def]
    """By the logit eta of the mean; the response comes as its logit."""
    kappa = aux[0]
    mean, rest = logistic(eta), logistic(-eta)
    p, q = mean * kappa, rest * kappa
    log_rest = -softplus(logit_y)
    psi_p, psi_q = digamma(p), digamma(q)
    value = aux[1] - math.lgamma(p) - math.lgamma(q) + p * logit_y + kappa * log_rest
    d_kappa = aux[2] + log_rest - mean * (psi_p - logit_y) - rest * psi_q
    return value, kappa * mean * rest * (logit_y - psi_p + psi_q), d_kappa, 0.0


@kernel
def _negative_binomial(y, eta, rate, aux):  # type: ignore[no-untyped-def]
    """By eta and alpha, less -log y!; log[Gamma(y + alpha) / (Gamma(alpha) alpha^y)] is a product where y is small."""
    alpha = aux[0]
    total = alpha + rate
    log_zero = math.log1p(rate / alpha)
    if y <= _FEW:
        product, slope = 1.0, 0.0
        j = 0.0
        while j < y:
            product *= 1.0 + j / alpha
            slope -= j / (alpha * (alpha + j))
            j += 1.0
        log_ratio = math.log(product)
    else:
        log_ratio, slope = log_rising(y, alpha, aux[2], aux[3])
    value = log_ratio + y * (eta - log_zero) - alpha * log_zero
    return value, (y - rate) * alpha / total, slope - log_zero + (alpha + y) / total * (rate / alpha)


@kernel
def _counts(code, y, eta, aux):  # type: ignore[no-untyped-def]
    """Poisson and negative binomial counts, alone, with extra zeros, or with zeros of their own (hurdle)."""
    negative = code in (NEGATIVE_BINOMIAL, INFLATED_NEGATIVE_BINOMIAL, HURDLE_NEGATIVE_BINOMIAL)
    share = aux[1] if negative else aux[0]
    alpha = aux[0] if negative else 1.0
    rate = math.exp(eta)
    value, slope, d_alpha = y * eta - rate, y - rate, 0.0
    if negative:
        value, slope, d_alpha = _negative_binomial(y, eta, rate, aux)
    if code == NEGATIVE_BINOMIAL:
        return value, slope, d_alpha, 0.0
    if code in (HURDLE_POISSON, HURDLE_NEGATIVE_BINOMIAL):
        if y == 0.0:
            value, slope, d_alpha, d_share = math.log(share), 0.0, 0.0, 1.0 / share
        else:
            value += math.log1p(-share)
            d_share = -1.0 / (1.0 - share)
            if eta < _RARE:  # the probability of a count of one or more is exp(eta)
                return (
                    value - eta,
                    slope - 1.0,
                    d_alpha if negative else d_share,
                    d_share if negative else 0.0,
                )
            zero, zero_slope, zero_alpha = -rate, -rate, 0.0
            if negative:
                total = alpha + rate
                log_zero = math.log1p(rate / alpha)
                zero, zero_slope, zero_alpha = (
                    -alpha * log_zero,
                    -rate * alpha / total,
                    rate / total - log_zero,
                )
            odds = 1.0 / math.expm1(-zero)
            value -= math.log(-math.expm1(zero))
            slope += odds * zero_slope
            d_alpha += odds * zero_alpha
    elif y == 0.0:
        own = math.exp(value)
        mass = share + (1.0 - share) * own
        weight = (1.0 - share) * own / mass
        value, slope, d_alpha, d_share = math.log(mass), weight * slope, weight * d_alpha, (1.0 - own) / mass
    else:
        value += math.log1p(-share)
        d_share = -1.0 / (1.0 - share)
    if negative:
        return value, slope, d_alpha, d_share
    return value, slope, d_share, 0.0


@kernel
def single_density(code, y, trials, eta, aux, n_aux):  # type: ignore[no-untyped-def]
    """Return (log f, d eta, d first, d second parameter) of a family with one linear predictor.

    Of ordered levels the last two are the derivatives by the thresholds above and below the level.
    """
    if code == BERNOULLI:
        return _binomial(y, trials, eta)
    if code == POISSON:
        rate = math.exp(eta)
        return y * eta - rate, y - rate, 0.0, 0.0
    if code in (ORDINAL, ORDINAL_PROBIT):
        return _ordinal(code, int(y), eta, aux, n_aux)
    if code == STUDENT:
        return student_density(y, eta, aux[0], aux[1], aux[2], aux[3])
    if code == SKEW_NORMAL:
        return _skew_normal(y, eta, aux)
    if code == TRUNCATED:
        return _truncated(y, eta, aux)
    if code == GAMMA:
        return _gamma(y, eta, aux)
    if code == WEIBULL:
        return _weibull(y, eta, aux)
    if code == BETA:
        return _beta(y, eta, aux)
    if code == PROBIT:
        return _probit(y, eta)
    return _counts(code, y, eta, aux)


@kernel
def add_parameters(code, y, n_aux, d_first, d_second, d_aux):  # type: ignore[no-untyped-def]
    """Add one row's derivatives by the family's parameters to their sums."""
    if code in (ORDINAL, ORDINAL_PROBIT):
        level = int(y)
        if level < n_aux:
            d_aux[level] += d_first
        if level > 0:
            d_aux[level - 1] += d_second
    else:
        d_aux[0] += d_first
        if n_aux > 1:
            d_aux[1] += d_second


@kernel
def softmax_density(y, eta, first, rows, n, d_eta):  # type: ignore[no-untyped-def]
    """Return log P(y) of one row; its n linear predictors stand `rows` apart from `first`; fill their derivatives."""
    top = 0.0
    for j in range(n):
        top = max(top, eta[first + j * rows])
    total = math.exp(-top)
    for j in range(n):
        share = math.exp(eta[first + j * rows] - top)
        d_eta[first + j * rows] = share
        total += share
    value = -top - math.log(total)
    inverse = 1.0 / total
    for j in range(n):
        place = first + j * rows
        if int(y) == j + 1:
            value += eta[place]
            d_eta[place] = 1.0 - d_eta[place] * inverse
        else:
            d_eta[place] *= -inverse
    return value
