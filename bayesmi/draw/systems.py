"""Cells that an observed derived value ties together, so that completed data agree with it to the last digits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.levelset import linear_solution, place_cells

__all__ = ["place_tied", "tied_parts", "tied_units"]

Floats = NDArray[np.float64]


def tied_units(plan: Plan, table: ModelTable) -> dict[str, NDArray[np.bool_]]:
    """Return for each variable with tied cells on a grid which units of its level these are."""
    out: dict[str, NDArray[np.bool_]] = {}
    for system in plan.systems:
        for name in system.grid:
            mask = out.setdefault(name, np.zeros(len(table.rows_of_level(system.level)), dtype=bool))
            mask[system.units] = True
    return out


def tied_parts(plan: Plan, table: ModelTable) -> dict[str, NDArray[np.bool_]]:
    """Return for each continuous variable which units of its level have a cell that is tied to others."""
    out: dict[str, NDArray[np.bool_]] = {}
    for system in plan.systems:
        for name in (*system.grid, *system.integrated, *system.solved):
            mask = out.setdefault(name, np.zeros(len(table.rows_of_level(system.level)), dtype=bool))
            mask[system.units] = True
    return out


def place_tied(
    table: ModelTable,
    plan: Plan,
    points: Mapping[str, Floats],
    values: dict[str, Floats],
) -> None:
    """Write tied cells on grids and those solved from the others into the completed columns, in place.

    Parameters
    ----------
    table, plan
        The joint model.
    points : mapping
        Tied variable on a grid -> (units of its level,) drawn points on the unconstrained scale.
    values : dict
        Columns over rows with every other cell of the systems filled.
    """
    order = sorted(plan.systems, key=lambda system: system.level == "row")  # groups first
    for system in order:
        if not system.solved:
            continue
        rows = system.units
        spread = rows
        member = np.arange(len(rows))
        if system.level != "row":
            codes = table.groupings[system.level].codes
            rows = table.groupings[system.level].first_row[system.units]
            spread = np.flatnonzero(np.isin(codes, system.units))
            member = np.searchsorted(system.units, codes[spread])
        members = np.arange(len(system.units))
        above = {name: values[name][rows] for name in system.above}
        discrete = {name: values[name][rows] for name in system.discrete}
        own = {name: points[name][system.units] for name in system.grid}
        found, _ = place_cells(system, members, above, discrete, own)
        if system.linear:
            solution = linear_solution(system, members, {**above, **discrete, **found})
            for name, base in solution.base.items():
                total = base.copy()
                for other, slope in solution.slopes[name].items():
                    total += slope * values[other][rows]
                found[name] = total
        for name, own_values in found.items():
            values[name][spread] = own_values[member]
