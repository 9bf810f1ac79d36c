"""Cells on a grid drawn back from their exact conditional.

For one posterior draw the grid is laid anew, finely and only where a cell's mass is. A point k is drawn with the mass of
its interval and the value inside it from the quadratic through the log density at k - 1, k and k + 1: exact for a Gaussian
conditional, and for others an error of third order in a spacing of about a fifth of a standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion
from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.weights import entry_probabilities
from bayesmi.families.support import constrain, constrain_within, unconstrain, unconstrain_within
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.grid import grid_values
from bayesmi.plan.values import CellValues

__all__ = ["GridSteps", "cell_masses", "grid_steps", "has_grids", "place_inside", "refine", "steps_inside"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_LEAST_MASS = 1e-9  # outside of the fine grid
_FINE = 64
_FINE_TOGETHER = 24  # points each, of several cells of a unit
_WITHIN = 2  # points to a step of the first grid, of cells between limits
_INSIDE = np.linspace(-0.5, 0.5, 41)
_STEP = float(_INSIDE[1] - _INSIDE[0])


def has_grids(plan: Plan) -> bool:
    """Whether any cell runs over a grid."""
    return any(grid.spacing is not None for grid in plan.grids.values())


def cell_masses(
    expansion: Expansion, probabilities: Floats, name: str, level: str, units: Ints, n: int
) -> Floats:
    """Return the probability of each of the n values of each cell, (S, cells, n); zero for cells that do not occur."""
    at = expansion.units(level)
    number = np.full(int(at.max(initial=-1)) + 2, -1, dtype=np.intp)
    inside = units < len(number) - 1
    number[units[inside]] = np.flatnonzero(inside)
    mine = np.flatnonzero((at >= 0) & (expansion.choice[name] >= 0))
    mine = mine[number[at[mine]] >= 0]
    out = np.zeros((len(probabilities), len(units) * n))
    place = number[at[mine]] * n + expansion.choice[name][mine]
    for s, row in enumerate(probabilities):
        out[s] = np.bincount(place, weights=row[mine], minlength=len(units) * n)
    return out.reshape(len(probabilities), len(units), n)


def refine(
    factors: tuple[Factor, ...], table: ModelTable, plan: Plan, tables: Tables, log_weights: Floats
) -> Tables:
    """Return tables with a fine grid for every cell where its mass is, given one draw's weights of the first grid."""
    probabilities = entry_probabilities(tables.expansion, log_weights)
    gridded = [f for f in factors if plan.units(f.variable, "grid").size]
    together = np.zeros(table.n_rows, dtype=np.intp)
    for factor in gridded:
        if factor.level == "row":
            together[plan.units(factor.variable, "grid")] += 1
    fine: dict[str, CellValues] = {}
    for factor in gridded:
        name = factor.variable
        units, grid = plan.units(name, "grid"), plan.grids[name]
        n = grid.values.shape[1]
        mass = cell_masses(tables.expansion, probabilities, name, factor.level, units, n)[0]
        below = np.cumsum(mass, axis=1)
        first = np.maximum((below < _LEAST_MASS).sum(axis=1) - 1, 0)
        last = np.minimum((below < 1.0 - _LEAST_MASS).sum(axis=1) + 1, grid.sizes - 1)
        assert grid.starts is not None
        assert grid.spacing is not None
        points = grid.starts[:, None] + grid.spacing[:, None] * np.arange(n)
        rows = np.arange(len(units))
        low, high = points[rows, first], points[rows, last]
        alone = factor.level != "row" or not (together[units] > 1).any()
        n_points = _FINE if alone else _FINE_TOGETHER
        if grid.low is not None:  # between limits the scale is a logarithm: far from them its steps are wide
            steps = float(((high - low) / grid.spacing).max(initial=0.0))
            n_points = max(n_points, int(np.ceil((_WITHIN if alone else 1) * steps)) + 1)
        fine[name] = grid_values(
            low, (high - low) / (n_points - 1), n_points, factor.support, grid.low, grid.high
        )
    return make_tables(factors, table, plan, fine, _needed(factors, table, plan))


