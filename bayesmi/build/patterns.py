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
from bayesmi.plan import Plan
from bayesmi.plan.jointly import JointSet

__all__ = [
    "JointGroups",
    "JointTerm",
    "PatternBlock",
    "PatternEntry",
    "PatternMember",
    "find_patterns",
    "has_patterns",
    "make_block",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class PatternEntry:
    """How a cell enters a factor's residual, minus its derivative: constant + weights @ coefficients of the columns."""

    columns: NDArray[np.intp]
    weights: Floats
    constant: float
    # effects of its groups by which it enters too, with their weights
    slopes: tuple[tuple[GroupTerm, float], ...] = ()


@dataclass(frozen=True)
class PatternMember:
    """One factor in a pattern: where its columns stand in the cross products, and how each cell enters."""

    factor: int
    start: int
    entries: tuple[PatternEntry, ...]
    terms: tuple[GroupTerm, ...] = ()


@dataclass(frozen=True)
class JointTerm:
    """Effects of one kind that are integrated out jointly, in one member of a block."""

    member: int
    column: int  # among the columns of the block's cross products by group
    source: str  # the equation they belong to
    grouping: str
    position: int  # among the effects of that equation
    coefficient: int  # of a link among the factor's coefficients, -1 of an effect of its own


@dataclass(frozen=True)
class JointGroups:
    """The groups of a block's rows whose effects are integrated out jointly."""

    own_set: JointSet
    groups: Ints  # (K,) of the inner grouping; where its effects do not enter, one for all in an outer group
    columns: NDArray[np.intp]  # (C,) columns of the block that the effects are multiplied with
    cross: Floats  # (K, C, width) cross products of these with all columns of the block, by group
    terms: tuple[JointTerm, ...]


@dataclass(frozen=True)
class PatternBlock:
    """Rows with the same missing cells."""

    n_rows: int
    members: tuple[PatternMember, ...]
    gram: Floats  # cross products of all members' columns [1, X, y] side by side
    joint: JointGroups | None = None


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


def find_patterns(factors: tuple[Factor, ...], tables: Tables, plan: Plan) -> tuple[PatternBlock, ...]:
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
        stacked.append(stack_columns(factor, table, plan) if rows.size else None)
        inside = row_of >= 0
        signature.append(inside)
        signature += [
            np.where(inside, codes[row_of], -1) for codes in group_codes(factor, table, plan) if rows.size
        ]
    code = number_rows(signature)
    assert code is not None
    blocks = []
    for units in members_of(code):
        names = [name for name, there in places.items() if there[units[0]]]
        members, parts, start = [], [], 0
        stands: list[tuple[StackedColumns, Ints]] = []
        for n, (factor, row_of, own) in enumerate(zip(factors, rows_of, stacked, strict=True)):
            row = int(row_of[units[0]])
            if row < 0 or own is None:
                continue
            parts.append(own.columns[row_of[units]])
            entries = tuple(_entry(factor, tables, name, row) for name in names)
            members.append(PatternMember(n, start, entries, own.terms(row)))
            stands.append((own, row_of[units]))
            start += own.columns.shape[1]
        columns = np.concatenate(parts, axis=1)
        own_set = plan.joint_set(factors[members[0].factor].variable)
        blocks.append(make_block(members, stands, columns, own_set))
    return tuple(blocks)


def make_block(
    members: list[PatternMember],
    stands: list[tuple[StackedColumns, Ints]],
    columns: Floats,
    own_set: JointSet | None,
) -> PatternBlock:
    """Return the block of some rows: by member its stacked columns and which of their rows these are."""
    gram = columns.T @ columns
    terms: list[JointTerm] = []
    used: list[int] = []
    for m, (member, (own, _)) in enumerate(zip(members, stands, strict=True)):
        for term in own.joint_terms():
            at = member.start + term.column
            if at not in used:
                used.append(at)
            terms.append(
                JointTerm(m, used.index(at), term.source, term.grouping, term.position, term.coefficient)
            )
    if own_set is None or not terms:
        return PatternBlock(len(columns), tuple(members), gram)
    codes = _codes(stands, own_set)
    order = np.argsort(codes, kind="stable")
    groups, first = np.unique(codes[order], return_index=True)
    ordered = columns[order]
    cross = np.stack([np.add.reduceat(ordered[:, [c]] * ordered, first, axis=0) for c in used], axis=1)
    joint = JointGroups(own_set, groups, np.asarray(used, dtype=np.intp), cross, tuple(terms))
    return PatternBlock(len(columns), tuple(members), gram, joint)


def _codes(stands: list[tuple[StackedColumns, Ints]], own_set: JointSet) -> Ints:
    """Return the group of each row; without effects of the inner grouping the first inner one of its outer group."""
    for own, rows in stands:
        codes = own.codes_of(own_set.grouping)
        if codes is not None:
            return codes[rows]
    first_inner = np.unique(own_set.outer_of, return_index=True)[1]
    outer = next(codes[rows] for own, rows in stands if (codes := own.codes_of(own_set.outer)) is not None)
    return first_inner[outer]


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
