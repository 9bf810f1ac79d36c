"""Replicated values of modelled variables: of observed cells given a completion, or of all cells from the start.

Both roads, checks of a fit and predictions from the prior, draw from the same conditionals (`draw/conditional.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmi.build.tables import Tables
from bayesmi.build.tree_name import in_tree
from bayesmi.draw.cells import complete_cells
from bayesmi.draw.conditional import Conditional, conditional
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.shifted import full_columns
from bayesmi.model import Model
from bayesmi.model.factor import Factor
from bayesmi.model.limited import INTERVAL
from bayesmi.plan import Plan
from bayesmi.seeds import REPLICATE, stream

__all__ = [
    "applicable_units",
    "observed_units",
    "replicate_all",
    "replicate_observed",
    "to_group",
    "values_at",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def observed_units(model: Model, factor: Factor) -> Ints:
    """Return the units of a variable's level at which it is observed."""
    known = ~model.table.unknown_at(factor.variable, factor.level)
    absent = model.table.column(factor.variable).absent[model.table.rows_of_level(factor.level)]
    return np.flatnonzero(known & ~absent)


def applicable_units(model: Model, factor: Factor) -> Ints:
    """Return the units of a variable's level to which it applies."""
    return np.flatnonzero(
        ~model.table.column(factor.variable).absent[model.table.rows_of_level(factor.level)]
    )


def values_at(model: Model, factor: Factor, units: Ints) -> Floats:
    """Return the table's values on the family's scale at some units."""
    response = factor.codes(model.table.values[factor.variable])
    return response[model.table.rows_of_level(factor.level)][units]


def replicate_observed(
    model: Model,
    plan: Plan,
    tables: Tables,
    draws: PosteriorDraws,
    chosen: Ints,
    seed: int,
    moved: Callable[[int], None] | None = None,
) -> dict[str, Floats]:
    """Return for every variable values drawn for its observed cells, (draws, cells) on the family's scale.

    Each is drawn given the group effects and one completion of its predictors, both of the same posterior draw.

    Parameters
    ----------
    model, plan, tables, draws
        What was sampled.
    chosen : array of int
        Which draws.
    seed : int
        Of the replications.
    moved : callable, optional
        Told how many are done.
    """
    units = {factor.variable: observed_units(model, factor) for factor in reversed(model.factors)}
    # of what is only measured there are no values to replicate: its measurements are
    out: dict[str, list[Floats]] = {name: [] for name, own in units.items() if own.size}
    for i, s in enumerate(chosen):
        rng = stream(seed, REPLICATE, i)
        draw = draws.take(np.array([s]))
        cells = complete_cells(model.factors, model.table, plan, tables, draw, rng)
        values = full_columns(model.table, cells)
        for factor in model.factors:
            name = factor.variable
            if name not in out:
                continue
            out[name].append(conditional(factor, model.table, units[name], values, draw).draw(rng))
        if moved is not None:
            moved(i + 1)
    return {name: np.stack(parts) for name, parts in out.items()}


def replicate_all(
    model: Model, draws: PosteriorDraws, rng: np.random.Generator, moved: Callable[[int], None] | None = None
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return for every variable values drawn for all cells it applies to, one variable after the other, (draws, cells).

    Nothing observed of a modelled variable is used; complete predictors stay as they are. A measurement that was not made
    is NaN: the size of its error is not known. The second mapping has the derived columns of these tables, (draws, rows).
    """
    units = {factor.variable: applicable_units(model, factor) for factor in model.factors}
    out: dict[str, list[Floats]] = {factor.variable: [] for factor in reversed(model.factors)}
    derived: dict[str, list[Floats]] = {one.name: [] for one in model.derived}
    for s in range(draws.n):
        draw = draws.take(np.array([s]))
        values = dict(model.table.values)
        for factor in model.factors:
            values[factor.variable] = np.full(model.table.n_rows, np.nan)
        for factor in model.factors:
            name = factor.variable
            values = model.table.filled(values) if factor.means else values
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a wide prior reaches far
                free = replace(factor, limits=tuple(one for one in factor.limits if one != INTERVAL))
                drawn = _drawn(conditional(free, model.table, units[name], values, draw), rng)
            _to_rows(model, factor, units[name], factor.values(drawn), values[name])
            out[name].append(drawn)
        for one in model.derived:
            derived[one.name].append(one.values(values))
        if moved is not None:
            moved(s + 1)
    stacked = ({name: np.stack(parts) for name, parts in own.items()} for own in (out, derived))
    return next(stacked), next(stacked)


def _drawn(own: Conditional, rng: np.random.Generator) -> Floats:
    """Draw, NaN where the predictors are so far out that their sum is no number (infinity less infinity)."""
    several = isinstance(own.eta, list)
    etas = own.eta if several else [own.eta]
    beyond = np.isnan(etas).any(axis=0)
    if own.factor.family.has_levels or not beyond.any():
        return own.draw(rng)
    held = [np.where(beyond, 0.0, eta) for eta in etas]
    drawn = replace(own, eta=held if several else held[0]).draw(rng)
    return np.where(beyond, np.nan, drawn)


def _to_rows(model: Model, factor: Factor, units: Ints, drawn: Floats, values: Floats) -> None:
    if factor.level == "row":
        values[units] = drawn
        return
    by_group = np.full(len(model.table.groupings[factor.level].labels), np.nan)
    by_group[units] = drawn
    values[:] = by_group[model.table.groupings[factor.level].codes]


def to_group(
    model: Model,
    values: Mapping[str, Floats],
    units: Callable[[Model, Factor], Ints],
    sample: Mapping[str, Any] | None,
) -> xr.Dataset:
    """Return values on the family's scale as a group of a DataTree.

    Parameters
    ----------
    model : Model
        Whose variables they are.
    values : mapping
        Variable -> (draws, cells), or (cells,) without `sample`.
    units : callable
        Which units of a variable's level the cells are.
    sample : mapping, optional
        Coordinates "chain" and "draw", whose sizes multiply to the draws.

    Returns
    -------
    xarray.Dataset
        The response on ``__obs__`` with row labels, others on ``<variable>__obs``; categories as their codes.
    """
    from bayesmi.fit.names import plain_labels, row_labels

    variables: dict[str, Any] = {}
    coords: dict[str, Any] = dict(sample or {})
    shape = tuple(len(labels) for labels in (sample or {}).values())
    for name, own in values.items():
        factor = model.factor(name)
        dim = "__obs__" if factor.role == "analysis" else f"{name}__obs"
        labels = (
            row_labels(model)
            if factor.level == "row"
            else plain_labels(model.table.groupings[factor.level].labels)
        )
        coords[dim] = labels[units(model, factor)]
        variables[name] = ((*(sample or {}), dim), factor.values(own).reshape((*shape, own.shape[-1])))
    return in_tree(xr.Dataset(variables, coords))
