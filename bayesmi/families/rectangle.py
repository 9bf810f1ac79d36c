"""log P(a < Z < b, S < s) under the standard bivariate normal, for arrays and for tensors."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.functions import log_phi

__all__ = ["log_rectangle"]

Floats = NDArray[np.float64]
_SMALL = 1e-7  # probability below which differences of distribution functions lose digits
_FAR = 500.0  # stands for infinity


def log_rectangle(xp: Any, a: Any, b: Any, s: Any, r: Any) -> Any:
    """Return log P(a < Z < b, S < s) with correlation r, elementwise; beyond ±500 an edge is infinite.

    Notes
    -----
    Arrays: differences of bivariate distribution functions by Owen's T function (Owen 1956), and where these are small by
    Gauss-Legendre quadrature of phi(z) Phi((s - r z) / sqrt(1 - r²)) between its bends. Tensors: Plackett's identity,
    integrated over the arc sine of the correlation.
    """
    if xp is not np:
        return _of_tensors(xp, a, b, s, r)
    a, b, s, r = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (a, b, s, r)))
    mass = _both_below(b, s, r) - _both_below(a, s, r)
    small = ~(mass > _SMALL)
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.array(np.log(mass))
    if small.any():
        edges = [np.clip(one[small], -_FAR, _FAR) for one in (a, b, s)]
        out[small] = _by_pieces(edges[0], edges[1], edges[2], r[small])
    return out


def _both_below(h: Floats, s: Floats, r: Floats) -> Floats:
    """Phi2(h, s, r)."""
    from scipy.special import ndtr, owens_t

    h = np.where(np.abs(h) < 1e-12, 1e-12, np.clip(h, -_FAR, _FAR))
    s = np.where(np.abs(s) < 1e-12, 1e-12, s)
    c = np.sqrt((1.0 - r) * (1.0 + r))
    with np.errstate(over="ignore"):
        both = 0.5 * (ndtr(h) + ndtr(s)) - owens_t(h, (s / h - r) / c) - owens_t(s, (h / s - r) / c)
    return np.asarray(both - np.where(h * s < 0, 0.5, 0.0))


def _by_pieces(a: Floats, b: Floats, s: Floats, r: Floats) -> Floats:
    c = np.sqrt((1.0 - r) * (1.0 + r))

    def slope(z: Floats) -> tuple[Floats, Floats]:
        t = (s - r * z) / c
        ratio = np.exp(-0.5 * t * t - 0.5 * math.log(2 * math.pi) - log_phi(np, t))
        return -z - r / c * ratio, 1.0 + (r / c) ** 2 * ratio * (ratio + t)

    low, high = np.clip(a, -40, 40), np.clip(b, -40, 40)
    low, high = np.where(a > 40, a, low), np.where(b < -40, b, high)
    left, right = low.copy(), high.copy()
    for _ in range(60):
        middle = 0.5 * (left + right)
        rises = slope(middle)[0] > 0
        left, right = np.where(rises, middle, left), np.where(rises, right, middle)
    mode = 0.5 * (left + right)
    steepness, curvature = slope(mode)
    far = 80.0 / (np.abs(steepness) + np.sqrt(steepness**2 + 80.0))
    low, high = np.maximum(low, mode - far), np.minimum(high, mode + far)
    near = 6.0 / np.sqrt(curvature)
    safe = np.where(np.abs(r) > 1e-12, r, 1.0)
    bend = np.where(np.abs(r) > 1e-12, s / safe, mode)
    width = np.where(np.abs(r) > 1e-12, 6.0 * c / np.abs(safe), 0.0)
    cuts = np.stack([low, high, mode, mode - near, mode + near, bend - width, bend, bend + width])
    cuts = np.sort(np.clip(cuts, low, high), axis=0)
    top = -0.5 * mode**2 + log_phi(np, (s - r * mode) / c)
    total = np.zeros(np.shape(mode))
    for start, stop in itertools.pairwise(cuts):
        half = 0.5 * (stop - start)
        for node, weight in zip(*np.polynomial.legendre.leggauss(24), strict=True):
            z = start + half * (1.0 + node)
            total += half * weight * np.exp(-0.5 * z * z + log_phi(np, (s - r * z) / c) - top)
    with np.errstate(divide="ignore"):
        return np.asarray(top - 0.5 * math.log(2 * math.pi) + np.log(total))


def _of_tensors(xp: Any, a: Any, b: Any, s: Any, r: Any) -> Any:
    a, b = xp.clip(a, -_FAR, _FAR), xp.clip(b, -_FAR, _FAR)
    angle = xp.arcsin(r)
    both = (xp.exp(log_phi(xp, b)) - xp.exp(log_phi(xp, a))) * xp.exp(log_phi(xp, s))
    nodes, weights = np.polynomial.legendre.leggauss(48)

    def last(value: Any) -> Any:
        return xp.as_tensor(value)[..., None]

    sine = xp.sin(0.5 * last(angle) * (1.0 + nodes))
    shrunk = 1.0 - sine**2

    def arc(h: Any) -> Any:
        terms = xp.exp((sine * last(h * s) - 0.5 * last(h**2 + s**2)) / shrunk)
        return xp.sum(terms * weights, axis=-1)

    return xp.log(both + (arc(b) - arc(a)) * 0.5 * angle / (2.0 * math.pi))
