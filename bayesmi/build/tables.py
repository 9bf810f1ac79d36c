"""Factor tables: for each conditional the rows it is evaluated on, with static design and the places of latent cells.

Rows with cells that are summed out stand several times, once for each combination of the values that the factor can
see; everything else is a plain number, computed once whatever the formula does to a variable. A cell that NUTS samples
enters affinely (`Slab`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion, Summed, Tied, expand
from bayesmi.build.integrals import Integrals, find_integrals
from bayesmi.build.open_means import OpenMean, open_means
from bayesmi.families.selected import NOT_SELECTED, NOT_SELECTED_KNOWN
from bayesmi.families.support import constrain
from bayesmi.model.factor import Factor, GroupEffect, SharedEffect
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.levelset import Combinations, combine
from bayesmi.plan.systems import System
from bayesmi.plan.values import CellValues, within_limits

__all__ = [
    "Expansion",
    "FactorTable",
    "Slab",
    "Tables",
    "lay_out",
    "make_tables",
    "summed_cells",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_LARGE = 2**32  # keys of combinations are renumbered beyond


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
    integrated: tuple[Slab, ...] = ()  # where integrated cells enter
    source: str = ""  # linear predictor whose effects these are, where they are not its own


@dataclass(frozen=True)
class FactorTable:
    """One conditional on its rows: plain units first, expanded ones after."""

    variable: str
    units: Ints  # (T,) unit of the factor's level for each table row
    n_plain: int
    expanded: Ints  # (T - n_plain,) an entry of the expansion that it stands for
    pair_entries: Ints  # (P,) entries of the expansion that the expanded rows belong to
    pair_rows: Ints  # (P,) and the table row of each
    constant: Floats  # (T,) part of log f that depends on the response only
    known: Mapping[str, Floats]  # what the family knows of each row: "trials", (T,)
    response: Floats  # (T,) on the family's scale, 0 where latent
    response_positions: Ints  # (k,) rows whose response is a latent cell
    response_index: Ints  # (k,)
    values: Mapping[str, Floats]  # parents, (T,), 0 where latent
    latent: Mapping[str, tuple[Ints, Ints]]  # parent -> (positions, cell index)
    base: Floats  # (T, p) centred design, latent cells at 0
    slabs: tuple[Slab, ...]
    offset: Floats  # (T,)
    effects: tuple[EffectTable, ...]
    links: Mapping[str, Ints]  # link name -> (T,) group codes
    integrated: tuple[
        Slab, ...
    ]  # where integrated cells enter the design; index counts the variable's own cells
    integrated_response: Ints  # rows whose response is an integrated cell
    solved_response: Ints  # rows whose response is affine in the integrated cells of the unit
    response_slopes: Floats  # (solved rows, most cells)
    integral_unit: Ints  # (T,) unit of the integrals that the row belongs to, or -1
    scale: FactorTable | None = None  # the model of its scale, on the same rows
    selection: FactorTable | None = None  # and that of its being seen
    shifts: Mapping[str, Floats] = field(default_factory=dict)  # linear predictor -> (T,) that adds to it
    held: Mapping[str, tuple[Ints, Ints]] = field(
        default_factory=dict
    )  # variable with held cells, the response too -> (positions, index of the held cell)

    @property
    def n_rows(self) -> int:
        """Number of table rows, T."""
        return len(self.units)

    @property
    def has_limits(self) -> bool:
        """Whether some of its densities are, or are divided by, probabilities of intervals."""
        return "lower" in self.known or "arrives from" in self.known

    @property
    def is_static(self) -> bool:
        """Whether nothing in it is a latent cell, or held at a value that changes."""
        return (
            not self.latent
            and not self.held
            and not self.slabs
            and not self.response_positions.size
            and not (self.integral_unit >= 0).any()
        )

    def effect(self, grouping: str) -> EffectTable:
        """Return the effects of one grouping."""
        return next(effect for effect in self.effects if effect.grouping == grouping)


@dataclass(frozen=True)
class Tables:
    """All factor tables, the expansion and the number of sampled cells by variable."""

    factors: Mapping[str, FactorTable]
    expansion: Expansion
    integrals: Integrals
    cells: Mapping[str, CellValues]  # values that cells on a grid run over
    keys: Mapping[str, Ints]  # variable -> (E,) which entries are the same row of its factor, -1: not in it
    n_cells: Mapping[str, int]
    cell_position: Mapping[str, Ints]  # variable -> (units of its level,) index of the sampled cell or -1
    held_position: Mapping[str, Ints] = field(default_factory=dict)  # the same of cells held at a value

    def of(self, factor: Factor) -> FactorTable:
        """Return the table of a factor, or of the model of its scale or selection."""
        own = self.factors[factor.variable]
        if factor.parameter == "selection" and own.selection is not None:
            return own.selection
        return own.scale if factor.parameter and own.scale is not None else own


def make_tables(
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    cells: Mapping[str, CellValues] | None = None,
    only: NDArray[np.bool_] | None = None,
    held: Mapping[str, Ints] | None = None,
) -> Tables:
    """Lay out the tables of all factors.

    `cells` gives values for grid cells other than the plan's; `only` keeps the row-level factors to some rows; `held` gives
    the places of held cells where these are not all of the plan's.
    """
    expansion = _expand(factors, table, plan, cells or {})
    keys = {factor.variable: _keys(factor, expansion) for factor in factors}
    integrals = find_integrals(factors, table, plan, expansion, keys)
    cell_position: dict[str, Ints] = {}
    n_cells: dict[str, int] = {}
    for factor in factors:
        units = plan.units(factor.variable, "sample")
        if units.size:
            position = np.full(len(table.rows_of_level(factor.level)), -1, dtype=np.intp)
            position[units] = np.arange(units.size)
            cell_position[factor.variable] = position
            n_cells[factor.variable] = int(units.size)
    held_position = held_positions(factors, table, plan) if held is None else held
    made = {
        factor.variable: lay_out(
            factor,
            table,
            np.flatnonzero(
                plan.active[factor.variable] & only
                if only is not None and factor.level == "row"
                else plan.active[factor.variable]
            ),
            expansion,
            keys[factor.variable],
            cell_position,
            integrals,
            held_position,
        )
        for factor in factors
    }
    return Tables(
        made,
        expansion,
        integrals,
        {**plan.grids, **(cells or {})},
        keys,
        n_cells,
        cell_position,
        held_position,
    )


def held_positions(factors: tuple[Factor, ...], table: ModelTable, plan: Plan) -> dict[str, Ints]:
    """Return by variable the number of the held cell of each unit of its level, or -1."""
    out: dict[str, Ints] = {}
    for factor in factors:
        units = plan.units(factor.variable, "gibbs")
        if units.size and not factor.is_observation:
            out[factor.variable] = np.full(len(table.rows_of_level(factor.level)), -1, dtype=np.intp)
            out[factor.variable][units] = np.arange(units.size)
    return out


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
    inside = _integrated_cells(factor, integrals, all_units, expanded, n_plain)
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
        for slab in _slab(name, positions, index, values, factor.matrix)
    )
    slabs += _slabs_of_means(averages, factor.design.variables, values, factor.matrix)
    integrated = _integrated_slabs(
        factor.matrix, factor.design.variables, integrals, all_units, inside, values
    )
    effects = []
    for effect in factor.effects:
        one = _effect_table(effect, factor, table, all_units, values, latent)
        through = _integrated_slabs(effect.matrix, effect.variables, integrals, all_units, inside, values)
        more = _slabs_of_means(averages, effect.variables, values, effect.matrix)
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
        for slab in _slab(name, positions, index, own.values, part.matrix)
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


@dataclass(frozen=True)
class _IntegratedCells:
    """The integrated cells that a factor's rows have in them, and those that are affine in these."""

    unit: Ints  # (T,) or -1
    cells: Mapping[str, Ints]  # integrated variable -> table rows
    solved: Mapping[str, tuple[Ints, Floats, Floats]]  # solved variable -> table rows, base, slopes


