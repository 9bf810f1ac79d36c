"""The model as a good PyMC user would write it: every informative cell and every group effect a latent.

To read, to extend, and to hold against the hand-written models in `models/`. What `fit` samples has the same
posterior but may have cells summed out and group effects integrated out.
"""

# ruff: noqa: E402
from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor

# a pip install has no BLAS to link and PyMC would warn; no graph of ours needs one
pytensor.config.blas__ldflags = ""

import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayesmi.build.correlation import beta_shapes, cholesky_rows, pairs
from bayesmi.build.distributions import distribution
from bayesmi.errors import NotSupportedError
from bayesmi.model.assemble import response_codes
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.model.model import Model
from bayesmi.plan import Plan
from bayesmi.priors import Prior

__all__ = ["build_plain"]

_MOST_DISCRETE = 6


def build_plain(model: Model) -> pm.Model:
    """Return an ordinary pm.Model with Bambi's names, dims and coords."""
    plan = model.plan()
    table = model.table
    index = [str(label) if not isinstance(label, int | np.integer) else label for label in table.frame.index]
    coords: dict[str, Any] = {"__obs__": np.flatnonzero(plan.active[model.response])}
    for name, group in table.groupings.items():
        coords[f"{name}__factor_dim"] = list(group.labels)
    with pm.Model(coords=coords) as built:
        cells: dict[str, tuple[NDArray[np.intp], Any]] = {}
        effects: dict[tuple[str, str], Any] = {}
        for factor in model.factors:
            _add(factor, model, plan, cells, effects, index)
    return built


def _add(
    factor: Factor,
    model: Model,
    plan: Plan,
    cells: dict[str, tuple[NDArray[np.intp], Any]],
    effects: dict[tuple[str, str], Any],
    index: list[Any],
) -> None:
    table, name, prefix = model.table, factor.variable, factor.prefix
    units = np.flatnonzero(plan.active[name])
    intercept, coefficients = _fixed(factor)
    scales = {key: distribution(prior, f"{prefix}{key}") for key, prior in factor.priors.scales.items()}
    for effect in factor.effects:
        effects[name, effect.grouping] = _effects(factor, effect)
    unknown = table.unknown_at(name, factor.level)[units]

    def eta_at(chosen: NDArray[np.intp]) -> Any:
        return _linear_predictor(factor, model, chosen, cells, effects, intercept, coefficients)

    response = response_codes(table, name, factor.family)[table.rows_of_level(factor.level)]
    observed = units[~unknown]
    observed_name = name if factor.role == "analysis" else f"{name}__observed"
    dims = "__obs__" if factor.role == "analysis" and not unknown.any() else f"{name}__obs"
    if dims != "__obs__":
        pm.modelcontext(None).add_coord(dims, observed)
    factor.family.pymc(observed_name, eta_at(observed), scales, observed=response[observed], dims=dims)
    missing = units[unknown]
    if missing.size:
        labels = (
            [index[row] for row in missing]
            if factor.level == "row"
            else [table.groupings[factor.level].labels[unit] for unit in missing]
        )
        pm.modelcontext(None).add_coord(
            f"{name}__cell", labels if len(set(labels)) == len(labels) else list(missing)
        )
        cells[name] = (
            missing,
            factor.family.pymc(f"cell__{name}", eta_at(missing), scales, dims=f"{name}__cell"),
        )


