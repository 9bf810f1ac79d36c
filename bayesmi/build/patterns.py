"""Units of the integrals gathered by pattern, where everything about them but their numbers is the same.

Where factors are Gaussian and their cells enter with constant weights, the rows of a pattern, and of its groups, are
needed only through the cross products of their columns, and the cost of the density does not depend on the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.numbering import members_of, number_rows
from bayesmi.build.pattern_groups import GroupTerm, StackedColumns, group_codes, stack_columns
from bayesmi.build.tables import Tables
from bayesmi.model.factor import Factor

__all__ = ["PatternBlock", "PatternEntry", "PatternMember", "find_patterns", "has_patterns"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PatternEntry:
    """How a cell enters a factor's residual, minus its derivative: constant + weights @ coefficients of the columns."""

    columns: NDArray[np.intp]
    weights: Floats
    constant: float
    slopes: tuple[
        tuple[GroupTerm, float], ...
    ] = ()  # effects of its groups by which it enters too, with their weights


@dataclass(frozen=True)
class PatternMember:
    """One factor in a pattern: where its columns stand in the cross products, and how each cell enters."""

    factor: int
    start: int
    entries: tuple[PatternEntry, ...]
    terms: tuple[GroupTerm, ...] = ()


@dataclass(frozen=True)
class PatternBlock:
    """Rows with the same missing cells."""

    n_rows: int
    members: tuple[PatternMember, ...]
    gram: Floats  # cross products of all members' columns [1, X, y] side by side


def has_patterns(factors: tuple[Factor, ...], tables: Tables) -> bool:
    """Whether every factor with integrated cells can run on cross products."""
    if not tables.integrals.n or tables.expansion.n or (tables.integrals.limited >= 0).any():
        return False
    for factor in factors:
        table = tables.factors[factor.variable]
        if not (table.integral_unit >= 0).any():
            continue
        constant = all(
            _alike(slab.slab, tables, table.integral_unit[slab.positions]) for slab in table.integrated
        )
        constant &= _alike(table.response_slopes, tables, table.integral_unit[table.solved_response])
        plain = (
            not table.latent
            and not table.held
            and not table.response_positions.size
            and not factor.effects
            and not factor.links
        )
        if (
            not (constant and plain and factor.family.is_gaussian_identity and factor.scale is None)
            or table.has_limits
        ):
            return False
    return True


def _alike(weights: Floats, tables: Tables, units: NDArray[np.intp]) -> bool:
    """Whether weights are the same in all rows under the same equations."""
    system = tables.integrals.system[units]
    return all((weights[system == k] == weights[system == k][0]).all() for k in np.unique(system))


def find_patterns(factors: tuple[Factor, ...], tables: Tables) -> tuple[PatternBlock, ...]:
    """Return the blocks; every unit is in exactly one."""
    integrals = tables.integrals
    if not integrals.n:
        return ()
    places = {name: integrals.place[name][integrals.rows] >= 0 for name in integrals.names}
    signature = [integrals.system, *places.values()]
    rows_of = []  # table row of each unit in each factor, -1 where it has none
    stacked: list[StackedColumns | None] = []
    for factor in factors:
        table = tables.factors[factor.variable]
        rows = np.flatnonzero(table.integral_unit >= 0)
        row_of = np.full(integrals.n, -1, dtype=np.intp)
        row_of[table.integral_unit[rows]] = rows
        rows_of.append(row_of)
        stacked.append(stack_columns(factor, table) if rows.size else None)
        inside = row_of >= 0
        signature.append(inside)
        signature += [np.where(inside, codes[row_of], -1) for codes in group_codes(table) if rows.size]
    code = number_rows(signature)
    assert code is not None
    blocks = []
    for units in members_of(code):
        names = [name for name, there in places.items() if there[units[0]]]
        members, parts, start = [], [], 0
        for n, (factor, row_of, own) in enumerate(zip(factors, rows_of, stacked, strict=True)):
            row = int(row_of[units[0]])
            if row < 0 or own is None:
                continue
            parts.append(own.columns[row_of[units]])
            entries = tuple(_entry(factor, tables, name, row) for name in names)
            members.append(PatternMember(n, start, entries, own.terms(row)))
            start += own.columns.shape[1]
        columns = np.concatenate(parts, axis=1)
        blocks.append(PatternBlock(len(units), tuple(members), columns.T @ columns))
    return tuple(blocks)


def _entry(factor: Factor, tables: Tables, name: str, row: int) -> PatternEntry:
    table, integrals = tables.factors[factor.variable], tables.integrals
    columns, weights = np.zeros(0, dtype=np.intp), np.zeros(0)
    slopes = []
    for effect in table.effects:
        for slab in effect.integrated:
            at = _place(slab.positions, row)
            if slab.variable != name or at < 0:
                continue
            for c, weight in zip(slab.columns, slab.slab[at], strict=True):
                group = int(effect.codes[row])
                slopes.append(
                    (GroupTerm(-1, factor.keys[0], effect.grouping, group, int(c), -1), float(weight))
                )
    for slab in table.integrated:
        at = _place(slab.positions, row)
        if slab.variable == name and at >= 0:
            columns, weights = slab.columns, slab.slab[at]
    if factor.variable == name:
        return PatternEntry(columns, weights, -1.0, tuple(slopes))
    at = _place(table.solved_response, row)
    if at < 0:
        return PatternEntry(columns, weights, 0.0, tuple(slopes))
    place = integrals.place[name][table.units[row]]
    return PatternEntry(columns, weights, -float(table.response_slopes[at, place]), tuple(slopes))


def _place(rows: NDArray[np.intp], row: int) -> int:
    """Return where a row stands among rows in order, -1 where it does not."""
    at = int(np.searchsorted(rows, row))
    return at if at < len(rows) and rows[at] == row else -1
