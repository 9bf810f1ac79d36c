"""Factor tables: for each conditional the rows it is evaluated on, with static design and the places of latent cells.

Rows with cells that are summed out stand several times, once for each combination of their values; everything else
is a plain number, computed once whatever the formula does to a variable. A cell that NUTS samples enters affinely
(`Slab`) or, where the formula is nonlinear in it, through the design itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion
from bayesmi.build.integrals import Integrals, find_integrals
from bayesmi.errors import NotSupportedError
from bayesmi.model.assemble import response_codes
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan

__all__ = ["Expansion", "FactorTable", "Slab", "Tables", "make_tables"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Slab:
    """Where a latent cell enters a matrix affinely: matrix[position] += slab * cell[index], in the given columns."""

    variable: str
    positions: Ints  # (k,) table rows
    index: Ints  # (k,) cells of the variable
    columns: Ints  # (c,)
    slab: Floats  # (k, c)


@dataclass(frozen=True)
class EffectTable:
    """Z of one grouping on a factor table."""

    grouping: str
    codes: Ints  # (T,)
    n_groups: int
    base: Floats  # (T, q)
    slabs: tuple[Slab, ...]


@dataclass(frozen=True)
class FactorTable:
    """One conditional on its rows: plain units first, expanded ones after."""

    variable: str
    units: Ints  # (T,) unit of the factor's level for each table row
    n_plain: int
    expanded: Ints  # (T - n_plain,) row of the expansion
    response: Floats  # (T,) on the family's scale, 0 where latent
    response_positions: Ints  # (k,) rows whose response is a latent cell
    response_index: Ints  # (k,)
    values: Mapping[str, Floats]  # parents, (T,), 0 where latent
    latent: Mapping[str, tuple[Ints, Ints]]  # parent -> (positions, cell index)
    base: Floats  # (T, p) centred design, latent cells at 0
    slabs: tuple[Slab, ...]
    is_affine: bool
    offset: Floats  # (T,)
    effects: tuple[EffectTable, ...]
    links: Mapping[str, Ints]  # link name -> (T,) group codes
    integrated: tuple[
        Slab, ...
    ]  # where integrated cells enter the design; index counts the variable's own cells
    integrated_response: Ints  # rows whose response is an integrated cell
    integral_unit: Ints  # (T,) unit of the integrals that the row belongs to, or -1

    @property
    def n_rows(self) -> int:
        """Number of table rows, T."""
        return len(self.units)

    @property
    def is_static(self) -> bool:
        """Whether nothing in it is a latent cell."""
        return not self.latent and not self.response_positions.size and not (self.integral_unit >= 0).any()

    def effect(self, grouping: str) -> EffectTable:
        """Return the effects of one grouping."""
        return next(effect for effect in self.effects if effect.grouping == grouping)


@dataclass(frozen=True)
class Tables:
    """All factor tables, the expansion and the number of sampled cells by variable."""

    factors: Mapping[str, FactorTable]
    expansion: Expansion
    integrals: Integrals
    n_cells: Mapping[str, int]
    cell_position: Mapping[str, Ints]  # variable -> (units of its level,) index of the sampled cell or -1


def make_tables(factors: tuple[Factor, ...], table: ModelTable, plan: Plan) -> Tables:
    """Lay out the tables of all factors."""
    expansion, touched = _expand(factors, table, plan)
    integrals = find_integrals(factors, table, plan, expansion, touched)
    cell_position: dict[str, Ints] = {}
    n_cells: dict[str, int] = {}
    for factor in factors:
        units = plan.units(factor.variable, "sample")
        if units.size:
            position = np.full(len(table.rows_of_level(factor.level)), -1, dtype=np.intp)
            position[units] = np.arange(units.size)
            cell_position[factor.variable] = position
            n_cells[factor.variable] = int(units.size)
    made = {
        factor.variable: lay_out(
            factor,
            table,
            np.flatnonzero(plan.active[factor.variable]),
            expansion,
            touched.get(factor.variable),
            cell_position,
            integrals,
        )
        for factor in factors
    }
    return Tables(made, expansion, integrals, n_cells, cell_position)


def lay_out(
    factor: Factor,
    table: ModelTable,
    units: Ints,
    expansion: Expansion,
    touched: NDArray[np.bool_] | None,
    cell_position: Mapping[str, Ints],
    integrals: Integrals | None = None,
) -> FactorTable:
    """Lay out one factor on the given units; `touched` marks expanded rows that it depends on."""
    level = factor.level
    if touched is None:
        plain, expanded = units, np.zeros(0, dtype=np.intp)
    else:
        wanted = np.zeros(table.n_rows, dtype=bool)
        wanted[units] = True
        expanded = np.flatnonzero(touched & wanted[expansion.rows])
        wanted[expansion.rows[expanded]] = False
        plain = np.flatnonzero(wanted)
    all_units = np.concatenate([plain, expansion.rows[expanded]]) if expanded.size else plain
    n_plain = len(plain)

    def values_of(name: str) -> Floats:
        values = table.at(name, level)[all_units].astype(float)
        if expanded.size and name in expansion.values:
            values[n_plain:] = expansion.values[name][expanded]
        return values

    def latent_of(name: str) -> tuple[Ints, Ints]:
        if name not in cell_position:
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        at = table.level(name)
        unit = all_units if at == level else table.codes_at(at, level)[all_units]
        index = cell_position[name][unit]
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
    integrated_here: dict[str, tuple[Ints, Ints]] = {}
    integral_unit = np.full(len(all_units), -1, dtype=np.intp)
    integrated_response = np.zeros(0, dtype=np.intp)
    for name in (*sorted(factor.parents), factor.variable):
        if integrals is None or level != "row" or name not in integrals.position:
            continue
        index = integrals.position[name][all_units]
        positions = np.flatnonzero(index >= 0)
        if not positions.size:
            continue
        integral_unit[positions] = integrals.unit_of(all_units, expanded, n_plain)[positions]
        if name == factor.variable:
            integrated_response = positions
        else:
            values[name][positions] = 0.0
            integrated_here[name] = (positions, index[positions])
    response = response_codes(table, factor.variable, factor.family)[table.rows_of_level(level)][all_units]
    response = response.astype(float)
    if expanded.size and factor.variable in expansion.values:
        top = table.levels_of(factor.variable)[1]
        response[n_plain:] = (expansion.values[factor.variable][expanded] == top).astype(float)
    response_positions, response_index = latent_of(factor.variable)
    response[response_positions] = 0.0
    response[integrated_response] = 0.0

    n_design = factor.design.n_columns
    is_affine = factor.design.is_affine_in(sorted(latent)) if latent else True
    base = factor.matrix(values, len(all_units)) - factor.centers[:n_design]
    slabs = tuple(
        slab
        for name, (positions, index) in latent.items()
        if name in factor.design.variables and is_affine
        for slab in _slab(name, positions, index, values, factor.matrix)
    )
    integrated = tuple(
        slab
        for name, (positions, index) in integrated_here.items()
        for slab in _slab(name, positions, index, values, factor.matrix)
    )
    effects = []
    for effect in factor.effects:
        effects.append(_effect_table(effect, factor, table, all_units, values, latent))
    return FactorTable(
        variable=factor.variable,
        units=all_units,
        n_plain=n_plain,
        expanded=expanded,
        response=response,
        response_positions=response_positions,
        response_index=response_index,
        values=values,
        latent=latent,
        base=base,
        slabs=slabs,
        is_affine=is_affine,
        offset=_offset(factor, values, latent, len(all_units)),
        effects=tuple(effects),
        links={link.name: table.codes_at(link.grouping, level)[all_units] for link in factor.links},
        integrated=integrated,
        integrated_response=integrated_response,
        integral_unit=integral_unit,
    )


def _slab(
    name: str, positions: Ints, index: Ints, values: Mapping[str, Floats], matrix: object
) -> list[Slab]:
    """Difference between the matrix with the cell at 1 and at 0, on the cell's rows."""
    at_zero = {key: column[positions] for key, column in values.items()}
    at_one = {**at_zero, name: np.ones(len(positions))}
    difference = matrix(at_one, len(positions)) - matrix(at_zero, len(positions))  # type: ignore[operator]
    columns = np.flatnonzero(np.any(difference != 0.0, axis=0))
    if not columns.size:
        return []
    return [Slab(name, positions, index, columns, np.ascontiguousarray(difference[:, columns]))]


