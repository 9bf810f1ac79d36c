"""Cells that are summed: the values that they run over, the expansion, and which of its entries are one row of a factor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion, Summed, Tied, expand
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.levelset import Combinations, combine
from bayesmi.plan.systems import System
from bayesmi.plan.values import CellValues, within_limits

__all__ = ["entry_keys", "expand_cells", "summed_cells"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_LARGE = 2**32  # keys of combinations are renumbered beyond


def expand_cells(
    factors: tuple[Factor, ...], table: ModelTable, plan: Plan, cells: Mapping[str, CellValues]
) -> Expansion:
    """Write out the units with summed cells, once for each combination of their values."""
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


def entry_keys(factor: Factor, expansion: Expansion) -> Ints:
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
