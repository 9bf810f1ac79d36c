"""The model as a good PyMC user would write it: every informative cell and every group effect a latent.

To read, to extend, and to hold against the hand-written models in `models/`. What `fit` samples has the same
posterior but may have cells summed out and group effects integrated out.
"""

# ruff: noqa: E402
from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pytensor

# a pip install has no BLAS to link and PyMC would warn; no graph of ours needs one
pytensor.config.blas__ldflags = ""

import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayesmi.build.correlation import beta_shapes, cholesky_rows, pairs
from bayesmi.build.distributions import distribution
from bayesmi.build.plain_limits import divide_by_arrival, limit_options, restrict_levels
from bayesmi.build.plain_systems import restrict_discrete, solved_cells
from bayesmi.build.tree_name import tree_name
from bayesmi.errors import NotSupportedError
from bayesmi.families.selected import Selected, prior_of_half
from bayesmi.model.factor import Factor, GroupEffect, SharedEffect
from bayesmi.model.model import Model
from bayesmi.plan import Plan
from bayesmi.priors import Prior

__all__ = ["build_plain"]

_MOST_DISCRETE = 6


class _NamedByTerms(pm.Model):
    """A pm.Model whose names are terms: a slash, which PyMC has for groups, is written as a division sign (U+2215)."""

    def name_for(self, name: str) -> str:
        return str(super().name_for(tree_name(name)))


def build_plain(model: Model) -> pm.Model:
    """Return an ordinary pm.Model with Bambi's names, dims and coords, as a DataTree can hold them."""
    plan = model.plan()
    table = model.table
    index = [str(label) if not isinstance(label, int | np.integer) else label for label in table.frame.index]
    coords: dict[str, Any] = {"__obs__": np.flatnonzero(plan.active[model.response])}
    for name, group in table.groupings.items():
        coords[tree_name(f"{name}__factor_dim")] = list(group.labels)
    with _NamedByTerms(coords=coords) as built:
        cells: dict[str, tuple[NDArray[np.intp], Any]] = {}
        effects: dict[tuple[str, str], Any] = {}
        for factor in model.factors:
            _add(factor, model, plan, cells, effects, index)
        restrict_discrete(model, plan, cells)
    return built


