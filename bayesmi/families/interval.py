"""Intervals of a continuous family: the log probability of lying in one, and draws from inside, many rows at once.

On the scale on which the kernel has responses (log, logit, as they are) a density is that of the family times its
Jacobian. Normal, t and Weibull have closed forms; of gamma, beta and skew-normal variables the mass on both sides of the
highest point of the interval is integrated by a Gauss-Legendre rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import Family
from bayesmi.families.functions import gammaln, log_interval, logistic
from bayesmi.families.support import constrain

__all__ = ["can_be_limited", "draw_between", "kernel_ends", "log_probability", "normal_between"]

Floats = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(28)
_LEAST_DROP, _MOST_DROP = 37.0, 60.0
_FIRST = 0.2  # of the way: the first of two panels, where the density bends
_FINE = 1025  # points of the distribution function that is inverted where there is no closed form


def can_be_limited(family: Family) -> bool:
    """Whether probabilities of intervals of a continuous variable are known: of every continuous family here."""
    forms = ("gaussian", "student", "truncated", "weibull", "gamma", "beta", "skewnormal")
    return not family.is_discrete and family.form in forms


def _on_scale(family: Family, ends: Floats) -> Floats:
    """Ends of intervals on the kernel's scale; those beyond the support are infinite there."""
    low, high = family.support[:2]
    ends = np.clip(ends, low, high)
    inside = (ends > low) & (ends < high)
    out = np.where(ends >= high, np.inf, -np.inf)
    out[inside] = family.to_kernel(ends[inside])
    return out


