"""From the sampler's variables to parameters on the scale of the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build import BuiltModel
from bayesmi.build.correlation import cholesky_rows, pairs
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.errors import FitError
from bayesmi.model.factor import Factor, GroupEffect

__all__ = ["constrained", "posterior_draws"]

Floats = NDArray[np.float64]


def constrained(built: BuiltModel, unconstrained: Floats) -> dict[str, Floats]:
    """Return the free variables of the sampled model from flat unconstrained draws (S, dimensions)."""
    model = built.pymc_model
    out: dict[str, Floats] = {}
    start = 0
    shapes = model.eval_rv_shapes()
    for rv in model.free_RVs:
        shape = tuple(int(n) for n in shapes[rv.name])
        size = int(np.prod(shape, dtype=int))
        raw = unconstrained[:, start : start + size].reshape((len(unconstrained), *shape))
        start += size
        transform = model.rvs_to_transforms[rv]
        name = getattr(transform, "name", None)
        if transform is None:
            out[rv.name] = raw
        elif name == "log":
            out[rv.name] = np.exp(raw)
        elif name == "logodds":
            out[rv.name] = 1.0 / (1.0 + np.exp(-raw))
        else:
            raise FitError(f"{rv.name} has an unexpected transform {name!r}")
    return out


def posterior_draws(
    built: BuiltModel, free: Mapping[str, Floats], n_chains: int, n_draws: int
) -> PosteriorDraws:
    """Return draws on the scale of the data from the sampled model's free variables, each (S, …)."""
    factors = {
        factor.variable: _factor_draws(factor, built, free, n_chains * n_draws)
        for factor in built.model.factors
    }
    cells = {
        name: built.model.factor(name).location + built.model.factor(name).spread * free[f"cell::{name}"]
        for name in built.tables.n_cells
    }
    return PosteriorDraws(n_chains, n_draws, factors, cells)


def _factor_draws(factor: Factor, built: BuiltModel, free: Mapping[str, Floats], n: int) -> FactorDraws:
    key = factor.variable
    coefficients = np.zeros((n, 0))
    if factor.n_coefficients:
        coefficients = free[f"{key}::coefficients"] @ factor.whitening.T
    intercept = None
    if factor.priors.intercept is not None:
        centred = factor.location + factor.spread * free[f"{key}::intercept"]
        intercept = centred - (coefficients @ factor.centers if factor.n_coefficients else 0.0)
    sds: dict[str, Floats] = {}
    correlations: dict[str, Floats] = {}
    effects: dict[str, Floats] = {}
    for effect in factor.effects:
        name = f"{key}::sd::{effect.grouping}"
        if name in free:
            sds[effect.grouping] = free[name]
        else:
            sds[effect.grouping] = np.stack([free[f"{name}::{j}"] for j in range(effect.n_effects)], axis=1)
        correlations[effect.grouping] = _correlation(key, effect, free, n)
        treatment = built.plan.effect(key, effect.grouping).treatment
        if treatment == "collapse":
            continue
        raw = free[f"{key}::effects::{effect.grouping}"]
        if treatment == "centred":
            scale = factor.spread if not factor.family.is_discrete else 1.0
            effects[effect.grouping] = scale * raw
        else:
            root = sds[effect.grouping][:, :, None] * np.linalg.cholesky(correlations[effect.grouping])
            effects[effect.grouping] = np.einsum("sij,sgj->sgi", root, raw)
    scales = {name: free[f"{key}::{name}"] for name in factor.family.scale_parameters}
    return FactorDraws(intercept, coefficients, scales, sds, correlations, effects)


def _correlation(key: str, effect: GroupEffect, free: Mapping[str, Floats], n: int) -> Floats:
    """Correlation matrices (S, q, q), block by block."""
    q = effect.n_effects
    out = np.tile(np.eye(q), (n, 1, 1))
    for b, (start, stop) in enumerate(effect.blocks):
        size = stop - start
        if size == 1:
            continue
        half = free[f"{key}::partial::{effect.grouping}::{b}"]
        partials = [2.0 * half[:, k] - 1.0 for k in range(len(pairs(size)))]
        rows = cholesky_rows(np, partials, size)
        for i in range(size):
            for j in range(i):
                value = sum(rows[i][k] * rows[j][k] for k in range(j + 1))
                out[:, start + i, start + j] = out[:, start + j, start + i] = value
    return out
