"""One sweep over the held cells given parameters: collapsed group effects first, then each block of cells in turn.

The order matters (van Dyk & Park 2008): NUTS moves the parameters with collapsed group effects and summed cells
integrated out, given the held cells; group effects are drawn right after, given the same held cells, and only then are the
held cells drawn given them. So parameters, effects and cells are a joint draw at the end of the sweep.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build import BuiltModel, make_tables
from bayesmi.draw.effects import draw_back_effects
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.gibbs.blocks import make_block, partitions
from bayesmi.gibbs.buffer import LiveProgram
from bayesmi.gibbs.effects import collapsed_groups, flat_effects
from bayesmi.gibbs.live import LiveTable
from bayesmi.gibbs.state import HeldCells, start_table

__all__ = ["Sweep"]

Floats = NDArray[np.float64]


class Sweep:
    """What a chain needs beside NUTS: the density that follows the held cells, and their draws."""

    def __init__(self, built: BuiltModel) -> None:
        factors, plan = built.model.factors, built.plan
        self._built = built
        self.cells = HeldCells.of(factors, plan)
        table = start_table(factors, built.model.table, plan)
        # not those of `built`: the sampler's scale is read off these, and has to stay what it is in the program
        self._tables = make_tables(factors, table, plan)
        live = tuple(
            LiveTable(f, self._tables.factors[f.variable], self.cells)
            for f in factors
            if self._tables.factors[f.variable].held
        )
        self.program = LiveProgram(built.program, factors, live)
        made: dict[tuple[str, ...], Any] = {}
        self.partitions = []
        for partition in partitions(factors, self.cells):
            for names in partition:
                if names not in made:
                    made[names] = make_block(names, factors, table, plan, self.cells)
            self.partitions.append(tuple(made[names] for names in partition))

    @property
    def n_entries(self) -> int:
        """Combinations that are weighed in one sweep, at most."""
        return max(sum(block.n_entries for block in blocks) for blocks in self.partitions)

    @property
    def n_effects(self) -> int:
        """Numbers in all collapsed group effects."""
        return sum(e.n_groups * e.n_effects for e in collapsed_groups(self._built.plan))

    def draws(self, x: Floats) -> PosteriorDraws:
        """Return the parameters on the scale of the data from a point of the sampler, as one draw."""
        return posterior_draws(self._built, constrained(self._built.program, x[None]), 1, 1)

    def __call__(
        self, x: Floats, state: NDArray[Any], rng: np.random.Generator
    ) -> tuple[NDArray[Any], Floats]:
        """Return new held cells and the collapsed group effects they were drawn given."""
        draw, state = self.draws(x), np.array(state)
        built = self._built
        if self.n_effects:
            self.program.set(state)
            draw = draw_back_effects(built.model.factors, built.plan, self._tables, draw, rng)
        for block in self.partitions[rng.integers(len(self.partitions))]:
            block.draw(draw, state, rng)
        return state, flat_effects(built.plan, draw)