def _add(
    factor: Factor,
    model: Model,
    plan: Plan,
    cells: dict[str, tuple[NDArray[np.intp], Any]],
    effects: dict[tuple[str, str], Any],
    index: list[Any],
) -> None:
    table, name = model.table, factor.variable
    units = np.flatnonzero(plan.active[name])
    fixed = _fixed(factor)
    scales = _parameters(factor, [coefficients for _, coefficients in fixed])
    for part in factor.parts:
        for effect in part.effects:
            effects |= {
                (key, effect.grouping): own
                for key, own in zip(part.keys, _effects(part, effect), strict=True)
            }
    of_scale = _fixed(factor.scale)[0] if factor.scale is not None else None
    of_selection = _fixed(factor.selection)[0] if factor.selection is not None else None
    if factor.selection is not None:
        for one in factor.selection.shared:
            effects[factor.selection.keys[0], one.grouping] = effects[factor.keys[0], one.grouping]
    unknown = table.unknown_at(name, factor.level)[units]

    def eta_at(chosen: NDArray[np.intp]) -> Any:
        each = [
            _linear_predictor(factor, key, model, chosen, cells, effects, intercept, coefficients)
            for key, (intercept, coefficients) in zip(factor.keys, fixed, strict=True)
        ]
        return each if factor.family.has_equations else each[0]

    response = factor.codes(table.values[name])[table.rows_of_level(factor.level)]

    def scales_at(chosen: NDArray[np.intp]) -> dict[str, Any]:
        known: dict[str, Any] = dict(
            factor.known(lambda name: table.at(name, factor.level)[chosen], len(chosen))
        )
        if factor.selection is not None and of_selection is not None:
            known["selection"] = _linear_predictor(
                factor.selection, factor.selection.keys[0], model, chosen, cells, effects, *of_selection
            )
        if factor.scale is None or of_scale is None:
            return scales | known
        log_scale = _linear_predictor(
            factor.scale, factor.scale.keys[0], model, chosen, cells, effects, *of_scale
        )
        return scales | known | {factor.scale.parameter: pt.exp(log_scale)}

    observed = units[~unknown]
    observed_name = name if factor.role == "analysis" else f"{name}__observed"
    dims = "__obs__" if factor.role == "analysis" and not unknown.any() else tree_name(f"{name}__obs")
    if dims != "__obs__":
        pm.modelcontext(None).add_coord(dims, observed)
    seen = factor.family.pymc(
        observed_name, eta_at(observed), scales_at(observed), observed=response[observed], dims=dims
    )
    divide_by_arrival(observed_name, factor, observed, table, seen)
    follows = plan.units(name, "solve")
    missing = np.setdiff1d(units[unknown], follows)
    if factor.selection is not None:  # not selected, and nothing depends on the value
        alone = np.intersect1d(missing, plan.units(name, "predict"))
        missing = np.setdiff1d(missing, alone)
        if alone.size:
            unseen = cast(Selected, factor.family).log_unseen(pt, scales_at(alone))
            pm.Potential(f"{name}__not_selected", unseen)
    if missing.size:
        labels = (
            [index[row] for row in missing]
            if factor.level == "row"
            else [table.groupings[factor.level].labels[unit] for unit in missing]
        )
        pm.modelcontext(None).add_coord(
            tree_name(f"{name}__cell"), labels if len(set(labels)) == len(labels) else list(missing)
        )
        cells[name] = (
            missing,
            factor.family.pymc(
                f"cell__{name}",
                eta_at(missing),
                scales_at(missing),
                dims=tree_name(f"{name}__cell"),
                **limit_options(factor, missing, table),
            ),
        )
        restrict_levels(name, factor, missing, table, cells[name][1])
        divide_by_arrival(f"cell__{name}", factor, missing, table, cells[name][1])
    if follows.size:
        everything = units[unknown]
        latent: Any = pt.zeros(len(everything))
        if missing.size:
            latent = pt.set_subtensor(latent[np.searchsorted(everything, missing)], cells[name][1])
        for number, (own, value, slope) in enumerate(solved_cells(name, model, plan, cells)):
            latent = pt.set_subtensor(latent[np.searchsorted(everything, own)], value)
            low, high = factor.family.support[:2]
            inside = (value > low) & (value < high)
            safe = pt.switch(inside, value, float(np.nanmedian(table.values[name])))
            density = factor.family.log_density(pt, safe, eta_at(own), scales_at(own))
            pm.Potential(f"cell__{name}__solved_{number}", pt.switch(inside, density + slope, -np.inf))
        cells[name] = (everything, latent)


def _parameters(factor: Factor, coefficients: list[list[Any]]) -> dict[str, Any]:
    """Parameters of the family; thresholds are those with all predictors at zero."""
    out: dict[str, Any] = {}
    for parameter in factor.parameters:
        name, prior = f"{factor.prefix}{parameter.name}", factor.priors.scales[parameter.name]
        if parameter.transform == "correlation":
            half = distribution(prior_of_half(prior), f"{name}__half")
            out[parameter.name] = pm.Deterministic(name, 2.0 * half - 1.0)
            continue
        if not parameter.per_level:
            # a slant starts away from zero, where its information is singular
            options = (
                {"initval": factor.starts[parameter.name][0]} if parameter.transform == "identity" else {}
            )
            out[parameter.name] = distribution(prior, name, **options)
            continue
        dim = tree_name(f"{name}_dim")
        start = factor.starts[parameter.name]
        pm.modelcontext(None).add_coord(dim, np.arange(len(start)))
        options = {"transform": pm.distributions.transforms.ordered, "initval": start, "dims": dim}
        shift: Any = sum(c * b for c, b in zip(factor.centers, coefficients[0], strict=True))
        if factor.priors.scales_at_means and factor.n_coefficients:
            centred = distribution(prior, f"{name}_centered", **options)
            out[parameter.name] = pm.Deterministic(name, centred + shift, dims=dim)
        else:
            out[parameter.name] = distribution(prior, name, **options)
    return out


