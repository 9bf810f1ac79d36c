"""Draws of all parameters and group effects from the priors that `print(model)` shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.correlation import beta_shapes, cholesky_rows, pairs
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.families.selected import prior_of_half
from bayesmi.model import Model
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.predictive.distributions import scipy_distribution
from bayesmi.priors import Prior

__all__ = ["draw_prior"]

Floats = NDArray[np.float64]


def draw_prior(model: Model, n_draws: int, rng: np.random.Generator) -> PosteriorDraws:
    """Return draws from the prior on the scale of the data, as one chain.

    Raises
    ------
    ModelError
        If a prior is improper; it is named.
    """
    factors = {}
    for factor in (part for whole in model.factors for part in whole.parts):
        scales: dict[str, Floats] = {}
        for key in factor.keys:
            own = _equation(factor, model, n_draws, rng)
            if key == factor.keys[0]:
                scales = _parameters(factor, own, n_draws, rng)
            factors[key] = FactorDraws(
                own.intercept,
                own.coefficients,
                scales if key == factor.keys[0] else {},
                own.sds,
                own.correlations,
                own.effects,
            )
    return PosteriorDraws(1, n_draws, factors, {})


def _drawn(prior: Prior, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return np.asarray(scipy_distribution(prior, name).rvs(size=shape, random_state=rng), dtype=float)


def _equation(factor: Factor, model: Model, n: int, rng: np.random.Generator) -> FactorDraws:
    """Intercept, coefficients and group effects of one linear predictor."""
    priors, prefix = factor.priors, factor.prefix
    if factor.is_observation:
        return FactorDraws(None, np.ones((n, factor.n_coefficients)), {}, {}, {}, {})
    coefficients = np.zeros((n, factor.n_coefficients))
    for j, (name, prior) in enumerate(zip(factor.column_names, priors.coefficients, strict=True)):
        coefficients[:, j] = _drawn(prior, prefix + name, (n,), rng)
    intercept = None
    if priors.intercept is not None:
        intercept = _drawn(priors.intercept, f"{prefix}Intercept", (n,), rng)
        if priors.intercept_at_means and factor.n_coefficients:
            intercept = intercept - coefficients @ factor.centers
    sds: dict[str, Floats] = {}
    correlations: dict[str, Floats] = {}
    effects: dict[str, Floats] = {}
    for effect in factor.effects:
        grouping = effect.grouping
        sds[grouping] = np.stack(
            [
                _drawn(prior, f"{prefix}{name}|{grouping}_sigma", (n,), rng)
                for name, prior in zip(effect.names, priors.group_sds[grouping], strict=True)
            ],
            axis=1,
        )
        roots = _correlation_roots(effect, priors.correlations.get(grouping, 1.0), n, rng)
        correlations[grouping] = roots @ np.swapaxes(roots, 1, 2)
        n_groups = len(model.table.groupings[grouping].labels)
        noise = rng.standard_normal((n, n_groups, effect.n_effects))
        effects[grouping] = np.einsum("si,sij,sgj->sgi", sds[grouping], roots, noise)
    return FactorDraws(intercept, coefficients, {}, sds, correlations, effects)


def _correlation_roots(effect: GroupEffect, eta: float, n: int, rng: np.random.Generator) -> Floats:
    """Cholesky factors of LKJ correlations, block by block, (n, q, q)."""
    out = np.tile(np.eye(effect.n_effects), (n, 1, 1))
    for start, stop in effect.blocks:
        size = stop - start
        if size == 1:
            continue
        shapes = beta_shapes(size, eta)
        if effect.known_correlation is not None:
            out[:, start + 1, start] = effect.known_correlation
            out[:, start + 1, start + 1] = np.sqrt(1.0 - effect.known_correlation**2)
            continue
        partials = [2.0 * rng.beta(shape, shape, size=n) - 1.0 for shape in shapes]
        assert len(partials) == len(pairs(size))
        for i, row in enumerate(cholesky_rows(np, partials, size)):
            for j, entry in enumerate(row):
                out[:, start + i, start + j] = entry
    return out


def _parameters(factor: Factor, own: FactorDraws, n: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Parameters of the family; increasing thresholds with independent equal priors are these in order."""
    out: dict[str, Floats] = {}
    for parameter in factor.parameters:
        prior, name = factor.priors.scales[parameter.name], f"{factor.prefix}{parameter.name}"
        if parameter.transform == "correlation":
            out[parameter.name] = 2.0 * _drawn(prior_of_half(prior), name, (n,), rng) - 1.0
            continue
        if not parameter.per_level:
            out[parameter.name] = _drawn(prior, name, (n,), rng)
            continue
        drawn = np.sort(_drawn(prior, name, (n, len(factor.levels) - 1), rng), axis=1)
        if factor.priors.scales_at_means and factor.n_coefficients:
            drawn = drawn + (own.coefficients @ factor.centers)[:, None]
        out[parameter.name] = drawn
    return out
