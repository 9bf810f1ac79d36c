"""Units with summed cells, written out once for each combination of their values.

Entries come in segments, rows first, then groups. A row whose group has a summed cell too stands once for each
combination of the group's cells, times those of its own: its blocks have that combination as their parent, so that sums
nest: log Σ_w f(w_g) Π_i Σ_x f(y_i | x, w_g) f(x | w_g).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.plan.levelset import Combinations
from bayesmi.plan.values import CellValues

__all__ = ["Block", "Expansion", "Summed", "Tied", "expand", "nothing_expanded"]

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
class Tied:
    """Cells that an observed derived value ties together: they are summed together, over the combinations that give it."""

    names: tuple[str, ...]
    level: str
    units: Ints  # (cells,) rows or groups
    above: tuple[str, ...]  # variables of the group whose values they depend on
    combine: Callable[[Ints, Mapping[str, Floats]], Combinations]  # of units by number, given values of these


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
    key: Mapping[
        str, Ints
    ]  # summed variable -> (E,) the same number for the same value in a unit, -1 as choice
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
            {name: key[entries] for name, key in self.key.items()},
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
    return Expansion(none, none, "", {}, {}, {}, {}, np.zeros(0), ())


def expand(
    summed: Sequence[Summed],
    n_rows: int,
    codes: Ints | None,
    below: NDArray[np.bool_] | None,
    tied: Sequence[Tied] = (),
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
    tied : sequence of Tied
        Cells that are summed together.
    """
    if not summed and not tied:
        return nothing_expanded()
    everything: list[Summed | Tied] = [*summed, *tied]
    above = [s for s in everything if s.level != "row"]
    own = [s for s in everything if s.level == "row"]
    n_groups = int(codes.max()) + 1 if codes is not None and codes.size else 0
    upper = _combinations(above, np.arange(n_groups), lambda name, units: np.zeros(0))
    # units of rows: every row with own combinations, or below a group with combinations
    stands = np.zeros(n_rows, dtype=bool)
    for s in own:
        stands[s.units] = True
    under = np.zeros(n_rows, dtype=bool)
    if above:
        assert codes is not None
        assert below is not None
        under = below & (upper.counts[codes] > 0)
    rows = np.flatnonzero(stands | under)
    n_above = np.where(under[rows], upper.counts[codes[rows]] if above and codes is not None else 1, 1)
    unit_row = np.repeat(rows, n_above)
    which_above = _within(n_above)

    def value_above(name: str, units: Ints) -> Floats:
        assert codes is not None
        return upper.values(name, codes[unit_row[units]], which_above[units])

    lower = _combinations(own, unit_row, value_above)
    n_below = np.maximum(lower.counts, 1)
    order = np.argsort(n_below, kind="stable")
    entry_unit = np.repeat(order, n_below[order])
    entry_row = unit_row[entry_unit]
    which_below = _within(n_below[order])
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
    names = list(dict.fromkeys(name for s in everything for name in _names(s)))
    out = _Columns.of(names, total)
    row_part, group_part = np.arange(n_row_entries), n_row_entries + np.arange(len(group_entries))
    for axis in lower.axes:
        axis.fill(entry_unit, which_below, row_part, out, weighted=True)
        if isinstance(axis, _TiedAxis) and axis.tied.above:
            # a unit is a row under one combination of its group: keys tell these apart
            for name in axis.tied.names:
                mine = out.key[name][row_part] >= 0
                size = int(axis.combinations.key[name].max(initial=0)) + 1
                out.key[name][row_part[mine]] += size * which_above[entry_unit[mine]]
    for axis in upper.axes:
        axis.fill(group_entries, which_group, group_part, out, weighted=True)
        if codes is not None:
            mine = under[entry_row]
            units = entry_unit[mine]
            axis.fill(codes[entry_row[mine]], which_above[units], row_part[mine], out, weighted=False)
    blocks = _blocks(n_below[order], parents[order], 0)
    if above:
        sizes = upper.counts[upper.counts > 0]
        blocks += _blocks(
            np.sort(sizes, kind="stable"), np.full(len(sizes), -1, dtype=np.intp), n_row_entries
        )
    return Expansion(
        rows=np.concatenate([entry_row, np.full(len(group_entries), -1, dtype=np.intp)]),
        groups=np.concatenate([np.full(n_row_entries, -1, dtype=np.intp), group_entries]),
        group_level=above[0].level if above else "",
        values=out.values,
        choice=out.choice,
        key=out.key,
        stride=out.stride,
        log_weights=out.log_weights,
        blocks=tuple(blocks),
    )


def _names(one: Summed | Tied) -> tuple[str, ...]:
    return one.names if isinstance(one, Tied) else (one.name,)


@dataclass(frozen=True)
class _Columns:
    """The columns of an expansion while they are filled."""

    values: dict[str, Floats]
    choice: dict[str, Ints]
    key: dict[str, Ints]
    stride: dict[str, Ints]
    log_weights: Floats

    @classmethod
    def of(cls, names: Sequence[str], total: int) -> _Columns:
        return cls(
            {name: np.full(total, np.nan) for name in names},
            {name: np.full(total, -1, dtype=np.intp) for name in names},
            {name: np.full(total, -1, dtype=np.intp) for name in names},
            {name: np.zeros(total, dtype=np.intp) for name in names},
            np.zeros(total),
        )


