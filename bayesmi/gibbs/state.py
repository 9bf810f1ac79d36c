"""The state of held cells: one level, or point of a grid, each, and the columns that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.held import HELD
from bayesmi.plan.values import CellValues

__all__ = ["HeldCells", "held_table", "start_table"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class HeldCells:
    """Which cells are held, and their place in the state: (cells,) numbers of values, variable by variable."""

    names: tuple[str, ...]
    units: Mapping[str, Ints]  # of the variable's level
    levels: Mapping[str, Floats]  # values that any cell of a discrete variable can have, for predictors
    grids: Mapping[str, CellValues]  # values that each cell of a continuous variable can have
    start: Mapping[str, int]

    @classmethod
    def of(cls, factors: Sequence[Factor], plan: Plan) -> HeldCells:
        """Return the held cells of a plan, in the order of the product."""
        held = [f for f in factors if not f.is_observation and plan.units(f.variable, HELD).size]
        start, at = {}, 0
        for factor in held:
            start[factor.variable] = at
            at += len(plan.units(factor.variable, HELD))
        return cls(
            tuple(f.variable for f in held),
            {f.variable: plan.units(f.variable, HELD) for f in held},
            {
                f.variable: np.asarray(f.levels, dtype=float)
                for f in held
                if f.variable not in plan.held_grids
            },
            {name: grid for name, grid in plan.held_grids.items() if name in start},
            start,
        )

    @property
    def size(self) -> int:
        """Number of held cells."""
        return sum(len(units) for units in self.units.values())

    def place(self, name: str) -> slice:
        """Return where a variable's cells stand in the state."""
        return slice(self.start[name], self.start[name] + len(self.units[name]))

    def values(self, name: str, state: NDArray[Any]) -> Floats:
        """Return the values of a variable's held cells, (cells,) or (draws, cells)."""
        own = state[..., self.place(name)]
        if name in self.grids:
            return self.grids[name].values[np.arange(own.shape[-1]), own]
        return np.asarray(self.levels[name][own])

    def n_values(self, name: str) -> int:
        """Return how many values a cell of a variable can have, at most."""
        return self.grids[name].values.shape[1] if name in self.grids else len(self.levels[name])

    def start_at(
        self, factors: Sequence[Factor], table: ModelTable, rng: np.random.Generator
    ) -> NDArray[np.int16]:
        """Return a state drawn from the observed values of each variable, or from the inner points of a cell's grid."""
        out = np.zeros(self.size, dtype=np.int16)
        for name in self.names:
            if name in self.grids:
                sizes = self.grids[name].sizes
                out[self.place(name)] = np.rint((sizes - 1) * rng.uniform(0.4, 0.6, len(sizes)))
                continue
            factor = next(f for f in factors if f.variable == name)
            seen = factor.codes(table.at(name, factor.level))
            seen = seen[np.isfinite(seen)].astype(np.int16)
            out[self.place(name)] = rng.choice(seen, len(self.units[name]))
        return out

    def cells(self, states: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return values by variable, (draws, cells), as whole numbers where the levels are."""
        out: dict[str, NDArray[Any]] = {}
        for name in self.names:
            found = self.values(name, states)
            if name in self.grids:
                out[name] = found
                continue
            levels = self.levels[name]
            whole = bool((levels == np.round(levels)).all() and np.abs(levels).max(initial=0.0) < 30_000)
            out[name] = found.astype(np.int16) if whole else found
        return out


def held_table(
    factors: Sequence[Factor], table: ModelTable, plan: Plan, cells: Mapping[str, NDArray[Any]]
) -> ModelTable:
    """Return the table with the held cells at values, (cells,) by variable; they stay unknown."""
    columns = {}
    for factor in factors:
        name = factor.variable
        units = plan.units(name, HELD)
        if factor.is_observation or not units.size:
            continue
        column = table.values[name].copy()
        if factor.level == "row":
            column[units] = cells[name]
        else:
            group = table.groupings[factor.level]
            by_group = np.full(len(group.labels), np.nan)
            by_group[units] = cells[name]
            spread = by_group[group.codes]
            holes = np.isfinite(spread) & table.unknown[name]
            column[holes] = spread[holes]
        columns[name] = column
    return table.with_values(columns)


def start_table(factors: Sequence[Factor], table: ModelTable, plan: Plan) -> ModelTable:
    """Return the table with the held cells at values drawn from the observed ones, always the same: to lay tables out at."""
    if not plan.holds:
        return table
    held = HeldCells.of(factors, plan)
    state = held.start_at(factors, table, np.random.default_rng(0))
    return held_table(factors, table, plan, {name: held.values(name, state) for name in held.names})
