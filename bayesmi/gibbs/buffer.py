"""The kernel's program of a model with held cells: where the numbers stand that follow the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.build.program import Program
from bayesmi.build.write_equation import number_equations
from bayesmi.build.write_rows import kernel_response
from bayesmi.gibbs.live import LiveTable
from bayesmi.kernel import layout as k
from bayesmi.model.factor import Factor

__all__ = ["LiveProgram"]

_HEADER = 3


@dataclass(frozen=True)
class _Place:
    """Numbers of one linear predictor's record."""

    key: str
    factor: Factor  # or the model of its scale
    table: FactorTable
    design: int
    offset: int
    response: int  # -1: it has none
    effects: tuple[int, ...]


class LiveProgram:
    """A copy of a program's buffer that is kept up with the state of held cells."""

    def __init__(self, program: Program, factors: tuple[Factor, ...], live: tuple[LiveTable, ...]) -> None:
        self.buffer = program.buffer.copy()
        self._live = live
        self._state: NDArray[Any] | None = None
        n_floats = int(self.buffer[:_HEADER].view(np.int64)[1])
        self._n_floats = n_floats
        integers = self.buffer[_HEADER + n_floats :].view(np.int64)
        number = number_equations(factors)
        self._places = [_places(one, integers, number) for one in live]

    def set(self, state: NDArray[Any]) -> None:
        """Write the state into tables and buffer, if it is another one."""
        if self._state is not None and np.array_equal(self._state, state):
            return
        for one, places in zip(self._live, self._places, strict=True):
            one.set(state)
            for place in places:
                self._write(one, place)
        self._state = np.array(state)

    @property
    def _floats(self) -> NDArray[np.float64]:
        """The program's numbers, as a view: one that was kept would be a copy in another process."""
        return self.buffer[_HEADER : _HEADER + self._n_floats]

    def _write(self, live: LiveTable, place: _Place) -> None:
        table, rows = place.table, live.rows
        if rows.size:
            for start, matrix in (
                (place.design, table.base),
                *zip(place.effects, (e.base for e in table.effects), strict=True),
            ):
                width = matrix.shape[1]
                if width:
                    self._floats[start + rows[:, None] * width + np.arange(width)] = matrix[rows]
            offset = table.offset[rows]
            if place.key in table.shifts:
                offset = offset + table.shifts[place.key][rows]
            self._floats[place.offset + rows] = offset
        if place.response >= 0 and live.responses.size:
            self._floats[place.response + live.responses] = kernel_response(place.factor, table)[
                live.responses
            ]


def _places(live: LiveTable, integers: NDArray[np.int64], number: dict[str, int]) -> list[_Place]:
    factor, out = live.factor, []
    for part in factor.parts:
        table = live.table if part is factor else live.table.scale
        assert table is not None
        for key in part.keys:
            record = int(integers[integers[k.G_FACTOR_TABLE] + number[key]])
            assert integers[record + k.F_MODE] == k.MODE_ROWS
            assert integers[record + k.F_CLASS_CODES] < 0
            first = int(integers[record + k.F_EFFECT_TABLE])
            effects = tuple(int(integers[first + e * k.E_SIZE + k.E_Z]) for e in range(len(table.effects)))
            out.append(
                _Place(
                    key,
                    part,
                    table,
                    int(integers[record + k.F_DESIGN]),
                    int(integers[record + k.F_OFFSET]),
                    int(integers[record + k.F_RESPONSE]) if part is factor else -1,
                    effects,
                )
            )
    return out
