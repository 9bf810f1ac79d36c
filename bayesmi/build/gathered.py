"""Rows that the density needs only through cross products, beside others that it needs one by one.

Where some cells are summed, their rows stand in the expansion; the other rows of the Gaussian factors, complete ones
and those with integrated cells, have nothing to do with that and are gathered by pattern all the same, and by their groups
where these are large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import nothing_expanded
from bayesmi.build.factor_table import FactorTable
from bayesmi.build.integrals import Integrals, SolvedCells
from bayesmi.build.numbering import members_of, number_rows
from bayesmi.build.pattern_groups import group_codes, joint_groupings, may_have_groups, stack_columns
from bayesmi.build.patterns import PatternBlock, PatternMember, find_patterns, make_block
from bayesmi.build.slabs import Slab
from bayesmi.build.tables import Tables
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan
from bayesmi.plan.alike import are_alike

__all__ = ["gather"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]
_FEW = 16  # rows of a pattern below which they cost less one by one


def gather(
    factors: tuple[Factor, ...], tables: Tables, plan: Plan
) -> tuple[Tables, tuple[PatternBlock, ...]]:
    """Return the tables of what is left row by row, and the blocks of what is not."""
    joint = {f.variable for f in factors if joint_groupings(f, plan)}
    may = {f.variable: _may_be_gathered(f, tables.factors[f.variable], plan) for f in factors}
    units = _units(factors, tables, may, plan)
    with_cells: dict[str, FactorTable] = {}
    left: dict[str, FactorTable] = {}
    blocks: list[PatternBlock] = []
    there, here = np.cumsum(units) - 1, np.cumsum(~units) - 1  # new numbers of the units
    for n, factor in enumerate(factors):
        table = tables.factors[factor.variable]
        inside = (table.integral_unit >= 0) & units[table.integral_unit] if units.size else _none(table)
        with_cells[factor.variable] = _take(table, inside, there)
        rest = ~inside
        one_by_one = rest & ((table.integral_unit >= 0) | (np.arange(table.n_rows) >= table.n_plain))
        has_groups = bool(table.effects or table.links)
        if may[factor.variable] and (one_by_one.any() or has_groups):  # else sufficient statistics serve it
            complete, own = _complete_blocks(n, factor, table, rest & ~one_by_one, plan)
            blocks += own
            rest = rest & ~complete
        if factor.variable in joint and rest.any():
            raise AssertionError(f"rows of {factor.variable} could not be gathered")
        # a factor that keeps all its rows needs the units' new numbers too
        left[factor.variable] = table if rest.all() and not units.any() else _take(table, rest, here)
    if units.any():
        gathered = replace(
            tables,
            factors=with_cells,
            expansion=nothing_expanded(),
            integrals=_take_units(tables.integrals, units),
        )
        blocks += find_patterns(factors, gathered, plan)
    if not blocks:
        return tables, ()
    return replace(tables, factors=left, integrals=_take_units(tables.integrals, ~units)), tuple(blocks)


def _complete_blocks(
    n: int, factor: Factor, table: FactorTable, rows: Mask, plan: Plan
) -> tuple[Mask, list[PatternBlock]]:
    """Return which of some complete rows of a factor are gathered, and their blocks: one for the rows of the same groups."""
    at = np.flatnonzero(rows)
    code = _number(group_codes(factor, table, plan), at)
    few = 1 if joint_groupings(factor, plan) else _FEW
    many = np.bincount(code)[code] >= few
    gathered = np.zeros(table.n_rows, dtype=bool)
    gathered[at[many]] = True
    if not gathered.any():
        return gathered, []
    stacked = stack_columns(factor, _take(table, gathered, np.zeros(0, dtype=np.intp)), plan)
    blocks = []
    for members in members_of(np.unique(code[many], return_inverse=True)[1]):
        member = PatternMember(n, 0, (), stacked.terms(int(members[0])))
        blocks.append(
            make_block(
                [member], [(stacked, members)], stacked.columns[members], plan.joint_set(factor.variable)
            )
        )
    return gathered, blocks


def _number(codes: list[Ints], rows: Ints) -> Ints:
    """Return numbers of the combinations of groups that some rows are in, all one without groups."""
    found = number_rows([np.zeros(len(rows), dtype=np.intp), *(own[rows] for own in codes)])
    assert found is not None
    return found


def _none(table: FactorTable) -> Mask:
    return np.zeros(table.n_rows, dtype=bool)


def _may_be_gathered(factor: Factor, table: FactorTable, plan: Plan) -> bool:
    """Whether rows of a factor differ by their numbers and groups only: no sampled cell, one residual sd."""
    return (
        factor.level == "row"
        and factor.family.is_gaussian_identity
        and factor.scale is None
        and not factor.is_observation
        and may_have_groups(factor, table, plan)
        and not table.latent
        and not table.slabs
        and not table.held
        and not table.response_positions.size
        and not table.has_limits
    )


def _units(factors: tuple[Factor, ...], tables: Tables, may: Mapping[str, bool], plan: Plan) -> Mask:
    """Units that are gathered: not expanded, all their factors may, cells enter all rows alike, and not too few."""
    integrals = tables.integrals
    units = (integrals.expanded < 0) & (integrals.limited < 0)
    joint = np.zeros(integrals.n, dtype=bool)  # of these none may be left
    columns = [integrals.system, *(integrals.place[name][integrals.rows] >= 0 for name in integrals.names)]
    for factor in factors:
        table = tables.factors[factor.variable]
        rows = np.flatnonzero(table.integral_unit >= 0)
        mine = table.integral_unit[rows]
        groups = np.full(integrals.n, -1, dtype=np.intp)
        groups[mine] = _number(group_codes(factor, table, plan), rows)
        joint[mine] |= bool(joint_groupings(factor, plan))
        columns.append(groups)
        if not may[factor.variable]:
            units[mine] = False
        for slab in (*table.integrated, *(slab for effect in table.effects for slab in effect.integrated)):
            units[_unlike(slab.slab, slab.positions, table, integrals)] = False
        units[_unlike(table.response_slopes, table.solved_response, table, integrals)] = False
    code = number_rows(columns)
    assert code is not None
    return np.asarray(units & (joint | (np.bincount(code, weights=units)[code] >= _FEW)))


def _unlike(weights: Floats, positions: Ints, table: FactorTable, integrals: Integrals) -> Ints:
    """Units under the same observed derived values whose cells enter plain rows with different weights."""
    plain = positions < table.n_plain
    weights, unit = weights[plain], table.integral_unit[positions[plain]]
    system = integrals.system[unit]
    out = [unit[:0]]
    for k in np.unique(system):
        mine = system == k
        if not are_alike(weights[mine], 4.0):  # the plan found them alike among these and others
            out.append(unit[mine])
    return np.concatenate(out)


def _take(table: FactorTable, keep: Mask, unit_number: Ints) -> FactorTable:
    """Return the table of some rows; units of the integrals get new numbers."""
    number = np.cumsum(keep) - 1
    n_plain = int(keep[: table.n_plain].sum())
    pairs = keep[table.pair_rows]
    responses = keep[table.response_positions]
    unit = table.integral_unit[keep]
    solved = keep[table.solved_response]
    latent = {}
    for name, (positions, index) in table.latent.items():
        mine = keep[positions]
        latent[name] = (number[positions[mine]], index[mine])
    return replace(
        table,
        units=table.units[keep],
        n_plain=n_plain,
        expanded=table.expanded[keep[table.n_plain :]],
        pair_entries=table.pair_entries[pairs],
        pair_rows=number[table.pair_rows[pairs]],
        constant=table.constant[keep],
        known={name: values[keep] for name, values in table.known.items()},
        response=table.response[keep],
        response_positions=number[table.response_positions[responses]],
        response_index=table.response_index[responses],
        values={name: values[keep] for name, values in table.values.items()},
        latent=latent,
        base=table.base[keep],
        slabs=tuple(_take_slab(slab, keep, number) for slab in table.slabs),
        offset=table.offset[keep],
        effects=tuple(
            replace(
                effect,
                codes=effect.codes[keep],
                base=effect.base[keep],
                slabs=tuple(_take_slab(slab, keep, number) for slab in effect.slabs),
                integrated=tuple(_take_slab(slab, keep, number) for slab in effect.integrated),
            )
            for effect in table.effects
        ),
        links={name: codes[keep] for name, codes in table.links.items()},
        integrated=tuple(
            own for slab in table.integrated if (own := _take_slab(slab, keep, number)).positions.size
        ),
        integrated_response=number[table.integrated_response[keep[table.integrated_response]]],
        solved_response=number[table.solved_response[solved]],
        response_slopes=table.response_slopes[solved],
        integral_unit=np.where(unit >= 0, unit_number[unit], -1) if unit_number.size else unit,
        scale=None if table.scale is None else _take(table.scale, keep, unit_number),
        selection=None if table.selection is None else _take(table.selection, keep, unit_number),
    )


def _take_slab(slab: Slab, keep: Mask, number: Ints) -> Slab:
    mine = keep[slab.positions]
    return replace(slab, positions=number[slab.positions[mine]], index=slab.index[mine], slab=slab.slab[mine])


def _take_units(integrals: Integrals, keep: Mask) -> Integrals:
    """Return some of the units."""
    number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)  # number[-1] is -1
    return replace(
        integrals,
        rows=integrals.rows[keep],
        expanded=integrals.expanded[keep],
        sizes=integrals.sizes[keep],
        plain_unit=number[integrals.plain_unit],
        expanded_unit=number[integrals.expanded_unit],
        solved={
            name: SolvedCells(one.base[keep], one.slopes[keep]) for name, one in integrals.solved.items()
        },
        log_jacobian=integrals.log_jacobian[keep],
        limited=integrals.limited[keep],
        ends=integrals.ends[keep],
        system=integrals.system[keep],
    )