def _integrated_cells(
    factor: Factor, integrals: Integrals | None, units: Ints, expanded: Ints, n_plain: int
) -> _IntegratedCells:
    unit = np.full(len(units), -1, dtype=np.intp)
    cells: dict[str, Ints] = {}
    solved: dict[str, tuple[Ints, Floats, Floats]] = {}
    if integrals is None or factor.level != "row" or not integrals.names:
        return _IntegratedCells(unit, cells, solved)
    own = integrals.unit_of(units, expanded, n_plain)
    for name in (*sorted(factor.parents), factor.variable):
        if name in integrals.position:
            positions = np.flatnonzero(integrals.position[name][units] >= 0)
            if positions.size:
                cells[name] = positions
                unit[positions] = own[positions]
        if name in integrals.solved:
            one = integrals.solved[name]
            positions = np.flatnonzero((own >= 0) & one.stands[own])
            if positions.size:
                solved[name] = (positions, one.base[own[positions]], one.slopes[own[positions]])
                unit[positions] = own[positions]
    return _IntegratedCells(unit, cells, solved)


def _integrated_slabs(
    matrix: Callable[[Mapping[str, Floats], int], Floats],
    variables: Collection[str],
    integrals: Integrals | None,
    units: Ints,
    inside: _IntegratedCells,
    values: Mapping[str, Floats],
) -> tuple[Slab, ...]:
    """How integrated cells enter a matrix of these variables, by themselves and through the cells solved from them."""
    if integrals is None:
        return ()
    out: list[Slab] = []
    for name in integrals.names:
        moves = np.zeros(len(units), dtype=bool)
        if name in variables and name in inside.cells:
            moves[inside.cells[name]] = True
        through: dict[str, Floats] = {}
        for other, (positions, _, slopes) in inside.solved.items():
            if other not in variables:
                continue
            place = integrals.place[name][units[positions]]
            step = np.where(place >= 0, slopes[np.arange(len(positions)), np.maximum(place, 0)], 0.0)
            through[other] = np.zeros(len(units))
            through[other][positions] = step
            moves[positions[step != 0.0]] = True
        positions = np.flatnonzero(moves)
        if not positions.size:
            continue
        index = integrals.position[name][units[positions]]
        if not through:
            out += _slab(name, positions, index, values, matrix)
            continue
        at_zero = {key: column[positions] for key, column in values.items()}
        at_one = dict(at_zero)
        if name in variables:
            at_one[name] = at_one[name] + (integrals.position[name][units[positions]] >= 0)
        for other, step in through.items():
            at_one[other] = at_one[other] + step[positions]
        difference = matrix(at_one, len(positions)) - matrix(at_zero, len(positions))
        columns = np.flatnonzero(np.any(difference != 0.0, axis=0))
        if columns.size:
            out.append(Slab(name, positions, index, columns, np.ascontiguousarray(difference[:, columns])))
    return tuple(out)


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