def _fixed(factor: Factor) -> list[tuple[Any, list[Any]]]:
    """For each linear predictor (intercept with all predictors at zero, coefficients by design column, links last)."""
    prefix, priors = factor.prefix, factor.priors
    n = len(factor.keys)
    if factor.is_observation:
        return [(0.0, [1.0] * factor.n_coefficients)]
    level: tuple[str, ...] = ()
    if factor.labels:
        level = (tree_name(f"{factor.variable}__level"),)
        pm.modelcontext(None).add_coord(level[0], list(factor.labels))
    columns: list[list[Any]] = [[] for _ in range(n)]  # by linear predictor
    for block in factor.design.blocks:
        own = priors.coefficients[block.start : block.stop]
        dims: tuple[str, ...] = level
        if block.labels is not None:
            dims = (*level, tree_name(f"{prefix}{block.name}_dim"))
            pm.modelcontext(None).add_coord(dims[-1], list(block.labels))
        vector = _vector(f"{prefix}{block.name}", own, dims, n, matrix=block.labels is not None)
        for j, mine in enumerate(columns):
            one = vector[j] if level else vector
            mine += [one[c] for c in range(len(own))] if block.labels is not None else [one]
    for link, prior in zip(factor.links, priors.coefficients[factor.design.n_columns :], strict=True):
        vector = _vector(f"{prefix}{link.name}", (prior,), level, n, matrix=False)
        for j, mine in enumerate(columns):
            mine.append(vector[j] if level else vector)
    if priors.intercept is None:
        return [(0.0, mine) for mine in columns]
    if not priors.intercept_at_means or not factor.design.n_columns:
        intercept = _vector(f"{prefix}Intercept", (priors.intercept,), level, n, matrix=False)
        return [(intercept[j] if level else intercept, mine) for j, mine in enumerate(columns)]
    centred = _vector(f"{prefix}Intercept_centered", (priors.intercept,), level, n, matrix=False)
    shifts = [sum(c * b for c, b in zip(factor.centers, mine, strict=True)) for mine in columns]
    if not level:
        return [(pm.Deterministic(f"{prefix}Intercept", centred - shifts[0]), columns[0])]
    whole = pm.Deterministic(f"{prefix}Intercept", centred - pt.stack(shifts), dims=level)
    return [(whole[j], mine) for j, mine in enumerate(columns)]


def _vector(name: str, priors: tuple[Prior, ...], dims: tuple[str, ...], n: int, *, matrix: bool) -> Any:
    """One variable for a term's coefficients: a number, a vector over levels or columns, or a matrix of both."""
    if not dims:
        return distribution(priors[0], name)
    if len({prior.name for prior in priors}) > 1:
        parts = [
            distribution(prior, f"{name}[{j}]", **({"dims": dims[:-1]} if len(dims) > 1 else {}))
            for j, prior in enumerate(priors)
        ]
        return pm.Deterministic(name, pt.stack(parts, axis=-1), dims=dims)
    stacked = {key: np.array([prior.parameters[key] for prior in priors]) for key in priors[0].parameters}
    if not matrix:
        stacked = {key: np.full(n, values[0]) for key, values in stacked.items()}
    elif len(dims) > 1:
        stacked = {key: np.tile(values, (n, 1)) for key, values in stacked.items()}
    return getattr(pm, priors[0].name)(name, **stacked, dims=dims)


