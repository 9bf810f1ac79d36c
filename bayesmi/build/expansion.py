"""Units with summed cells, written out once for each combination of their values.

Entries come in segments, rows first, then groups. A row whose group has a summed cell too stands once for each
combination of the group's cells, times those of its own: its blocks have that combination as their parent, so that sums
nest: log Σ_w f(w_g) Π_i Σ_x f(y_i | x, w_g) f(x | w_g).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.plan.values import CellValues

__all__ = ["Block", "Expansion", "Summed", "expand", "nothing_expanded"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Summed:
    """A variable with summed cells."""

    name: str
    level: str
    units: Ints  # (cells,) rows or groups
    cells: CellValues


@dataclass(frozen=True)
class Block:
    """Contiguous entries: `n_units` times `n_combinations`; each unit adds its log sum to its parent entry, or to the total."""

    start: int
    n_units: int
    n_combinations: int
    parents: Ints  # (n_units,) entry of the group's combination, or -1

    @property
    def entries(self) -> slice:
        """Its entries."""
        return slice(self.start, self.start + self.n_units * self.n_combinations)


@dataclass(frozen=True)
class Expansion:
    """All entries."""

    rows: Ints  # (E,) row, or -1 for an entry of a group
    groups: Ints  # (E,) group, or -1 for an entry of a row
    group_level: str  # the grouping whose cells are summed, "" for none
    values: Mapping[str, Floats]  # summed variable -> (E,) predictor value, NaN where it has none
    choice: Mapping[str, Ints]  # summed variable -> (E,) which of its values, -1 where it is not summed there
    stride: Mapping[str, Ints]  # summed variable -> (E,) distance to the entry with its next value
    log_weights: Floats  # (E,) of the grid points, each once
    blocks: tuple[Block, ...]  # those of rows first

    @property
    def n(self) -> int:
        """Number of entries, E."""
        return len(self.rows)

    def select(self, rows: NDArray[np.bool_], groups: NDArray[np.bool_]) -> tuple[Expansion, Ints]:
        """Return the expansion of some rows and groups, and which entries these are.

        `groups` has to hold the groups of all chosen rows that stand below one, and `rows` all rows below these.
        """
        chosen = np.zeros(self.n, dtype=bool)
        of_row = self.rows >= 0
        chosen[of_row] = rows[self.rows[of_row]]
        chosen[~of_row] = groups[self.groups[~of_row]]
        entries = np.flatnonzero(chosen)
        place = np.full(self.n + 1, -1, dtype=np.intp)  # place[-1] is -1
        place[entries] = np.arange(len(entries))
        blocks: list[Block] = []
        start = 0
        for block in self.blocks:
            firsts = block.start + block.n_combinations * np.arange(block.n_units)
            kept = np.flatnonzero(chosen[firsts])
            if kept.size:
                blocks.append(Block(start, len(kept), block.n_combinations, place[block.parents[kept]]))
                start += len(kept) * block.n_combinations
        part = Expansion(
            self.rows[entries],
            self.groups[entries],
            self.group_level,
            {name: values[entries] for name, values in self.values.items()},
            {name: choice[entries] for name, choice in self.choice.items()},
            {name: stride[entries] for name, stride in self.stride.items()},
            self.log_weights[entries],
            tuple(blocks),
        )
        return part, entries

    def units(self, level: str) -> Ints:
        """Return the unit of each entry at a level, -1 where it is of another."""
        if level == "row":
            return self.rows
        return self.groups if level == self.group_level else np.full(self.n, -1, dtype=np.intp)


def nothing_expanded() -> Expansion:
    """Return an expansion without entries."""
    none = np.zeros(0, dtype=np.intp)
    return Expansion(none, none, "", {}, {}, {}, np.zeros(0), ())


def expand(
    summed: Sequence[Summed], n_rows: int, codes: Ints | None, below: NDArray[np.bool_] | None
) -> Expansion:
    """Write out the combinations.

    Parameters
    ----------
    summed : sequence of Summed
        Variables at row level, and at one further level.
    n_rows : int
        Rows of the table.
    codes : (n_rows,) array, optional
        Group of each row at that further level.
    below : (n_rows,) array of bool, optional
        Rows that depend on a summed cell of their group.
    """
    if not summed:
        return nothing_expanded()
    own = [s for s in summed if s.level == "row"]
    above = [s for s in summed if s.level != "row"]
    n_groups = int(codes.max()) + 1 if codes is not None and codes.size else 0
    upper = _combinations(above, n_groups)
    lower = _combinations(own, n_rows)
    names = [s.name for s in summed]
    # row entries: every row with own combinations, or below a group with combinations
    stands = lower.counts > 0
    under = np.zeros(n_rows, dtype=bool)
    if above:
        assert codes is not None
        assert below is not None
        under = below & (upper.counts[codes] > 0)
    rows = np.flatnonzero(stands | under)
    n_above = np.where(under[rows], upper.counts[codes[rows]] if above and codes is not None else 1, 1)
    unit_row = np.repeat(rows, n_above)
    which_above = _within(n_above)
    n_below = np.maximum(lower.counts[unit_row], 1)
    order = np.argsort(n_below, kind="stable")
    unit_row, which_above, n_below = unit_row[order], which_above[order], n_below[order]
    entry_unit = np.repeat(np.arange(len(unit_row)), n_below)
    entry_row = unit_row[entry_unit]
    which_below = _within(n_below)
    n_row_entries = len(entry_row)
    group_entries = np.repeat(np.arange(n_groups), upper.counts)
    group_order = (
        np.argsort(upper.counts[group_entries], kind="stable") if above else np.zeros(0, dtype=np.intp)
    )
    group_entries = group_entries[group_order]
    which_group = _within(upper.counts)[group_order] if above else np.zeros(0, dtype=np.intp)
    total = n_row_entries + len(group_entries)
    # the entry of (group, combination)
    place = np.full(int(upper.counts.sum()) if above else 0, -1, dtype=np.intp)
    first = (
        np.concatenate([[0], np.cumsum(upper.counts)[:-1]]).astype(np.intp)
        if above
        else np.zeros(0, dtype=np.intp)
    )
    if above:
        place[first[group_entries] + which_group] = n_row_entries + np.arange(len(group_entries))
    parents = np.full(len(unit_row), -1, dtype=np.intp)
    if above and codes is not None:
        mine = under[unit_row]
        parents[mine] = place[first[codes[unit_row[mine]]] + which_above[mine]]
    values = {name: np.full(total, np.nan) for name in names}
    choice = {name: np.full(total, -1, dtype=np.intp) for name in names}
    stride = {name: np.zeros(total, dtype=np.intp) for name in names}
    log_weights = np.zeros(total)
    row_part, group_part = np.arange(n_row_entries), n_row_entries + np.arange(len(group_entries))
    for s in own:
        _fill(s, lower, entry_row, which_below, row_part, values, choice, log_weights)
        stride[s.name][row_part] = lower.stride[s.name][entry_row]
    for s in above:
        _fill(s, upper, group_entries, which_group, group_part, values, choice, log_weights)
        stride[s.name][group_part] = upper.stride[s.name][group_entries]
        if codes is not None:
            mine = under[entry_row]
            ignored = np.zeros(total)
            _fill(
                s,
                upper,
                codes[entry_row[mine]],
                which_above[entry_unit[mine]],
                row_part[mine],
                values,
                choice,
                ignored,
            )
    blocks = _blocks(n_below, parents, 0)
    if above:
        sizes = upper.counts[upper.counts > 0]
        blocks += _blocks(
            np.sort(sizes, kind="stable"), np.full(len(sizes), -1, dtype=np.intp), n_row_entries
        )
    return Expansion(
        rows=np.concatenate([entry_row, np.full(len(group_entries), -1, dtype=np.intp)]),
        groups=np.concatenate([np.full(n_row_entries, -1, dtype=np.intp), group_entries]),
        group_level=above[0].level if above else "",
        values=values,
        choice=choice,
        stride=stride,
        log_weights=log_weights,
        blocks=tuple(blocks),
    )


@dataclass(frozen=True)
class _Combinations:
    counts: Ints  # (units,) combinations, 0 where nothing is summed
    stride: Mapping[str, Ints]  # variable -> (units,) combinations of the cells after it in that unit
    cell: Mapping[str, Ints]  # variable -> (units,) number of its cell, or -1


def _combinations(summed: Sequence[Summed], n_units: int) -> _Combinations:
    counts = np.ones(n_units, dtype=np.intp)
    touched = np.zeros(n_units, dtype=bool)
    stride: dict[str, Ints] = {}
    cell: dict[str, Ints] = {}
    for s in reversed(summed):
        cell[s.name] = np.full(n_units, -1, dtype=np.intp)
        cell[s.name][s.units] = np.arange(len(s.units))
        stride[s.name] = counts.copy()
        counts[s.units] *= s.cells.values.shape[1]
        touched[s.units] = True
    counts[~touched] = 0
    return _Combinations(counts, stride, cell)


def _fill(
    summed: Summed,
    combinations: _Combinations,
    units: Ints,
    which: Ints,
    places: Ints,
    values: dict[str, Floats],
    choice: dict[str, Ints],
    log_weights: Floats,
) -> None:
    """Write a variable's value into the entries whose unit has a summed cell of it."""
    cell = combinations.cell[summed.name][units]
    mine = np.flatnonzero(cell >= 0)
    n = summed.cells.values.shape[1]
    k = (which[mine] // combinations.stride[summed.name][units[mine]]) % n
    values[summed.name][places[mine]] = summed.cells.values[cell[mine], k]
    choice[summed.name][places[mine]] = k
    log_weights[places[mine]] += summed.cells.log_weights[cell[mine], k]


def _within(counts: Ints) -> Ints:
    """Return 0 … c-1 for each count c."""
    total = int(counts.sum())
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.arange(total) - starts


def _blocks(sizes: Ints, parents: Ints, start: int) -> list[Block]:
    """Cut units, sorted by their number of combinations, into blocks of equal numbers."""
    blocks = []
    at = 0
    while at < len(sizes):
        stop = int(np.searchsorted(sizes, sizes[at], side="right"))
        blocks.append(Block(start, stop - at, int(sizes[at]), parents[at:stop]))
        start += (stop - at) * int(sizes[at])
        at = stop
    return blocks
