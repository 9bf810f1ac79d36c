"""Integrals over the unknowns of groups inside clusters whose missing cells are summed out, or of these clusters.

The sum over a cluster's combinations stands outside: log Σ_w f(w) Π_g ∫ f(rows of g | w, t_g) f(t_g | w) dt_g, so that a
group has one integral for each combination of its cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.likelihood.densities import Densities, Terms, by_group, log_sum
from bayesmi.likelihood.part import Part

__all__ = ["Inside", "find_inside"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Inside:
    """The integrals of a level: one for each touched group, or one for each combination of its cluster."""

    level: str
    group: Ints  # (U,)
    parent: Ints  # (U,) entry of the cluster's combination, or -1
    owner: Ints  # (U,) number of the group among the touched ones
    row: Ints  # (L,) row of each sum over a row's combinations
    row_parent: Ints  # (L,) and the entry that it stands under, or -1
    unit: Ints  # (L,) and the integral that it belongs to; -1: to all of its group, or to none

    def values(self, part: Part, found: Densities) -> Floats:
        """Return the log densities of everything in each integral, (S, U)."""
        table = part.table
        sums = _row_sums(part, found)
        rows = found.rows.copy()
        free = self.row_parent < 0  # each such row once
        rows[:, self.row[free]] += sums[:, free]
        common = by_group(table, Terms(rows, found.groups), self.level)
        out = common[:, self.group]
        inside = self.unit >= 0
        np.add.at(out.T, self.unit[inside], sums[:, inside].T)
        if self.level == part.tables.expansion.group_level:  # what the combination itself has
            under = self.parent >= 0
            out[:, under] += found.entries[:, self.parent[under]]
        return out

    def replaced(self, part: Part, found: Densities, integrated: Floats) -> Densities:
        """Return the densities with the integrals in place of what went into them."""
        table, expansion = part.table, part.tables.expansion
        touched = np.zeros(len(table.groupings[self.level].labels), dtype=bool)
        touched[self.group] = True
        of_row = touched[table.groupings[self.level].codes]
        rows, entries = found.rows.copy(), found.entries.copy()
        rows[:, of_row] = 0.0
        groups = dict(found.groups)
        for level, own in found.groups.items():
            if level == self.level or table.contains(self.level, level):
                at = np.arange(own.shape[1]) if level == self.level else table.codes_at(self.level, level)
                groups[level] = np.where(touched[at], 0.0, own)
        for block in expansion.blocks:
            first = block.start + np.arange(block.n_units) * block.n_combinations
            if not block.n_units or expansion.rows[first[0]] < 0:
                continue
            gone = first[of_row[expansion.rows[first]]]  # a sum of one: its log is zero
            for c in range(block.n_combinations):
                entries[:, gone + c] = 0.0 if c == 0 else -np.inf
        alone = self.parent < 0
        if self.level == expansion.group_level:
            entries[:, self.parent[~alone]] = 0.0
        own = groups.get(self.level, np.zeros((len(rows), len(touched)))).copy()
        own[:, self.group[alone]] += integrated[:, alone]
        groups[self.level] = own
        np.add.at(entries.T, self.parent[~alone], integrated[:, ~alone].T)
        return Densities(rows, groups, entries)


def find_inside(part: Part, level: str, touched: Ints) -> Inside:
    """Return the integrals over the unknowns of some groups of a level inside the summed one."""
    table, expansion = part.table, part.tables.expansion
    outer = table.codes_at(expansion.group_level, level)
    entries = np.flatnonzero(expansion.groups >= 0)
    group, parent, owner = [], [], []
    for n, g in enumerate(touched):
        mine = entries[expansion.groups[entries] == outer[g]]
        mine = mine if mine.size else np.array([-1])
        group.append(np.full(len(mine), g))
        parent.append(mine)
        owner.append(np.full(len(mine), n))
    groups, parents = np.concatenate(group), np.concatenate(parent)
    rows, row_parents = [], []
    for block in expansion.blocks:
        first = block.start + np.arange(block.n_units) * block.n_combinations
        if block.n_units and expansion.rows[first[0]] >= 0:
            rows.append(expansion.rows[first])
            row_parents.append(block.parents)
    nothing = np.zeros(0, dtype=np.intp)
    row = np.concatenate([nothing, *rows])
    row_parent = np.concatenate([nothing, *row_parents])
    place = {(int(g), int(e)): u for u, (g, e) in enumerate(zip(groups, parents, strict=True))}
    codes = table.groupings[level].codes
    unit = np.array(
        [
            place.get((int(codes[r]), int(e)), -1) if e >= 0 else -1
            for r, e in zip(row, row_parent, strict=True)
        ],
        dtype=np.intp,
    )
    return Inside(level, groups, parents, np.concatenate(owner), row, row_parent, unit)


def _row_sums(part: Part, found: Densities) -> Floats:
    """Log sums over the combinations of each row, (S, L)."""
    expansion = part.tables.expansion
    out = [np.zeros((len(found.rows), 0))]
    for block in expansion.blocks:
        if block.n_units and expansion.rows[block.start] >= 0:
            own = found.entries[:, block.entries].reshape(-1, block.n_units, block.n_combinations)
            out.append(log_sum(own, axis=2))
    return np.concatenate(out, axis=1)
