"""Where in the interval around its point a cell lies that was held on a grid.

One held variable after the other is summed over its grid again and drawn back, given parameters, group effects and the other
held cells of its units as they are: each from its exact conditional, so that all of them come from the posterior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import make_tables
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.summed import draw_summed_and_integrated
from bayesmi.gibbs.blocks import summed_again
from bayesmi.gibbs.state import held_table
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.cell_group import CellGroup
from bayesmi.plan.held import HELD

__all__ = ["place_held"]


def place_held(
    factors: tuple[Factor, ...], table: ModelTable, plan: Plan, draw: PosteriorDraws, rng: np.random.Generator
) -> PosteriorDraws:
    """Return the draw with its held cells of continuous variables off the points of their grids.

    Parameters
    ----------
    factors, table, plan
        The model; held cells of the table are unknown.
    draw : PosteriorDraws
        One draw with all group effects and held cells.
    rng : numpy.random.Generator
        Its own stream.
    """
    cells = dict(draw.cells)
    for name in plan.held_grids:
        units = plan.units(name, HELD)
        factor = next(one for one in factors if one.variable == name and not one.is_observation)
        here = held_table(factors, table, plan, {key: np.asarray(own[0]) for key, own in _held(plan, cells)})
        rows = table.rows_of_units(units, factor.level)
        own, held = summed_again((name,), factors, here, _of_rows(plan, here, rows))
        tables = make_tables(factors, here, own, only=rows, held=held)
        values = {key: column.copy() for key, column in here.values.items()}
        draw_summed_and_integrated(factors, here, own, tables, draw, rng, values)
        cells[name] = values[name][_first_rows(table, factor, units)][None]
    return replace(draw, cells=cells)


def _held(plan: Plan, cells: Mapping[str, NDArray[np.float64]]) -> list[tuple[str, NDArray[np.float64]]]:
    return [(name, own) for name, own in cells.items() if plan.units(name, HELD).size]


def _first_rows(table: ModelTable, factor: Factor, units: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return a row of each unit in which its cell is unknown."""
    if factor.level == "row":
        return units
    codes = table.groupings[factor.level].codes
    unknown = np.flatnonzero(table.unknown[factor.variable])
    first = np.full(int(codes.max()) + 1, -1, dtype=np.intp)
    first[codes[unknown][::-1]] = unknown[::-1]
    return first[units]


def _of_rows(plan: Plan, table: ModelTable, rows: NDArray[np.bool_]) -> Plan:
    """Return the plan without summed and integrated cells of other rows; as it is where groups have summed cells too."""
    if plan.systems or any(
        group.level != "row" and group.treatment in ("enumerate", "grid") for group in plan.cells
    ):
        return plan
    groups: list[CellGroup] = []
    grids, limits = dict(plan.grids), dict(plan.limits)
    for group in plan.cells:
        if group.treatment not in ("enumerate", "grid", "integrate") or group.level != "row":
            groups.append(group)
            continue
        mine = rows[group.units]
        if group.variable in grids and group.treatment != "integrate":
            grids[group.variable] = grids[group.variable].select(mine)
            if not mine.any():
                del grids[group.variable]
        if group.variable in limits and group.treatment == "enumerate":
            limits[group.variable] = (limits[group.variable][0][mine], limits[group.variable][1][mine])
        if mine.any():
            groups.append(replace(group, units=group.units[mine]))
    return replace(plan, cells=tuple(groups), grids=grids, limits=limits)
