"""Which of several missing parts follows from the others where a derived value is observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import NotSupportedError
from bayesmi.families.support import Support
from bayesmi.formula.affine import degree_in
from bayesmi.formula.inverse import can_solve
from bayesmi.model.constraints import Constraint
from bayesmi.model.table import ModelTable
from bayesmi.plan.systems import part_ranges, slopes_of

__all__ = ["settle"]

_MOST_GRIDS = 2  # cells of a unit on a grid


def settle(
    equations: Sequence[Constraint],
    open_: Sequence[frozenset[str]],
    continuous: Sequence[str],
    gridded: frozenset[str],
    table: ModelTable,
    row: int,
    supports: Mapping[str, Support],
) -> dict[str, str]:
    """Return the treatment of each continuous part: "integrate", "grid" or "solve".

    Parameters
    ----------
    equations : sequence of Constraint
        That share missing parts.
    open_ : sequence of frozenset
        Missing parts of each.
    continuous : sequence of str
        The continuous ones of them at the level of the unit, in the order of the product.
    gridded : frozenset
        Those that may not be integrated.
    table, row
        The data, and a row where it is so.
    supports : mapping
        Of continuous variables.
    """
    expressions = [one.derived.expression for one in equations]
    rest = [name for name in continuous if name not in gridded]
    grid = [name for name in continuous if name in gridded]
    while True:
        bent = [e for e, own in zip(expressions, open_, strict=True) if degree_in(e, set(rest) & own) > 1]
        if not bent:
            break
        enough = [all(degree_in(e, set(rest) - {name}) <= 1 for e in bent) for name in rest]
        pick = max(zip(enough, range(len(rest)), strict=True))[1]
        grid.append(rest.pop(pick))
    solved: list[str] = []
    pivots: list[tuple[NDArray[np.float64], int]] = []
    for e, (one, own) in enumerate(zip(equations, open_, strict=True)):
        expression = expressions[e]
        here = [name for name in continuous if name in own]
        if not here:
            continue
        slopes = slopes_of(one, own, continuous, table, row)
        if slopes is not None:
            largest = float(np.abs(slopes).max(initial=0.0))
            for pivot, place in pivots:
                slopes = slopes - slopes[place] / pivot[place] * pivot
            here = [
                name
                for name in continuous
                if name not in solved and abs(slopes[continuous.index(name)]) > 1e-9 * largest
            ]
            if not here:
                continue  # says nothing new
        ranges = part_ranges(one.derived, table, supports)
        candidates = [name for name in reversed(rest) if name in here and name not in solved]
        # with a slope that no other missing part changes first: it cannot be zero
        candidates.sort(key=lambda name: any(degree_in(expression, {name, o}) > 1 for o in own - {name}))
        others = [name for name in reversed(grid) if name in here and name not in solved]
        others.sort(key=lambda name: continuous.index(name), reverse=True)
        candidates += [name for name in others if can_solve(expression, name, ranges)]
        if not candidates:
            raise NotSupportedError(
                f"{one.derived.name!r} is observed where {' and '.join(sorted(own))} are missing, and {one.derived.text} has "
                f"no unique solution for any of {', '.join(here)}: not supported; the nearest that is: a family that keeps the "
                f"sign, such as families={{{here[-1]!r}: 'lognormal'}}, or these values of {one.derived.name!r} blank"
            )
        solved.append(candidates[0])
        if slopes is not None:
            pivots.append((slopes, continuous.index(candidates[0])))
    grid = [name for name in grid if name not in solved]
    if len(grid) > _MOST_GRIDS:
        shown = " and ".join(one.derived.name for one in equations)
        raise NotSupportedError(
            f"{shown} is observed where {', '.join(continuous)} are missing: {len(grid)} of them would have to run over a grid, "
            f"more than {_MOST_GRIDS}; the nearest that is supported: blank these values of {shown}"
        )
    out = dict.fromkeys(rest, "integrate") | dict.fromkeys(grid, "grid")
    return out | dict.fromkeys(solved, "solve")
