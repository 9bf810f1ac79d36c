"""Draws from densities of a few numbers each, many at once: exactly where they are Gaussian, else by elliptical slices.

A Gaussian density is known from its value, gradient and curvature at one point. Of another the mode and the curvature there
make a multivariate t, and the generalised elliptical slice sampler (Nishihara, Murray & Adams 2014) corrects draws from it:
every step leaves the density itself invariant and none is rejected.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_latents", "elliptical_step", "gaussian_of", "local_gaussian"]

Floats = NDArray[np.float64]
Density = Callable[[Floats], Floats]  # (S, V, D) -> log density (S, V)

_FREEDOM = 6.0  # degrees of freedom of the t
_STEPS = 40  # slices, from a draw of the approximation
_ROUNDS = 15  # of Newton's method
_DIFFERENCE = 0.05  # where curvature is not constant
_LEAST_CURVATURE = 0.3
_MOST_MOVE = 4.0
_PROBE = (1.7, 0.3)
_SHRINKS = 200


def draw_latents(
    density: Density, shape: tuple[int, int, int], rng: np.random.Generator, *, start: Floats | None = None
) -> tuple[Floats, bool]:
    """Draw from S × V densities of D numbers, each about as wide as a standard normal or narrower.

    Parameters
    ----------
    density : callable
        From points (S, V, D) to log densities (S, V), up to constants.
    shape : tuple
        (S, V, D).
    rng : numpy.random.Generator
        Its own stream.
    start : (S, V, D) array, optional
        Points that are draws by now, as in a Gibbs sampler: a few slices move them on.

    Returns
    -------
    z : (S, V, D) array
        One draw of each.
    exact : bool
        Whether they are Gaussian and drawn directly.
    """
    found = gaussian_of(density, shape)
    if found is not None:
        mean, precision = found
        root = np.linalg.cholesky(precision)
        noise = rng.standard_normal(shape)
        return mean + np.linalg.solve(np.swapaxes(root, -1, -2), noise[..., None])[..., 0], True
    mean, precision = local_gaussian(density, shape)
    root = np.linalg.cholesky(np.linalg.inv(precision))
    if start is None:
        z = mean + np.einsum("svij,svj->svi", root, rng.standard_normal(shape))
    else:
        z = start
    at = density(z)
    for _ in range(_STEPS if start is None else _STEPS // 8):
        z, at = elliptical_step(density, z, at, mean, root, rng)
    return z, False


def gaussian_of(density: Density, shape: tuple[int, int, int]) -> tuple[Floats, Floats] | None:
    """Return mean and precision of densities that are all Gaussian, as far as a point away from zero tells; else None."""
    zero, gradient, precision = _quadratic(density, np.zeros(shape), 1.0)
    point = _PROBE[0] + _PROBE[1] * np.arange(shape[2])
    seen = density(np.broadcast_to(point, shape))
    expected = zero + gradient @ point - 0.5 * np.einsum("i,suij,j->su", point, precision, point)
    if not np.all(np.abs(seen - expected) <= 1e-8 * (1.0 + np.abs(expected))):
        return None
    return np.linalg.solve(precision, gradient[..., None])[..., 0], precision


def local_gaussian(density: Density, shape: tuple[int, int, int]) -> tuple[Floats, Floats]:
    """Return the modes and the precisions there, by Newton's method with steps that never go down."""
    z = np.zeros(shape)
    precision = np.tile(np.eye(shape[2]), (*shape[:2], 1, 1))
    for _ in range(_ROUNDS):
        value, gradient, curvature = _quadratic(density, z, _DIFFERENCE)
        level, vector = np.linalg.eigh(curvature)
        level = np.maximum(level, _LEAST_CURVATURE)
        precision = np.einsum("svij,svj,svkj->svik", vector, level, vector)
        step = np.linalg.solve(precision, gradient[..., None])[..., 0]
        size = np.linalg.norm(step, axis=-1, keepdims=True)
        step *= np.minimum(1.0, _MOST_MOVE / np.maximum(size, 1e-300))
        if np.abs(step).max(initial=0.0) < 0.02:
            break
        share = np.ones((*shape[:2], 1))
        for _ in range(8):
            worse = density(z + share * step) < value
            if not worse.any():
                break
            share[worse] *= 0.5
        z = z + share * step
    return z, precision


def _quadratic(density: Density, z: Floats, h: float) -> tuple[Floats, Floats, Floats]:
    """Value, gradient and minus the second derivatives at z, from differences of step h."""
    n = z.shape[2]

    def at(*places: int, sign: float = 1.0) -> Floats:
        moved = z.copy()
        for d in places:
            moved[:, :, d] += sign * h
        return density(moved)

    zero = density(z)
    ahead = [at(d) for d in range(n)]
    back = [at(d, sign=-1.0) for d in range(n)]
    gradient = np.stack([(a - b) / (2.0 * h) for a, b in zip(ahead, back, strict=True)], axis=-1)
    precision = np.empty((*zero.shape, n, n))
    for d in range(n):
        precision[..., d, d] = (2.0 * zero - ahead[d] - back[d]) / h**2
        for e in range(d):
            mixed = (at(d, e) - ahead[d] - ahead[e] + zero) / h**2
            precision[..., d, e] = precision[..., e, d] = -mixed
    return zero, gradient, precision


def elliptical_step(
    density: Density, z: Floats, at: Floats, centre: Floats, root: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Move each point along an ellipse through it, to where the density is above a random level.

    Parameters
    ----------
    density : callable
        As in `draw_latents`.
    z, at : arrays
        Points (S, V, D) and their log densities (S, V).
    centre, root : arrays
        Of the t that the density is near: (S, V, D), and the root (S, V, D, D) of its scale matrix.
    rng : numpy.random.Generator
        Its own stream.
    """
    s, v, n = z.shape

    def distance(points: Floats) -> Floats:
        standard = np.linalg.solve(root, (points - centre)[..., None])[..., 0]
        return np.asarray((standard**2).sum(axis=-1))

    def above(points: Floats, value: Floats) -> Floats:
        """Log of the density over that of the t."""
        return np.asarray(value + 0.5 * (_FREEDOM + n) * np.log1p(distance(points) / _FREEDOM))

    scale = (_FREEDOM + distance(z)) / (2.0 * rng.standard_gamma(0.5 * (_FREEDOM + n), (s, v)))
    ray = np.sqrt(scale)[..., None] * np.einsum("svij,svj->svi", root, rng.standard_normal((s, v, n)))
    level = above(z, at) - rng.standard_exponential((s, v))
    angle = rng.uniform(0.0, 2.0 * np.pi, (s, v))
    low, high = angle - 2.0 * np.pi, angle.copy()
    out, value = z.copy(), at.copy()
    open_ = np.ones((s, v), dtype=bool)
    for _ in range(_SHRINKS):
        turned = np.cos(angle)[..., None] * (z - centre) + np.sin(angle)[..., None] * ray + centre
        found = density(np.where(open_[..., None], turned, out))
        taken = open_ & (above(turned, found) > level)
        out[taken], value[taken] = turned[taken], found[taken]
        open_ &= ~taken
        if not open_.any():
            break
        high = np.where(open_ & (angle > 0.0), angle, high)
        low = np.where(open_ & (angle <= 0.0), angle, low)
        angle = np.where(open_, rng.uniform(low, np.maximum(high, low + 1e-300)), angle)
    return out, value
