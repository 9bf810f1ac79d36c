"""From the sampler's variables to parameters on the scale of the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build import BuiltModel
from bayesmi.build.centring import centrings, thresholds_of
from bayesmi.build.correlation import cholesky_rows, pairs
from bayesmi.build.links import LINK_FLOOR, sd_spread, typical_link_sds
from bayesmi.build.program import Program
from bayesmi.build.regression import regression_of, whitening_beside
from bayesmi.build.selection_centring import selection_centring
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.families.ordinal import anchor_of
from bayesmi.fit.regressions import given_the_groups
from bayesmi.model.factor import Factor, GroupEffect

__all__ = ["constrained", "posterior_draws"]

Floats = NDArray[np.float64]


def constrained(program: Program, unconstrained: Floats) -> dict[str, Floats]:
    """Return the sampler's parameters by name, each (S, …), from flat unconstrained draws (S, dimensions)."""
    out: dict[str, Floats] = {}
    for parameter in program.parameters:
        raw = unconstrained[:, parameter.start : parameter.start + parameter.size]
        raw = raw.reshape((len(unconstrained), *parameter.shape))
        match parameter.transform:
            case "log":
                out[parameter.name] = np.exp(raw)
            case "softplus":
                out[parameter.name] = np.asarray(parameter.scales) * np.logaddexp(0.0, raw)
            case "correlation":
                out[parameter.name] = np.tanh(0.5 * raw)
            case "logit":
                out[parameter.name] = 1.0 / (1.0 + np.exp(-raw))
            case "ordered":
                at, own = parameter.anchor, np.asarray(parameter.locations)
                steps = own * np.exp(raw)
                free = own[at] + raw[:, at]
                below = free[:, None] - np.cumsum(steps[:, :at][:, ::-1], axis=1)[:, ::-1]
                above = free[:, None] + np.cumsum(steps[:, at + 1 :], axis=1)
                out[parameter.name] = np.concatenate([below, free[:, None], above], axis=1)
            case "identity" if parameter.locations:
                out[parameter.name] = np.asarray(parameter.locations).reshape(parameter.shape) + raw
            case _:
                out[parameter.name] = raw
    return out


def posterior_draws(
    built: BuiltModel, free: Mapping[str, Floats], n_chains: int, n_draws: int
) -> PosteriorDraws:
    """Return draws on the scale of the data from the sampled model's free variables, each (S, …)."""
    factors: dict[
        str, FactorDraws
    ] = {}  # earlier variables first: later ones may be centred on their effects
    for factor in built.model.factors:
        for part in factor.parts:
            for key in part.keys:
                factors[key] = _factor_draws(part, key, built, free, factors, n_chains * n_draws)
    cells = {
        name: built.model.factor(name).location + built.model.factor(name).spread * free[f"cell::{name}"]
        for name in built.tables.n_cells
    }
    return PosteriorDraws(n_chains, n_draws, factors, cells)


