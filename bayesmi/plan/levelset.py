"""Values of the missing parts that give an observed derived value: enumerated, on grids, solved.

Discrete parts: only the combinations that give the observed value, found part by part with bounds on what the rest can
still add, so that the full product is never written out. Continuous parts: all but one run over a grid between the limits
that the last one leaves them; the last is solved from them, and the weight of a point takes |d part / d value|, the
density being that of the observed value.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import name_rows
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families.support import constrain_within, unconstrain
from bayesmi.formula.affine import Affine
from bayesmi.formula.bounds import bounds
from bayesmi.formula.evaluate import evaluate
from bayesmi.formula.expression import Expression
from bayesmi.formula.inverse import can_solve, solve_for
from bayesmi.model.table import ModelTable
from bayesmi.plan.systems import System
from bayesmi.plan.values import IMPOSSIBLE

__all__ = [
    "IMPOSSIBLE",
    "Combinations",
    "LinearSolution",
    "combine",
    "count_combinations",
    "leaves",
    "limits",
    "linear_solution",
    "place_cells",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_MOST = 4_000_000  # combinations


@dataclass(frozen=True)
class Combinations:
    """Combinations of a system's parts, unit by unit."""

    unit: Ints  # (C,) position among the units asked for
    values: Mapping[str, Floats]  # part -> (C,)
    choice: Mapping[str, Ints]  # part -> (C,) which of its values
    key: Mapping[str, Ints]  # part -> (C,) equal where its value is the same in a unit
    stride: Mapping[str, Ints]  # part on a grid -> (C,) distance to its next point
    log_weights: Floats


@dataclass(frozen=True)
class LinearSolution:
    """Parts that are affine in the integrated ones: base + sum of slopes times these."""

    base: Mapping[str, Floats]  # part -> (U,)
    slopes: Mapping[str, Mapping[str, Floats]]  # part -> integrated part -> (U,)
    log_jacobian: Floats  # (U,)


def leaves(system: System, members: Ints, above: Mapping[str, Floats]) -> tuple[Ints, dict[str, Ints]]:
    """Return the combinations of discrete parts that can give the observed values: unit of each, and which level of each part.

    Parameters
    ----------
    system : System
        The equations.
    members : (U,) array
        Positions among its units.
    above : mapping
        Parts of the group -> (U,) value.

    Raises
    ------
    NotSupportedError
        If there are too many.
    """
    unit = np.arange(len(members), dtype=np.intp)
    which: dict[str, Ints] = {}
    for name in system.discrete:
        n = len(system.levels[name])
        if len(unit) * n > _MOST * 4:
            raise NotSupportedError(
                f"{system.shown} leaves more than {_MOST:,} combinations of {', '.join(system.discrete)}: take variables out of "
                f"the model, or blank {system.shown} where many of them are missing"
            )
        which = {key: np.repeat(value, n) for key, value in which.items()}
        which[name] = np.tile(np.arange(n, dtype=np.intp), len(unit))
        unit = np.repeat(unit, n)
        fits = np.ones(len(unit), dtype=bool)
        for e, one in enumerate(system.equations):
            if name not in one.parts:
                continue
            low, high = bounds(one.expression, _intervals(system, one.parts, unit, members, above, which))
            target, slack = system.targets[members[unit], e], system.tolerances[e]
            fits &= (low - slack <= target) & (target <= high + slack)
        unit = unit[fits]
        which = {key: value[fits] for key, value in which.items()}
    return unit, which


