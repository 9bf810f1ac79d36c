"""Blocks of held cells that are drawn at once: which variables, and the tables that give the weights of their combinations.

The cells of a block are summed over in tables of their own, beside everything that is summed or integrated in the unit all
the time; the other held cells of the unit are numbers that follow the state. So a block is drawn from its conditional given
parameters, group effects and the unit's other held cells, with the cells that are summed all the time summed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, held_positions, make_tables
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.weights import add_upwards, choose_entries, restricted, unit_log_weights
from bayesmi.gibbs.live import LiveTable
from bayesmi.gibbs.state import HeldCells
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.held import BLOCK, HELD
from bayesmi.plan.values import together

__all__ = ["Block", "make_block", "partitions", "summed_again"]

Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Block:
    """Held cells of some variables of one level that are drawn at once in every unit."""

    names: tuple[str, ...]
    factors: tuple[Factor, ...]  # those that depend on its cells
    cells: HeldCells
    tables: Tables
    live: tuple[LiveTable, ...]

    @property
    def n_entries(self) -> int:
        """Combinations in all units."""
        return self.tables.expansion.n

    def log_weights(self, draw: PosteriorDraws, state: NDArray[Any]) -> NDArray[np.float64]:
        """Return log f of each combination, (entries,), given one draw with group effects and the other held cells."""
        for one in self.live:
            one.set(state)
        found, _ = unit_log_weights(self.factors, self.tables, draw)
        return add_upwards(self.tables.expansion, found)[0]

    def draw(self, draw: PosteriorDraws, state: NDArray[Any], rng: np.random.Generator) -> None:
        """Draw the cells of the block and write them into the state."""
        expansion = self.tables.expansion
        chosen = choose_entries(expansion, self.log_weights(draw, state), rng)
        for name in self.names:
            factor = next(f for f in self.factors if f.variable == name)
            units = expansion.units(factor.level)
            mine = np.flatnonzero(chosen & (units >= 0) & (expansion.choice[name] >= 0))
            own = self.cells.units[name]
            place = np.searchsorted(own, units[mine])
            held = (
                own[np.minimum(place, len(own) - 1)] == units[mine]
            )  # other cells of it are summed all the time
            state[self.cells.place(name)][place[held]] = expansion.choice[name][mine[held]]


def partitions(factors: Sequence[Factor], cells: HeldCells) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Return two ways to cut the held variables into blocks, so that cells apart in one stand together in the other.

    Neighbours in the order of the product, and variables that stand far from each other in it.
    """
    out: list[tuple[tuple[str, ...], ...]] = []
    levels = {f.variable: (f.level, cells.n_values(f.variable)) for f in factors if f.variable in cells.names}
    for interleaved in (False, True):
        blocks: list[tuple[str, ...]] = []
        for level in dict.fromkeys(levels[name][0] for name in cells.names):
            names = [name for name in cells.names if levels[name][0] == level]
            if interleaved:
                n = len(_cut([levels[name][1] for name in names]))
                names = [name for first in range(n) for name in names[first::n]]
            ends = np.cumsum([0, *_cut([levels[name][1] for name in names])])
            blocks += [tuple(names[a:b]) for a, b in pairwise(ends.tolist())]
        if tuple(blocks) not in out:
            out.append(tuple(blocks))
    return tuple(out)


def _cut(sizes: Sequence[int]) -> list[int]:
    """Return how many variables each block has, so that none has more than BLOCK combinations (or one variable)."""
    out, product = [0], 1
    for size in sizes:
        if out[-1] and product * size > BLOCK:
            out.append(0)
            product = 1
        out[-1] += 1
        product *= size
    return out


def summed_again(
    names: Sequence[str], factors: tuple[Factor, ...], table: ModelTable, plan: Plan
) -> tuple[Plan, dict[str, Ints]]:
    """Return the plan in which the held cells of some variables are summed, and the places of the other held cells."""
    groups, held = [], dict(held_positions(factors, table, plan))
    grids = dict(plan.grids)
    for group in plan.cells:
        name = group.variable
        if name not in names or group.treatment not in ("enumerate", "grid", HELD):
            groups.append(group)
        elif group.treatment == HELD:
            how = "grid" if name in plan.held_grids else "enumerate"
            summed = np.union1d(plan.units(name, how), group.units)
            groups.append(replace(group, treatment=how, units=summed))
            if how == "grid":
                mine = (group.units, plan.held_grids[name])
                beside = (plan.units(name, "grid"), plan.grids[name]) if name in plan.grids else None
                grids[name] = mine[1] if beside is None else together(beside, mine)[1]
            held[name] = np.full_like(held[name], -1)
    return replace(plan, cells=tuple(groups), grids=grids), held


def make_block(
    names: tuple[str, ...],
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    cells: HeldCells,
) -> Block:
    """Lay out the tables of a block.

    Parameters
    ----------
    names : tuple of str
        Variables of one level.
    factors, table, plan
        The model, with held cells at values.
    cells : HeldCells
        All of them.
    """
    level = next(f.level for f in factors if f.variable == names[0])
    own, held = summed_again(names, factors, table, plan)
    units = np.unique(np.concatenate([cells.units[name] for name in names]))
    tables = restricted(factors, table, make_tables(factors, table, own, held=held), level, units)
    needed = [
        f for f in factors if f.variable in tables.factors and tables.factors[f.variable].pair_rows.size
    ]
    if tables.integrals.n:  # the integrals have rows in factors that have nothing summed
        needed = [f for f in factors if f.variable in tables.factors]
    of_needed = {f.variable: tables.factors[f.variable] for f in needed}
    live = tuple(LiveTable(f, of_needed[f.variable], cells) for f in needed if of_needed[f.variable].held)
    return Block(names, tuple(needed), cells, replace(tables, factors=of_needed), live)
