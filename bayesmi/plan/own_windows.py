"""Where on the line a cell can be, given its own model: around what the complete rows predict, each cell its own grid."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.support import constrain, unconstrain
from bayesmi.mechanism import indicator_name
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan.complete_rows import complete_rows, with_intercept

__all__ = ["own_windows"]

Floats = NDArray[np.float64]
_REACH = 8.0  # predictive standard deviations to either side: 1e-12 is beyond 7
_LEAST_FREE = 40  # residual degrees of freedom of the regression: with fewer, the whole line is looked at


@dataclass(frozen=True)
class _Prediction:
    """Of each unit on the unconstrained scale: a range of means, and the sd around them."""

    low: Floats
    high: Floats
    sd: Floats


def own_windows(
    factor: Factor,
    factors: Sequence[Factor],
    table: ModelTable,
    units: NDArray[np.intp],
    wider: float,
) -> tuple[Floats, Floats] | None:
    """Return the ends of each cell's window on the unconstrained scale, (cells,) each, or None.

    None where the complete rows do not say it: a residual that is not Gaussian there, is not the same for all rows, or
    has few degrees of freedom; a variable whose missingness is modelled; predictors that cannot be predicted themselves.
    The posterior's mass at the ends is looked at after sampling; where there is any, the model is fitted on wider grids.
    """
    found = _predict(factor, factors, table, units, frozenset())
    if found is None:
        return None
    reach = wider * _REACH * found.sd
    return found.low - reach, found.high + reach


def _predict(
    factor: Factor,
    factors: Sequence[Factor],
    table: ModelTable,
    units: NDArray[np.intp],
    seen: frozenset[str],
) -> _Prediction | None:
    if not _has_constant_gaussian_residual(factor, factors):
        return None
    predictors = factor.design.variables | factor.offsets.variables
    response, observed = complete_rows(factor, table, predictors)
    free = len(response) - factor.design.n_columns - 1
    if free < _LEAST_FREE:
        return None
    y = unconstrain(response, factor.support) - factor.offset(observed, len(response))
    design = with_intercept(factor, observed, len(y))
    orthogonal, triangle = np.linalg.qr(design)
    size = np.abs(np.diag(triangle))
    if size.min() <= 1e-10 * size.max():
        return None
    slopes = np.linalg.solve(triangle, orthogonal.T @ y)
    variance = float(((y - design @ slopes) ** 2).sum()) / free
    sd = math.sqrt(variance) * (1.0 + 3.0 / math.sqrt(2.0 * free))  # the posterior's, three of its errors up
    filled = _filled(factor, factors, table, units, predictors, seen | {factor.variable})
    if filled is None:
        return None
    base, moves = filled
    n = len(units)
    at = with_intercept(factor, base, n)
    middle = at @ slopes + factor.offset(base, n)
    leverage = np.square(np.linalg.solve(triangle.T, at.T)).sum(axis=0)
    low, high, spread = np.zeros(n), np.zeros(n), np.zeros(n)
    for name, alternatives, is_continuous in moves:
        others = [{**base, name: values} for values in alternatives]
        shifts = np.stack([with_intercept(factor, one, n) @ slopes + factor.offset(one, n) for one in others])
        shifts -= middle
        if is_continuous:
            spread += np.abs(shifts).max(axis=0)
        else:
            low += np.minimum(shifts.min(axis=0), 0.0)
            high += np.maximum(shifts.max(axis=0), 0.0)
    total = np.sqrt(sd**2 * (1.0 + leverage) + spread**2)
    if not (np.isfinite(middle) & np.isfinite(total) & np.isfinite(low) & np.isfinite(high)).all():
        return None
    return _Prediction(middle + low, middle + high, total)


def _has_constant_gaussian_residual(factor: Factor, factors: Sequence[Factor]) -> bool:
    """Whether the variable is, on the unconstrained scale, its regression and a Gaussian with one variance."""
    special = factor.scale or factor.selection or factor.shifts or factor.limits or factor.shared
    if special or factor.contextual:
        return False
    if any(other.variable == indicator_name(factor.variable) for other in factors):
        return False
    # the kernel's Gaussian form is that of the value on the unconstrained scale
    return factor.family.form == "gaussian" and all(effect.names == ("1",) for effect in factor.effects)


def _filled(
    factor: Factor,
    factors: Sequence[Factor],
    table: ModelTable,
    units: NDArray[np.intp],
    predictors: Collection[str],
    seen: frozenset[str],
) -> tuple[dict[str, Floats], list[tuple[str, list[Floats], bool]]] | None:
    """Return the units' predictors with missing ones filled, and for each of those what else it could be.

    Levels of a discrete one; one standard deviation up and down for a continuous one.
    """
    base = {name: table.at(name, factor.level)[units] for name in predictors}  # copies
    moves: list[tuple[str, list[Floats], bool]] = []
    for name, column in base.items():
        missing = ~np.isfinite(column)
        if not missing.any():
            continue
        parent = next((other for other in factors if other.variable == name), None)
        if parent is None or name in seen or parent.level != factor.level:
            return None
        if parent.family.has_levels:
            column[missing] = parent.levels[0]
            moves.append((name, [np.where(missing, level, column) for level in parent.levels[1:]], False))
            continue
        found = _predict(parent, factors, table, units[missing], seen)
        if found is None:
            return None
        middle, half = 0.5 * (found.low + found.high), 0.5 * (found.high - found.low)
        column[missing] = constrain(middle, parent.support)[0]
        alternatives = []
        for sign in (-1.0, 1.0):
            other = column.copy()
            other[missing] = constrain(middle + sign * (found.sd + half), parent.support)[0]
            alternatives.append(other)
        moves.append((name, alternatives, True))
    return base, moves