def count_combinations(system: System, table: ModelTable) -> Floats:
    """Return how many combinations of discrete parts each unit has, (units,), points of grids not counted.

    With parts of a group above them at most.

    Raises
    ------
    ModelError
        If a unit has none: its observed value cannot be.
    """
    members = np.arange(len(system.units))
    if system.above:
        return np.full(len(members), float(np.prod([len(system.levels[name]) for name in system.discrete])))
    unit, which = leaves(system, members, {})
    if system.inverse and not system.grid:
        values = {name: system.levels[name][k] for name, k in which.items()}
        _, weights = place_cells(system, members[unit], {}, values, {})
        unit = unit[weights > IMPOSSIBLE]
    elif system.grid:  # whether the grids have room
        values = {name: system.levels[name][k] for name, k in which.items()}
        room = np.zeros(len(unit), dtype=bool)
        for own in ({}, system.safe):
            points = {
                name: unconstrain(np.full(len(unit), own[name]), system.supports[name])
                if name in own
                else np.zeros(len(unit))
                for name in system.grid
            }
            _, weights = place_cells(system, members[unit], {}, values, points)
            room |= weights > IMPOSSIBLE
        unit = unit[room]
    elif system.linear:
        _check_leftover(system, table)
    count = np.bincount(unit, minlength=len(members))
    if (count == 0).any():
        lost = int(np.argmin(count))
        shown = " and ".join(
            f"{one.name!r} = {value:g}"
            for one, value in zip(system.equations, system.targets[lost], strict=True)
        )
        rows = system.units[count == 0]
        if system.level != "row":
            rows = table.groupings[system.level].first_row[rows]
        raise ModelError(
            f"{shown} is observed in {name_rows(table.frame.index, rows)} and no values of {', '.join(system.open)} give it by "
            f"{' and '.join(one.text for one in system.equations)}: correct or blank it there"
        )
    return count.astype(float)


def _check_leftover(system: System, table: ModelTable) -> None:
    """Refuse equations that say nothing new and contradict the others."""
    used = {e for _, e in (*system.inverse, *system.linear)}
    if len(used) == len(system.equations) or system.discrete or system.grid or system.above:
        return
    members = np.arange(len(system.units))
    values, _ = place_cells(system, members, {}, {}, {})
    zero = dict.fromkeys(system.integrated, np.zeros(len(members)))
    whole = {**{name: own[members] for name, own in system.known.items()}, **values, **zero}
    whole |= linear_solution(system, members, values).base
    for e, one in enumerate(system.equations):
        if e in used:
            continue
        off = np.abs(one.values(whole) - system.targets[:, e]) > 1e3 * system.tolerances[e]
        if off.any():
            rows = system.units[off]
            raise ModelError(
                f"observed values of {system.shown} contradict each other in {name_rows(table.frame.index, rows)}: correct or "
                "blank one of them there"
            )


def _intervals(
    system: System,
    parts: frozenset[str],
    unit: Ints,
    members: Ints,
    above: Mapping[str, Floats],
    which: Mapping[str, Ints],
) -> dict[str, tuple[Floats, Floats]]:
    out: dict[str, tuple[Floats, Floats]] = {}
    for part in parts:
        if part in which:
            fixed = system.levels[part][which[part]]
        elif part in above:
            fixed = above[part][unit]
        elif part in system.known:
            fixed = system.known[part][members[unit]]
        elif part in system.levels:
            own = system.levels[part]
            out[part] = (np.asarray(own.min()), np.asarray(own.max()))
            continue
        else:
            out[part] = (np.asarray(system.supports[part][0]), np.asarray(system.supports[part][1]))
            continue
        out[part] = (fixed, fixed)
    return out


