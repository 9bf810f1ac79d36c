"""Log of the integral over latents of many units at once, from evaluations of the log density.

Where the log density is quadratic in them, (D + 1)(D + 2) / 2 evaluations give it in closed form. Otherwise adaptive
Gauss-Hermite quadrature: nodes are moved to the mean and stretched to the covariance of the integrand, found by the
quadrature itself and repeated until they stay (Naylor & Smith 1982; Rabe-Hesketh, Skrondal & Pickles 2005).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.likelihood.densities import log_sum

__all__ = ["Nodes", "adaptive_integral", "is_quadratic", "quadratic_integral"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Density = Callable[[Floats], Floats]  # latents (S, V, D) -> log density (S, U)

_DEFAULT = {1: 21, 2: 9, 3: 5}
_ADAPTING = {1: 7, 2: 5, 3: 5}  # nodes in each direction that find mean and covariance
_MOST_ROUNDS = 20
_FIRST = 32  # draws
_FAR = 1.4  # just beyond the second node of five, so that the nodes do not step to and fro
_LEAST_CHANGE, _MOST_CHANGE = 0.1, 10.0  # of a variance in one round
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Nodes:
    """Nodes of a quadrature in each direction: those asked for, or 21, 9 and 5 for one, two and three latents."""

    asked: int | None = None
    times: int = 1

    def doubled(self) -> Nodes:
        """Return twice as many."""
        return Nodes(self.asked, 2 * self.times)

    def at(self, n_latents: int) -> int:
        """Return the number for so many latents."""
        return self.times * (self.asked or _DEFAULT[n_latents])


def quadratic_integral(density: Density, n_draws: int, n_nodes_at: int, n_latents: int) -> Floats:
    """Return the log integral of a density that is the exponential of a quadratic, (S, U).

    Parameters
    ----------
    density : callable
        From latents (S, V, D) to log densities (S, U).
    n_draws, n_nodes_at, n_latents : int
        S, V and D.
    """
    at_zero, gradient, precision = _quadratic(density, n_draws, n_nodes_at, n_latents)
    mean = np.linalg.solve(precision, gradient[..., None])[..., 0]
    _, log_det = np.linalg.slogdet(precision)
    return np.asarray(at_zero + 0.5 * (gradient * mean).sum(-1) + 0.5 * n_latents * _LOG_2PI - 0.5 * log_det)


def is_quadratic(density: Density, n_draws: int, n_nodes_at: int, n_latents: int) -> bool:
    """Whether the log density at a point away from those it was found from is what a quadratic gives there."""
    at_zero, gradient, precision = _quadratic(density, n_draws, n_nodes_at, n_latents)
    point = 1.7 + 0.3 * np.arange(n_latents)
    seen = density(np.broadcast_to(point, (n_draws, n_nodes_at, n_latents)))
    expected = at_zero + gradient @ point - 0.5 * np.einsum("i,suij,j->su", point, precision, point)
    return bool(np.all(np.abs(seen - expected) <= 1e-8 * (1.0 + np.abs(expected))))


def _quadratic(density: Density, s: int, v: int, n: int) -> tuple[Floats, Floats, Floats]:
    """Value, gradient and minus the second derivatives at zero, from differences of step one, which are exact."""

    def at(*steps: tuple[int, float]) -> Floats:
        z = np.zeros((s, v, n))
        for d, size in steps:
            z[:, :, d] += size
        return density(z)

    zero = at()
    ahead = [at((d, 1.0)) for d in range(n)]
    back = [at((d, -1.0)) for d in range(n)]
    gradient = np.stack([0.5 * (a - b) for a, b in zip(ahead, back, strict=True)], axis=-1)
    precision = np.empty((*zero.shape, n, n))
    for d in range(n):
        precision[..., d, d] = 2.0 * zero - ahead[d] - back[d]
        for e in range(d):
            mixed = at((d, 1.0), (e, 1.0)) - ahead[d] - ahead[e] + zero
            precision[..., d, e] = precision[..., e, d] = -mixed
    return zero, gradient, precision


def adaptive_integral(
    density: Density, n_draws: int, n_nodes_at: int, n_latents: int, owner: Ints, nodes: int
) -> Floats:
    """Return the log integral by adaptive Gauss-Hermite quadrature, (S, U).

    Parameters
    ----------
    density : callable
        From latents (S, V, D) to log densities (S, U).
    n_draws, n_nodes_at, n_latents : int
        S, V and D.
    owner : (U,) array
        Which of the V units has the latents of each density: combinations of a row share its nodes.
    nodes : int
        In each direction.
    """
    shape = (n_nodes_at, n_latents)
    start, spread = np.zeros(shape), np.tile(np.eye(n_latents), (n_nodes_at, 1, 1))
    if n_draws > 2 * _FIRST:  # where the first draws have their nodes the others have theirs nearly
        mean, root = _adapted(density, _FIRST, start, spread, owner)
        start = mean.mean(axis=0)
        moved = mean - start
        covariance = root @ np.swapaxes(root, -1, -2) + moved[..., :, None] * moved[..., None, :]
        spread = np.linalg.cholesky(covariance.mean(axis=0))
    mean, root = _adapted(density, n_draws, start, spread, owner)
    terms = _terms(density, *_product(nodes, n_latents), mean, root)
    return np.asarray(log_sum(terms, axis=0) + np.log(np.abs(np.linalg.det(root)))[:, owner])


def _adapted(
    density: Density, n_draws: int, start: Floats, spread: Floats, owner: Ints
) -> tuple[Floats, Floats]:
    """Mean and root of the covariance of the integrand, (S, V, D) and (S, V, D, D)."""
    n_nodes_at, n_latents = start.shape
    shared = len(owner) != n_nodes_at
    count = np.bincount(owner, minlength=n_nodes_at)
    mean = np.tile(start, (n_draws, 1, 1))
    root = np.tile(spread, (n_draws, 1, 1, 1))
    points, log_weights = _product(_ADAPTING[n_latents], n_latents)
    for _ in range(_MOST_ROUNDS):
        terms = _terms(density, points, log_weights, mean, root)
        mass = np.exp(terms - log_sum(terms, axis=0))
        centre = np.einsum("ksu,kd->sud", mass, points)
        square = np.einsum("ksu,kd,ke->sude", mass, points, points)
        if shared:  # one set of nodes for all combinations of a row
            centre = _averages(centre, owner, count)
            square = _averages(square, owner, count)
        value, vector = np.linalg.eigh(square - centre[..., :, None] * centre[..., None, :])
        settled = np.abs(centre).max(initial=0.0) < 0.1 and np.all((value > 0.8) & (value < 1.25))
        far = np.abs(centre).max(axis=-1, keepdims=True) > _FAR  # first there, then closer
        value = np.clip(value, np.where(far, 1.0, _LEAST_CHANGE), _MOST_CHANGE)
        mean = mean + np.einsum("svde,sve->svd", root, centre)
        root = root @ (vector * np.sqrt(value)[..., None, :])
        if settled:
            break
    return mean, root


def _product(nodes: int, n_latents: int) -> tuple[Floats, Floats]:
    """Nodes (K, D) and log weights (K,) of an integral over the whole space."""
    one, weight = np.polynomial.hermite_e.hermegauss(nodes)
    points = np.array(list(itertools.product(one, repeat=n_latents)))
    log_weights = np.array([sum(w) for w in itertools.product(np.log(weight), repeat=n_latents)])
    return points, log_weights + 0.5 * (points**2).sum(axis=1)


def _terms(density: Density, points: Floats, log_weights: Floats, mean: Floats, root: Floats) -> Floats:
    """Log of the terms of the sum, (K, S, U)."""
    return np.stack(
        [density(mean + root @ point) + more for point, more in zip(points, log_weights, strict=True)]
    )


def _averages(values: Floats, owner: Ints, count: Ints) -> Floats:
    out = np.zeros((values.shape[0], len(count), *values.shape[2:]))
    np.add.at(np.swapaxes(out, 0, 1), owner, np.swapaxes(values, 0, 1))
    return out / np.maximum(count, 1).reshape((-1,) + (1,) * (values.ndim - 2))