def _factor_draws(
    factor: Factor,
    key: str,
    built: BuiltModel,
    free: Mapping[str, Floats],
    earlier: Mapping[str, FactorDraws],
    n: int,
) -> FactorDraws:
    table = built.tables.of(factor)
    centring = centrings(factor, table, built.plan)
    regression = regression_of(factor, key, table, built.plan, centring)
    coefficients = np.ones((n, factor.n_coefficients))
    if factor.n_coefficients and not factor.is_observation:
        coefficients = free[f"{key}::coefficients"] @ whitening_beside(factor, centring, regression).T
    for m, (link, typical) in enumerate(zip(factor.links, typical_link_sds(factor), strict=True)):
        if regression is None or m not in regression.links:
            sd = free[f"{link.key}::sd::{link.grouping}"][:, link.position]
            coefficients[:, factor.design.n_columns + m] /= sd_spread(sd, typical, LINK_FLOOR)
    thresholds = thresholds_of(factor)
    cuts = None if thresholds is None else free[f"{factor.variable}::{thresholds}"]
    anchor = 0 if thresholds is None else anchor_of(factor.starts[thresholds])
    above = None  # the intercept over its location, or minus the threshold that is free over its start
    if factor.priors.intercept is not None:
        above = factor.spread * free[f"{key}::intercept"]
    elif cuts is not None:
        above = float(factor.starts[str(thresholds)][anchor]) - cuts[:, anchor]
    of_groups: dict[str, Floats] = {}  # values of the groups in a regression
    if regression is not None:
        weights = centring[regression.grouping].weights
        z = np.zeros((n, 0))
        if factor.n_coefficients:
            z = free[f"{key}::coefficients"][:, regression.places(factor.design.n_columns)]
        if regression.intercept and above is not None:
            z = np.column_stack([above / factor.spread if cuts is None else -above, z])
        before = [
            earlier[factor.links[m].key].effects[factor.links[m].grouping][:, :, factor.links[m].position]
            for m in regression.links
        ]
        unseen = built.plan.effect(factor.name, regression.grouping).unseen
        if unseen is not None:
            before = [np.where(unseen, 0.0, one) for one in before]
        sd = free[f"{key}::sd::{regression.grouping}"][:, regression.position]
        raw = free[f"{key}::effects::{regression.grouping}"][:, :, regression.position]
        others = np.einsum(
            "gj,sj->sg",
            weights[regression.position][:, list(regression.rest)],
            coefficients[:, list(regression.rest)],
        )
        groups, found = given_the_groups(regression, factor.spread, raw, z, sd, others, before)
        of_groups[regression.grouping] = groups
        coefficients[:, regression.places(factor.design.n_columns)] = found[:, int(regression.intercept) :]
        above = found[:, 0] if regression.intercept else above
        if cuts is not None and above is not None:
            cuts = cuts + (float(factor.starts[str(thresholds)][anchor]) - above - cuts[:, anchor])[:, None]
    intercept = None
    if factor.priors.intercept is not None and above is not None:
        centred = factor.location + above
        intercept = centred - (coefficients @ factor.centers if factor.n_coefficients else 0.0)
    elsewhere = selection_centring(factor, built.tables, built.plan)
    sds: dict[str, Floats] = {}
    correlations: dict[str, Floats] = {}
    effects: dict[str, Floats] = {}
    for effect in factor.effects:
        sds[effect.grouping] = free[f"{key}::sd::{effect.grouping}"]
        correlations[effect.grouping] = _correlation(key, effect, free, n)
        planned = built.plan.effect(factor.name, effect.grouping)
        if planned.treatment == "collapse":
            continue
        raw = free[f"{key}::effects::{effect.grouping}"]
        if planned.n_centred:
            effects[effect.grouping] = factor.spread * raw
            if effect.grouping in of_groups and regression is not None:
                effects[effect.grouping][:, :, regression.position] = of_groups[effect.grouping]
            if effect.grouping in centring:
                own = centring[effect.grouping]
                p = own.weights.shape[2]
                shift = np.einsum("qgj,sj->sgq", own.weights, coefficients[:, :p])
                if own.intercept >= 0 and above is not None:
                    shift[:, :, own.intercept] += above[:, None]
                for one in own.cells:
                    source = built.model.factor(one.variable)
                    cell = source.location + source.spread * free[f"cell::{one.variable}"][:, one.index]
                    shift[:, one.group, one.effect] += one.weight * coefficients[:, one.column] * cell
                for m, c in own.links:
                    link = factor.links[m]
                    linked = earlier[link.key].effects[link.grouping][:, :, link.position]
                    shift[:, :, c] += coefficients[:, [factor.design.n_columns + m]] * linked
                effects[effect.grouping] -= shift
            if effect.grouping in elsewhere and factor.selection is not None:
                beside = elsewhere[effect.grouping]
                effects[effect.grouping][:, :, beside.first :] -= beside.shift(
                    *_of_selection(factor.selection, free)
                )
        if planned.n_centred < effect.n_effects or planned.unseen is not None:
            root = sds[effect.grouping][:, :, None] * np.linalg.cholesky(correlations[effect.grouping])
            n_centred, z = planned.n_centred, raw.copy()
            if n_centred:
                centred_ones = np.swapaxes(effects[effect.grouping][:, :, :n_centred], 1, 2)
                solved = np.linalg.solve(root[:, :n_centred, :n_centred], centred_ones)
                z[:, :, :n_centred] = np.swapaxes(solved, 1, 2)
            if planned.unseen is not None:  # what says nothing is not centred
                z[:, planned.unseen] = raw[:, planned.unseen]
            effects[effect.grouping] = np.einsum("sij,sgj->sgi", root, z)
    scales = {}
    for parameter in factor.parameters if key == factor.keys[0] else ():
        values = free[f"{factor.variable}::{parameter.name}"]
        if cuts is not None and parameter.name == thresholds:
            values = cuts
        if (
            parameter.per_level and factor.n_coefficients
        ):  # at the predictors' means inside, at zero as reported
            values = values + (coefficients @ factor.centers)[:, None]
        scales[parameter.name] = values
    return FactorDraws(intercept, coefficients, scales, sds, correlations, effects)


def _of_selection(part: Factor, free: Mapping[str, Floats]) -> tuple[Floats | None, Floats]:
    """Return the intercepts of a selection equation over their location, (S,), and its coefficients, (S, p)."""
    key = part.keys[0]
    above = None if part.priors.intercept is None else part.spread * free[f"{key}::intercept"]
    n = len(next(iter(free.values())))
    if not part.n_coefficients:
        return above, np.zeros((n, 0))
    return above, free[f"{key}::coefficients"] @ part.whitening.T


def _correlation(key: str, effect: GroupEffect, free: Mapping[str, Floats], n: int) -> Floats:
    """Correlation matrices (S, q, q), block by block."""
    q = effect.n_effects
    out = np.tile(np.eye(q), (n, 1, 1))
    for b, (start, stop) in enumerate(effect.blocks):
        size = stop - start
        if size == 1:
            continue
        if effect.known_correlation is not None:
            half = np.full((n, 1), 0.5 * (1.0 + effect.known_correlation))
        else:
            half = free[f"{key}::partial::{effect.grouping}::{b}"]
        partials = [2.0 * half[:, k] - 1.0 for k in range(len(pairs(size)))]
        rows = cholesky_rows(np, partials, size)
        for i in range(size):
            for j in range(i):
                value = sum(rows[i][k] * rows[j][k] for k in range(j + 1))
                out[:, start + i, start + j] = out[:, start + j, start + i] = value
    return out