def _slabs_of_means(
    averages: Mapping[str, OpenMean], variables: Collection[str], values: Mapping[str, Floats], matrix: object
) -> tuple[Slab, ...]:
    """How missing cells enter a matrix through group means: each slab has one cell of a row's group."""
    out = []
    for name, average in averages.items():
        if name not in variables:
            continue
        for positions, index, weights in average.cells:
            for one in _slab(name, positions, index, {**values, name: np.zeros(len(values[name]))}, matrix):
                out.append(replace(one, variable=average.variable, slab=one.slab * weights[:, None]))
    return tuple(out)


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
    slabs = tuple(slab for name in inside for slab in _slab(name, *latent[name], values, effect.matrix))
    codes = table.codes_at(effect.grouping, factor.level)[units]
    return EffectTable(effect.grouping, codes, len(table.groupings[effect.grouping].labels), base, slabs)


def _expand(
    factors: tuple[Factor, ...], table: ModelTable, plan: Plan, cells: Mapping[str, CellValues]
) -> Expansion:
    summed = summed_cells(factors, plan, cells)
    tied = tuple(_tied(system, plan, cells) for system in plan.systems if system.is_expanded)
    levels = [*(s.level for s in summed), *(s.level for s in tied)]
    above = next((level for level in levels if level != "row"), "")
    if not above:
        return expand(summed, table.n_rows, None, None, tied)
    names = {s.name for s in summed if s.level != "row"}
    names |= {name for one in tied if one.level != "row" for name in one.names}
    below = np.zeros(table.n_rows, dtype=bool)
    for factor in factors:
        if factor.level == "row" and names & factor.parents:
            below |= plan.active[factor.variable]
    for one in tied:
        if one.above:
            below[one.units] = True
    return expand(summed, table.n_rows, table.groupings[above].codes, below, tied)


