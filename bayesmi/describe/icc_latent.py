"""Intraclass correlation on the latent scale, for categories and counts: a random intercept, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

__all__ = ["icc_latent", "icc_latent_count"]

Floats = NDArray[np.float64]
_NODES, _FEWER_NODES, _MANY = 15, 7, 4000  # quadrature points, and with more clusters times levels than this
_LOGISTIC = np.pi**2 / 3.0  # residual variance of a latent logistic variable
_FLOOR = 1e-4  # a standard deviation below is none


@dataclass(frozen=True)
class _Terms:
    """What each cluster's rows say at effects u, (G, Q): log likelihood, slope and curvature in u, and slopes in parameters."""

    value: Floats
    slope: Floats
    curvature: Floats
    parameters: tuple[Floats, ...]


def icc_latent(counts: NDArray[np.int64]) -> float:
    """Return the intraclass correlation of a binary or ordinal variable on its latent scale.

    Parameters
    ----------
    counts : array of int, shape (G, K)
        Rows of each cluster at each level, levels in their order; binary: two.

    Returns
    -------
    float
        tau² / (tau² + pi²/3), 0 where clusters do not differ. NaN with fewer than two clusters or levels, or without a cluster of
        two rows.

    Notes
    -----
    Cumulative logit model with thresholds and a normal effect of the cluster of standard deviation tau, by maximum likelihood
    with adaptive Gauss-Hermite quadrature (15 points, 7 with thousands of clusters), as lme4's ``glmer(y ~ 1 + (1 | g),
    binomial, nAGQ = 15)``; the residual variance of the logistic latent variable is pi²/3 (Snijders and Bosker 2012, section
    17.2).

    Examples
    --------
    >>> round(icc_latent(np.array([[9, 1], [8, 2], [2, 8], [1, 9]])), 2)
    0.49
    """
    rows: Floats = np.asarray(counts, dtype=np.float64)
    rows = rows[rows.sum(axis=1) > 0][:, rows.sum(axis=0) > 0]
    if rows.shape[1] < 2 or len(rows) < 2 or rows.sum(axis=1).max() < 2:
        return float("nan")
    below = rows.sum(axis=0).cumsum()[:-1] / rows.sum()
    start = np.log(below / (1.0 - below))

    def terms(theta: Floats, u: Floats) -> _Terms:
        steps = np.exp(theta[1:])
        cuts = theta[0] + np.concatenate([[0.0], np.cumsum(steps)])
        up = 1.0 / (1.0 + np.exp(np.clip(u[..., None] - cuts, -500, 500)))  # P(level <= k), (G, Q, K - 1)
        density = up * (1.0 - up)
        zero = np.zeros((*u.shape, 1))
        f = np.concatenate([zero, up, zero + 1.0], axis=2)
        d = np.concatenate([zero, density, zero], axis=2)
        p = np.maximum(np.diff(f, axis=2), 1e-300)
        n = rows[:, None, :]
        of_cut = (
            n[..., :-1] * density / p[..., :-1] - n[..., 1:] * density / p[..., 1:]
        )  # slope in each threshold
        from_here = np.cumsum(of_cut[..., ::-1], axis=2)[..., ::-1]
        slopes = (from_here[..., 0], *(from_here[..., k + 1] * step for k, step in enumerate(steps)))
        return _Terms(
            (n * np.log(p)).sum(axis=2),
            (n * (f[..., 1:] + f[..., :-1] - 1.0)).sum(axis=2),
            -(n * (d[..., 1:] + d[..., :-1])).sum(axis=2),
            slopes,
        )

    tau, _ = _random_intercept(terms, np.concatenate([start[:1], np.log(np.diff(start))]), len(rows))
    return tau**2 / (tau**2 + _LOGISTIC)


