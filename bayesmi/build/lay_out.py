"""One factor laid out on its rows, each once for the summed cells that it can see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion
from bayesmi.build.factor_table import EffectTable, FactorTable
from bayesmi.build.integrals import Integrals
from bayesmi.build.integrated_cells import integrated_cells, integrated_slabs
from bayesmi.build.open_means import open_means
from bayesmi.build.slabs import slabs_of_cell, slabs_of_means
from bayesmi.families.selected import NOT_SELECTED, NOT_SELECTED_KNOWN
from bayesmi.families.support import constrain
from bayesmi.model.factor import Factor, GroupEffect, SharedEffect
from bayesmi.model.table import ModelTable

__all__ = ["lay_out"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def lay_out(
    factor: Factor,
    table: ModelTable,
    units: Ints,
    expansion: Expansion,
    keys: Ints | None,
    cell_position: Mapping[str, Ints],
    integrals: Integrals | None = None,
    held_position: Mapping[str, Ints] | None = None,
) -> FactorTable:
    """Lay out one factor on the given units; `keys` says which entries of the expansion are rows of it."""
    level = factor.level
    none = np.zeros(0, dtype=np.intp)
    plain, expanded, pair_entries, pair_rows = units, none, none, none
    if keys is not None and (keys >= 0).any():
        at = expansion.units(level)
        wanted = np.zeros(len(table.rows_of_level(level)), dtype=bool)
        wanted[units] = True
        pair_entries = np.flatnonzero((keys >= 0) & wanted[at])
        _, first, inverse = np.unique(keys[pair_entries], return_index=True, return_inverse=True)
        order = np.argsort(first)  # rows come as their first entries do
        expanded = pair_entries[first[order]]
        wanted[at[expanded]] = False
        plain = np.flatnonzero(wanted)
        pair_rows = len(plain) + np.argsort(order)[inverse.reshape(-1)]
    n_plain = len(plain)
    all_units = np.concatenate([plain, expansion.units(level)[expanded]]) if expanded.size else plain

    def values_of(name: str) -> Floats:
        values = table.at(name, level)[all_units].astype(float)
        if expanded.size and name in expansion.values:
            on = np.flatnonzero(expansion.choice[name][expanded] >= 0)
            values[n_plain + on] = expansion.values[name][expanded[on]]
        return values

    def latent_of(name: str, places: Mapping[str, Ints] = cell_position) -> tuple[Ints, Ints]:
        if name not in places:
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        at = table.level(name)
        unit = all_units if at == level else table.codes_at(at, level)[all_units]
        index = places[name][unit]
        positions = np.flatnonzero(index >= 0)
        return positions, index[positions]

    values: dict[str, Floats] = {}
    latent: dict[str, tuple[Ints, Ints]] = {}
    for name in sorted(factor.parents):
        values[name] = values_of(name)
        positions, index = latent_of(name)
        if positions.size:
            values[name][positions] = 0.0
            latent[name] = (positions, index)
    inside = integrated_cells(factor, integrals, all_units, expanded, n_plain)
    for name, positions in inside.cells.items():
        if name in factor.parents:
            values[name][positions] = 0.0
    for name, (positions, base_values, _) in inside.solved.items():
        if name in factor.parents:
            values[name][positions] = base_values
    integral_unit, integrated_response = inside.unit, inside.cells.get(factor.variable, none)
    solved_response, solved_base, response_slopes = inside.solved.get(
        factor.variable, (none, np.zeros(0), np.zeros((0, 0)))
    )
    response = values_of(factor.variable)
    response_positions, response_index = latent_of(factor.variable)
    response[response_positions] = np.nan
    response[integrated_response] = np.nan
    response[solved_response] = solved_base
    response = factor.codes(response)
    constant = np.zeros(len(all_units))
    known = np.isfinite(response)
    rows = factor.known(lambda name: table.at(name, level)[all_units], len(all_units))
    if "selected" in rows:  # a cell that was not seen and has a value here
        has_value = known.copy()
        has_value[response_positions] = True
        rows["selected"] = np.where(
            has_value & (rows["selected"] == NOT_SELECTED), NOT_SELECTED_KNOWN, rows["selected"]
        ).astype(float)
    if "lower" in rows:  # of a value that is there its limits say nothing more
        has_value = known.copy()
        has_value[response_positions] = True
        has_value[integrated_response] = True
        has_value[solved_response] = True
        rows["lower"], rows["upper"] = (
            np.where(has_value, at, rows[key]) for key, at in (("lower", np.inf), ("upper", -np.inf))
        )
    of_rows = {key: rows[key][known] for key in ("trials", "selected") if key in rows}
    constant[known] = factor.family.constant(response[known], **of_rows)
    response[~known] = 0.0
    if "lower" in rows and not factor.family.is_discrete:
        response[rows["lower"] <= rows["upper"]] = constrain(np.zeros(1), factor.family.support)[0]

    averages = open_means(factor, table, all_units, cell_position)
    for name, average in averages.items():
        values[name] = average.base
    n_design = factor.design.n_columns
    base = factor.matrix(values, len(all_units)) - factor.centers[:n_design]
    slabs = tuple(
        slab
        for name, (positions, index) in latent.items()
        if name in factor.design.variables
        for slab in slabs_of_cell(name, positions, index, values, factor.matrix)
    )
    slabs += slabs_of_means(averages, factor.design.variables, values, factor.matrix)
    integrated = integrated_slabs(
        factor.matrix, factor.design.variables, integrals, all_units, inside, values
    )
    effects = []
    for effect in factor.effects:
        one = _effect_table(effect, factor, table, all_units, values, latent)
        through = integrated_slabs(effect.matrix, effect.variables, integrals, all_units, inside, values)
        more = slabs_of_means(averages, effect.variables, values, effect.matrix)
        effects.append(replace(one, slabs=one.slabs + more, integrated=through))
    made = FactorTable(
        variable=factor.variable,
        units=all_units,
        n_plain=n_plain,
        expanded=expanded,
        pair_entries=pair_entries,
        pair_rows=pair_rows,
        constant=constant,
        known=rows,
        response=response,
        response_positions=response_positions,
        response_index=response_index,
        values=values,
        latent=latent,
        base=base,
        slabs=slabs,
        offset=factor.offset(values, len(all_units)),
        effects=tuple(effects),
        links={link.name: table.codes_at(link.grouping, level)[all_units] for link in factor.links},
        integrated=integrated,
        integrated_response=integrated_response,
        solved_response=solved_response,
        response_slopes=response_slopes,
        integral_unit=integral_unit,
        shifts={key: table.at(made, level)[all_units] for key, made in factor.shifts.items()},
        held={
            name: found
            for name in (*sorted(factor.parents), factor.variable)
            if (found := latent_of(name, held_position or {}))[0].size
        },
    )
    if factor.scale is not None:
        made = replace(made, scale=_scale_table(factor.scale, made, table))
    if factor.selection is not None:
        made = replace(made, selection=_selection_table(factor.selection, made, table))
    return made


def _selection_table(part: Factor, own: FactorTable, table: ModelTable) -> FactorTable:
    """Lay out a selection equation on the rows of its factor; sampled cells enter it as they enter any mean."""
    latent = {name: found for name, found in own.latent.items() if name in part.parents}
    slabs = tuple(
        slab
        for name, (positions, index) in latent.items()
        if name in part.design.variables
        for slab in slabs_of_cell(name, positions, index, own.values, part.matrix)
    )
    effects: list[GroupEffect | SharedEffect] = [*part.effects, *part.shared]
    made = replace(_scale_table(part, own, table), latent=latent, slabs=slabs)
    laid = [_effect_table(effect, part, table, own.units, own.values, latent) for effect in effects]
    source = [""] * len(part.effects) + [part.variable] * len(part.shared)
    laid = [replace(one, source=key) for one, key in zip(laid, source, strict=True)]
    return replace(made, effects=tuple(laid))


def _scale_table(scale: Factor, own: FactorTable, table: ModelTable) -> FactorTable:
    """Lay out the model of a scale on the rows of its factor; its cells are observed or written out."""
    none = np.zeros(0, dtype=np.intp)
    effects = [_effect_table(effect, scale, table, own.units, own.values, {}) for effect in scale.effects]
    n = own.n_rows
    return replace(
        own,
        constant=np.zeros(n),
        known={},
        response=np.zeros(n),
        response_positions=none,
        response_index=none,
        latent={},
        base=scale.matrix(own.values, n) - scale.centers,
        slabs=(),
        offset=scale.offset(own.values, n),
        effects=tuple(effects),
        links={},
        integrated=(),
        integrated_response=none,
        solved_response=none,
        response_slopes=np.zeros((0, 0)),
    )


def _effect_table(
    effect: GroupEffect | SharedEffect,
    factor: Factor,
    table: ModelTable,
    units: Ints,
    values: Mapping[str, Floats],
    latent: Mapping[str, tuple[Ints, Ints]],
) -> EffectTable:
    inside = [name for name in latent if name in effect.variables]
    base = effect.matrix(values, len(units))
    slabs = tuple(
        slab for name in inside for slab in slabs_of_cell(name, *latent[name], values, effect.matrix)
    )
    codes = table.codes_at(effect.grouping, factor.level)[units]
    return EffectTable(effect.grouping, codes, len(table.groupings[effect.grouping].labels), base, slabs)
