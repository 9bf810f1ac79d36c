"""Units of the integrals: rows (and combinations of their summed cells) whose Gaussian cells are integrated out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan

__all__ = ["Integrals", "find_integrals"]

Ints = NDArray[np.intp]


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
    if expansion.n:
        for factor in factors:
            inside = np.zeros(expansion.n, dtype=bool)
            for name in names:
                if factor.level == "row" and (name == factor.variable or name in factor.parents):
                    inside |= (expansion.rows >= 0) & (position[name][expansion.rows] >= 0)
            own = keys[factor.variable]
            own[inside] = int(own.max(initial=0)) + 1 + np.flatnonzero(inside)
    rows = np.concatenate([plain, expansion.rows[expanded]])
    return Integrals(
        names,
        position,
        place,
        rows,
        np.concatenate([np.full(len(plain), -1, dtype=np.intp), expanded]),
        count[rows],
        plain_unit,
        expanded_unit,
    )