def _effects(factor: Factor, effect: GroupEffect) -> list[Any]:
    """Group effects (G, q) of each linear predictor."""
    if not factor.labels:
        return [_one_effects(factor, effect, factor.prefix)]
    # a family with several predictors has its effects level by level, stacked afterwards under the posterior's names
    each = [_one_effects(factor, effect, f"{factor.prefix}{label}__") for label in factor.labels]
    model, level, grouping = pm.modelcontext(None), tree_name(f"{factor.variable}__level"), effect.grouping
    dim = tree_name(f"{grouping}__factor_dim")
    for j, name in enumerate(effect.names):
        pm.Deterministic(
            f"{factor.prefix}{name}|{grouping}", pt.stack([own[:, j] for own in each]), dims=(level, dim)
        )
        sds = [model[f"{factor.prefix}{label}__{name}|{grouping}_sigma"] for label in factor.labels]
        pm.Deterministic(f"{factor.prefix}{name}|{grouping}_sigma", pt.stack(sds), dims=level)
    if effect.is_correlated:
        name = f"{factor.prefix}{grouping}__corr"
        model.add_coord(tree_name(f"{name}_dim"), list(effect.pair_labels))
        each_corr = [model[f"{factor.prefix}{label}__{grouping}__corr"] for label in factor.labels]
        pm.Deterministic(name, pt.stack(each_corr), dims=(level, tree_name(f"{name}_dim")))
    return each


def _one_effects(factor: Factor, effect: GroupEffect, prefix: str) -> Any:
    """Group effects (G, q), each also under its own name."""
    grouping = effect.grouping
    dim = tree_name(f"{grouping}__factor_dim")
    sds = [
        distribution(prior, f"{prefix}{name}|{grouping}_sigma")
        for name, prior in zip(effect.names, factor.priors.group_sds[grouping], strict=True)
    ]
    columns: list[Any] = []
    products: list[Any] = []
    for start, stop in effect.blocks:
        size = stop - start
        if size == 1:
            columns.append(pm.Normal(f"{prefix}{effect.names[start]}|{grouping}", 0.0, sds[start], dims=dim))
            continue
        label = f"{prefix}{grouping}__" if len(effect.blocks) == 1 else f"{prefix}{grouping}__{start}_"
        shapes = beta_shapes(size, factor.priors.correlations.get(grouping, 1.0))
        if effect.known_correlation is not None:
            half = pt.as_tensor(np.array([0.5 * (1.0 + effect.known_correlation)]))
        else:
            half = pm.Beta(f"{label}partial", shapes, shapes, shape=(len(pairs(size)),))
        rows = cholesky_rows(pt, [2.0 * half[k] - 1.0 for k in range(len(pairs(size)))], size)
        products += [sum(rows[i][k] * rows[j][k] for k in range(j + 1)) for i, j in pairs(size)]
        root = pt.stack(
            [
                pt.stack([sds[start + i] * rows[i][j] if j <= i else pt.constant(0.0) for j in range(size)])
                for i in range(size)
            ]
        )
        n_groups = len(pm.modelcontext(None).coords[dim])
        u = pm.MvNormal(f"{label}effects", mu=np.zeros(size), chol=root, shape=(n_groups, size))
        for i in range(size):
            columns.append(
                pm.Deterministic(f"{prefix}{effect.names[start + i]}|{grouping}", u[:, i], dims=dim)
            )
    if products:
        label = f"{prefix}{grouping}__corr"
        pm.modelcontext(None).add_coord(tree_name(f"{label}_dim"), list(effect.pair_labels))
        pm.Deterministic(label, pt.stack(products), dims=tree_name(f"{label}_dim"))
    return pt.stack(columns, axis=1)