def _effect_table(
    effect: GroupEffect,
    factor: Factor,
    table: ModelTable,
    units: Ints,
    values: Mapping[str, Floats],
    latent: Mapping[str, tuple[Ints, Ints]],
) -> EffectTable:
    inside = [name for name in latent if name in effect.variables]
    if inside and not all(design.is_affine_in(inside) for design in effect.designs):
        raise NotSupportedError(
            f"a group-specific slope on a nonlinear function of the incomplete {', '.join(inside)} is not supported yet; "
            "the nearest that is: a slope on the variable itself"
        )
    base = effect.matrix(values, len(units))
    slabs = tuple(slab for name in inside for slab in _slab(name, *latent[name], values, effect.matrix))
    codes = table.codes_at(effect.grouping, factor.level)[units]
    return EffectTable(effect.grouping, codes, len(table.groupings[effect.grouping].labels), base, slabs)


def _offset(
    factor: Factor, values: Mapping[str, Floats], latent: Mapping[str, tuple[Ints, Ints]], n_rows: int
) -> Floats:
    if not factor.offsets.n_columns:
        return np.zeros(n_rows)
    inside = sorted(set(latent) & factor.offsets.variables)
    if inside:
        raise NotSupportedError(
            f"an offset of {factor.variable!r} holds the incomplete {inside[0]!r}: not supported yet; "
            "the nearest that is: the variable as a predictor"
        )
    return np.asarray(factor.offsets.matrix(values).sum(axis=1))


