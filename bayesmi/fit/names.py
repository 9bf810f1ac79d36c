"""Public names of the posterior: Bambi's for the analysis model, prefixed by the variable for every other factor.

The two directions stand side by side: draws to a Dataset, and back (for a Fit that was saved).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmi.build.tree_name import in_tree, tree_name
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.fit.contextual_view import as_sampled, as_written, written_factor
from bayesmi.model import Model
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.plan import Plan

__all__ = ["from_dataset", "plain_labels", "row_labels", "to_dataset"]

Floats = NDArray[np.float64]


def to_dataset(draws: PosteriorDraws, model: Model, plan: Plan) -> xr.Dataset:
    """Return the posterior group: parameters, group effects and sampled cells with dims and coords."""
    shape = (draws.n_chains, draws.n_draws)
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])}

    def put(name: str, values: Floats, dims: Sequence[str] = ()) -> None:
        variables[name] = (("chain", "draw", *dims), values.reshape(shape + values.shape[1:]))

    draws = as_written(model.factors, draws)
    estimated = [written_factor(factor) for factor in reversed(model.factors) if not factor.is_observation]
    for factor in (part for whole in estimated for part in whole.parts):
        prefix = factor.prefix
        each = [draws.factors[key] for key in factor.keys]
        level: tuple[str, ...] = ()
        if factor.labels:  # one number for each level with a linear predictor
            coords[f"{factor.variable}__level"] = list(factor.labels)
            level = (f"{factor.variable}__level",)

        def put_each(name: str, parts: list[Floats], dims: Sequence[str] = (), level: Any = level) -> None:
            put(name, np.stack(parts, axis=1) if level else parts[0], (*level, *dims))

        if each[0].intercept is not None:
            put_each(f"{prefix}Intercept", [own.intercept for own in each if own.intercept is not None])
        for block in factor.design.blocks:
            parts = [own.coefficients[:, block.start : block.stop] for own in each]
            if block.labels is None:
                put_each(f"{prefix}{block.name}", [part[:, 0] for part in parts])
            else:
                coords[f"{prefix}{block.name}_dim"] = list(block.labels)
                put_each(f"{prefix}{block.name}", parts, (f"{prefix}{block.name}_dim",))
        for j, link in enumerate(factor.links):
            put_each(
                f"{prefix}{link.name}", [own.coefficients[:, factor.design.n_columns + j] for own in each]
            )
        for name, values in each[0].scales.items():
            if values.ndim > 1:
                coords[f"{prefix}{name}_dim"] = np.arange(values.shape[1])
                put(f"{prefix}{name}", values, (f"{prefix}{name}_dim",))
            else:
                put(f"{prefix}{name}", values)
        for effect in factor.effects:
            _put_effects(put, put_each, coords, prefix, effect, each, model)
    for name, values in draws.cells.items():
        coords[f"{name}__cell"] = cell_labels(model, plan, name)
        put(f"cell__{name}", values, (f"{name}__cell",))
    return in_tree(xr.Dataset(variables, coords))


def _put_effects(
    put: Any,
    put_each: Any,
    coords: dict[str, Any],
    prefix: str,
    effect: GroupEffect,
    each: list[FactorDraws],
    model: Model,
) -> None:
    grouping = effect.grouping
    for j, name in enumerate(effect.names):
        put_each(f"{prefix}{name}|{grouping}_sigma", [own.sds[grouping][:, j] for own in each])
    if effect.is_correlated:
        dim = f"{prefix}{grouping}__corr_dim"
        coords[dim] = list(effect.pair_labels)
        entries = [
            np.stack([own.correlations[grouping][:, i, j] for i, j in effect.correlated_pairs], axis=1)
            for own in each
        ]
        put_each(f"{prefix}{grouping}__corr", entries, (dim,))
    if grouping in each[0].effects:
        coords[f"{grouping}__factor_dim"] = plain_labels(model.table.groupings[grouping].labels)
        for j, name in enumerate(effect.names):
            put_each(
                f"{prefix}{name}|{grouping}",
                [own.effects[grouping][:, :, j] for own in each],
                (f"{grouping}__factor_dim",),
            )


def plain_labels(labels: Sequence[Hashable]) -> NDArray[Any]:
    """Labels as an array that xarray and zarr can hold: integers as they are, everything else as text."""
    array = np.asarray(labels)
    if array.ndim == 1 and array.dtype.kind in "iuf":
        return array
    return np.array([str(label) for label in labels], dtype=object)


def row_labels(model: Model) -> NDArray[Any]:
    """Labels of all rows; positions where they are not unique."""
    index = model.frame.index
    return plain_labels(list(index)) if index.is_unique else np.arange(model.frame.n_rows)


def cell_labels(model: Model, plan: Plan, name: str) -> NDArray[Any]:
    """Row labels (or group labels) of a variable's sampled or held cells; positions where row labels are not unique."""
    held = plan.units(name, "gibbs")
    units = held if held.size else plan.units(name, "sample")
    level = model.factor(name).level
    if level == "row" and not model.frame.index.is_unique:
        return units
    if level == "row":
        return plain_labels([model.frame.index[unit] for unit in units])
    return plain_labels([model.table.groupings[level].labels[unit] for unit in units])


