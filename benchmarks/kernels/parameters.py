"""Parameters of one linear predictor on the sampler's scale: reading them, writing their priors and gradient back.

The intercept sits at the predictors' observed means: eta = a + (x - centers) beta, a = location + spread x_0,
beta = W x_coefficients; normal priors on a and beta, half-Student-t on a residual sd, half-normal on a group sd.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "Predictor",
    "add_priors",
    "fused",
    "half_student",
    "predictor",
    "read",
    "read_thresholds",
    "sigmoid",
    "softplus",
    "start_of",
    "thresholds_back",
    "unwhiten",
    "write_back",
]


def fused(function: Any) -> Any:
    """Compile with everything that makes it fast: sums may be reordered, nothing is infinite."""
    return njit(error_model="numpy", fastmath=True)(function)


class Predictor(NamedTuple):
    """Places in x, scale and priors."""

    intercept: int  # place in x, -1: none
    coefficients: int  # place of the first
    location: float
    spread: float
    whitening: NDArray[np.float64]  # (p, p)
    centers: NDArray[np.float64]  # (p,)
    priors: NDArray[np.float64]  # (1 + p, 2): mean and sd, the intercept's first


def start_of(built: Any, name: str) -> int:
    """Return the first place of a parameter in x, -1 if there is none."""
    return next((p.start for p in built.program.parameters if p.name == name), -1)


def predictor(built: Any, key: str) -> Predictor:
    """Take one linear predictor's numbers."""
    factor = next(f for f in built.model.factors if key in f.keys)
    own = factor.priors
    assert own.intercept_at_means
    assert own.scales_at_means
    normal = ([own.intercept] if own.intercept else []) + list(own.coefficients)
    assert all(prior.name == "Normal" for prior in normal)
    numbers = [(prior.parameters["mu"], prior.parameters["sigma"]) for prior in normal]
    return Predictor(
        start_of(built, f"{key}::intercept"),
        start_of(built, f"{key}::coefficients"),
        float(factor.location),
        float(factor.spread),
        np.ascontiguousarray(factor.whitening),
        np.ascontiguousarray(factor.centers),
        np.array(numbers if own.intercept else [(0.0, 1.0), *numbers]),
    )


@fused
def read(x, p, beta):  # type: ignore[no-untyped-def]
    """Fill the coefficients and return the intercept."""
    for j in range(len(beta)):
        value = 0.0
        for c in range(len(beta)):
            value += p.whitening[j, c] * x[p.coefficients + c]
        beta[j] = value
    return p.location + p.spread * x[p.intercept] if p.intercept >= 0 else 0.0


@fused
def add_priors(p, a, beta, d_a, d_beta, gradient):  # type: ignore[no-untyped-def]
    """Return the log priors (constants left out); add their slopes to d_beta, and the intercept to the gradient."""
    total = 0.0
    if p.intercept >= 0:
        z = (a - p.priors[0, 0]) / p.priors[0, 1]
        total -= 0.5 * z * z
        gradient[p.intercept] += p.spread * (d_a - z / p.priors[0, 1])
    for j in range(len(beta)):
        z = (beta[j] - p.priors[1 + j, 0]) / p.priors[1 + j, 1]
        total -= 0.5 * z * z
        d_beta[j] -= z / p.priors[1 + j, 1]
    return total


@fused
def unwhiten(p, d_beta, gradient):  # type: ignore[no-untyped-def]
    """Add the coefficients' derivatives to the gradient on the sampler's scale."""
    for j in range(len(d_beta)):
        for c in range(len(d_beta)):
            gradient[p.coefficients + c] += p.whitening[j, c] * d_beta[j]


@fused
def write_back(p, a, beta, d_a, d_beta, gradient):  # type: ignore[no-untyped-def]
    """Return the log priors and add everything to the gradient on the sampler's scale."""
    total = add_priors(p, a, beta, d_a, d_beta, gradient)
    unwhiten(p, d_beta, gradient)
    return total


@fused
def read_thresholds(x, place, anchor, steps, thresholds):  # type: ignore[no-untyped-def]
    """Fill increasing thresholds: one lies at steps[anchor] + x_anchor, the others gaps steps[j] exp(x_j) away to both sides."""
    thresholds[anchor] = steps[anchor] + x[place + anchor]
    for j in range(anchor + 1, len(steps)):
        thresholds[j] = thresholds[j - 1] + steps[j] * math.exp(x[place + j])
    for j in range(anchor - 1, -1, -1):
        thresholds[j] = thresholds[j + 1] - steps[j] * math.exp(x[place + j])


@fused
def thresholds_back(x, place, anchor, steps, tail, thresholds, d, gradient):  # type: ignore[no-untyped-def]
    """Return Student-t priors (nu, sd) and Jacobian of the thresholds; add the derivatives to the gradient."""
    total, below, above = 0.0, 0.0, 0.0
    for j in range(anchor):
        value, slope = half_student(thresholds[j], tail[0], tail[1])
        total += value + x[place + j]
        below += d[j] + slope
        gradient[place + j] += 1.0 - below * steps[j] * math.exp(x[place + j])
    for j in range(len(steps) - 1, anchor, -1):
        value, slope = half_student(thresholds[j], tail[0], tail[1])
        total += value + x[place + j]
        above += d[j] + slope
        gradient[place + j] += 1.0 + above * steps[j] * math.exp(x[place + j])
    value, slope = half_student(thresholds[anchor], tail[0], tail[1])
    gradient[place + anchor] += below + above + d[anchor] + slope
    return total + value


@fused
def half_student(sigma, nu, scale):  # type: ignore[no-untyped-def]
    """Return the log density of a half-Student-t without its constant, and the derivative."""
    t = 1.0 + sigma * sigma / (nu * scale * scale)
    return -0.5 * (nu + 1.0) * math.log(t), -(nu + 1.0) * sigma / (nu * scale * scale * t)


@fused
def softplus(x):  # type: ignore[no-untyped-def]
    return math.log(1.0 + math.exp(-abs(x))) + max(x, 0.0)


@fused
def sigmoid(x):  # type: ignore[no-untyped-def]
    small = math.exp(-abs(x))
    return (1.0 if x > 0.0 else small) / (1.0 + small)
