"""Grids with points at both ends of a spline.

Beyond its boundary knots a spline goes on as a straight line, so that its second derivative jumps there. By the formula of
Euler and Maclaurin a jump leaves an error of the order h³ B3(t) in a trapezoid sum, t its place between two points, and the
third Bernoulli polynomial is zero at the points and halfway between them. On such a grid, and on one half a step further
on, the error is of the order h⁴, as it is from the jumps of the third derivative at interior knots.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.support import unconstrain
from bayesmi.model.factor import Factor
from bayesmi.plan.cells import children_of

__all__ = ["meet_knots", "spline_ends"]

Floats = NDArray[np.float64]
_SLACK = 1e-9


def spline_ends(factor: Factor, factors: Sequence[Factor]) -> tuple[float, float] | None:
    """Return the boundary knots of splines of a variable in the models of others, on its unconstrained scale."""
    for child in children_of(factor.variable, factors):
        designs = [design for part in child.parts for design in part.designs]
        for ends in (ends for design in designs for ends in design.spline_ends(factor.variable)):
            low, high = unconstrain(np.array(ends), factor.support)
            if np.isfinite(high - low) and high > low:
                return float(low), float(high)
    return None


def meet_knots(
    starts: Floats, widths: Floats, spacings: Floats, ends: tuple[float, float]
) -> tuple[Floats, Floats, Floats]:
    """Return grids that are no shorter and no coarser, of which both ends of a spline are points: starts, widths, spacings."""
    low, high = ends
    spacings = (high - low) / np.ceil((high - low) / spacings * (1.0 - _SLACK))
    first = low - np.ceil((low - starts) / spacings - _SLACK) * spacings
    steps = np.ceil((starts + widths - first) / spacings - _SLACK)
    return first, steps * spacings, spacings