@dataclass(frozen=True)
class _Axis:
    """A variable summed by itself, in units that may stand several times."""

    summed: Summed
    cell: Ints  # (units,) number of its cell, or -1
    stride: Ints  # (units,) combinations of what comes after it in that unit

    def fill(self, units: Ints, which: Ints, places: Ints, out: _Columns, *, weighted: bool) -> None:
        """Write its values into the entries whose unit has a cell of it."""
        name, cells = self.summed.name, self.summed.cells
        cell = self.cell[units]
        mine = np.flatnonzero(cell >= 0)
        k = (which[mine] // self.stride[units[mine]]) % cells.sizes[cell[mine]]
        at = places[mine]
        out.values[name][at] = cells.values[cell[mine], k]
        out.choice[name][at] = k
        out.key[name][at] = k
        if weighted:
            out.stride[name][at] = self.stride[units[mine]]
            out.log_weights[at] += cells.log_weights[cell[mine], k]

    def value(self, name: str, units: Ints, which: Ints) -> Floats | None:
        """Return its values in combinations of units that all have it; None if it is not this variable's axis."""
        if name != self.summed.name:
            return None
        k = (which // self.stride[units]) % self.summed.cells.sizes[self.cell[units]]
        return self.summed.cells.values[self.cell[units], k]


@dataclass(frozen=True)
class _TiedAxis:
    """Variables summed together."""

    tied: Tied
    combinations: Combinations
    first: Ints  # (units,) first combination, -1 where there is none
    count: Ints  # (units,)
    stride: Ints  # (units,)

    def _chosen(self, units: Ints, which: Ints) -> Ints:
        return self.first[units] + (which // self.stride[units]) % self.count[units]

    def fill(self, units: Ints, which: Ints, places: Ints, out: _Columns, *, weighted: bool) -> None:
        """Write their values into the entries whose unit has cells of them."""
        mine = np.flatnonzero(self.first[units] >= 0)
        k = self._chosen(units[mine], which[mine])
        at, own = places[mine], self.combinations
        for name in self.tied.names:
            out.values[name][at] = own.values[name][k]
            out.choice[name][at] = own.choice[name][k]
            out.key[name][at] = own.key[name][k]
            if weighted and name in own.stride:
                out.stride[name][at] = own.stride[name][k] * self.stride[units[mine]]
        if weighted:
            out.log_weights[at] += own.log_weights[k]

    def value(self, name: str, units: Ints, which: Ints) -> Floats | None:
        """Return values of one of them in combinations of units that all have it."""
        if name not in self.tied.names:
            return None
        out = np.full(len(units), np.nan)
        mine = np.flatnonzero(self.first[units] >= 0)
        out[mine] = self.combinations.values[name][self._chosen(units[mine], which[mine])]
        return out


@dataclass(frozen=True)
class _Combinations:
    counts: Ints  # (units,) combinations, 0 where nothing is summed
    axes: tuple[_Axis | _TiedAxis, ...]

    def values(self, name: str, units: Ints, which: Ints) -> Floats:
        """Return a variable's values in combinations of units."""
        out = np.full(len(units), np.nan)
        for axis in self.axes:
            found = axis.value(name, units, which)
            if found is not None:
                out = np.where(np.isfinite(found), found, out)
        return out


def _combinations(
    summed: Sequence[Summed | Tied], unit: Ints, value_above: Callable[[str, Ints], Floats]
) -> _Combinations:
    """Return the combinations of units; `unit` (units,) says which row or group each is."""
    counts = np.ones(len(unit), dtype=np.intp)
    touched = np.zeros(len(unit), dtype=bool)
    size = int(unit.max(initial=-1)) + 1
    axes: list[_Axis | _TiedAxis] = []
    for s in reversed(summed):
        number = np.full(size, -1, dtype=np.intp)
        inside = s.units < size
        number[s.units[inside]] = np.flatnonzero(inside)
        cell = number[unit]
        mine = np.flatnonzero(cell >= 0)
        stride = counts.copy()
        if isinstance(s, Summed):
            counts[mine] *= s.cells.sizes[cell[mine]]
            axes.append(_Axis(s, cell, stride))
        else:
            found = s.combine(cell[mine], {name: value_above(name, mine) for name in s.above})
            count = np.zeros(len(unit), dtype=np.intp)
            count[mine] = np.bincount(found.unit, minlength=len(mine))
            first = np.full(len(unit), -1, dtype=np.intp)
            first[mine] = np.cumsum(count[mine]) - count[mine]
            counts[mine] *= count[mine]
            axes.append(_TiedAxis(s, found, first, count, stride))
        touched[mine] = True
    counts[~touched] = 0
    return _Combinations(counts, tuple(reversed(axes)))


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
