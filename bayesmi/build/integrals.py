"""Units of the integrals: rows (and combinations of their summed cells) whose Gaussian cells are integrated out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion
from bayesmi.model.factor import Factor
from bayesmi.model.limited import interval_at
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.levelset import linear_solution

__all__ = ["Integrals", "SolvedCells", "find_integrals"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class SolvedCells:
    """Cells of one variable that are affine in the integrated cells of their unit: base + slopes @ cells."""

    base: Floats  # (units,), NaN where the variable is not solved
    slopes: Floats  # (units, most)

    @property
    def stands(self) -> NDArray[np.bool_]:
        """Units where it is solved, (units,)."""
        return np.isfinite(self.base)


@dataclass(frozen=True)
class Integrals:
    """Which cells are integrated out, and the units they fall into."""

    names: tuple[str, ...]  # integrated variables in the order of the product
    position: Mapping[str, Ints]  # variable -> (n,) its cell number in that row, or -1
    place: Mapping[str, Ints]  # variable -> (n,) its place among the row's integrated cells, or -1
    rows: Ints  # (units,) row
    expanded: Ints  # (units,) expanded row, or -1
    sizes: Ints  # (units,) cells
    plain_unit: Ints  # (n,) unit of a row that is not expanded, or -1
    expanded_unit: Ints  # (E,) unit of an expanded row, or -1
    solved: Mapping[str, SolvedCells] = field(default_factory=dict)
    log_jacobian: Floats = field(
        default_factory=lambda: np.zeros(0)
    )  # (units,) of the observed derived values
    limited: Ints = field(
        default_factory=lambda: np.zeros(0, dtype=np.intp)
    )  # (units,) which of its cells lies between limits, or -1
    ends: Floats = field(default_factory=lambda: np.zeros((0, 2)))  # (units, 2) lower and upper limit of that
    system: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.intp))  # (units,) which of them, or -1

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.rows)

    @property
    def most(self) -> int:
        """Most cells in one unit."""
        return int(self.sizes.max()) if self.n else 0

    def unit_of(self, units: Ints, expanded: Ints, n_plain: int) -> Ints:
        """Return the unit of each table row, plain rows first, or -1."""
        return np.concatenate([self.plain_unit[units[:n_plain]], self.expanded_unit[expanded]])


def find_integrals(
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    expansion: Expansion,
    keys: dict[str, Ints],
) -> Integrals:
    """Return the units; in place, let factors with integrated cells have a row of their own in every entry."""
    n = table.n_rows
    names = tuple(f.variable for f in factors if plan.units(f.variable, "integrate").size)
    count = np.zeros(n, dtype=np.intp)
    position: dict[str, Ints] = {}
    place: dict[str, Ints] = {}
    for name in names:
        rows = plan.units(name, "integrate")
        position[name] = np.full(n, -1, dtype=np.intp)
        position[name][rows] = np.arange(len(rows))
        place[name] = np.full(n, -1, dtype=np.intp)
        place[name][rows] = count[rows]
        count[rows] += 1
    in_expansion = np.zeros(n, dtype=bool)
    in_expansion[expansion.rows[expansion.rows >= 0]] = True
    plain = np.flatnonzero((count > 0) & ~in_expansion)
    expanded = np.flatnonzero((expansion.rows >= 0) & (count[expansion.rows] > 0))
    plain_unit = np.full(n, -1, dtype=np.intp)
    plain_unit[plain] = np.arange(len(plain))
    expanded_unit = np.full(expansion.n, -1, dtype=np.intp)
    expanded_unit[expanded] = len(plain) + np.arange(len(expanded))
    rows = np.concatenate([plain, expansion.rows[expanded]])
    entries = np.concatenate([np.full(len(plain), -1, dtype=np.intp), expanded])
    most = int(count[rows].max(initial=0))
    solved, log_jacobian, which = _solve(table, plan, expansion, rows, entries, place, most)
    if expansion.n:
        for factor in factors:
            inside = np.zeros(expansion.n, dtype=bool)
            for name in names:
                if factor.level == "row" and (name == factor.variable or name in factor.parents):
                    inside |= (expansion.rows >= 0) & (position[name][expansion.rows] >= 0)
            for name, one in solved.items():
                if factor.level == "row" and (name == factor.variable or name in factor.parents):
                    here = one.stands & (entries >= 0)
                    inside[entries[here]] = True
            own = keys[factor.variable]
            own[inside] = int(own.max(initial=0)) + 1 + np.flatnonzero(inside)
    limited, ends = _limits(factors, table, names, position, place, rows)
    return Integrals(
        names,
        position,
        place,
        rows,
        entries,
        count[rows],
        plain_unit,
        expanded_unit,
        solved,
        log_jacobian,
        limited,
        ends,
        which,
    )


def _limits(
    factors: tuple[Factor, ...],
    table: ModelTable,
    names: tuple[str, ...],
    position: Mapping[str, Ints],
    place: Mapping[str, Ints],
    rows: Ints,
) -> tuple[Ints, Floats]:
    """The cell of each unit that lies between limits: the plan leaves one."""
    limited, ends = np.full(len(rows), -1, dtype=np.intp), np.full((len(rows), 2), np.nan)
    for name in names:
        lower, upper, known = interval_at(name, "row", table)
        on = known[rows] & (position[name][rows] >= 0)
        limited[on] = place[name][rows[on]]
        ends[on] = np.column_stack([lower, upper])[rows[on]]
    return limited, ends


def _solve(
    table: ModelTable,
    plan: Plan,
    expansion: Expansion,
    rows: Ints,
    entries: Ints,
    place: Mapping[str, Ints],
    most: int,
) -> tuple[dict[str, SolvedCells], Floats, Ints]:
    """Solve the linear equations of each unit for the cells that are not integrated."""
    n = len(rows)
    base: dict[str, Floats] = {}
    slopes: dict[str, Floats] = {}
    log_jacobian = np.zeros(n)
    which = np.full(n, -1, dtype=np.intp)
    for number, system in enumerate(plan.systems):
        if not system.linear:
            continue
        member = np.full(table.n_rows, -1, dtype=np.intp)
        member[system.units] = np.arange(len(system.units))
        units = np.flatnonzero(member[rows] >= 0)
        known = {}
        for name in (*system.above, *system.discrete, *system.grid, *(part for part, _ in system.inverse)):
            known[name] = expansion.values[name][entries[units]]
        solution = linear_solution(system, member[rows[units]], known)
        log_jacobian[units] += solution.log_jacobian
        which[units] = number
        for name, values in solution.base.items():
            base.setdefault(name, np.full(n, np.nan))[units] = values
            into = slopes.setdefault(name, np.zeros((n, most)))
            for other, slope in solution.slopes[name].items():
                into[units, place[other][rows[units]]] = slope
    return {name: SolvedCells(base[name], slopes[name]) for name in base}, log_jacobian, which
