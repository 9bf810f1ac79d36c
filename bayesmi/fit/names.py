"""Public names of the posterior: Bambi's for the analysis model, prefixed by the variable for every other factor.

The two directions stand side by side: draws to a Dataset, and back (for a Fit that was saved).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.model import Model
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.plan import Plan

__all__ = ["from_dataset", "to_dataset"]

Floats = NDArray[np.float64]


def to_dataset(draws: PosteriorDraws, model: Model, plan: Plan) -> xr.Dataset:
    """Return the posterior group: parameters, group effects and sampled cells with dims and coords."""
    shape = (draws.n_chains, draws.n_draws)
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])}

    def put(name: str, values: Floats, dims: Sequence[str] = ()) -> None:
        variables[name] = (("chain", "draw", *dims), values.reshape(shape + values.shape[1:]))

    for factor in reversed(model.factors):
        own, prefix = draws.factors[factor.variable], factor.prefix
        if own.intercept is not None:
            put(f"{prefix}Intercept", own.intercept)
        for block in factor.design.blocks:
            part = own.coefficients[:, block.start : block.stop]
            if block.labels is None:
                put(f"{prefix}{block.name}", part[:, 0])
            else:
                coords[f"{prefix}{block.name}_dim"] = list(block.labels)
                put(f"{prefix}{block.name}", part, (f"{prefix}{block.name}_dim",))
        for j, link in enumerate(factor.links):
            put(f"{prefix}{link.name}", own.coefficients[:, factor.design.n_columns + j])
        for name, values in own.scales.items():
            put(f"{prefix}{name}", values)
        for effect in factor.effects:
            _put_effects(put, coords, prefix, effect, own, model)
    for name, values in draws.cells.items():
        coords[f"{name}__cell"] = cell_labels(model, plan, name)
        put(f"cell__{name}", values, (f"{name}__cell",))
    return xr.Dataset(variables, coords)


def _put_effects(
    put: Any, coords: dict[str, Any], prefix: str, effect: GroupEffect, own: FactorDraws, model: Model
) -> None:
    grouping = effect.grouping
    for j, name in enumerate(effect.names):
        put(f"{prefix}{name}|{grouping}_sigma", own.sds[grouping][:, j])
    if effect.is_correlated:
        dim = f"{prefix}{grouping}__corr_dim"
        coords[dim] = list(effect.pair_labels)
        entries = [own.correlations[grouping][:, i, j] for i, j in effect.correlated_pairs]
        put(f"{prefix}{grouping}__corr", np.stack(entries, axis=1), (dim,))
    if grouping in own.effects:
        coords[f"{grouping}__factor_dim"] = plain_labels(model.table.groupings[grouping].labels)
        for j, name in enumerate(effect.names):
            put(f"{prefix}{name}|{grouping}", own.effects[grouping][:, :, j], (f"{grouping}__factor_dim",))


def plain_labels(labels: Sequence[Hashable]) -> NDArray[Any]:
    """Labels as an array that xarray and zarr can hold: integers as they are, everything else as text."""
    array = np.asarray(labels)
    if array.ndim == 1 and array.dtype.kind in "iuf":
        return array
    return np.array([str(label) for label in labels], dtype=object)


def cell_labels(model: Model, plan: Plan, name: str) -> NDArray[Any]:
    """Row labels (or group labels) of a variable's sampled cells; positions where row labels are not unique."""
    units = plan.units(name, "sample")
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
        values = dataset[name].transpose("chain", "draw", ...).values
        return np.asarray(values, dtype=float).reshape((n_chains * n_draws, *values.shape[2:]))

    factors = {
        factor.variable: _read_factor(factor, get, dataset, n_chains * n_draws) for factor in model.factors
    }
    cells = {
        str(name)[len("cell__") :]: get(str(name))
        for name in dataset.data_vars
        if str(name).startswith("cell__")
    }
    return PosteriorDraws(n_chains, n_draws, factors, cells)


def _read_factor(factor: Factor, get: Any, dataset: xr.Dataset, n: int) -> FactorDraws:
    prefix = factor.prefix
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
            for position, (i, j) in enumerate(effect.correlated_pairs):
                matrix[:, i, j] = matrix[:, j, i] = values[:, position]
        correlations[grouping] = matrix
        if f"{prefix}{effect.names[0]}|{grouping}" in dataset:
            effects[grouping] = np.stack([get(f"{prefix}{name}|{grouping}") for name in effect.names], axis=2)
    return FactorDraws(
        get(f"{prefix}Intercept") if factor.priors.intercept is not None else None,
        np.concatenate(columns, axis=1) if columns else np.zeros((n, 0)),
        {name: get(f"{prefix}{name}") for name in factor.family.scale_parameters},
        sds,
        correlations,
        effects,
    )