def _needed(factors: tuple[Factor, ...], table: ModelTable, plan: Plan) -> NDArray[np.bool_]:
    """Rows with cells that are summed or integrated out."""
    rows = np.zeros(table.n_rows, dtype=bool)
    for factor in factors:
        for treatment in ("enumerate", "grid", "integrate", "solve"):
            units = plan.units(factor.variable, treatment)
            if units.size:
                rows |= table.rows_of_units(units, factor.level)
    return rows


@dataclass(frozen=True)
class GridSteps:
    """Local quadratics of the log density, in steps of the grid."""

    slopes: Mapping[str, Floats]  # variable -> (E,)
    curvatures: Mapping[str, Floats]
    log_mass: Floats  # (E,) log of the mass of an entry's interval over that of its point times the spacing


def grid_steps(factors: tuple[Factor, ...], plan: Plan, tables: Tables, log_weights: Floats) -> GridSteps:
    """Return the local quadratics; `log_weights` (E,) hold what is below a group's entries."""
    expansion = tables.expansion
    log_mass = np.zeros(expansion.n)
    slopes: dict[str, Floats] = {}
    curvatures: dict[str, Floats] = {}
    for factor in factors:
        name = factor.variable
        if not plan.units(name, "grid").size:
            continue
        choice, stride = expansion.choice[name], expansion.stride[name]
        assert tables.cells[name].counts is None  # grids laid anew are alike
        top = tables.cells[name].values.shape[1] - 1
        own_level = expansion.units(factor.level) >= 0
        on = np.flatnonzero((choice > 0) & (choice < top) & (stride > 0) & own_level)
        step = stride[on]
        centre, before, after = log_weights[on], log_weights[on - step], log_weights[on + step]
        slope, curvature = np.zeros(expansion.n), np.zeros(expansion.n)
        slope[on] = np.clip(np.nan_to_num((after - before) / 2), -50.0, 50.0)
        curvature[on] = np.clip(np.nan_to_num(after - 2 * centre + before), -200.0, 200.0)
        for start in range(0, len(on), 100_000):
            part = on[start : start + 100_000]
            inside = slope[part, None] * _INSIDE + 0.5 * curvature[part, None] * _INSIDE**2
            highest = inside.max(axis=1)
            sums = np.trapezoid(np.exp(inside - highest[:, None]), _INSIDE, axis=1)
            log_mass[part] += highest + np.log(sums)
        slopes[name], curvatures[name] = slope, curvature
    return GridSteps(slopes, curvatures, log_mass)


def place_inside(
    factor: Factor,
    values: Floats,
    spacing: Floats,
    slope: Floats,
    curvature: Floats,
    rng: np.random.Generator,
    bounds: tuple[Floats, Floats] | None = None,
) -> Floats:
    """Draw values inside the intervals around grid values, from the local quadratics of the log density.

    `bounds` are those of the cells where they are not the family's.
    """
    t = steps_inside(slope, curvature, rng)
    if bounds is None:
        points = unconstrain(values, factor.support) + t * spacing
        return constrain(points, factor.support)[0]
    points = unconstrain_within(values, *bounds, factor.support) + t * spacing
    return constrain_within(points, *bounds, factor.support)[0]


def steps_inside(slope: Floats, curvature: Floats, rng: np.random.Generator) -> Floats:
    """Draw how far from its point a value lies inside the interval around it, in steps of the grid."""
    log_density = slope[:, None] * _INSIDE + 0.5 * curvature[:, None] * _INSIDE**2
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    cumulative = np.cumsum(0.5 * (density[:, 1:] + density[:, :-1]) * _STEP, axis=1)
    u = rng.random(len(slope)) * cumulative[:, -1]
    piece = (cumulative < u[:, None]).sum(axis=1)
    rows = np.arange(len(slope))
    rest = u - np.where(piece > 0, cumulative[rows, np.maximum(piece - 1, 0)], 0.0)
    left, right = density[rows, piece], density[rows, piece + 1]
    bend = (right - left) / _STEP  # the density is linear inside a piece
    with np.errstate(divide="ignore", invalid="ignore"):
        root = (np.sqrt(np.maximum(left**2 + 2 * bend * rest, 0.0)) - left) / bend
        inside = np.where(np.abs(bend) * _STEP > 1e-9 * left, root, rest / left)
    return np.asarray(_INSIDE[piece] + np.clip(inside, 0.0, _STEP))