def icc_latent_count(sums: Floats, sizes: NDArray[np.int64]) -> float:
    """Return the intraclass correlation of a count on the log scale.

    Parameters
    ----------
    sums : array, shape (G,)
        Sum of the counts of each cluster.
    sizes : array of int, shape (G,)
        Its rows.

    Returns
    -------
    float
        tau² / (tau² + log(1 + 1/mean)), 0 where clusters do not differ more than Poisson counts would; NaN as `icc_latent`.

    Notes
    -----
    Poisson model with a log-normal effect of the cluster; the variance of a Poisson count on the log scale is log(1 + 1/mean)
    with mean = exp(intercept + tau²/2) (Nakagawa, Johnson and Schielzeth 2017). Overdispersion among the rows of a cluster is not
    taken out of it.
    """
    use = np.asarray(sizes) > 0
    sums = np.asarray(sums, dtype=np.float64)[use]
    n: Floats = np.asarray(sizes, dtype=np.float64)[use]
    if len(n) < 2 or n.max() < 2 or sums.sum() == 0:
        return float("nan")

    def terms(theta: Floats, u: Floats) -> _Terms:
        mean = n[:, None] * np.exp(np.clip(theta[0] + u, -700, 700))
        return _Terms(
            sums[:, None] * (theta[0] + u) - mean, sums[:, None] - mean, -mean, (sums[:, None] - mean,)
        )

    tau, (intercept,) = _random_intercept(terms, np.array([np.log(sums.sum() / n.sum())]), len(n))
    mean = np.exp(intercept + tau**2 / 2.0)
    return float(tau**2 / (tau**2 + np.log1p(1.0 / mean)))


def _random_intercept(
    terms: Callable[[Floats, Floats], _Terms], start: Floats, n: int
) -> tuple[float, Floats]:
    """Return the standard deviation of the clusters' effects, and the other parameters."""
    many = n * (len(start) + 1) > _MANY
    points, weights = np.polynomial.hermite.hermgauss(_FEWER_NODES if many else _NODES)
    log_weights = np.log(weights) + points**2

    def minus_log_likelihood(theta: Floats) -> tuple[float, Floats]:
        tau = np.exp(theta[-1])
        mode, scale = _modes(terms, theta[:-1], tau, n)
        u = mode[:, None] + np.sqrt(2.0) * scale[:, None] * points
        at = terms(theta[:-1], u)
        joint = at.value - 0.5 * (u / tau) ** 2 - np.log(tau) - 0.5 * np.log(2.0 * np.pi)
        joint += log_weights + np.log(np.sqrt(2.0) * scale)[:, None]
        highest = joint.max(axis=1, keepdims=True)
        mass = np.exp(joint - highest)
        total = mass.sum(axis=1, keepdims=True)
        mass /= total
        # Fisher's identity: the slope is the expectation of the slope given the effects
        gradient = [float((mass * slope).sum()) for slope in at.parameters]
        gradient.append(float((mass * ((u / tau) ** 2 - 1.0)).sum()))
        return -float((highest + np.log(total)).sum()), -np.array(gradient)

    bounds = [(None, None), *([(-15.0, 5.0)] * (len(start) - 1)), (np.log(_FLOOR), np.log(50.0))]
    best = optimize.minimize(
        minus_log_likelihood, [*start, np.log(0.5)], jac=True, method="L-BFGS-B", bounds=bounds
    )
    tau = float(np.exp(best.x[-1]))
    return 0.0 if tau < 10.0 * _FLOOR else tau, best.x[:-1]


def _modes(
    terms: Callable[[Floats, Floats], _Terms], theta: Floats, tau: float, n: int
) -> tuple[Floats, Floats]:
    """Return the most likely effect of each cluster, and the standard deviation of a normal one there."""
    u = np.zeros((n, 1))
    for _ in range(50):
        at = terms(theta, u)
        curvature = at.curvature - 1.0 / tau**2
        step = (at.slope - u / tau**2) / curvature
        u -= np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    return u[:, 0], 1.0 / np.sqrt(-(terms(theta, u).curvature - 1.0 / tau**2))[:, 0]
