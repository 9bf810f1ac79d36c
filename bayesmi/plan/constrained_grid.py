"""Where the grid of a part lies whose last companion is solved from an observed derived value.

Both have to stay where their own models put them: a point counts if the solved part, too, is within its reach. And both
give information: the spacing follows the steeper of the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import NotSupportedError
from bayesmi.families.support import constrain, unconstrain, unconstrain_within
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan.grid import MOST_POINTS, SPACING, grid_reach, grid_values, smallest_sd
from bayesmi.plan.levelset import IMPOSSIBLE, leaves, limits, place_cells
from bayesmi.plan.systems import System
from bayesmi.plan.values import CellValues

__all__ = ["grids_of_systems"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_POINTS, _OTHERS = 121, 9
_FAR = 36.0  # logits: as far from a bound as double precision tells
_LEAVES = 4  # combinations of discrete parts that are looked at, a unit
_CHUNK = 500  # units at once


def grids_of_systems(
    systems: Sequence[System],
    grids: Mapping[str, CellValues],
    units: Mapping[str, Ints],
    factors: Sequence[Factor],
    table: ModelTable,
    finer: Mapping[str, float],
    wider: Mapping[str, float],
) -> dict[str, CellValues]:
    """Return the grids of all variables, those of cells in systems where these can be.

    Parameters
    ----------
    systems : sequence of System
        Units with observed derived values.
    grids : mapping
        First grids, as for cells without them.
    units : mapping
        Variable -> units of its cells on a grid.
    factors, table
        The joint model.
    finer, wider : mapping
        Factors on spacing and reach by variable.
    """
    out = dict(grids)
    for name in dict.fromkeys(part for system in systems for part in system.grid):
        own = grids[name]
        assert own.starts is not None
        assert own.spacing is not None
        starts = own.starts.copy()
        widths = own.spacing * (own.sizes - 1)
        n_points = own.values.shape[1]
        for system in systems:
            if name not in system.grid:
                continue
            low, high, sd = _range(system, name, factors, table)
            extra = 0.5 * (wider.get(name, 1.0) - 1.0) * (high - low)
            low, high = low - extra, high + extra
            cells = np.searchsorted(units[name], system.units)
            starts[cells], widths[cells] = low, high - low
            needed = float((high - low).max()) * finer.get(name, 1.0) / (SPACING * sd)
            n_points = max(n_points, math.ceil(needed * (1.0 - 1e-9)) + 1)
        if n_points > MOST_POINTS:
            raise NotSupportedError(
                f"cells of {name!r} that an observed derived value ties to others need a grid of {n_points} points, more than "
                f"{MOST_POINTS}; the nearest that is supported: blank these derived values"
            )
        factor = next(factor for factor in factors if factor.variable == name)
        out[name] = grid_values(starts, widths / (n_points - 1), n_points, factor.support)
    return out


def _range(
    system: System, name: str, factors: Sequence[Factor], table: ModelTable
) -> tuple[Floats, Floats, float]:
    """First and last point of each unit on the unconstrained scale, and the smallest sd there."""
    by_name = {factor.variable: factor for factor in factors}
    reach: dict[str, tuple[float, float]] = {}
    sds: dict[str, float] = {}
    for part in (*system.grid, *(part for part, _ in system.inverse)):
        nearest, farthest, seen = grid_reach(by_name[part], table, 1.0)
        reach[part] = (nearest, farthest)
        sds[part] = smallest_sd(by_name[part], factors, table, seen, float(seen.std(ddof=1)))
    n = len(system.units)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    information = 0.0
    for start in range(0, n, _CHUNK):
        members = np.arange(start, min(n, start + _CHUNK))
        above = {
            part: np.full(len(members), float(np.nanmedian(table.values[part]))) for part in system.above
        }
        unit, which = leaves(system, members, above)
        unit, which = _some(unit, which)
        if not unit.size:
            continue
        first, last, most = _explore(system, name, members[unit], above, unit, which, reach, sds)
        np.minimum.at(low, members[unit], first)
        np.maximum.at(high, members[unit], last)
        information = max(information, most)
    lost = ~(low < high)
    low[lost], high[lost] = reach[name]
    return low, high, 1.0 / math.sqrt(information) if information > 0 else sds[name]


def _some(unit: Ints, which: Mapping[str, Ints]) -> tuple[Ints, dict[str, Ints]]:
    """Keep a few combinations of each unit, evenly spaced."""
    counts = np.bincount(unit)
    within = np.arange(len(unit)) - np.repeat(np.cumsum(counts) - counts, counts)
    step = np.maximum(1, (counts[unit] - 1) // (_LEAVES - 1))
    kept = (within % step == 0) | (within == counts[unit] - 1)
    return unit[kept], {part: k[kept] for part, k in which.items()}


def _explore(
    system: System,
    name: str,
    members: Ints,
    above: Mapping[str, Floats],
    unit: Ints,
    which: Mapping[str, Ints],
    reach: Mapping[str, tuple[float, float]],
    sds: Mapping[str, float],
) -> tuple[Floats, Floats, float]:
    """Ends of the grid of each combination, and the largest information on its scale."""
    n = len(members)
    discrete = {part: system.levels[part][k] for part, k in which.items()}
    context = {part: value[unit] for part, value in above.items()}
    spans: dict[str, tuple[Floats, Floats]] = {}
    assigned = {part: own[members] for part, own in system.known.items()} | context | discrete
    for part in system.grid:
        low, high = limits(system, part, assigned, members)
        spans[part] = _span(reach[part], low, high, system.supports[part])
        assigned[part] = np.full(n, system.safe[part])
    others = [part for part in system.grid if part != name]
    size = _OTHERS ** len(others)
    steps = np.linspace(0.0, 1.0, _POINTS)
    shape = (n, size, _POINTS)
    points = {name: _spread(spans[name], steps[None, None, :], shape)}
    for part in others:  # at most one
        points[part] = _spread(spans[part], np.linspace(0.05, 0.95, _OTHERS)[None, :, None], shape)

    def tiled(values: Floats) -> Floats:
        return np.repeat(values, size * _POINTS)

    found, weights = place_cells(
        system, np.repeat(members, size * _POINTS), {p: tiled(v) for p, v in context.items()},
        {p: tiled(v) for p, v in discrete.items()}, {p: v.ravel() for p, v in points.items()},
    )  # fmt: skip
    inside = (weights > IMPOSSIBLE).reshape(shape)
    information = np.zeros(shape)
    z = points[name]
    for part in (name, *(part for part, _ in system.inverse)):
        with np.errstate(all="ignore"):
            own = unconstrain(found[part].reshape(shape), system.supports[part])
            inside &= (own >= reach[part][0]) & (own <= reach[part][1])
            slope = np.gradient(own, axis=2) / np.maximum(np.gradient(z, axis=2), 1e-300)
        information += np.nan_to_num(slope / sds[part], nan=0.0, posinf=0.0, neginf=0.0) ** 2
    reached = inside.any(axis=1)
    first = np.maximum(reached.argmax(axis=1) - 1, 0)
    last = np.minimum(_POINTS - 1 - reached[:, ::-1].argmax(axis=1) + 1, _POINTS - 1)
    rows = np.arange(n)
    low, high = z[rows, 0, first], z[rows, 0, last]
    none = ~reached.any(axis=1)
    low, high = np.where(none, spans[name][0], low), np.where(none, spans[name][1], high)
    return low, high, float(np.where(inside, information, 0.0).max(initial=0.0))


def _span(
    reach: tuple[float, float], low: Floats, high: Floats, support: tuple[float, ...]
) -> tuple[Floats, Floats]:
    """Widest range of points of a part between its limits."""
    ends = constrain(np.array(reach), support)[0]
    with np.errstate(all="ignore"):
        first = unconstrain_within(np.full(len(low), ends[0]), low, high, support)
        last = unconstrain_within(np.full(len(low), ends[1]), low, high, support)
    first = np.where(np.isfinite(first), first, -_FAR)
    last = np.where(np.isfinite(last), last, _FAR)
    return first, np.maximum(last, first + 1e-6)


def _spread(span: tuple[Floats, Floats], steps: Floats, shape: tuple[int, ...]) -> Floats:
    low, high = span
    return np.broadcast_to(low[:, None, None] + (high - low)[:, None, None] * steps, shape).copy()
