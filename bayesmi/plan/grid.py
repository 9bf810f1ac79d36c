"""Grids for continuous cells with nonlinear effects: where they begin and end and how fine they are.

The trapezoid rule on the unconstrained scale, with its Jacobian. For a density that is Gaussian with standard deviation s
its error falls as exp(-2 pi² s² / h²) in the spacing h (Trefethen & Weideman 2014): at h = 1.1 s it is 1e-7; for others more
slowly. The first grid takes s from the complete cases; after sampling its error is measured and it is refined where it has to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families.support import Support, constrain, constrain_within, unconstrain
from bayesmi.formula import Design
from bayesmi.model.factor import Factor
from bayesmi.model.limited import interval_at
from bayesmi.model.table import ModelTable
from bayesmi.plan.cells import children_of
from bayesmi.plan.complete_rows import complete_rows, with_intercept
from bayesmi.plan.limited_grid import limited_grid
from bayesmi.plan.meet_knots import meet_knots, spline_ends
from bayesmi.plan.own_windows import own_windows
from bayesmi.plan.values import CellValues
from bayesmi.plan.windows import find_windows

__all__ = [
    "MOST_POINTS",
    "SPACING",
    "check_range",
    "constrain",
    "count_values",
    "first_grid",
    "grid_reach",
    "grid_values",
    "smallest_sd",
    "unconstrain",
]

Floats = NDArray[np.float64]
SPACING = 1.1  # of the smallest conditional standard deviation
_REACH = 2.5  # observed standard deviations beyond the observed range
_TAIL = 14.0  # log of the mass that may lie beyond, where tails are exponential
_DIGITS = 30.0  # exp(-30) is 1e-13: what is left of double precision next to a bound
_LEAST, MOST_POINTS = 25, 600  # points
_LEAST_OWN = 18  # in a window around what a cell's own model predicts
_CORE = 0.6  # the part of such a window in which the density has to be resolved
_ROWS = 200  # complete cases on which slopes are looked at


def grid_values(
    starts: Floats,
    spacings: Floats,
    n_points: int,
    support: Support,
    low: Floats | None = None,
    high: Floats | None = None,
    counts: NDArray[np.intp] | None = None,
) -> CellValues:
    """Return `n_points` values for each cell, from its start on the unconstrained scale, with log weights.

    `low` and `high`, (cells,), are bounds of the cells where these are not those of the support; `counts`, (cells,), their
    numbers of points where these differ.
    """
    steps = np.broadcast_to(np.arange(n_points), (len(starts), n_points))
    if counts is not None:
        steps = np.minimum(steps, counts[:, None] - 1)
    points = starts[:, None] + spacings[:, None] * steps
    if low is None or high is None:
        values, jacobian = constrain(points, support)
    else:
        values, jacobian = constrain_within(points, low[:, None], high[:, None], support)
    return CellValues(values, jacobian + np.log(spacings)[:, None], spacings, starts, low, high, counts)


def first_grid(
    factor: Factor,
    factors: Sequence[Factor],
    table: ModelTable,
    units: NDArray[np.intp],
    finer: float = 1.0,
    wider: float = 1.0,
) -> CellValues:
    """Return the grid on which a variable's cells begin; `finer` and `wider` are factors on spacing and reach.

    `units` are those of the cells. A cell of which something was measured has a grid of its own around the measurement,
    one whose own model predicts it from enough complete rows a grid around the prediction.

    Raises
    ------
    ModelError
        If a predictor is not finite somewhere on it, such as the logarithm of a Gaussian variable.
    """
    support = factor.support
    check_range(factor, factors, table, wider)
    low, high, z = grid_reach(factor, table, wider)
    profile = _sd_profile(factor, factors, table, z, float(z.std(ddof=1)))
    smallest = float(profile[1].min())
    narrow_low, narrow_high, _ = grid_reach(factor, table, 1.0)
    spacing = min(SPACING * smallest, (narrow_high - narrow_low) / (_LEAST - 1))
    spacing /= finer
    starts, widths = np.full(len(units), low), np.full(len(units), high - low)
    spacings = np.full(len(units), spacing)
    windows = find_windows(factor, factors, table, units, (low, high), wider)
    ends = own_windows(factor, factors, table, units, wider) if windows is None else None
    if windows is not None:
        starts, widths = windows.low, windows.high - windows.low
        own = SPACING / np.sqrt(smallest**-2 + windows.sd**-2) / finer
        spacings = np.minimum(own, widths / (_LEAST - 1))
    elif ends is not None:
        starts = np.clip(ends[0], low, high)
        widths = np.maximum(np.clip(ends[1], low, high) - starts, 0.1 * (ends[1] - ends[0]))
        core = 0.5 * (1.0 - _CORE / wider) * (ends[1] - ends[0])
        spacings = SPACING * _smallest_within(profile, ends[0] + core, ends[1] - core) / finer
        spacings = np.minimum(spacings, widths / (_LEAST_OWN - 1))
    bounds: tuple[Floats, Floats] | tuple[None, None] = (None, None)
    lower = upper = np.zeros(0)
    limited = np.zeros(len(units), dtype=bool)
    if factor.limits:  # without them the table may be that of other rows, which says where grids lie
        lower, upper, limited = interval_at(factor.variable, factor.level, table)
        lower, upper, limited = lower[units], upper[units], limited[units]
    if limited.any():
        response = table.values[factor.variable][table.rows_of_level(factor.level)]
        first, last = constrain(np.array([narrow_low, narrow_high]), support)[0]
        own_grid = limited_grid(
            factor,
            lower[limited],
            upper[limited],
            response[np.isfinite(response)],
            (float(first), float(last)),
            smallest,
            finer,
            wider,
        )
        bounds = np.full(len(units), support[0]), np.full(len(units), support[1])
        bounds[0][limited], bounds[1][limited] = own_grid.low, own_grid.high
        starts[limited], widths[limited] = own_grid.first, own_grid.last - own_grid.first
        spacings[limited] = own_grid.spacing
    knots = None if limited.any() else spline_ends(factor, factors)
    if knots is not None:
        starts, widths, spacings = meet_knots(starts, widths, spacings, knots)
    needed = np.ceil(widths / spacings * (1.0 - 1e-9)).astype(np.intp) + 1
    n_points = int(needed.max())
    if n_points > MOST_POINTS:
        raise NotSupportedError(
            f"cells of {factor.variable!r} need a grid of {n_points} points, more than {MOST_POINTS}: its effect is very steep "
            "against the residual; the nearest that is supported: the variable without its nonlinear term, or on another scale"
        )
    # points between the knots leave no freedom: of unequal windows, each has the points that it needs
    is_unequal = ends is not None or (windows is not None and knots is not None)
    counts = _few_sizes(needed, n_points) if is_unequal else None
    if knots is None:
        spacings = widths / (n_points - 1 if counts is None else counts - 1)
    return grid_values(starts, spacings, n_points, support, bounds[0], bounds[1], counts)


def _few_sizes(needed: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Round numbers of points up to some sizes, each a sixth more than the one before: units of one size lie together."""
    ladder = [most]
    while ladder[-1] > needed.min():
        ladder.append(min(int(ladder[-1] / 1.16), ladder[-1] - 1))
    sizes = np.array(ladder[::-1], dtype=np.intp)
    return sizes[np.searchsorted(sizes, needed)]


