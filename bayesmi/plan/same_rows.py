"""Integrated cells and the rows they stand in: together with other integrated cells, or with cells that are summed.

The integrated cells of a row leave the density in one step, whatever models they are in, and once for each combination of
the row's summed cells.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bayesmi.model.table import ModelTable
from bayesmi.plan.cell_group import CellGroup
from bayesmi.plan.systems import System

__all__ = ["in_expanded_rows", "in_same_rows"]


def in_same_rows(cells: Sequence[CellGroup]) -> list[tuple[str, str]]:
    """Return the pairs of variables with integrated cells in the same row."""
    integrated = [group for group in cells if group.treatment == "integrate"]
    return [
        (one.variable, other.variable)
        for one, other in itertools.combinations(integrated, 2)
        if np.intersect1d(one.units, other.units).size
    ]


def in_expanded_rows(cells: Sequence[CellGroup], systems: Sequence[System], table: ModelTable) -> set[str]:
    """Return the variables with integrated cells in rows of summed cells, or that others follow from by a derived value."""
    expanded = np.zeros(table.n_rows, dtype=bool)
    summed = [(group.level, group.units) for group in cells if group.treatment in ("enumerate", "grid")]
    for level, units in (*summed, *((system.level, system.units) for system in systems)):
        if level == "row":
            expanded[units] = True
        else:
            expanded |= np.isin(table.groupings[level].codes, units)
    return {
        group.variable for group in cells if group.treatment == "integrate" and expanded[group.units].any()
    }