def from_dataset(dataset: xr.Dataset, model: Model) -> PosteriorDraws:
    """Return the draws that `to_dataset` named."""
    n_chains, n_draws = dataset.sizes["chain"], dataset.sizes["draw"]

    def get(name: str) -> Floats:
        values = dataset[tree_name(name)].transpose("chain", "draw", ...).values
        return np.asarray(values, dtype=float).reshape((n_chains * n_draws, *values.shape[2:]))

    factors = {
        key: _read_factor(written_factor(part), position, get, dataset, n_chains * n_draws)
        for factor in model.factors
        for part in factor.parts
        for position, key in enumerate(part.keys)
    }
    cells = {
        factor.variable: get(f"cell__{factor.variable}")
        for factor in model.factors
        if tree_name(f"cell__{factor.variable}") in dataset
    }
    return as_sampled(model.factors, PosteriorDraws(n_chains, n_draws, factors, cells))


def _read_factor(factor: Factor, position: int, whole: Any, dataset: xr.Dataset, n: int) -> FactorDraws:
    prefix = factor.prefix
    if factor.is_observation:
        return FactorDraws(None, np.ones((n, factor.n_coefficients)), {}, {}, {}, {})

    def get(name: str) -> Floats:
        values: Floats = whole(name)
        return values[:, position] if factor.labels else values

    columns = []
    for block in factor.design.blocks:
        values = get(f"{prefix}{block.name}")
        columns.append(values[:, None] if block.labels is None else values)
    columns += [get(f"{prefix}{link.name}")[:, None] for link in factor.links]
    sds, correlations, effects = {}, {}, {}
    for effect in factor.effects:
        grouping = effect.grouping
        sds[grouping] = np.stack([get(f"{prefix}{name}|{grouping}_sigma") for name in effect.names], axis=1)
        matrix = np.tile(np.eye(effect.n_effects), (n, 1, 1))
        if effect.is_correlated:
            values = get(f"{prefix}{grouping}__corr")
            for place, (i, j) in enumerate(effect.correlated_pairs):
                matrix[:, i, j] = matrix[:, j, i] = values[:, place]
        correlations[grouping] = matrix
        if tree_name(f"{prefix}{effect.names[0]}|{grouping}") in dataset:
            effects[grouping] = np.stack([get(f"{prefix}{name}|{grouping}") for name in effect.names], axis=2)
    return FactorDraws(
        get(f"{prefix}Intercept") if factor.priors.intercept is not None else None,
        np.concatenate(columns, axis=1) if columns else np.zeros((n, 0)),
        {p.name: whole(f"{prefix}{p.name}") for p in factor.parameters} if position == 0 else {},
        sds,
        correlations,
        effects,
    )
