"""Systems: units whose missing parts are tied together by observed derived values, and how each part is dealt with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import name_rows
from bayesmi.errors import NotSupportedError
from bayesmi.families.support import Support
from bayesmi.formula.affine import Affine, degree_in
from bayesmi.formula.evaluate import evaluate
from bayesmi.formula.inverse import can_solve
from bayesmi.model.constraints import Constraint
from bayesmi.model.derived import Derived
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = [
    "System",
    "components",
    "find_systems",
    "level_of",
    "part_ranges",
    "slopes_of",
    "solving_order",
    "usable_constraints",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class System:
    """Units (rows, or groups) with the same equations open in the same parts."""

    level: str
    units: Ints
    equations: tuple[Derived, ...]
    targets: Floats  # (units, equations) observed derived values
    tolerances: tuple[float, ...]
    known: Mapping[str, Floats]  # part that is not missing -> (units,)
    discrete: tuple[str, ...]
    levels: Mapping[str, Floats]  # discrete part -> values it runs over
    above: tuple[str, ...]  # parts that are summed in the row's group
    grid: tuple[str, ...]
    integrated: tuple[str, ...]
    inverse: tuple[tuple[str, int], ...]  # part and the equation it is solved from, one after the other
    linear: tuple[tuple[str, int], ...]  # the same, given integrated parts: affine in these
    supports: Mapping[str, Support]  # of continuous parts
    safe: Mapping[str, float]  # a value of each part that its family can have

    @property
    def solved(self) -> tuple[str, ...]:
        """Parts that follow from the others."""
        return tuple(name for name, _ in (*self.inverse, *self.linear))

    @property
    def is_expanded(self) -> bool:
        """Whether it stands in the expansion: something is summed, or solved to a number."""
        return bool(self.discrete or self.grid or self.inverse or self.above)

    @property
    def open(self) -> tuple[str, ...]:
        """All parts that are missing in it."""
        return (*self.above, *self.discrete, *self.grid, *self.integrated, *self.solved)

    @property
    def shown(self) -> str:
        """Its equations by name."""
        return " and ".join(dict.fromkeys(one.name for one in self.equations))


def usable_constraints(table: ModelTable, factors: Sequence[Factor]) -> tuple[Constraint, ...]:
    """Return the constraints on modelled parts."""
    modelled = frozenset(factor.variable for factor in factors)
    found = (constraint.within(modelled) for constraint in table.constraints)
    return tuple(constraint for constraint in found if constraint.rows.any())


def level_of(names: Sequence[str], table: ModelTable, constraint: Constraint) -> str:
    """Return the level at which these open parts are tied together: the rows', or the group's if all are the group's."""
    levels = {table.level(name) for name in names}
    groups = sorted(levels - {"row"})
    if len(groups) > 1:
        raise NotSupportedError(
            f"{constraint.derived.name!r} is observed where parts of different levels are missing ({', '.join(groups)}): not "
            f"supported; the nearest that is: blank these values of {constraint.derived.name!r}"
        )
    return "row" if "row" in levels else groups[0]


def part_ranges(
    one: Derived, table: ModelTable, supports: Mapping[str, Support]
) -> dict[str, tuple[float, float]]:
    """Return between which values each part lies: the support of a modelled one, else the observed range."""
    out = {}
    for part in one.parts:
        if part in supports:
            out[part] = (supports[part][0], supports[part][1])
        else:
            seen = table.values[part][np.isfinite(table.values[part])]
            out[part] = (float(seen.min()), float(seen.max())) if seen.size else (-np.inf, np.inf)
    return out


