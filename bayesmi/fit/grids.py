"""Whether the sum over a grid is accurate at the posterior, and the range of counts wide enough.

The grid is laid once more, half a step further on. Both together are the grid of half the spacing, next to which the error
of either is nothing, so that a sum differs from their mean by its error. How fast errors fall in the spacing depends on the
densities (as exp(-c / h²) where they are Gaussian, as exp(-c / h) where they are not): the points of one grid do not tell.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.grid import cell_masses
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks
from bayesmi.draw.weights import (
    UnitSums,
    add_upwards,
    entry_probabilities,
    restricted,
    unit_log_weights,
    unit_sums,
)
from bayesmi.gibbs.blocks import summed_again
from bayesmi.gibbs.tables import table_of_draw, tables_of_draw
from bayesmi.model import Model
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.grid import grid_values
from bayesmi.plan.held import HELD
from bayesmi.plan.values import CellValues

__all__ = ["MOST_EDGE", "MOST_ERROR", "GridAccuracy", "check_grids"]

MOST_ERROR = 1e-6
MOST_EDGE = 1e-8
_CELLS = 300
_DRAWS = 48
_HELD_DRAWS = 6  # each with tables of its own


@dataclass(frozen=True)
class GridAccuracy:
    """Worst over cells and draws that were looked at."""

    variable: str
    n_points: int
    error: float  # relative error of the sum over the grid (0 for counts)
    edge: float  # mass at the ends of the grid, or at the largest count

    @property
    def holds(self) -> bool:
        """Whether the grid may stay as it is."""
        return self.is_within(MOST_ERROR, MOST_EDGE)

    def is_within(self, error: float, edge: float) -> bool:
        """Whether neither is larger."""
        return self.error <= error and self.edge <= edge

    def __str__(self) -> str:
        what = "sum over counts" if self.error == 0.0 else f"grid error at most {self.error:.0e}"
        return f"{self.variable}: {self.n_points} points, {what}, mass at its ends at most {self.edge:.0e}"


def check_grids(model: Model, plan: Plan, tables: Tables, draws: PosteriorDraws) -> tuple[GridAccuracy, ...]:
    """Look at up to 300 cells of each variable on a grid, at 48 draws."""
    some = draws.take(np.linspace(0, draws.n - 1, min(_DRAWS, draws.n)).astype(np.intp))
    table = model.table
    if plan.holds:  # at the held cells of the last draw
        table, tables = tables_of_draw(model.factors, table, plan, draws)
    out = []
    for name, cells in plan.grids.items():
        if model.factor(name).family.needs_trials:  # the sum ends where the trials do
            continue
        if cells.spacing is None:
            shifted = None
            units = plan.units(name, "enumerate")
        else:
            shifted = functools.partial(
                make_tables, model.factors, table, plan, {name: half_a_step_on(model.factor(name), cells)}
            )
            units = plan.units(name, "grid")
        out.append(_look(model, table, tables, shifted, name, units, cells, some))
    out += [_look_at_held(model, plan, table, name, draws) for name in plan.held_grids]
    return tuple(out)


def _look_at_held(
    model: Model, plan: Plan, table: ModelTable, name: str, draws: PosteriorDraws
) -> GridAccuracy:
    """Look at cells that are held at a point, given the other held cells, at some draws with their own held cells."""
    looks = []
    own, held = summed_again((name,), model.factors, table, plan)
    further = {name: half_a_step_on(model.factor(name), own.grids[name])}
    units = plan.units(name, HELD)
    inside = np.isin(own.units(name, "grid"), units)
    for number in np.linspace(0, draws.n - 1, min(_HELD_DRAWS, draws.n)).astype(np.intp):
        here = table_of_draw(model.factors, model.table, plan, draws, int(number))
        tables = make_tables(model.factors, here, own, held=held)
        shifted = functools.partial(make_tables, model.factors, here, own, further, held=held)
        one = draws.take(np.array([number]))
        looks.append(_look(model, here, tables, shifted, name, units, own.grids[name].select(inside), one))
    worst = max(looks, key=lambda look: look.error)
    return replace(worst, edge=max(look.edge for look in looks))


def _look(
    model: Model,
    table: ModelTable,
    tables: Tables,
    shifted: Callable[[], Tables] | None,
    name: str,
    units: NDArray[np.intp],
    cells: CellValues,
    draws: PosteriorDraws,
) -> GridAccuracy:
    """Look at some of a variable's cells, whose values are given, in tables in which they are summed."""
    factor = model.factor(name)
    some = np.arange(len(units))
    if len(units) > _CELLS:
        some = np.linspace(0, len(units) - 1, _CELLS).astype(np.intp)
    units, ends = units[some], cells.sizes[some] - 1
    part = restricted(model.factors, table, tables, factor.level, units)
    further = None
    if shifted is not None:
        further = restricted(model.factors, table, shifted(), factor.level, units)
    n = tables.cells[name].values.shape[1]
    error = edge = 0.0
    for piece in chunks(draws.n, 3 * part.expansion.n):
        at = draws.take(piece)
        log_weights, _ = unit_log_weights(model.factors, part, at)
        probabilities = entry_probabilities(part.expansion, log_weights)
        mass = cell_masses(part.expansion, probabilities, name, factor.level, units, n)
        edge = max(edge, float(mass[:, np.arange(len(units)), ends].max()))
        if further is not None:
            edge = max(edge, float(mass[:, :, 0].max()))
            others, _ = unit_log_weights(model.factors, further, at)
            one = unit_sums(part.expansion, add_upwards(part.expansion, log_weights))
            two = unit_sums(further.expansion, add_upwards(further.expansion, others))
            if factor.level != "row":  # a unit below a cell has other sums where the cell has other values
                one, two = one.of_the_highest(), two.of_the_highest()
            error = max(error, _error(one, two, probabilities))
    return GridAccuracy(name, cells.values.shape[1], error, edge)


def half_a_step_on(factor: Factor, cells: CellValues) -> CellValues:
    """Return a grid whose points lie between those of another, each half a step further on."""
    assert cells.starts is not None
    assert cells.spacing is not None
    return grid_values(
        cells.starts + 0.5 * cells.spacing,
        cells.spacing,
        cells.values.shape[1],
        factor.support,
        cells.low,
        cells.high,
        cells.counts,
    )


def _error(one: UnitSums, two: UnitSums, probabilities: NDArray[np.float64]) -> float:
    """Return the largest error of a unit's sum, relative to the mean of both; below a group, by its combination's weight."""
    _, first, second = np.intersect1d(one.keys, two.keys, return_indices=True)
    apart = np.abs(np.tanh(0.5 * (one.log_sums[:, first] - two.log_sums[:, second])))
    parents = one.parents[first]
    below = parents >= 0
    apart[:, below] *= probabilities[:, parents[below]]
    return float(apart.max(initial=0.0))