def _tied(system: System, plan: Plan, cells: Mapping[str, CellValues]) -> Tied:
    """Return a system as cells that are summed together."""
    grids: dict[str, tuple[Floats, Floats, int]] = {}
    for name in system.grid:
        own = cells.get(name) or plan.grids[name]
        assert own.starts is not None
        assert own.spacing is not None
        place = np.searchsorted(plan.units(name, "grid"), system.units)
        grids[name] = (own.starts[place], own.spacing[place], own.values.shape[1])

    def combined(members: Ints, above: Mapping[str, Floats]) -> Combinations:
        chosen = {
            name: (starts[members], spacing[members], n) for name, (starts, spacing, n) in grids.items()
        }
        return combine(system, members, above, chosen)

    names = (*system.discrete, *system.grid, *(name for name, _ in system.inverse))
    return Tied(names, system.level, system.units, system.above, combined)


def summed_cells(
    factors: tuple[Factor, ...], plan: Plan, cells: Mapping[str, CellValues]
) -> tuple[Summed, ...]:
    """Return the variables with summed cells and the values that these run over, cells that are tied to others left out."""
    tied: dict[str, list[Ints]] = {}
    for system in plan.systems:
        for name in (*system.discrete, *system.grid):
            tied.setdefault(name, []).append(system.units)
    out = []
    for factor in factors:
        name = factor.variable
        for treatment in ("enumerate", "grid"):
            units = plan.units(name, treatment)
            if not units.size:
                continue
            if treatment == "enumerate":
                values = np.tile(np.asarray(factor.levels), (len(units), 1))
                own = plan.grids.get(name) or CellValues(values, np.zeros(values.shape))
                if name in plan.limits:
                    own = within_limits(own, *plan.limits[name])
            else:
                own = cells.get(name) or plan.grids[name]
            if name in tied:
                free = ~np.isin(units, np.concatenate(tied[name]))
                units, own = units[free], own.select(free)
            if units.size:
                out.append(Summed(name, factor.level, units, own))
    return tuple(out)


def _keys(factor: Factor, expansion: Expansion) -> Ints:
    """Which entries are the same row of a factor: those of a unit with the same values of its own summed cells."""
    key = expansion.units(factor.level).copy()
    depends = np.zeros(expansion.n, dtype=bool)
    for name, own in expansion.key.items():
        if name == factor.variable or name in factor.parents:
            depends |= own >= 0
            if int(key.max(initial=0)) > _LARGE:
                key = np.unique(key, return_inverse=True)[1].reshape(-1)
            key = key * (int(own.max(initial=0)) + 2) + own + 1
    key[~depends | (expansion.units(factor.level) < 0)] = -1
    return key