def kernel_ends(family: Family, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Return lower and upper ends as the kernel wants them."""
    if family.form == "truncated":  # its bounds are cut off by the kernel
        return lower, upper
    return _on_scale(family, np.asarray(lower, float)), _on_scale(family, np.asarray(upper, float))


def log_probability(
    family: Family, lower: Floats, upper: Floats, eta: Any, scales: Mapping[str, Any]
) -> Floats:
    """Return log P(lower < y < upper | eta, scales), elementwise with broadcasting; ends may be infinite."""
    eta = np.asarray(eta, dtype=float)
    low, high = kernel_ends(family, np.asarray(lower, float), np.asarray(upper, float))
    match family.form:
        case "gaussian":
            sigma = scales["sigma"]
            return np.asarray(log_interval((low - eta) / sigma, (high - eta) / sigma))
        case "truncated":
            sigma = scales["sigma"]
            first, last = family.constants
            inner = log_interval(
                (np.maximum(low, first) - eta) / sigma, (np.minimum(high, last) - eta) / sigma
            )
            return np.asarray(inner - log_interval((first - eta) / sigma, (last - eta) / sigma))
        case "student":
            sigma = scales["sigma"]
            return _student((low - eta) / sigma, (high - eta) / sigma, scales["nu"])
        case "weibull":
            alpha = np.asarray(scales["alpha"], dtype=float)
            log_scale = eta - gammaln(np, 1.0 + 1.0 / alpha)
            return _power(alpha * (low - log_scale), alpha * (high - log_scale))
    if family.name == "exponential":
        return _power(low - eta, high - eta)
    return _integral(family, low, high, eta, scales)


def _student(a: Floats, b: Floats, nu: Any) -> Floats:
    """Of a t variable, from the left tail, in which nothing cancels."""
    from scipy.special import stdtr

    a, b, nu = np.broadcast_arrays(a, b, np.asarray(nu, dtype=float))
    with np.errstate(invalid="ignore", divide="ignore"):
        mirrored = a + b > 0
        low, high = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
        return np.asarray(np.log(stdtr(nu, high) - stdtr(nu, low)))


def _power(log_s: Floats, log_t: Floats) -> Floats:
    """Log of exp(-s) - exp(-t)."""
    with np.errstate(over="ignore", divide="ignore"):
        s, t = np.exp(log_s), np.exp(log_t)
        return np.asarray(-s + np.log(-np.expm1(s - t)))


def _densities(family: Family, eta: Floats, scales: Mapping[str, Any]) -> Callable[[Floats], Floats]:
    """The log density on the kernel's scale."""

    def at(z: Floats) -> Floats:
        with np.errstate(all="ignore"):
            match family.form:
                case "gamma":
                    alpha = np.asarray(scales.get("alpha", 1.0), dtype=float)
                    r = z - eta
                    value = alpha * (np.log(alpha) + r - np.exp(r)) - gammaln(np, alpha)
                case "beta":
                    kappa = scales["kappa"]
                    p, q = logistic(np, eta) * kappa, logistic(np, -eta) * kappa
                    constant = gammaln(np, kappa) - gammaln(np, p) - gammaln(np, q)
                    value = constant - p * np.logaddexp(0.0, -z) - q * np.logaddexp(0.0, z)
                case _:
                    value = family.log_density(np, z, eta, scales)
        return np.where(np.isfinite(value), value, -1e300)

    return at


def _highest(family: Family, low: Floats, high: Floats, eta: Floats, scales: Mapping[str, Any]) -> Floats:
    """Where between the ends the density is highest."""
    if family.form != "skewnormal":
        return np.clip(eta, low, high)
    sigma = np.asarray(scales["sigma"], dtype=float)
    density = _densities(family, eta, scales)
    left, right = (np.clip(eta + side * 12.0 * sigma, low, high) for side in (-1.0, 1.0))
    ratio = 0.5 * (np.sqrt(5.0) - 1.0)
    for _ in range(80):  # golden section; the density is log-concave
        first, second = right - ratio * (right - left), left + ratio * (right - left)
        keep = density(first) > density(second)
        left, right = np.where(keep, left, first), np.where(keep, second, right)
    middle = 0.5 * (left + right)
    best = np.where(density(low) >= density(middle), np.where(np.isfinite(low), low, middle), middle)
    return np.where(density(high) > density(best), np.where(np.isfinite(high), high, best), best)


def _reaches(density: Callable[[Floats], Floats], top: Floats, end: Floats, step: Floats) -> Floats:
    """How far the mass goes from the highest point towards an end."""
    at_top = density(top)
    infinite = ~np.isfinite(end)
    inner, outer = top.copy(), np.where(infinite, top + step, end)
    for _ in range(400):
        short = infinite & (at_top - density(outer) < _LEAST_DROP)
        if not short.any():
            break
        inner = np.where(short, outer, inner)
        outer = np.where(short, top + 2.0 * (outer - top), outer)
    for _ in range(400):
        far = at_top - density(outer) > _MOST_DROP
        if not far.any():
            break
        middle = 0.5 * (inner + outer)
        low_enough = at_top - density(middle) >= _LEAST_DROP
        outer = np.where(far & low_enough, middle, outer)
        inner = np.where(far & ~low_enough, middle, inner)
    return outer


def _sides(
    family: Family, low: Floats, high: Floats, eta: Floats, scales: Mapping[str, Any]
) -> tuple[Callable[[Floats], Floats], Floats, Floats, Floats]:
    """The log density, its highest point between the ends, and where its mass ends on both sides."""
    numbers = {key: np.asarray(value, float) for key, value in scales.items() if key in _NUMBERS}
    low, high, eta, *values = np.broadcast_arrays(low, high, eta, *numbers.values())
    own = dict(zip(numbers, values, strict=True))
    density = _densities(family, eta, own)
    top = _highest(family, low, high, eta, own)
    step = own["sigma"] if "sigma" in own else np.ones(eta.shape)
    return density, top, _reaches(density, top, low, -step), _reaches(density, top, high, step)


_NUMBERS = ("sigma", "alpha", "kappa", "nu")


def _integral(family: Family, low: Floats, high: Floats, eta: Floats, scales: Mapping[str, Any]) -> Floats:
    density, top, left, right = _sides(family, low, high, eta, scales)
    at_top = density(top)
    mass = np.zeros(top.shape)
    panels = [(top, top + _FIRST * (end - top), end) for end in (left, right)]
    for near, far in (pair for points in panels for pair in pairwise(points)):
        half, middle = 0.5 * np.abs(far - near), 0.5 * (far + near)
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            mass = mass + half * weight * np.exp(density(middle + half * node) - at_top)
    with np.errstate(divide="ignore"):
        return np.asarray(at_top + np.log(mass))


def draw_between(
    family: Family,
    rng: np.random.Generator,
    lower: Floats,
    upper: Floats,
    eta: Floats,
    scales: Mapping[str, Any],
) -> Floats:
    """Draw y given lower < y < upper, (T,), by inverting the distribution function in the tail where it has its digits."""
    lower, upper = np.asarray(lower, float), np.asarray(upper, float)
    low, high = kernel_ends(family, lower, upper)
    eta = np.broadcast_to(np.asarray(eta, dtype=float), low.shape)
    u = 1.0 - rng.random(low.shape)  # (0, 1]
    if family.form == "truncated":
        first, last = family.constants
        low, high = np.maximum(low, first), np.minimum(high, last)
    if family.form in ("gaussian", "truncated"):
        sigma = np.asarray(scales["sigma"], dtype=float)
        z = eta + sigma * normal_between(u, (low - eta) / sigma, (high - eta) / sigma)
    elif family.form == "student":
        sigma = np.asarray(scales["sigma"], dtype=float)
        z = eta + sigma * _student_between(u, (low - eta) / sigma, (high - eta) / sigma, scales["nu"])
    elif family.form == "weibull" or family.name == "exponential":
        alpha = np.asarray(scales.get("alpha", 1.0), dtype=float)
        log_scale = eta - (gammaln(np, 1.0 + 1.0 / alpha) if family.form == "weibull" else 0.0)
        with np.errstate(over="ignore", divide="ignore"):
            s, t = np.exp(alpha * (low - log_scale)), np.exp(alpha * (high - log_scale))
            z = log_scale + np.log(s - np.log1p((1.0 - u) * np.expm1(s - t))) / alpha
    else:
        z = _inverted(family, u, low, high, eta, scales)
    y = _from_scale(family, z)
    return np.clip(y, *_inside(lower, upper, family))


def _from_scale(family: Family, z: Floats) -> Floats:
    if family.form == "truncated" or not np.isfinite(family.support[:2]).any():
        return z
    return constrain(z, family.support)[0]


def _inside(lower: Floats, upper: Floats, family: Family) -> tuple[Floats, Floats]:
    """Nearest numbers inside of the ends that are also inside of the support."""
    first, last = family.support[:2]
    lower, upper = np.maximum(lower, first), np.minimum(upper, last)
    low = np.where(np.isfinite(lower), np.nextafter(lower, np.inf), lower)
    high = np.where(np.isfinite(upper), np.nextafter(upper, -np.inf), upper)
    return low, np.maximum(high, low)


def normal_between(u: Floats, a: Floats, b: Floats) -> Floats:
    """Standard normal between a and b, from the tail that is nearer."""
    from scipy.special import log_ndtr, ndtri_exp

    mirrored = a > -b
    low, high = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    top = log_ndtr(high)
    with np.errstate(divide="ignore"):
        share = np.exp(log_ndtr(low) - top)
        z = ndtri_exp(np.minimum(top + np.log(share + u * (1.0 - share)), -1e-300))
    return np.where(mirrored, -z, z)


def _student_between(u: Floats, a: Floats, b: Floats, nu: Any) -> Floats:
    from scipy.special import stdtr, stdtrit

    nu = np.broadcast_to(np.asarray(nu, dtype=float), a.shape)
    with np.errstate(invalid="ignore"):
        mirrored = a + b > 0
    low, high = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    below, above = stdtr(nu, low), stdtr(nu, high)
    z = stdtrit(nu, np.clip(below + u * (above - below), 1e-300, 1.0 - 1e-16))
    return np.where(mirrored, -z, z)


def _inverted(
    family: Family, u: Floats, low: Floats, high: Floats, eta: Floats, scales: Mapping[str, Any]
) -> Floats:
    """Invert the distribution function between the points of a fine grid, the density linear between two of them."""
    density, top, left, right = _sides(family, low, high, eta, scales)
    steps = np.linspace(0.0, 1.0, _FINE)
    at_top = density(top)
    points = left[..., None] + (right - left)[..., None] * steps
    values = np.empty(points.shape)
    for j in range(_FINE):
        values[..., j] = np.exp(density(points[..., j]) - at_top)
    width = (right - left) / (_FINE - 1)
    cumulative = np.zeros(points.shape)
    cumulative[..., 1:] = np.cumsum(0.5 * (values[..., 1:] + values[..., :-1]), axis=-1)
    wanted = u * cumulative[..., -1]
    piece = np.minimum((cumulative < wanted[..., None]).sum(axis=-1), _FINE - 1)
    piece = np.maximum(piece - 1, 0)
    before = np.take_along_axis(cumulative, piece[..., None], axis=-1)[..., 0]
    first = np.take_along_axis(values, piece[..., None], axis=-1)[..., 0]
    second = np.take_along_axis(values, piece[..., None] + 1, axis=-1)[..., 0]
    rest, bend = wanted - before, second - first
    with np.errstate(divide="ignore", invalid="ignore"):
        root = 2.0 * rest / (first + np.sqrt(np.maximum(first**2 + 2.0 * bend * rest, 0.0)))
    return np.asarray(left + width * (piece + np.clip(np.nan_to_num(root), 0.0, 1.0)))