def _distinct(support: Support) -> tuple[float, float]:
    """Return the range of the unconstrained scale on which values are told apart from a bound."""
    if len(support) == 4 or not np.isfinite(support).any():
        return -np.inf, np.inf
    if np.isfinite(support).all():
        return -_DIGITS, _DIGITS
    bound = support[0] if np.isfinite(support[0]) else support[1]
    near = math.log(abs(bound)) - _DIGITS if bound else -500.0
    return (near, np.inf) if np.isfinite(support[0]) else (-np.inf, -near)


def _free(values: Floats, support: Support) -> Floats:
    """Return values on the unconstrained scale; those on a bound lie as far out as the nearest that do not."""
    with np.errstate(divide="ignore"):
        z = unconstrain(values, support)
    inside = np.isfinite(z)
    return z if inside.all() else np.clip(z, z[inside].min(), z[inside].max())


def count_values(factor: Factor, n_cells: int, wider: float) -> CellValues:
    """Return the counts that cells run over, from 0 up."""
    top = int(np.ceil(factor.levels[-1] * wider))
    values = np.tile(np.arange(top + 1.0), (n_cells, 1))
    return CellValues(values, np.zeros(values.shape))


def _design_on(
    design: Design, child: Factor, table: ModelTable, name: str, points: Floats
) -> tuple[Floats, NDArray[np.intp]]:
    """A design of a child on some complete rows with the variable at each point, (points, rows, columns), and the rows."""
    rows = table.rows_of_level(child.level)
    known = np.isfinite(table.values[child.variable][rows])
    for parent in design.variables:
        known &= np.isfinite(table.values[parent][rows])
    chosen = np.flatnonzero(known)
    if len(chosen) > _ROWS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, _ROWS).astype(np.intp)]
    if not chosen.size:
        return np.zeros((len(points), 0, design.n_columns)), chosen
    values = {parent: table.values[parent][rows][chosen] for parent in design.variables}
    repeated = {
        parent: np.tile(column, len(points)) if parent != name else np.repeat(points, len(chosen))
        for parent, column in values.items()
    }
    matrix = design.matrix(repeated)
    return matrix.reshape(len(points), len(chosen), -1), chosen


def smallest_sd(
    factor: Factor, factors: Sequence[Factor], table: ModelTable, seen: Floats, sd: float
) -> float:
    """Rough smallest sd of a cell given everything else, on the unconstrained scale, from the complete cases."""
    return float(_sd_profile(factor, factors, table, seen, sd)[1].min())


