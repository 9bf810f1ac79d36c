"""Where in the interval around its point a cell lies that was held on a grid.

One held variable after the other is summed over its grid again and drawn back, given parameters, group effects and the other
held cells of its units as they are: each from its exact conditional, so that all of them come from the posterior.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import make_tables
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.summed import draw_summed_and_integrated
from bayesmi.gibbs.blocks import summed_again
from bayesmi.gibbs.tables import table_of_draw
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
    for name in plan.held_grids:
        units = plan.units(name, HELD)
        level = next(one.level for one in factors if one.variable == name)
        here = table_of_draw(factors, table, plan, draw)
        rows = table.rows_of_units(units, level)
        own, held = summed_again((name,), factors, here, _of_rows(plan, here, rows))
        tables = make_tables(factors, here, own, only=rows, held=held)
        values = {key: column.copy() for key, column in here.values.items()}
        draw_summed_and_integrated(factors, here, own, tables, draw, rng, values)
        placed = values[name][table.rows_of_level(level)[units]]
        draw = replace(draw, cells={**draw.cells, name: placed[None]})
    return draw


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