def _linear_predictor(
    factor: Factor,
    key: str,
    model: Model,
    units: NDArray[np.intp],
    cells: Mapping[str, tuple[NDArray[np.intp], Any]],
    effects: Mapping[tuple[str, str], Any],
    intercept: Any,
    coefficients: list[Any],
) -> Any:
    """Linear predictor on the given units; latent levels by the sum over them of indicator times value."""
    table, level = model.table, factor.level
    values: dict[str, Any] = {name: table.at(name, level)[units] for name in factor.parents}
    indicators: dict[str, list[Any]] = {}
    for name in sorted(factor.parents):
        if name not in cells:
            continue
        missing, latent = cells[name]
        at = table.level(name)
        own = units if at == level else table.codes_at(at, level)[units]
        position = np.full(len(table.rows_of_level(at)), -1)
        position[missing] = np.arange(len(missing))
        places = np.flatnonzero(position[own] >= 0)
        if not places.size:
            continue
        chosen = latent[position[own][places]]
        parent = model.factor(name)
        if parent.family.has_levels:
            codes = parent.codes(values[name])
            indicators[name] = [
                pt.set_subtensor(pt.as_tensor((codes == k).astype(float))[places], pt.eq(chosen, k))
                for k in range(len(parent.levels))
            ]
        else:
            static = np.nan_to_num(values[name])
            values[name] = pt.set_subtensor(pt.as_tensor(static)[places], chosen)
    for name, mean in factor.means.items():
        whole = pt.as_tensor(np.nan_to_num(table.values[mean.variable]))
        if mean.variable in cells:
            whole = pt.set_subtensor(whole[cells[mean.variable][0]], cells[mean.variable][1])
        group = table.groupings[mean.grouping]
        total_of = pt.zeros(group.n_groups)
        means = pt.inc_subtensor(total_of[group.codes], whole) / group.sizes
        values[name] = mean.values(whole, means[group.codes])[units]
    if int(np.prod([len(each) for each in indicators.values()])) > 2**_MOST_DISCRETE:
        raise NotSupportedError(
            f"to_pymc() with more than {2**_MOST_DISCRETE} combinations of incomplete categorical predictors in one "
            f"conditional ({factor.variable}) is not supported; fit() is"
        )
    names = sorted(indicators)
    total: Any = 0.0
    for combination in itertools.product(*(range(len(indicators[name])) for name in names)):
        weight: Any = 1.0
        chosen_values = dict(values)
        for name, which in zip(names, combination, strict=True):
            weight = weight * indicators[name][which]
            chosen_values[name] = np.full(len(units), model.factor(name).levels[which])
        total = total + weight * _eta(
            factor, key, model, units, chosen_values, effects, intercept, coefficients
        )
    return total


def _eta(
    factor: Factor,
    key: str,
    model: Model,
    units: NDArray[np.intp],
    values: Mapping[str, Any],
    effects: Mapping[tuple[str, str], Any],
    intercept: Any,
    coefficients: list[Any],
) -> Any:
    table, level = model.table, factor.level
    n_design = factor.design.n_columns
    eta: Any = pt.zeros((len(units),)) + intercept
    if n_design:
        for coefficient, column in zip(coefficients, factor.design.columns(values), strict=False):
            eta = eta + coefficient * column
    for link, coefficient in zip(factor.links, coefficients[n_design:], strict=True):
        u = effects[link.key, link.grouping][:, link.position]
        eta = eta + coefficient * u[table.codes_at(link.grouping, level)[units]]
    every: tuple[GroupEffect | SharedEffect, ...] = (*factor.effects, *factor.shared)
    for effect in every:
        u = effects[key, effect.grouping]
        codes = table.codes_at(effect.grouping, level)[units]
        j = effect.first if isinstance(effect, SharedEffect) else 0
        for design in effect.designs:
            if design.intercept:
                eta = eta + u[codes, j]
                j += 1
            if design.n_columns:
                for column in design.columns(values):
                    eta = eta + column * u[codes, j]
                    j += 1
    if factor.offsets.n_columns:
        for column in factor.offsets.columns(values):
            eta = eta + column
    if key in factor.shifts:
        eta = eta + table.at(factor.shifts[key], level)[units]
    return eta
