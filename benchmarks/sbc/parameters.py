"""Draws from priors, by SciPy."""

from __future__ import annotations

import numpy as np
from scipy import stats

from bayesmi import Prior


def draw_prior(prior: Prior, rng: np.random.Generator, size: int | None = None) -> np.ndarray:
    """Draw from a prior as PyMC parametrises it."""
    p = prior.parameters
    n = size
    match prior.name:
        case "Normal":
            return rng.normal(p["mu"], p["sigma"], n)
        case "StudentT":
            return p["mu"] + p["sigma"] * rng.standard_t(p["nu"], n)
        case "HalfNormal":
            return np.abs(rng.normal(0.0, p["sigma"], n))
        case "Gamma":
            return rng.gamma(p["alpha"], 1.0 / p["beta"], n)
        case "LogNormal":
            return rng.lognormal(p["mu"], p["sigma"], n)
        case "Beta":
            return rng.beta(p["alpha"], p["beta"], n)
    raise ValueError(f"no draw of {prior}")


def draw_correlation(eta: float, q: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a correlation matrix from LKJ(eta) by the onion method of Lewandowski, Kurowicka & Joe (2009)."""
    if q == 1:
        return np.eye(1)
    beta = eta + (q - 2) / 2
    rho = 2 * stats.beta.rvs(beta, beta, random_state=rng) - 1
    matrix = np.array([[1.0, rho], [rho, 1.0]])
    for k in range(2, q):
        beta -= 0.5
        radius = np.sqrt(stats.beta.rvs(k / 2, beta, random_state=rng))
        direction = rng.normal(size=k)
        z = np.linalg.cholesky(matrix) @ (radius * direction / np.linalg.norm(direction))
        matrix = np.block([[matrix, z[:, None]], [z[None, :], np.ones((1, 1))]])
    return matrix