def find_systems(
    constraints: Sequence[Constraint],
    factors: Sequence[Factor],
    table: ModelTable,
    continuous: Mapping[str, Mapping[str, Mask]],
    levels: Mapping[str, Floats],
) -> tuple[System, ...]:
    """Gather the units of all constraints by their open parts and treatments.

    Parameters
    ----------
    constraints : sequence of Constraint
        On modelled parts.
    factors, table
        The joint model.
    continuous : mapping
        Variable -> treatment -> (units of its level,), with "solve" for parts that follow.
    levels : mapping
        Values that discrete variables run over.
    """
    if not constraints:
        return ()
    names = list(dict.fromkeys(part for one in constraints for part in sorted(one.open)))
    by_name = {factor.variable: factor for factor in factors}
    treatment = np.full((table.n_rows, len(names)), "", dtype=object)
    for j, name in enumerate(names):
        codes = None if table.level(name) == "row" else table.groupings[table.level(name)].codes
        if by_name[name].family.is_discrete:
            treatment[:, j] = "enumerate"
        for how, mask in continuous.get(name, {}).items():
            treatment[mask if codes is None else mask[codes], j] = how
    place = {name: j for j, name in enumerate(names)}
    open_ = np.stack(
        [one.open.get(name, np.zeros(table.n_rows, dtype=bool)) for one in constraints for name in names],
        axis=1,
    )
    rows = np.flatnonzero(open_.any(axis=1))
    order = [factor.variable for factor in factors]
    whole = np.concatenate([open_[rows].astype(object), treatment[rows]], axis=1)
    keys: dict[tuple[object, ...], list[int]] = {}
    for number, row in enumerate(rows):
        keys.setdefault(tuple(whole[number]), []).append(int(row))
    found: list[System] = []
    for key, members in keys.items():
        active = np.array(key[: open_.shape[1]], dtype=bool).reshape(len(constraints), len(names))
        treated = key[open_.shape[1] :]
        for component in components(active):
            parts = [names[j] for j in np.flatnonzero(active[component].any(axis=0))]
            parts.sort(key=order.index)
            equations = [constraints[c] for c in component]
            level = level_of(parts, table, equations[0])
            found.append(
                _system(
                    level, np.array(members), equations,
                    [frozenset(names[j] for j in np.flatnonzero(active[c])) for c in component],
                    parts, {name: str(treated[place[name]]) for name in parts}, by_name, table, levels,
                )
            )  # fmt: skip
    return tuple(found)


def components(active: Mask) -> list[list[int]]:
    """Equations that share open parts, directly or through others."""
    left = [c for c in range(len(active)) if active[c].any()]
    out = []
    while left:
        group, parts = [left.pop(0)], active[0] & False
        while True:
            parts = active[group].any(axis=0)
            more = [c for c in left if (active[c] & parts).any()]
            if not more:
                break
            group += more
            left = [c for c in left if c not in more]
        out.append(sorted(group))
    return out


def _system(
    level: str,
    rows: Ints,
    constraints: Sequence[Constraint],
    open_: Sequence[frozenset[str]],
    parts: Sequence[str],
    how: Mapping[str, str],
    factors: Mapping[str, Factor],
    table: ModelTable,
    levels: Mapping[str, Floats],
) -> System:
    equations = tuple(one.derived for one in constraints)
    units, rows = _units(level, rows, equations, parts, table)
    supports = {name: factors[name].support for name in parts if not factors[name].family.is_discrete}
    own = [name for name in parts if table.level(name) == level]
    discrete = tuple(name for name in own if how[name] == "enumerate")
    integrated = tuple(name for name in own if how[name] == "integrate")
    solved = tuple(name for name in own if how[name] == "solve")
    if supports and not solved:
        raise NotSupportedError(
            f"{equations[0].name!r} is observed where {' and '.join(parts)} are missing, and the continuous of them is the same "
            f"for a whole group: not supported; the nearest that is: blank these values of {equations[0].name!r}"
        )
    inverse, linear = solving_order(constraints, open_, integrated, solved, table, int(rows[0]), supports)
    # a part that is missing without being open has no say: any value of it will do
    known = {
        name: np.nan_to_num(table.values[name][rows])
        for one in equations
        for name in one.parts
        if name not in parts
    }
    return System(
        level=level,
        units=units,
        equations=equations,
        targets=np.stack([table.values[one.name][rows] for one in equations], axis=1),
        tolerances=tuple(one.tolerance for one in constraints),
        known=known,
        discrete=discrete,
        levels={name: levels[name] for name in discrete},
        above=tuple(name for name in parts if table.level(name) != level),
        grid=tuple(name for name in own if how[name] == "grid"),
        integrated=integrated,
        inverse=inverse,
        linear=linear,
        supports=supports,
        safe={name: float(np.nanmedian(table.values[name])) for name in supports},
    )