def _fixed(factor: Factor) -> tuple[Any, list[Any]]:
    """Return (intercept with all predictors at zero, coefficients by design column, links last)."""
    prefix, priors = factor.prefix, factor.priors
    coefficients: list[Any] = []
    for block in factor.design.blocks:
        own = priors.coefficients[block.start : block.stop]
        if block.labels is None:
            coefficients.append(distribution(own[0], f"{prefix}{block.name}"))
            continue
        dim = f"{prefix}{block.name}_dim"
        pm.modelcontext(None).add_coord(dim, list(block.labels))
        vector = _vector(f"{prefix}{block.name}", own, dim)
        coefficients += [vector[j] for j in range(len(own))]
    for link, prior in zip(factor.links, priors.coefficients[factor.design.n_columns :], strict=True):
        coefficients.append(distribution(prior, f"{prefix}{link.name}"))
    if priors.intercept is None:
        return 0.0, coefficients
    if not priors.intercept_at_means or not factor.design.n_columns:
        return distribution(priors.intercept, f"{prefix}Intercept"), coefficients
    centred = distribution(priors.intercept, f"{prefix}Intercept_centered")
    shift = sum(c * b for c, b in zip(factor.centers, coefficients, strict=True))
    return pm.Deterministic(f"{prefix}Intercept", centred - shift), coefficients


def _vector(name: str, priors: tuple[Prior, ...], dim: str) -> Any:
    kinds = {prior.name for prior in priors}
    if len(kinds) > 1:
        parts = [distribution(prior, f"{name}[{j}]") for j, prior in enumerate(priors)]
        return pm.Deterministic(name, pt.stack(parts), dims=dim)
    stacked = {key: np.array([prior.parameters[key] for prior in priors]) for key in priors[0].parameters}
    return getattr(pm, priors[0].name)(name, **stacked, dims=dim)


def _effects(factor: Factor, effect: GroupEffect) -> Any:
    """Group effects (G, q), each also under its own name."""
    prefix, grouping = factor.prefix, effect.grouping
    dim = f"{grouping}__factor_dim"
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
        shapes = beta_shapes(size, factor.priors.correlations[grouping])
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
        pm.modelcontext(None).add_coord(f"{label}_dim", list(effect.pair_labels))
        pm.Deterministic(label, pt.stack(products), dims=f"{label}_dim")
    return pt.stack(columns, axis=1)


def _linear_predictor(
    factor: Factor,
    model: Model,
    units: NDArray[np.intp],
    cells: Mapping[str, tuple[NDArray[np.intp], Any]],
    effects: Mapping[tuple[str, str], Any],
    intercept: Any,
    coefficients: list[Any],
) -> Any:
    """Linear predictor on the given units; discrete latents by the sum over their values of indicator times value."""
    table, level = model.table, factor.level
    values: dict[str, Any] = {name: table.at(name, level)[units] for name in factor.parents}
    indicators: dict[str, Any] = {}
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
        if model.factor(name).family.is_discrete:
            top = table.levels_of(name)[1]
            known = (values[name] == top).astype(float)
            indicators[name] = pt.set_subtensor(pt.as_tensor(known)[places], chosen)
        else:
            static = np.nan_to_num(values[name])
            values[name] = pt.set_subtensor(pt.as_tensor(static)[places], chosen)
    if len(indicators) > _MOST_DISCRETE:
        raise NotSupportedError(
            f"to_pymc() with more than {_MOST_DISCRETE} incomplete binary predictors in one conditional "
            f"({factor.variable}) is not supported; fit() is"
        )
    names = sorted(indicators)
    total: Any = 0.0
    for combination in itertools.product(*(range(2) for _ in names)):
        weight: Any = 1.0
        chosen_values = dict(values)
        for name, which in zip(names, combination, strict=True):
            weight = weight * (indicators[name] if which else 1.0 - indicators[name])
            chosen_values[name] = np.full(len(units), table.levels_of(name)[which])
        total = total + weight * _eta(factor, model, units, chosen_values, effects, intercept, coefficients)
    return total


def _eta(
    factor: Factor,
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
        source = model.factor(link.variable).effect(link.grouping)
        u = effects[link.variable, link.grouping][:, source.names.index("1")]
        eta = eta + coefficient * u[table.codes_at(link.grouping, level)[units]]
    for effect in factor.effects:
        u = effects[factor.variable, effect.grouping]
        codes = table.codes_at(effect.grouping, level)[units]
        j = 0
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
    return eta