def combine(
    system: System,
    members: Ints,
    above: Mapping[str, Floats],
    grids: Mapping[str, tuple[Floats, Floats, int]],
) -> Combinations:
    """Return all combinations of some units, sorted by unit; units without any have one that is impossible.

    Parameters
    ----------
    system : System
        The equations.
    members : (U,) array
        Positions among its units.
    above : mapping
        Parts of the group -> (U,) value.
    grids : mapping
        Part on a grid -> (U,) first points, (U,) spacings, number of points.
    """
    unit, which = leaves(system, members, above)
    values = {name: system.levels[name][k] for name, k in which.items()}
    if system.inverse and not system.grid:  # solved to numbers: those that its family cannot have drop out
        _, weights = place_cells(system, members[unit], _at(above, unit), values, {})
        kept = weights > IMPOSSIBLE
        unit, which = unit[kept], {name: k[kept] for name, k in which.items()}
    missing = np.setdiff1d(np.arange(len(members)), unit)
    lost = np.zeros(len(unit) + len(missing), dtype=bool)
    lost[len(unit) :] = True
    unit = np.concatenate([unit, missing])
    order = np.argsort(unit, kind="stable")
    unit, lost = unit[order], lost[order]
    which = {
        name: np.concatenate([k, np.zeros(len(missing), dtype=np.intp)])[order] for name, k in which.items()
    }
    n_points = [grids[name][2] for name in system.grid]
    size = int(np.prod(n_points, dtype=int))
    number = np.arange(len(unit)).repeat(size)  # of the leaf
    within = np.tile(np.arange(size), len(unit))
    choice = {name: k[number] for name, k in which.items()}
    stride: dict[str, Ints] = {}
    points: dict[str, Floats] = {}
    log_weights = np.zeros(len(number))
    step = size
    for name, n in zip(system.grid, n_points, strict=True):
        starts, spacings, _ = grids[name]
        step //= n
        choice[name] = (within // step) % n
        stride[name] = np.full(len(number), step, dtype=np.intp)
        points[name] = starts[unit[number]] + spacings[unit[number]] * choice[name]
        log_weights += np.log(spacings[unit[number]])
    values = {name: system.levels[name][choice[name]] for name in system.discrete}
    found, added = place_cells(system, members[unit[number]], _at(above, unit[number]), values, points)
    impossible = lost[number] | (added <= IMPOSSIBLE)
    first = np.searchsorted(unit, np.arange(len(members)))
    every = number - first[unit[number]]
    every = every * size + within  # of all combinations in the unit
    key = {name: every if name in found else choice[name] for name in (*values, *found)}
    choice |= {name: every for name in found if name not in choice}
    return Combinations(
        unit[number],
        values | found,
        choice,
        key,
        stride,
        np.where(impossible, IMPOSSIBLE, log_weights + added),
    )


def _at(above: Mapping[str, Floats], unit: Ints) -> dict[str, Floats]:
    return {name: value[unit] for name, value in above.items()}


def place_cells(
    system: System,
    members: Ints,
    above: Mapping[str, Floats],
    discrete: Mapping[str, Floats],
    points: Mapping[str, Floats],
) -> tuple[dict[str, Floats], Floats]:
    """Return the parts on a grid and those solved from them, and the log weight of each combination.

    Parameters
    ----------
    system : System
        The equations.
    members : (C,) array
        Positions among its units.
    above, discrete : mapping
        Part -> (C,) value.
    points : mapping
        Part on a grid -> (C,) point on the unconstrained scale.

    Returns
    -------
    values, log_weights
        Jacobians of the grids' scale and of the observed values; `IMPOSSIBLE` where a solved part has no value.
    """
    assigned = {name: own[members] for name, own in system.known.items()} | dict(above) | dict(discrete)
    log_weights = np.zeros(len(members))
    impossible = np.zeros(len(members), dtype=bool)
    out: dict[str, Floats] = {}
    for name in system.grid:
        low, high = limits(system, name, assigned, members)
        empty = ~(low < high)
        low, high = (
            np.where(empty, system.supports[name][0], low),
            np.where(empty, system.supports[name][1], high),
        )
        out[name], jacobian = constrain_within(points[name], low, high, system.supports[name])
        impossible |= empty | ~np.isfinite(out[name])
        out[name] = np.where(np.isfinite(out[name]), out[name], system.safe[name])
        log_weights += np.where(np.isfinite(jacobian), jacobian, 0.0)
        assigned[name] = out[name]
    for name, e in system.inverse:
        one = system.equations[e]
        ranges = _ranges(system, one.parts, assigned, name)
        others = {part: assigned[part] for part in one.parts if part != name}
        solved, slope = solve_for(one.expression, name, others, system.targets[members, e], ranges)
        least, most = system.supports[name][:2]
        bad = ~(np.isfinite(solved) & np.isfinite(slope) & (solved > least) & (solved < most))
        out[name] = np.where(bad, system.safe[name], solved)
        log_weights += np.where(bad, 0.0, slope)
        impossible |= bad
        assigned[name] = out[name]
    used = {e for _, e in (*system.inverse, *system.linear)}
    for e, one in enumerate(system.equations):
        # what is left says nothing new, or holds discrete parts only
        if e in used or not one.parts <= assigned.keys():
            continue
        with np.errstate(all="ignore"):
            off = np.abs(one.values(assigned) - system.targets[members, e])
        impossible |= ~(off <= system.tolerances[e])
    return out, np.where(impossible, IMPOSSIBLE, log_weights)


def _ranges(
    system: System, parts: frozenset[str], assigned: Mapping[str, Floats], name: str
) -> dict[str, tuple[float, float]]:
    out = {}
    for part in parts:
        if part == name or part not in assigned:
            out[part] = (system.supports[part][0], system.supports[part][1])
        elif len(assigned[part]):
            out[part] = (float(np.nanmin(assigned[part])), float(np.nanmax(assigned[part])))
        else:
            out[part] = (-np.inf, np.inf)
    return out


def limits(system: System, name: str, assigned: Mapping[str, Floats], members: Ints) -> tuple[Floats, Floats]:
    """Between which values a part can lie so that the parts after it have values too, (C,)."""
    support = system.supports[name]
    low, high = np.full(len(members), support[0]), np.full(len(members), support[1])
    away = set(system.integrated) | {part for part, _ in system.linear}
    later = [part for part in (*system.grid, *(part for part, _ in system.inverse)) if part not in assigned]
    later.remove(name)
    for e, one in enumerate(system.equations):
        free = [part for part in later if part in one.parts]
        if name not in one.parts or not free or away & one.parts:
            continue
        ends = [system.supports[part][:2] for part in free]
        if not np.isfinite(ends).any():
            continue
        target = system.targets[members, e]
        given = {part: assigned[part] for part in one.parts if part in assigned}
        corners = [dict(zip(free, corner, strict=True)) for corner in itertools.product(*ends)]
        edges: list[Floats] = []
        for corner in corners:
            if not np.isfinite(list(corner.values())).all():
                continue
            full = given | {part: np.full(len(members), value) for part, value in corner.items()}
            ranges = _ranges(system, one.parts, full, name)
            if not can_solve(one.expression, name, ranges):
                if _reaches_everywhere(system, one.expression, given, name, corners, target):
                    edges = []
                    break
                raise NotSupportedError(
                    f"{one.name!r} is observed where {', '.join([name, *free])} are missing, and {one.text} cannot be "
                    f"solved for {name!r} at the bounds of the others: not supported; the nearest that is: blank these values of "
                    f"{one.name!r}"
                )
            edge, _ = solve_for(one.expression, name, full, target, ranges)
            edges.append(np.where(np.isfinite(edge), np.clip(edge, low, high), low))
        if not edges:
            continue
        cuts = np.sort(np.stack([low, *edges, high]), axis=0)
        fits = np.stack(
            [
                _reaches(one.expression, given, name, _between(cuts[k], cuts[k + 1]), corners, target)
                & (cuts[k] < cuts[k + 1])
                for k in range(len(cuts) - 1)
            ]
        )
        first, last = fits.argmax(axis=0), len(fits) - 1 - fits[::-1].argmax(axis=0)
        wide = cuts[:-1] < cuts[1:]
        k = np.arange(len(fits))[:, None]
        if (wide & ~fits & (k > first) & (k < last) & fits.any(axis=0)).any():
            raise NotSupportedError(
                f"{one.name!r} is observed where {', '.join([name, *free])} are missing, and {one.text} is not monotone "
                f"in {name!r}: not supported; the nearest that is: blank these values of {one.name!r}"
            )
        columns = np.arange(len(members))
        none = ~fits.any(axis=0)
        low = np.where(none, np.inf, cuts[first, columns])
        high = np.where(none, -np.inf, cuts[last + 1, columns])
    return low, high


def _between(low: Floats, high: Floats) -> Floats:
    """A value between two, which may be infinite."""
    with np.errstate(all="ignore"):
        middle = 0.5 * (low + high)
        left = np.where(np.isfinite(high), high - np.abs(high) - 1.0, 0.0)
        right = low + np.abs(low) + 1.0
    out = np.where(np.isfinite(low), right, left)
    return np.where(np.isfinite(low) & np.isfinite(high), middle, out)


def _reaches(
    expression: Expression,
    given: Mapping[str, Floats],
    name: str,
    at: Floats,
    corners: list[dict[str, float]],
    target: Floats,
) -> NDArray[np.bool_]:
    """Whether the target lies between the values at the corners of the parts that come later."""
    with np.errstate(all="ignore"):
        ends = np.stack(
            [
                np.broadcast_to(
                    evaluate(
                        expression, {**given, name: at, **{p: np.full(len(at), v) for p, v in c.items()}}, {}
                    ),
                    at.shape,
                )
                for c in corners
            ]
        )
    least = np.where(np.isnan(ends), np.inf, ends).min(axis=0)
    most = np.where(np.isnan(ends), -np.inf, ends).max(axis=0)
    return (least < target) & (target < most)


def _reaches_everywhere(
    system: System,
    expression: Expression,
    given: Mapping[str, Floats],
    name: str,
    corners: list[dict[str, float]],
    target: Floats,
) -> bool:
    """Whether the target can be had at points all over a part's support, so that it has no limits."""
    centre, support = system.safe[name], system.supports[name]
    steps = np.concatenate([s * np.geomspace(1e-3, 1e3, 25) for s in (-1.0, 1.0)]) * (abs(centre) + 1.0)
    inside = [x for x in centre + steps if support[0] < x < support[1]]
    return all(
        _reaches(expression, given, name, np.full(len(target), x), corners, target).all() for x in inside
    )


def linear_solution(system: System, members: Ints, values: Mapping[str, Floats]) -> LinearSolution:
    """Solve the linear equations for their parts, given values (U,) of the other parts and as a function of the integrated.

    Parameters
    ----------
    system : System
        The equations.
    members : (U,) array
        Positions among its units.
    values : mapping
        Part -> (U,) value, of all parts that are neither integrated nor solved linearly.
    """
    given: dict[str, object] = {name: own[members] for name, own in system.known.items()}
    given |= values
    given |= {name: Affine(0.0, {name: 1.0}) for name in system.integrated}
    todo = [name for name, _ in system.linear]
    given |= {name: Affine(0.0, {name: 1.0}) for name in todo}
    left = [e for _, e in system.linear]
    log_jacobian = np.zeros(len(members))
    done: dict[str, Affine] = {}
    while todo:
        best: tuple[float, str, int, Affine] | None = None
        for e in left:
            expression = system.equations[e].expression
            own = {part: given[part] for part in system.equations[e].parts}
            form = evaluate(expression, own, {})
            form = _substituted(form, done)
            for name in todo:
                slope = np.abs(np.broadcast_to(form.coefficients.get(name, 0.0), len(members)))
                size = float(slope.min()) if len(members) else 1.0
                if best is None or size > best[0]:
                    best = (size, name, e, form)
        assert best is not None
        _, name, e, form = best
        slope = np.broadcast_to(np.asarray(form.coefficients[name], dtype=float), len(members))
        rest = Affine(form.base, {key: value for key, value in form.coefficients.items() if key != name})
        solution = (system.targets[members, e] - rest) / slope
        log_jacobian = log_jacobian - np.log(np.abs(slope))
        done = {key: _substituted(value, {name: solution}) for key, value in done.items()} | {name: solution}
        todo.remove(name)
        left.remove(e)
    n = len(members)
    return LinearSolution(
        {name: np.broadcast_to(np.asarray(form.base, dtype=float), n) + 0.0 for name, form in done.items()},
        {
            name: {
                key: np.broadcast_to(np.asarray(form.coefficients.get(key, 0.0), dtype=float), n) + 0.0
                for key in system.integrated
            }
            for name, form in done.items()
        },
        log_jacobian,
    )


def _substituted(form: Affine, done: Mapping[str, Affine]) -> Affine:
    """Put affine forms in the place of parts that are solved."""
    out = Affine(form.base, {key: value for key, value in form.coefficients.items() if key not in done})
    for key, own in done.items():
        if key in form.coefficients:
            out = out + own * form.coefficients[key]
    return out