def _units(
    level: str, rows: Ints, equations: Sequence[Derived], parts: Sequence[str], table: ModelTable
) -> tuple[Ints, Ints]:
    """Units of a level, and a row of each."""
    if level == "row":
        return rows, rows
    codes = table.groupings[level].codes[rows]
    units, first = np.unique(codes, return_index=True)
    spread = np.searchsorted(units, codes)
    columns = [table.values[one.name] for one in equations]
    columns += [table.values[name] for one in equations for name in one.parts if name not in parts]
    for column in columns:
        off = column[rows] != column[rows[first]][spread]
        if off.any():
            raise NotSupportedError(
                f"rows of one {level} have different observed values of {' and '.join(one.name for one in equations)} for the "
                f"same missing {', '.join(parts)} ({name_rows(table.frame.index, rows[off])}): several equations on cells of a "
                f"group are not supported; the nearest that is: keep one of them in each {level} and blank the others"
            )
    return units, rows[first]


def solving_order(
    constraints: Sequence[Constraint],
    open_: Sequence[frozenset[str]],
    integrated: Sequence[str],
    solved: Sequence[str],
    table: ModelTable,
    row: int,
    supports: Mapping[str, Support],
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """Return (part, equation) of the parts solved one after the other, and of those solved given integrated parts."""
    equations = [one.derived for one in constraints]
    left = list(range(len(equations)))
    todo = list(solved)
    inverse: list[tuple[str, int]] = []
    moved = True
    while moved and todo:
        moved = False
        for e in list(left):
            inside = [name for name in todo if name in open_[e]]
            if len(inside) != 1 or any(name in open_[e] for name in integrated):
                continue
            inverse.append((inside[0], e))
            todo.remove(inside[0])
            left.remove(e)
            moved = True
    if todo and not integrated:
        shown = " and ".join(dict.fromkeys(one.name for one in equations))
        raise NotSupportedError(
            f"{shown} are observed where {', '.join(solved)} are missing and cannot be solved one after the other: not "
            f"supported; the nearest that is: blank the values of one of {shown} there"
        )
    linear = _independent(constraints, open_, todo, left, table, row)
    for name, e in inverse:
        if not can_solve(equations[e].expression, name, part_ranges(equations[e], table, supports)):
            raise NotSupportedError(
                f"{equations[e].name!r} is observed where {name!r} is missing and {equations[e].text} cannot be solved for it "
                f"alone: not supported; the nearest that is: blank these values of {equations[e].name!r}"
            )
    return tuple(inverse), linear


def _independent(
    constraints: Sequence[Constraint],
    open_: Sequence[frozenset[str]],
    todo: Sequence[str],
    left: Sequence[int],
    table: ModelTable,
    row: int,
) -> tuple[tuple[str, int], ...]:
    """Pair parts with linear equations that determine them together."""
    if not todo:
        return ()
    slopes = {e: slopes_of(constraints[e], open_[e], todo, table, row) for e in left}
    for chosen in itertools.permutations(left, len(todo)):
        if not all(name in open_[e] for name, e in zip(todo, chosen, strict=True)):
            continue
        own = [slopes[e] for e in chosen]
        known = [one for one in own if one is not None]
        if len(known) < len(own) or np.linalg.matrix_rank(np.stack(known)) == len(todo):
            return tuple(zip(todo, chosen, strict=True))
    shown = " and ".join(dict.fromkeys(one.derived.name for one in constraints))
    raise NotSupportedError(
        f"{shown} are observed where {', '.join(todo)} are missing and do not determine these given the others: not "
        f"supported; the nearest that is: blank the values of one of {shown} there"
    )


def slopes_of(
    one: Constraint, own: frozenset[str], continuous: Sequence[str], table: ModelTable, row: int
) -> Floats | None:
    """Coefficients of the continuous parts, where the expression is affine in all missing ones."""
    expression = one.derived.expression
    if degree_in(expression, own) > 1:
        return None
    given: dict[str, object] = {}
    for part in one.derived.parts:
        value = float(table.values[part][row])
        if part in continuous and part in own:
            given[part] = Affine(0.0, {part: 1.0})
        else:  # a discrete missing part shifts the sum only
            given[part] = np.float64(value if np.isfinite(value) else 0.0)
    form = evaluate(expression, given, {})
    return np.array([float(form.coefficients.get(name, 0.0)) for name in continuous])
