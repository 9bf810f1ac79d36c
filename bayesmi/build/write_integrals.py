"""Integrated cells in the program: their units, the factor rows in these, and how each cell enters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.build.integrals import Integrals
from bayesmi.build.tables import Tables
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
    if patterned:
        head[k.G_UNIT_SIZES] = head[k.G_UNIT_EXPANDED] = head[k.G_UNIT_MEMBERS] = head[k.G_MEMBERS] = (
            writer.integers([0])
        )
        head[k.G_UNIT_LIMITED] = head[k.G_UNIT_SIZES]
        return
    most = integrals.most
    nothing, minus_one = writer.floats([0.0]), writer.floats([-1.0])
    head[k.G_UNITS] = integrals.n
    head[k.G_UNIT_MOST] = most
    head[k.G_UNIT_SIZES] = writer.integers(integrals.sizes)
    head[k.G_UNIT_EXPANDED] = writer.integers(integrals.expanded)
    head[k.G_UNIT_LIMITED] = writer.integers(integrals.limited)
    head[k.G_UNIT_ENDS] = writer.floats(integrals.ends)
    units: list[NDArray[np.intp]] = []
    members: list[NDArray[np.intp]] = []
    blocks: list[NDArray[np.int64]] = []
    number_of = number_equations(factors)
    for factor in factors:
        n = number_of[factor.keys[0]]
        table = tables.factors[factor.variable]
        positions = np.flatnonzero(table.integral_unit >= 0)
        if not positions.size:
            continue
        entries = np.zeros((len(positions), most, k.ENTRY_SIZE), dtype=np.int64)
        number = np.full(table.n_rows, -1, dtype=np.intp)
        number[positions] = np.arange(len(positions))
        entries[:, :, k.ENTRY_CONSTANT] = nothing
        own = table.integrated_response
        if own.size:
            entries[number[own], integrals.place[factor.variable][table.units[own]], k.ENTRY_CONSTANT] = (
                minus_one
            )
        own = table.solved_response
        if own.size:
            constants, width = writer.floats(-table.response_slopes), table.response_slopes.shape[1]
            # units with more cells may have been gathered: the slopes are as wide as they were with them
            first = constants + width * np.arange(len(own))
            entries[number[own], :, k.ENTRY_CONSTANT] = first[:, None] + np.arange(most)
        for slab in table.integrated:
            rows = number[slab.positions]
            places = integrals.place[slab.variable][table.units[slab.positions]]
            weights = writer.floats(slab.slab)
            entries[rows, places, 0] = len(slab.columns)
            entries[rows, places, k.ENTRY_COLUMNS] = writer.integers(slab.columns)
            entries[rows, places, k.ENTRY_WEIGHTS] = weights + len(slab.columns) * np.arange(len(rows))
        _write_slopes(writer, entries, number, factor, table, integrals, effect_places)
        units.append(table.integral_unit[positions])
        members.append(np.column_stack([np.full(len(positions), n), positions]))
        blocks.append(entries)
    if not units:
        head[k.G_UNIT_MEMBERS] = head[k.G_MEMBERS] = writer.integers([0])
        return
    all_units = np.concatenate(units)
    order = np.argsort(all_units, kind="stable")
    start = writer.integers(np.concatenate(blocks)[order])
    head[k.G_UNIT_MEMBERS] = writer.integers(np.searchsorted(all_units[order], np.arange(integrals.n + 1)))
    entries_at = start + np.arange(len(order)) * most * k.ENTRY_SIZE
    head[k.G_MEMBERS] = writer.integers(np.column_stack([np.concatenate(members)[order], entries_at]))


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
            place = integrals.place[slab.variable][table.units[slab.positions]]
            at = effect_places[factor.keys[0], effect.grouping] + effect.codes[slab.positions] * q
            for c, column in enumerate(slab.columns):
                parts.append((number[slab.positions] * integrals.most + place, at + column, slab.slab[:, c]))
    if not parts:
        return
    entry, where, weights = (np.concatenate([part[j] for part in parts]) for j in range(3))
    order = np.argsort(entry, kind="stable")
    own, first, counts = np.unique(entry[order], return_index=True, return_counts=True)
    flat = entries.reshape(-1, k.ENTRY_SIZE)
    flat[own, k.ENTRY_EFFECTS] = counts
    flat[own, k.ENTRY_PLACES] = writer.integers(where[order]) + first
    flat[own, k.ENTRY_SLOPES] = writer.floats(weights[order]) + first
