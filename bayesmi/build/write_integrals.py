"""Integrated cells in the program: their units, the factor rows in these, and how each cell enters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.build.integrals import Integrals
from bayesmi.build.tables import Tables
from bayesmi.build.unit_classes import UnitClass, unit_classes
from bayesmi.build.write_equation import number_equations
from bayesmi.build.writer import Writer
from bayesmi.kernel import layout as k
from bayesmi.model.factor import Factor

__all__ = ["write_integrals"]


def write_integrals(
    writer: Writer,
    head: list[int],
    factors: tuple[Factor, ...],
    tables: Tables,
    effect_places: Mapping[tuple[str, str], int],
    patterned: bool,
) -> None:
    """Units of the integrals, the factor rows in them, and how each cell enters each of these."""
    integrals = tables.integrals
    none = writer.integers([0])
    head[k.G_UNIT_SIZES] = head[k.G_UNIT_EXPANDED] = head[k.G_UNIT_MEMBERS] = head[k.G_MEMBERS] = none
    head[k.G_UNIT_LIMITED] = head[k.G_ALIKE_TABLE] = none
    if patterned or not integrals.n:
        return
    classes = unit_classes(factors, tables)
    alone = np.ones(integrals.n, dtype=bool)
    for one in classes:
        alone[one.units] = False
    written = alone.copy()  # units whose rows say how cells enter: of a class the first
    written[[one.units[0] for one in classes]] = True
    entries_at = _write_entries(writer, factors, tables, effect_places, written)
    of_equation = number_equations(factors)
    number = {factor.variable: of_equation[factor.keys[0]] for factor in factors}
    _write_classes(writer, head, integrals, classes, number, entries_at)
    _write_alone(writer, head, tables, alone, number, entries_at)


def _write_classes(
    writer: Writer,
    head: list[int],
    integrals: Integrals,
    classes: tuple[UnitClass, ...],
    number: Mapping[str, int],
    entries_at: Mapping[str, NDArray[np.int64]],
) -> None:
    """Write the units into whose rows cells enter alike."""
    records: list[int] = []
    for one in classes:
        first = one.units[0]
        record = [0] * k.N_SIZE
        record[k.N_UNITS], record[k.N_CELLS] = len(one.units), int(integrals.sizes[first])
        record[k.N_EXPANDED] = (
            writer.integers(integrals.expanded[one.units]) if integrals.expanded[first] >= 0 else -1
        )
        record[k.N_MEMBERS] = len(one.rows)
        record[k.N_MEMBER_TABLE] = writer.integers(
            [
                (number[name], writer.integers(rows), int(entries_at[name][rows[0]]))
                for name, rows in one.rows.items()
            ]
        )
        records += record
    head[k.G_ALIKE], head[k.G_ALIKE_TABLE] = len(classes), writer.integers(records or [0])


def _write_alone(
    writer: Writer,
    head: list[int],
    tables: Tables,
    alone: NDArray[np.bool_],
    number: Mapping[str, int],
    entries_at: Mapping[str, NDArray[np.int64]],
) -> None:
    """Write the units that are done one by one."""
    integrals = tables.integrals
    sizes = integrals.sizes[alone]
    head[k.G_UNITS], head[k.G_UNIT_MOST] = len(sizes), integrals.most
    head[k.G_UNIT_MEANS], head[k.G_UNIT_SQUARES] = int(sizes.sum()), int((sizes * sizes).sum())
    head[k.G_UNIT_SIZES] = writer.integers(sizes)
    head[k.G_UNIT_EXPANDED] = writer.integers(integrals.expanded[alone])
    head[k.G_UNIT_LIMITED] = writer.integers(integrals.limited[alone])
    head[k.G_UNIT_ENDS] = writer.floats(integrals.ends[alone])
    units: list[NDArray[np.intp]] = []
    members: list[NDArray[np.int64]] = []
    for name, table in tables.factors.items():
        rows = np.flatnonzero(table.integral_unit >= 0)
        rows = rows[alone[table.integral_unit[rows]]]
        units.append(table.integral_unit[rows])
        members.append(np.column_stack([np.full(len(rows), number[name]), rows, entries_at[name][rows]]))
    all_units = np.concatenate(units)
    order = np.argsort(all_units, kind="stable")
    starts = np.searchsorted(all_units[order], np.flatnonzero(alone))
    head[k.G_UNIT_MEMBERS] = writer.integers(np.append(starts, len(order)))
    head[k.G_MEMBERS] = writer.integers(np.concatenate(members)[order])


def _write_entries(
    writer: Writer,
    factors: tuple[Factor, ...],
    tables: Tables,
    effect_places: Mapping[tuple[str, str], int],
    written: NDArray[np.bool_],
) -> dict[str, NDArray[np.int64]]:
    """Write how the cells of some units enter each row of theirs; returns where, by variable and table row, (T,)."""
    integrals = tables.integrals
    most = integrals.most
    nothing, minus_one = writer.floats([0.0]), writer.floats([-1.0])
    out: dict[str, NDArray[np.int64]] = {}
    for factor in factors:
        table = tables.factors[factor.variable]
        wanted = (table.integral_unit >= 0) & written[table.integral_unit]
        positions = np.flatnonzero(wanted)
        out[factor.variable] = np.full(table.n_rows, -1, dtype=np.int64)
        if not positions.size:
            continue
        entries = np.zeros((len(positions), most, k.ENTRY_SIZE), dtype=np.int64)
        number = np.full(table.n_rows, -1, dtype=np.intp)
        number[positions] = np.arange(len(positions))
        entries[:, :, k.ENTRY_CONSTANT] = nothing
        own = table.integrated_response[wanted[table.integrated_response]]
        if own.size:
            entries[number[own], integrals.place[factor.variable][table.units[own]], k.ENTRY_CONSTANT] = (
                minus_one
            )
        mine = wanted[table.solved_response]
        if mine.any():
            slopes = -table.response_slopes[mine]
            # units with more cells may have been gathered: the slopes are as wide as they were with them
            first = writer.floats(slopes) + slopes.shape[1] * np.arange(len(slopes))
            entries[number[table.solved_response[mine]], :, k.ENTRY_CONSTANT] = first[:, None] + np.arange(
                most
            )
        for slab in table.integrated:
            mine = wanted[slab.positions]
            rows = number[slab.positions[mine]]
            places = integrals.place[slab.variable][table.units[slab.positions[mine]]]
            weights = writer.floats(slab.slab[mine])
            entries[rows, places, 0] = len(slab.columns)
            entries[rows, places, k.ENTRY_COLUMNS] = writer.integers(slab.columns)
            entries[rows, places, k.ENTRY_WEIGHTS] = weights + len(slab.columns) * np.arange(len(rows))
        _write_slopes(writer, entries, number, factor, table, integrals, effect_places)
        start = writer.integers(entries)
        out[factor.variable][positions] = start + np.arange(len(positions)) * most * k.ENTRY_SIZE
    return out


def _write_slopes(
    writer: Writer,
    entries: NDArray[np.int64],
    number: NDArray[np.intp],
    factor: Factor,
    table: FactorTable,
    integrals: Integrals,
    effect_places: Mapping[tuple[str, str], int],
) -> None:
    """Write how integrated cells enter a factor through group effects: slopes that vary."""
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
    for effect in table.effects:
        q = effect.base.shape[1]
        for slab in effect.integrated:
            mine = number[slab.positions] >= 0
            positions = slab.positions[mine]
            place = integrals.place[slab.variable][table.units[positions]]
            at = effect_places[factor.keys[0], effect.grouping] + effect.codes[positions] * q
            for c, column in enumerate(slab.columns):
                parts.append((number[positions] * integrals.most + place, at + column, slab.slab[mine, c]))
    if not parts:
        return
    entry, where, weights = (np.concatenate([part[j] for part in parts]) for j in range(3))
    order = np.argsort(entry, kind="stable")
    own, first, counts = np.unique(entry[order], return_index=True, return_counts=True)
    flat = entries.reshape(-1, k.ENTRY_SIZE)
    flat[own, k.ENTRY_EFFECTS] = counts
    flat[own, k.ENTRY_PLACES] = writer.integers(where[order]) + first
    flat[own, k.ENTRY_SLOPES] = writer.floats(weights[order]) + first
