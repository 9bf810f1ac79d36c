"""Whether the sum over a grid is accurate at the posterior, and the range of counts wide enough.

The even and the odd points are two grids of twice the spacing. Where the error of these is delta (they differ by 2 delta),
that of the whole grid is 2 (delta / 2)⁴: exp(-2 pi² s² / h²) against exp(-pi² s² / (2 h²)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.grid import cell_masses
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks
from bayesmi.draw.weights import entry_probabilities, restricted, unit_log_weights
from bayesmi.gibbs.blocks import summed_again
from bayesmi.gibbs.tables import table_of_draw, tables_of_draw
from bayesmi.model import Model
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan, make_plan
from bayesmi.plan.held import HELD
from bayesmi.plan.values import CellValues

__all__ = ["GridAccuracy", "check_grids", "next_grids", "refined_plan"]

_MOST_ERROR = 1e-6
_MOST_EDGE = 1e-8
_CELLS = 300
_DRAWS = 48
_HELD_DRAWS = 6  # each with tables of its own
_STEPS = 6  # of refinement at the same draws
_TARGET = 0.05  # delta at which the whole grid errs by less than 1e-6


@dataclass(frozen=True)
class GridAccuracy:
    """Worst over cells and draws that were looked at."""

    variable: str
    n_points: int
    error: float  # relative error of the sum over the grid (0 for counts)
    edge: float  # mass at the ends of the grid, or at the largest count
    delta: float

    @property
    def holds(self) -> bool:
        """Whether the grid may stay as it is."""
        return self.error <= _MOST_ERROR and self.edge <= _MOST_EDGE

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
        units = plan.units(name, "grid" if cells.spacing is not None else "enumerate")
        out.append(_look(model, table, tables, name, units, cells, some))
    out += [_look_at_held(model, plan, table, name, draws) for name in plan.held_grids]
    return tuple(out)


def _look_at_held(
    model: Model, plan: Plan, table: ModelTable, name: str, draws: PosteriorDraws
) -> GridAccuracy:
    """Look at cells that are held at a point, given the other held cells, at some draws with their own held cells."""
    looks = []
    own, held = summed_again((name,), model.factors, table, plan)
    units = plan.units(name, HELD)
    inside = np.isin(own.units(name, "grid"), units)
    for number in np.linspace(0, draws.n - 1, min(_HELD_DRAWS, draws.n)).astype(np.intp):
        here = table_of_draw(model.factors, model.table, plan, draws, int(number))
        tables = make_tables(model.factors, here, own, held=held)
        one = draws.take(np.array([number]))
        looks.append(_look(model, here, tables, name, units, own.grids[name].select(inside), one))
    worst = max(looks, key=lambda look: look.delta)
    return replace(worst, edge=max(look.edge for look in looks))


def _look(
    model: Model,
    table: ModelTable,
    tables: Tables,
    name: str,
    units: NDArray[np.intp],
    cells: CellValues,
    draws: PosteriorDraws,
) -> GridAccuracy:
    """Look at some of a variable's cells, whose values are given, in tables in which they are summed."""
    factor = model.factor(name)
    is_grid = cells.spacing is not None
    some = np.arange(len(units))
    if len(units) > _CELLS:
        some = np.linspace(0, len(units) - 1, _CELLS).astype(np.intp)
    units, ends = units[some], cells.sizes[some] - 1
    part = restricted(model.factors, table, tables, factor.level, units)
    n = tables.cells[name].values.shape[1]
    delta = edge = 0.0
    for piece in chunks(draws.n, 3 * part.expansion.n):
        log_weights, _ = unit_log_weights(model.factors, part, draws.take(piece))
        probabilities = entry_probabilities(part.expansion, log_weights)
        mass = cell_masses(part.expansion, probabilities, name, factor.level, units, n)
        edge = max(edge, float(mass[:, np.arange(len(units)), ends].max()))
        if is_grid:
            edge = max(edge, float(mass[:, :, 0].max()))
            delta = max(delta, float(np.abs(mass[:, :, ::2].sum(axis=2) * 2.0 - 1.0).max()))
    error = 2.0 * (delta / 2.0) ** 4 if is_grid else 0.0
    return GridAccuracy(name, cells.values.shape[1], error, edge, delta)


def next_grids(
    plan: Plan, accuracy: tuple[GridAccuracy, ...]
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return how much finer and wider than at first each grid is to be, where it does not hold."""
    finer, wider = dict(plan.finer), dict(plan.wider)
    for one in accuracy:
        if one.error > _MOST_ERROR:
            seen = np.log(2.0 / min(one.delta, 1.9))
            factor = float(np.clip(1.1 * np.sqrt(np.log(2.0 / _TARGET) / max(seen, 0.05)), 1.15, 4.0))
            finer[one.variable] = finer.get(one.variable, 1.0) * factor
        if one.edge > _MOST_EDGE:
            wider[one.variable] = wider.get(one.variable, 1.0) * 1.6
    return finer, wider


def refined_plan(model: Model, plan: Plan, draws: PosteriorDraws, accuracy: tuple[GridAccuracy, ...]) -> Plan:
    """Return a plan whose grids hold at these draws, so that sampling anew is needed once, not for each refinement.

    Where the finer grids are beyond the budget, more cells are held than the draws have: what is sampled anew tells then.
    """
    drawn = _held_cells(plan)
    for _ in range(_STEPS):
        finer, wider = next_grids(plan, accuracy)
        plan = make_plan(model, finer=finer, wider=wider)
        if _held_cells(plan) != drawn:
            break
        accuracy = check_grids(model, plan, make_tables(model.factors, model.table, plan), draws)
        if all(one.holds for one in accuracy):
            break
    return plan


def _held_cells(plan: Plan) -> set[tuple[str, tuple[int, ...]]]:
    """Return which cells are held, variable by variable."""
    return {(group.variable, tuple(group.units.tolist())) for group in plan.cells if group.treatment == HELD}
