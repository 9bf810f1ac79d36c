"""Units of the integrals gathered by pattern, where everything about them but their numbers is the same.

Where factors are Gaussian and their cells enter with constant weights, the rows of a pattern, and of its groups, are
needed only through the cross products of their columns, and the cost of the density does not depend on the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.pattern_groups import GroupTerm, by_groups, group_codes, group_columns, group_terms
from bayesmi.build.statistics import residual_columns
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
    row_of = np.full((len(factors), integrals.n), -1, dtype=np.intp)  # table row of each unit in each factor
    groups = np.zeros((integrals.n, len(factors)), dtype=np.int64)
    columns, widths = [], []
    for n, factor in enumerate(factors):
        table = tables.factors[factor.variable]
        rows = np.flatnonzero(table.integral_unit >= 0)
        row_of[n, table.integral_unit[rows]] = rows
        own = residual_columns(factor, table) if rows.size else np.zeros((0, 0))
        widths.append(own.shape[1])
        columns.append(np.column_stack([own, group_columns(factor, table)]) if rows.size else own)
        groups[table.integral_unit[rows], n] = by_groups(
            [codes[rows] for codes in group_codes(table)], len(rows)
        )
    present = np.stack([integrals.place[name][integrals.rows] >= 0 for name in integrals.names])
    signature = np.concatenate([present, row_of >= 0, integrals.system[None, :], groups.T]).T
    patterns, member_of = np.unique(signature, axis=0, return_inverse=True)
    member_of = member_of.reshape(-1)
    blocks = []
    for number in range(len(patterns)):
        units = np.flatnonzero(member_of == number)
        names = [name for name, on in zip(integrals.names, patterns[number], strict=False) if on > 0]
        members = []
        parts = []
        start = 0
        for n, factor in enumerate(factors):
            if row_of[n, units[0]] < 0:
                continue
            parts.append(columns[n][row_of[n, units]])
            row = int(row_of[n, units[0]])
            terms = group_terms(factor, tables.factors[factor.variable], row, widths[n])
            entries = tuple(_entry(factor, tables, name, row) for name in names)
            members.append(PatternMember(n, start, entries, terms))
            start += parts[-1].shape[1]
        stacked = np.concatenate(parts, axis=1)
        blocks.append(PatternBlock(len(units), tuple(members), stacked.T @ stacked))
    return tuple(blocks)


def _entry(factor: Factor, tables: Tables, name: str, row: int) -> PatternEntry:
    table, integrals = tables.factors[factor.variable], tables.integrals
    columns, weights = np.zeros(0, dtype=np.intp), np.zeros(0)
    slopes = []
    for effect in table.effects:
        for slab in effect.integrated:
            at = np.flatnonzero(slab.positions == row)
            if slab.variable != name or not at.size:
                continue
            for c, weight in zip(slab.columns, slab.slab[at[0]], strict=True):
                group = int(effect.codes[row])
                slopes.append(
                    (GroupTerm(-1, factor.keys[0], effect.grouping, group, int(c), -1), float(weight))
                )
    for slab in table.integrated:
        at = np.flatnonzero(slab.positions == row)
        if slab.variable == name and at.size:
            columns, weights = slab.columns, slab.slab[at[0]]
    if factor.variable == name:
        return PatternEntry(columns, weights, -1.0, tuple(slopes))
    at = np.flatnonzero(table.solved_response == row)
    if not at.size:
        return PatternEntry(columns, weights, 0.0, tuple(slopes))
    place = integrals.place[name][table.units[row]]
    return PatternEntry(columns, weights, -float(table.response_slopes[at[0], place]), tuple(slopes))
