"""Group means of completed data on a factor's rows: what is known of them, and how sampled cells enter.

The mean of a group is the sum of its known values over its size plus each missing cell over it. A slab holds one cell a
row, so that the first missing cells of all groups make one, the second ones another, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Grouping
from bayesmi.data.grouping import rank_within
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["OpenMean", "open_means"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class OpenMean:
    """A column that is the mean of a variable in its group, or the deviation from it, on T rows."""

    variable: str
    base: Floats  # (T,) with missing cells at zero
    cells: tuple[tuple[Ints, Ints, Floats], ...]  # rows, number of the sampled cell, its weight


def open_means(
    factor: Factor, table: ModelTable, rows: Ints, cell_position: Mapping[str, Ints]
) -> dict[str, OpenMean]:
    """Return the group means of completed variables among a factor's predictors, by column; `rows` are those of the table."""
    out = {}
    for name, mean in factor.means.items():
        own, group = table.values[mean.variable], table.groupings[mean.grouping]
        known = np.where(np.isfinite(own), own, 0.0)
        sampled = cell_position.get(mean.variable, np.full(table.n_rows, -1, dtype=np.intp))
        codes = group.codes[rows]
        sign = -1.0 if mean.is_within else 1.0
        cells = [
            (positions, index, sign / group.sizes[codes[positions]])
            for positions, index in _by_rank(np.flatnonzero(sampled >= 0), sampled, group, codes)
        ]
        if mean.is_within:
            positions = np.flatnonzero(sampled[rows] >= 0)
            if positions.size:
                cells.append((positions, sampled[rows[positions]], np.ones(len(positions))))
        out[name] = OpenMean(mean.variable, mean.completed(known, group)[rows], tuple(cells))
    return out


def _by_rank(missing: Ints, sampled: Ints, group: Grouping, codes: Ints) -> list[tuple[Ints, Ints]]:
    """Return, for the first, second, … missing cell of each group, the rows of groups that have one and its number."""
    of_group = group.codes[missing]
    rank = rank_within(of_group)
    out = []
    for k in range(int(rank.max(initial=-1)) + 1):
        cell = np.full(group.n_groups, -1, dtype=np.intp)
        cell[of_group[rank == k]] = sampled[missing[rank == k]]
        positions = np.flatnonzero(cell[codes] >= 0)
        out.append((positions, cell[codes[positions]]))
    return out
