"""Grids of cells that are known to lie between limits of their own.

Each runs over the logarithm of the distance from its only limit, or the logit between two: no value is beyond, and the
density falls off at both ends of the grid, so that the trapezoid rule keeps its accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.support import constrain, unconstrain
from bayesmi.model.factor import Factor

__all__ = ["LimitedGrid", "limited_grid"]

Floats = NDArray[np.float64]
_NEAR = 1e-11  # standard deviations from a limit: less than that much of the mass is nearer
_NEARER = 4.0  # logs of a distance that a wider grid goes nearer to its limits
_FAR = 9.0  # standard deviations
_TAIL = 20.0  # log of the mass that may lie beyond, where tails are exponential
_WIDEST, _WIDEST_LOGIT = 0.5, 0.8  # spacing of the log of a distance, and of a logit: errors of 1e-8


@dataclass(frozen=True)
class LimitedGrid:
    """First and last point of each cell on its own scale, (cells,), the spacing there, and the cell's bounds."""

    first: Floats
    last: Floats
    spacing: Floats
    low: Floats
    high: Floats


def limited_grid(
    factor: Factor,
    lower: Floats,
    upper: Floats,
    seen: Floats,
    ends: tuple[float, float],
    smallest: float,
    finer: float,
    wider: float,
) -> LimitedGrid:
    """Return the grids of cells with limits.

    Parameters
    ----------
    factor : Factor
        Of the variable.
    lower, upper : array
        Limits of the cells, (cells,).
    seen : array
        Observed values.
    ends : pair of float
        How far a cell without limits reaches, in the variable's units.
    smallest : float
        Smallest conditional sd, on the unconstrained scale of the family.
    finer, wider : float
        Factors on spacing and reach.
    """
    first, last = factor.support[:2]
    low, high = np.maximum(lower, first), np.minimum(upper, last)
    sd = float(seen.std(ddof=1)) if len(seen) > 1 else 1.0
    middle = float(np.median(seen))
    slope = 1.0 if not np.isfinite([first, last]).any() else _slope_at(middle, factor)
    sharpest = min(sd, smallest * slope)
    out = np.empty((3, len(low)))
    below, above = factor.family.tail_rates(seen)
    more = _NEARER * (wider - 1.0)
    for j, (a, b) in enumerate(zip(low, high, strict=True)):
        if np.isfinite(a) and np.isfinite(b):
            width = b - a
            near = np.log(max(width / (_NEAR * min(sd, width)), 1e11)) + more
            left = max(near, wider * _TAIL / below) if a == first else near
            right = max(near, wider * _TAIL / above) if b == last else near
            out[:, j] = -left, right, min(_WIDEST_LOGIT, 4.4 * sharpest / width)
            continue
        bound = a if np.isfinite(a) else b
        reach = wider * max(abs((ends[1] if np.isfinite(a) else ends[0]) - bound), _FAR * sd)
        near = max(_NEAR * sd * np.exp(-more), 4e-15 * abs(bound))
        own = seen[seen > a] if np.isfinite(a) else seen[seen < b]
        distance = float(np.quantile(np.abs(own - bound), 0.9)) if len(own) else sd
        spacing = min(_WIDEST, 1.1 * sharpest / max(distance, sd))
        points = (np.log(near), np.log(reach))
        out[:, j] = (*points, spacing) if np.isfinite(a) else (-points[1], -points[0], spacing)
    return LimitedGrid(out[0], out[1], out[2] / finer, low, high)


def _slope_at(value: float, factor: Factor) -> float:
    """Units of the variable to one of its unconstrained scale."""
    point = unconstrain(np.array([value]), factor.support)
    return float(np.exp(constrain(point, factor.support)[1])[0])
