"""Summed cells drawn by the weights of their combinations, then the integrated cells of their units given them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables
from bayesmi.draw.grid import grid_steps, has_grids, place_inside, refine, steps_inside
from bayesmi.draw.integrals import draw_units
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.systems import place_tied, tied_units
from bayesmi.draw.to_rows import to_rows
from bayesmi.draw.weights import add_upwards, choose_entries, unit_log_weights
from bayesmi.families.support import constrain
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan

__all__ = ["draw_summed_and_integrated"]

Floats = NDArray[np.float64]


def draw_summed_and_integrated(
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    tables: Tables,
    draw: PosteriorDraws,
    rng: np.random.Generator,
    values: dict[str, Floats],
) -> None:
    """Draw the combination of each unit with summed cells by its weight, then the integrated cells given it."""
    expansion, integrals = tables.expansion, tables.integrals
    if not expansion.n and not integrals.n:
        return
    log_weights, moments = unit_log_weights(factors, tables, draw)
    steps = None
    if has_grids(plan):
        tables = refine(factors, table, plan, tables, log_weights)
        expansion, integrals = tables.expansion, tables.integrals
        log_weights, moments = unit_log_weights(factors, tables, draw)
    whole = add_upwards(expansion, log_weights.copy())[0]
    if has_grids(plan):
        steps = grid_steps(factors, plan, tables, whole)
        whole = whole + steps.log_mass
    chosen = choose_entries(expansion, whole, rng)
    tied = tied_units(plan, table)
    points: dict[str, Floats] = {}  # of tied cells on a grid, on the unconstrained scale, by unit
    for factor in factors:
        name = factor.variable
        if name not in expansion.values:
            continue
        units = expansion.units(factor.level)
        mine = np.flatnonzero(chosen & (units >= 0) & (expansion.choice[name] >= 0))
        mine = mine[~np.isin(units[mine], plan.units(name, "solve"))]  # these follow from the others
        found = expansion.values[name][mine]
        if steps and name in steps.slopes:
            slope, curvature = steps.slopes[name][mine], steps.curvatures[name][mine]
            if name in tied:
                inside = steps_inside(slope, curvature, rng)
                points[name] = _points(
                    factor, plan, tables, units[mine], expansion.choice[name][mine] + inside
                )
                here = tied[name][units[mine]]
                found[~here] = constrain(points[name][units[mine][~here]], factor.support)[0]
            else:
                spacing = _spacing(factor, plan, tables, units[mine])
                bounds = _bounds(factor, plan, tables, units[mine])
                found = place_inside(factor, found, spacing, slope, curvature, rng, bounds)
        to_rows(factor, table, units[mine], found, values[name])
    if not integrals.n:
        place_tied(table, plan, points, values)
        return
    drawn = draw_units(moments, rng)[0]
    expanded = integrals.expanded[moments.units]
    valid = (
        (expanded < 0) | chosen[np.maximum(expanded, 0)]
        if expansion.n
        else np.ones(len(expanded), dtype=bool)
    )
    rows = integrals.rows[moments.units]
    for name in integrals.names:
        place = integrals.place[name][rows]
        own = valid & (place >= 0)
        values[name][rows[own]] = drawn[own, place[own]]
    place_tied(table, plan, points, values)


def _spacing(factor: Factor, plan: Plan, tables: Tables, units: NDArray[np.intp]) -> Floats:
    """Spacing of the fine grid of the cells of these units."""
    cells = tables.cells[factor.variable]
    assert cells.spacing is not None
    return np.asarray(cells.spacing[np.searchsorted(plan.units(factor.variable, "grid"), units)])


def _bounds(
    factor: Factor, plan: Plan, tables: Tables, units: NDArray[np.intp]
) -> tuple[Floats, Floats] | None:
    """Bounds of the cells of these units; None where they are those of the family."""
    cells = tables.cells[factor.variable]
    if cells.low is None or cells.high is None:
        return None
    number = np.searchsorted(plan.units(factor.variable, "grid"), units)
    return cells.low[number], cells.high[number]


def _points(factor: Factor, plan: Plan, tables: Tables, units: NDArray[np.intp], steps: Floats) -> Floats:
    """Points on the unconstrained scale, by unit of the level, from places on the fine grid."""
    cells = tables.cells[factor.variable]
    assert cells.starts is not None
    assert cells.spacing is not None
    own = plan.units(factor.variable, "grid")
    out = np.full(int(own.max()) + 1, np.nan)
    number = np.searchsorted(own, units)
    out[units] = cells.starts[number] + cells.spacing[number] * steps
    return out
