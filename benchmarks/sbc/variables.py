"""Draws of every family by numpy and SciPy, written from the families' definitions: nothing of the package is used.

`eta` is the linear predictor, (n,), for a nominal variable (n, levels - 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit, gamma, softmax

Floats = np.ndarray
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "gaussian": ("sigma",),
    "student": ("sigma", "nu"),
    "skewnormal": ("sigma", "alpha"),
    "lognormal": ("sigma",),
    "gamma": ("alpha",),
    "exponential": (),
    "weibull": ("alpha",),
    "beta": ("kappa",),
    "truncated": ("sigma",),
    "bounded": ("sigma",),
    "bernoulli": (),
    "probit": (),
    "binomial": (),
    "ordinal": ("threshold",),
    "ordinalprobit": ("threshold",),
    "nominal": (),
    "poisson": (),
    "negativebinomial": ("alpha",),
    "zeroinflatedpoisson": ("zi",),
    "zeroinflatednegativebinomial": ("alpha", "zi"),
    "hurdlepoisson": ("hu",),
    "hurdlenegativebinomial": ("alpha", "hu"),
}


def draw_variable(
    family: str,
    rng: np.random.Generator,
    eta: Floats,
    p: Mapping[str, Any],
    *,
    trials: Floats | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Floats:
    """Draw one variable, levels as codes."""
    if family == "binomial":
        return rng.binomial(np.asarray(trials, dtype=int), expit(eta)).astype(float)
    if family == "truncated":
        low, high = ((end - eta) / p["sigma"] for end in bounds)
        return stats.truncnorm.rvs(low, high, loc=eta, scale=p["sigma"], random_state=rng)
    if family == "bounded":
        z = rng.normal(eta, p["sigma"])
        low, high = bounds
        if np.isinf(high):
            return low + np.exp(z)
        return low + (high - low) * expit(z)
    return np.asarray(_DRAW[family](rng, eta, p), dtype=float)


def _skewnormal(rng: np.random.Generator, eta: Floats, p: Mapping[str, Any]) -> Floats:
    """With mean eta and sd sigma."""
    standard_mean, standard_variance = stats.skewnorm.stats(p["alpha"], moments="mv")
    scale = p["sigma"] / np.sqrt(standard_variance)
    return stats.skewnorm.rvs(p["alpha"], loc=eta - scale * standard_mean, scale=scale, random_state=rng)


def _past(threshold: Floats, latent: Floats) -> Floats:
    return (latent[:, None] > np.asarray(threshold)).sum(axis=1)


def _nominal(rng: np.random.Generator, eta: Floats, p: Mapping[str, Any]) -> Floats:
    probabilities = softmax(np.column_stack([np.zeros(len(eta)), eta]), axis=1)
    return (rng.random(len(eta))[:, None] > np.cumsum(probabilities, axis=1)[:, :-1]).sum(axis=1)


def _negativebinomial(rng: np.random.Generator, eta: Floats, p: Mapping[str, Any]) -> Floats:
    return rng.negative_binomial(p["alpha"], p["alpha"] / (p["alpha"] + np.exp(eta)))


def _poisson(rng: np.random.Generator, eta: Floats, p: Mapping[str, Any]) -> Floats:
    return rng.poisson(np.exp(eta))


def _inflated(count: Callable[..., Floats]) -> Callable[..., Floats]:
    def draw(rng: np.random.Generator, eta: Floats, p: Mapping[str, Any]) -> Floats:
        return np.where(rng.random(len(eta)) < p["zi"], 0, count(rng, eta, p))

    return draw


def _hurdle(count: Callable[..., Floats]) -> Callable[..., Floats]:
    def draw(rng: np.random.Generator, eta: Floats, p: Mapping[str, Any]) -> Floats:
        positive = count(rng, eta, p)
        while (positive == 0).any():
            again = positive == 0
            positive[again] = count(rng, eta[again], p)
        return np.where(rng.random(len(eta)) < p["hu"], 0, positive)

    return draw


_DRAW: Mapping[str, Callable[..., Floats]] = {
    "gaussian": lambda rng, eta, p: rng.normal(eta, p["sigma"]),
    "student": lambda rng, eta, p: eta + p["sigma"] * rng.standard_t(p["nu"], size=len(eta)),
    "skewnormal": _skewnormal,
    "lognormal": lambda rng, eta, p: rng.lognormal(eta, p["sigma"]),
    "gamma": lambda rng, eta, p: rng.gamma(p["alpha"], np.exp(eta) / p["alpha"]),
    "exponential": lambda rng, eta, p: rng.exponential(np.exp(eta)),
    "weibull": lambda rng, eta, p: np.exp(eta) / gamma(1 + 1 / p["alpha"]) * rng.weibull(p["alpha"], len(eta)),
    "beta": lambda rng, eta, p: rng.beta(expit(eta) * p["kappa"], expit(-eta) * p["kappa"]),
    "bernoulli": lambda rng, eta, p: rng.random(len(eta)) < expit(eta),
    "probit": lambda rng, eta, p: rng.random(len(eta)) < stats.norm.cdf(eta),
    "ordinal": lambda rng, eta, p: _past(p["threshold"], eta + rng.logistic(size=len(eta))),
    "ordinalprobit": lambda rng, eta, p: _past(p["threshold"], eta + rng.normal(size=len(eta))),
    "nominal": _nominal,
    "poisson": _poisson,
    "negativebinomial": _negativebinomial,
    "zeroinflatedpoisson": _inflated(_poisson),
    "zeroinflatednegativebinomial": _inflated(_negativebinomial),
    "hurdlepoisson": _hurdle(_poisson),
    "hurdlenegativebinomial": _hurdle(_negativebinomial),
}  # fmt: skip