def _smallest_within(profile: tuple[Floats, Floats], low: Floats, high: Floats) -> Floats:
    """Return the smallest sd of the profile between `low` and `high`, (cells,) each."""
    z, sd = profile
    first = np.clip(np.searchsorted(z, low) - 1, 0, len(z) - 1)
    last = np.clip(np.searchsorted(z, high), 0, len(z) - 1)
    after = np.where(np.arange(len(z)) < np.arange(len(z))[:, None], np.inf, sd)
    return np.asarray(np.minimum.accumulate(after, axis=1)[first, last])


def _sd_profile(
    factor: Factor, factors: Sequence[Factor], table: ModelTable, seen: Floats, sd: float
) -> tuple[Floats, Floats]:
    """Return points of the unconstrained scale and rough sds there of a cell given everything else."""
    z = np.linspace(float(np.quantile(seen, 0.01)), float(np.quantile(seen, 0.99)), 61)
    values, _ = constrain(z, factor.support)
    own = _residual_sd(factor, table, sd)
    information = np.full(61, 1.0 / own**2)
    for child in children_of(factor.variable, factors):
        if factor.variable not in child.design.variables or child.is_observation:
            continue
        with np.errstate(all="ignore"):
            matrix, rows = _design_on(child.design, child, table, factor.variable, values)
        if not rows.size or not np.isfinite(matrix).all():
            continue
        slopes, weight = _rough_fit(child, table)
        eta = matrix @ slopes
        gradient = np.gradient(eta, z, axis=0)
        information += weight * np.quantile(gradient**2, 0.95, axis=1)
    return z, np.minimum(1.0 / np.sqrt(information), own / factor.family.grid_finer)


def _residual_sd(factor: Factor, table: ModelTable, sd: float) -> float:
    """Residual sd of the variable given its own predictors, on the unconstrained scale."""
    response, values = complete_rows(factor, table, factor.design.variables)
    if len(response) <= factor.design.n_columns + 2:
        return sd
    y = _free(response, factor.support)
    design = with_intercept(factor, values, len(y))
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(np.sqrt((residual**2).sum() / (len(y) - design.shape[1]))) or sd


def _rough_fit(child: Factor, table: ModelTable) -> tuple[Floats, float]:
    """Slopes of a child's design from the complete cases, and the information of one observation on its predictor."""
    response, values = complete_rows(child, table, child.design.variables)
    design = with_intercept(child, values, len(response))
    y, information = child.family.rough_response(child.codes(response))
    if len(y) <= design.shape[1]:
        return np.zeros(design.shape[1] - 1), information or 1.0
    slopes = np.linalg.lstsq(design, y, rcond=None)[0]
    if information is not None:
        return slopes[1:], information
    residual = y - design @ slopes
    return slopes[1:], (len(y) - design.shape[1]) / max(float((residual**2).sum()), 1e-300)


def check_range(factor: Factor, factors: Sequence[Factor], table: ModelTable, wider: float = 1.0) -> None:
    """Refuse predictors that are not finite somewhere where the variable's cells can be.

    Raises
    ------
    ModelError
        Such as for the logarithm of a Gaussian variable.
    """
    low, high, _ = grid_reach(factor, table, wider)
    values, _ = constrain(np.linspace(low, high, 61), factor.support)
    for child in children_of(factor.variable, factors):
        designs = [
            pair
            for part in child.parts
            for pair in (
                (part.design, "{}"),
                (part.offsets, "offset({})"),
                *((design, "{}") for effect in part.effects for design in effect.designs),
            )
        ]
        for design, shown in designs:
            if factor.variable not in design.variables:
                continue
            with np.errstate(all="ignore"):
                matrix, _ = _design_on(design, child, table, factor.variable, values)
            bad = ~np.isfinite(matrix).all(axis=(0, 1))
            if bad.any():
                term = shown.format(design.column_names[int(np.argmax(bad))])
                raise ModelError(
                    f"{term!r} in the model of {child.variable!r} is not finite for every value that missing cells of "
                    f"{factor.variable!r} can take under its {factor.family.name} model: give it a family of the right range, "
                    f"such as families={{{factor.variable!r}: 'lognormal'}}"
                )


def grid_reach(factor: Factor, table: ModelTable, wider: float) -> tuple[float, float, Floats]:
    """Ends of a grid on the unconstrained scale, and the observed values there."""
    response = table.values[factor.variable][table.rows_of_level(factor.level)]
    seen = response[np.isfinite(response)]
    z = _free(seen, factor.support)
    sd = float(z.std(ddof=1))
    below, above = (max(_REACH * sd, _TAIL / rate) for rate in factor.family.tail_rates(seen))
    nearest, farthest = _distinct(factor.support)
    low, high = float(z.min()) - wider * below, float(z.max()) + wider * above
    return max(low, nearest), min(high, farthest), z