def _expand(
    factors: tuple[Factor, ...], table: ModelTable, plan: Plan
) -> tuple[Expansion, dict[str, NDArray[np.bool_]]]:
    """Return the expansion and for each factor which expanded rows it depends on."""
    summed = [factor.variable for factor in factors if plan.units(factor.variable, "enumerate").size]
    if not summed:
        return Expansion(np.zeros(0, dtype=np.intp), {}, ()), {}
    mask = np.zeros((table.n_rows, len(summed)), dtype=bool)
    for j, name in enumerate(summed):
        mask[plan.units(name, "enumerate"), j] = True
    patterns, member = np.unique(mask, axis=0, return_inverse=True)
    member = member.reshape(-1)
    pieces: list[tuple[int, Ints, NDArray[np.float64], NDArray[np.bool_]]] = []
    for k, pattern in enumerate(patterns):
        if not pattern.any():
            continue
        rows = np.flatnonzero(member == k)
        levels = [
            table.levels_of(name) if on else (np.nan,) for name, on in zip(summed, pattern, strict=True)
        ]
        combinations = np.array(list(itertools.product(*levels)))
        pieces.append((len(combinations), rows, combinations, pattern))
    pieces.sort(key=lambda piece: piece[0])
    all_rows, all_values, all_masks = [], [], []
    blocks: list[tuple[int, int, int]] = []
    start = 0
    for n_combinations, rows, combinations, pattern in pieces:
        repeated = np.repeat(rows, n_combinations)
        tiled = np.tile(combinations, (len(rows), 1))
        for j, name in enumerate(summed):
            if not pattern[j]:
                tiled[:, j] = table.values[name][repeated]
        all_rows.append(repeated)
        all_values.append(tiled)
        all_masks.append(np.broadcast_to(pattern, (len(repeated), len(summed))))
        if blocks and blocks[-1][2] == n_combinations:
            first, n_rows, _ = blocks[-1]
            blocks[-1] = (first, n_rows + len(rows), n_combinations)
        else:
            blocks.append((start, len(rows), n_combinations))
        start += len(repeated)
    stacked, masks = np.concatenate(all_values), np.concatenate(all_masks)
    touched = {}
    for factor in factors:
        inside = [j for j, name in enumerate(summed) if name == factor.variable or name in factor.parents]
        if inside:
            touched[factor.variable] = masks[:, inside].any(axis=1)
    values = {name: stacked[:, j] for j, name in enumerate(summed)}
    return Expansion(np.concatenate(all_rows), values, tuple(blocks)), touched
