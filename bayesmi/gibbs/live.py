"""Tables that follow the state of held cells: their numbers are written anew in place, their structure stays.

What stays is laid out at the state that the tables were made at: which rows there are, and every number that only says how
the sampler's scale relates to that of the data (centres, whitening, centring): these maps are exact whatever they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.gibbs.state import HeldCells
from bayesmi.model.factor import Factor

__all__ = ["LiveTable"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Alone:
    """Columns of the design that are a function of one held variable: looked up by its level."""

    name: str
    flat: NDArray[np.intp]  # (positions, columns) places in the flat design
    index: NDArray[np.intp]  # (positions,) held cell
    columns: Floats  # (levels, columns)


class LiveTable:
    """A factor's table whose held cells can be set."""

    def __init__(self, factor: Factor, table: FactorTable, cells: HeldCells) -> None:
        self.factor, self.table, self._cells = factor, table, cells
        parents = [positions for name, (positions, _) in table.held.items() if name != factor.variable]
        self.rows = np.unique(np.concatenate(parents)) if parents else np.zeros(0, dtype=np.intp)
        self.responses, self._index = table.held.get(factor.variable, (self.rows[:0], self.rows[:0]))
        assert table.base.flags.c_contiguous
        self._alone = _alone(factor, table, cells)

    def set(self, state: NDArray[Any]) -> None:
        """Write the numbers that follow from a state of the held cells."""
        factor, table = self.factor, self.table
        if self.responses.size and factor.variable in self._cells.grids:
            # what depends on it alone is not followed: it is no part of how parameters or other cells are drawn
            table.response[self.responses] = self._cells.values(factor.variable, state)[self._index]
        elif self.responses.size:  # a state is a number of levels, as the family has them
            table.response[self.responses] = state[self._cells.place(factor.variable)][self._index]
        if not self.rows.size:
            return
        if self._alone is not None:
            flat = table.base.reshape(-1)
            for one in self._alone:
                flat[one.flat] = one.columns[state[self._cells.place(one.name)][one.index]]
            return
        for name, (positions, index) in table.held.items():
            if name != factor.variable:
                table.values[name][positions] = self._cells.values(name, state)[index]
        _write(factor, table, self.rows)
        if factor.scale is not None and table.scale is not None:
            _write(factor.scale, table.scale, self.rows)


def _alone(factor: Factor, table: FactorTable, cells: HeldCells) -> tuple[_Alone, ...] | None:
    """Return the columns of each held predictor; None if one enters in another way, or beside another variable."""
    held = [name for name in table.held if name != factor.variable]
    if any(name in cells.grids for name in held):
        return None
    elsewhere = factor.offsets.variables | factor.scale_parents
    for effect in factor.effects:
        elsewhere |= effect.variables
    terms = factor.design.term_variables
    if any(name in elsewhere for name in held) or any(len(own) > 1 and own & set(held) for own in terms):
        return None
    out = []
    for name in held:
        positions, index = table.held[name]
        blocks = [block for block, own in zip(factor.design.blocks, terms, strict=True) if name in own]
        columns = np.concatenate([np.arange(block.start, block.stop) for block in blocks])
        levels = cells.levels[name]
        values = {
            other: np.repeat(column[positions[:1]], len(levels)) for other, column in table.values.items()
        }
        matrix = (
            factor.matrix({**values, name: levels}, len(levels)) - factor.centers[: factor.design.n_columns]
        )
        flat = positions[:, None] * table.base.shape[1] + columns
        out.append(_Alone(name, flat, index, np.ascontiguousarray(matrix[:, columns])))
    return tuple(out)


def _write(factor: Factor, table: FactorTable, rows: NDArray[np.intp]) -> None:
    """Compute the design, the offset and Z of some rows from the values there."""
    here = {name: column[rows] for name, column in table.values.items()}
    n = len(rows)
    table.base[rows] = factor.matrix(here, n) - factor.centers[: factor.design.n_columns]
    if factor.offsets.n_columns:
        table.offset[rows] = factor.offset(here, n)
    for effect in table.effects:
        own = factor.effect(effect.grouping)
        if own.variables & table.held.keys():
            effect.base[rows] = own.matrix(here, n)
