"""Observed derived values: those that determine a missing part, and those that tie several together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import name_rows
from bayesmi.errors import ModelError
from bayesmi.families import get_family
from bayesmi.formula.affine import Affine, degree_in
from bayesmi.formula.bisection import bisect_for
from bayesmi.formula.evaluate import evaluate
from bayesmi.formula.inverse import can_solve, solve_for
from bayesmi.model.derived import Derived
from bayesmi.model.table import ModelTable

__all__ = ["Constraint", "count_columns", "find_constraints", "levels_of_parts"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_EXACT = 1e-9  # relative: values that are computed, not rounded
_LINE = (-np.inf, np.inf)


@dataclass(frozen=True)
class Constraint:
    """A derived variable that is observed in rows where it does not determine its missing parts."""

    derived: Derived
    open: Mapping[str, Mask]  # part -> (n,) rows of the constraint where it is missing and has a say
    tolerance: float  # of observed values against those computed from discrete parts

    @property
    def rows(self) -> Mask:
        """Its rows, (n,)."""
        return np.logical_or.reduce(list(self.open.values()))

    def within(self, modelled: frozenset[str]) -> Constraint:
        """Return the constraint on the rows where all missing parts are modelled: others carry no information."""
        known = np.ones_like(self.rows)
        for part, mask in self.open.items():
            if part not in modelled:
                known &= ~mask
        open_ = {part: mask & known for part, mask in self.open.items() if part in modelled}
        return Constraint(self.derived, open_, self.tolerance)


def count_columns(frame: IncompleteFrame, families: Mapping[str, str]) -> frozenset[str]:
    """Columns of whole numbers: counts, and those whose family has no others."""
    named = {name for name, family in families.items() if get_family(family).is_discrete}
    return frozenset(n for n, column in frame.columns.items() if column.kind == "count" or n in named)


def levels_of_parts(
    derived: Sequence[Derived], table: ModelTable, counts: frozenset[str]
) -> dict[str, Floats | None]:
    """Return the values that discrete parts can have, as expressions see them; None for whole numbers without end."""
    out: dict[str, Floats | None] = {}
    for name in frozenset().union(*(one.parts for one in derived)):
        column = table.column(name)
        if column.categories is not None or str(column.kind) == "binary":
            out[name] = np.asarray(table.levels_of(name))
        elif name in counts:
            out[name] = None
    return out


def find_constraints(
    derived: Sequence[Derived], table: ModelTable, levels: Mapping[str, Floats | None]
) -> tuple[ModelTable, tuple[Constraint, ...]]:
    """Fill parts that follow from an observed derived value, again and again, and return what is left as constraints.

    Parameters
    ----------
    derived : sequence of Derived
        With scores for parts that hold levels.
    table : ModelTable
        The data.
    levels : mapping
        Values that discrete parts can have, see `levels_of_parts`.

    Raises
    ------
    ModelError
        If no value, or more than one, of a part gives the observed one, or rows of a group disagree on theirs.
    """
    changed = True
    while changed:
        changed = False
        for one in derived:
            open_, seen = _open(one, table)
            if not open_:
                continue
            alone = seen & (np.sum(list(open_.values()), axis=0) == 1)
            for part, mask in open_.items():
                rows = np.flatnonzero(alone & mask)
                if not rows.size:
                    continue
                found = _determined(one, part, rows, table, levels)
                known = np.isfinite(found)
                if known.any():
                    table = _filled(one, part, rows[known], found[known], table)
                    changed = True
        if not changed:
            together = _simultaneous(derived, table, levels)
            changed = bool(together)
            table = table.with_solved(together)
    left = []
    for one in derived:
        open_, seen = _open(one, table)
        masks = {part: mask & seen for part, mask in open_.items()}
        masks = {part: mask for part, mask in masks.items() if mask.any()}
        if masks:
            left.append(Constraint(one, masks, rounding(one, table)))
    return table, tuple(left)


def rounding(one: Derived, table: ModelTable) -> float:
    """How far an observed value may be from the one computed: nothing where complete rows agree, else half a last decimal."""
    column = table.column(one.name)
    values = column.values
    size = float(np.abs(values[column.observed]).max())
    with np.errstate(all="ignore"):
        computed = one.values(table.values)
    both = column.observed & np.isfinite(computed)
    exact = _EXACT * max(size, 1.0)
    if both.any() and (np.abs(computed - values)[both] <= exact).all():
        return exact
    return max(exact, one.rounding(values[column.observed]))


def _open(one: Derived, table: ModelTable) -> tuple[dict[str, Mask], Mask]:
    """By part, where it is missing beside an observed value and has a say in it; and the rows of these values."""
    values, unknown = table.values, table.unknown
    seen = np.isfinite(values[one.name]) & table.column(one.name).observed
    for part in one.parts:
        seen &= np.isfinite(values[part]) | unknown[part]
    out = {part: seen & unknown[part] for part in sorted(one.parts)}
    out = {part: mask for part, mask in out.items() if mask.any()}
    # a part that is multiplied by an observed zero says nothing
    names = tuple(out)
    if not names:
        return out, seen
    patterns = np.unique(np.stack([out[name] for name in names], axis=1), axis=0)
    for pattern in patterns:
        here = [name for name, on in zip(names, pattern, strict=True) if on]
        numeric = all(table.column(name).categories is None for name in here)
        if not here or not numeric or degree_in(one.expression, here) > 1:
            continue
        rows = np.flatnonzero(np.all(np.stack([out[n] for n in names], axis=1) == pattern, axis=1))
        given: dict[str, object] = {name: values[name][rows] for name in one.parts if name not in here}
        given |= {name: Affine(0.0, {name: 1.0}) for name in here}
        form = evaluate(one.expression, given, {})
        for name in here:
            silent = np.broadcast_to(np.asarray(form.coefficients.get(name, 0.0)) == 0.0, rows.shape)
            out[name][rows[silent]] = False
    return out, seen


def _determined(
    one: Derived,
    part: str,
    rows: NDArray[np.intp],
    table: ModelTable,
    levels: Mapping[str, Floats | None],
) -> Floats:
    """Values of the only missing part in some rows; NaN where a discrete part can have several."""
    # another missing part has no say here: any value of it will do
    others = {name: np.nan_to_num(table.values[name][rows]) for name in one.parts if name != part}
    target = table.values[one.name][rows]
    if part in levels and levels[part] is not None:
        return _level(one, part, rows, others, target, table, levels[part])  # type: ignore[arg-type]
    seen = table.values[part][np.isfinite(table.values[part])]
    whole = part in levels
    low = 0.0 if whole or (len(seen) and seen.min() > 0) else -np.inf
    ranges = {name: (v.min(), v.max()) for name, v in others.items()} | {part: (low, np.inf)}
    if can_solve(one.expression, part, ranges):
        found, _ = solve_for(one.expression, part, others, target, ranges)
        found = np.where(found >= low, found, np.nan)
        count = np.isfinite(found).astype(np.intp)
    else:
        found, _, count = bisect_for(one.expression, part, others, target, _wide(seen))
    if whole:
        near = np.round(found)
        with np.errstate(all="ignore"):
            back = one.values({**others, part: near})
        found = np.where(np.abs(back - target) <= rounding(one, table), near, np.nan)
        count = np.where(np.isfinite(found), count, 0)
    if (count != 1).any():
        _refuse(one, part, rows[count != 1], int(count[count != 1][0]), table)
    return found


def _level(
    one: Derived,
    part: str,
    rows: NDArray[np.intp],
    others: Mapping[str, Floats],
    target: Floats,
    table: ModelTable,
    levels: Floats,
) -> Floats:
    tolerance = rounding(one, table)
    with np.errstate(all="ignore"):
        each = [one.values({**others, part: np.full(len(rows), value)}) for value in levels]
    fits = np.abs(np.stack(each) - target) <= tolerance
    count = fits.sum(axis=0)
    if (count == 0).any():
        _refuse(one, part, rows[count == 0], 0, table)
    return np.where(count == 1, levels[fits.argmax(axis=0)], np.nan)


def _simultaneous(
    derived: Sequence[Derived], table: ModelTable, levels: Mapping[str, Floats | None]
) -> dict[str, Floats]:
    """Values of parts that several linear equations determine together, NaN elsewhere."""
    if len(derived) < 2:
        return {}
    open_ = [_open(one, table)[0] for one in derived]
    names = sorted(frozenset().union(*open_))
    nothing = np.zeros(table.n_rows, dtype=bool)
    whole = np.stack([own.get(name, nothing) for own in open_ for name in names], axis=1) if names else None
    if whole is None:
        return {}
    found: dict[str, Floats] = {}
    for pattern in np.unique(whole, axis=0):
        active = pattern.reshape(len(derived), len(names))
        used = [e for e in range(len(derived)) if active[e].any()]
        parts = [name for name, on in zip(names, active.any(axis=0), strict=True) if on]
        plain = all(name not in levels and table.level(name) == "row" for name in parts)
        if len(used) < 2 or not plain or any(degree_in(derived[e].expression, parts) > 1 for e in used):
            continue
        rows = np.flatnonzero((whole == pattern).all(axis=1))
        matrix = np.zeros((len(rows), len(used), len(parts)))
        target = np.zeros((len(rows), len(used)))
        for j, e in enumerate(used):
            one = derived[e]
            given: dict[str, object] = {p: table.values[p][rows] for p in one.parts if p not in parts}
            given |= {p: Affine(0.0, {p: 1.0}) for p in parts if p in one.parts}
            form = evaluate(one.expression, given, {})
            target[:, j] = table.values[one.name][rows] - form.base
            for i, name in enumerate(parts):
                matrix[:, j, i] = form.coefficients.get(name, 0.0)
        inverse = np.linalg.pinv(matrix, rcond=1e-9)
        free = np.abs(np.eye(len(parts)) - inverse @ matrix).max(axis=2) > 1e-7
        solution = (inverse @ target[:, :, None])[:, :, 0]
        for i, name in enumerate(parts):
            known = ~free[:, i]
            if known.any():
                found.setdefault(name, np.full(table.n_rows, np.nan))[rows[known]] = solution[known, i]
    return found


def _wide(seen: Floats) -> Floats:
    """Points over ten times the observed range, on the observed side of zero."""
    low, high = float(seen.min()), float(seen.max())
    width = (high - low) or max(abs(high), 1.0)
    least = 0.0 if low > 0 else low - 10 * width
    grid = np.unique(
        np.concatenate([np.linspace(max(least, low - 10 * width), high + 10 * width, 2001), seen[:2000]])
    )
    return grid[grid > 0] if low > 0 else grid


def _refuse(one: Derived, part: str, rows: NDArray[np.intp], count: int, table: ModelTable) -> None:
    how = "no value" if count == 0 else "more than one value"
    value = table.values[one.name][rows[0]]
    raise ModelError(
        f"{one.name!r} = {value:g} is observed in {name_rows(table.frame.index, rows)} and {how} of {part!r} gives it by "
        f"{one.text}: correct or blank it there"
    )


def _filled(one: Derived, part: str, rows: NDArray[np.intp], found: Floats, table: ModelTable) -> ModelTable:
    """Return the table with the part known in these rows, or in their whole groups."""
    out = np.full(table.n_rows, np.nan)
    level = table.level(part)
    if level == "row":
        out[rows] = found
        return table.with_solved({part: out})
    group = table.groupings[level]
    by_group = np.full(len(group.labels), np.nan)
    by_group[group.codes[rows]] = found
    off = np.abs(by_group[group.codes[rows]] - found) > max(
        one.rounding(table.values[one.name][np.isfinite(table.values[one.name])]),
        1e-6 * float(np.abs(found).max()),
    )
    if off.any():
        raise ModelError(
            f"observed values of {one.name!r} give different values of {part!r} in the same {level} in "
            f"{name_rows(table.frame.index, rows[off])}: correct or blank them there"
        )
    spread = by_group[group.codes]
    return table.with_solved({part: np.where(table.unknown[part], spread, np.nan)})
