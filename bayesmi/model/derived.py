"""Derived variables: computed from others in every completed data set, never modelled beside their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import name_rows
from bayesmi.errors import FormulaError, ModelError, NotSupportedError
from bayesmi.formula import Expression, parse
from bayesmi.formula.evaluate import evaluate, stateful_calls
from bayesmi.formula.expression import Call
from bayesmi.formula.substitute import substitute

__all__ = ["Derived", "check_parts", "fill_derived", "read_derived", "solve_parts", "with_derived_columns"]

Floats = NDArray[np.float64]
_TOLERANCE = 1e-6  # relative: an observed derived value that is further off than rounding to its own digits


@dataclass(frozen=True)
class Derived:
    """A column that is a function of others."""

    name: str
    text: str
    expression: Expression  # in columns of the table that are not derived themselves

    @property
    def parts(self) -> frozenset[str]:
        """Columns it is computed from."""
        return self.expression.variables

    def values(self, columns: Mapping[str, Floats]) -> Floats:
        """Compute it, NaN where a part is."""
        with np.errstate(all="ignore"):
            out = evaluate(self.expression, {name: columns[name] for name in self.parts}, {})
        return np.asarray(out, dtype=float)


def read_derived(given: Mapping[str, str] | None, columns: Sequence[str]) -> tuple[Derived, ...]:
    """Read ``{"BMI": "Weight / Height**2"}``; a later one may use an earlier one.

    Raises
    ------
    ModelError
        If a text cannot be read, names no column, or uses itself.
    """
    out: list[Derived] = []
    if given is not None and not isinstance(given, Mapping):
        raise ModelError(f"derived= is a mapping such as {{'BMI': 'Weight / Height**2'}}, not {given!r}")
    for name, text in (given or {}).items():
        if not isinstance(text, str):
            raise ModelError(f"derived[{name!r}] must be a text such as 'Weight / Height**2', not {text!r}")
        try:
            terms = parse(f"~ 0 + I({text})").terms
        except FormulaError as problem:
            raise ModelError(f"derived[{name!r}]: {problem}") from None
        (factor,) = terms[0].factors
        assert isinstance(factor, Call)
        expression = substitute(factor.args[0], {d.name: d.expression for d in out})
        if stateful_calls(expression):
            raise ModelError(f"derived[{name!r}]: center() and scale() depend on the data: write the numbers")
        if name in expression.variables:
            raise ModelError(f"derived[{name!r}] uses itself")
        unknown = sorted(expression.variables - set(columns))
        if unknown:
            later = [n for n in unknown if n in given] if given else []
            why = "is derived after it: put it first" if later else "is not a column of the table"
            raise ModelError(f"derived[{name!r}] uses {(later or unknown)[0]!r}, which {why}")
        if not expression.variables:
            raise ModelError(f"derived[{name!r}] = {text!r} uses no column")
        out.append(Derived(name, text, expression))
    return tuple(out)


def with_derived_columns(data: Any, derived: Sequence[Derived]) -> Any:
    """Return the table with a column of missing values for each derived variable that it does not have."""
    absent = [d.name for d in derived if d.name not in data.columns]
    if not absent:
        return data
    if type(data).__module__.startswith("polars"):
        import polars as pl

        return data.with_columns(pl.lit(None).cast(pl.Float64).alias(name) for name in absent)
    return data.assign(**dict.fromkeys(absent, np.nan))


def fill_derived(derived: Sequence[Derived], frame: IncompleteFrame, values: dict[str, Floats]) -> None:
    """Write the missing cells of derived columns into completed columns, in place."""
    for one in derived:
        values[one.name] = np.where(frame.columns[one.name].missing, one.values(values), values[one.name])


def check_parts(derived: Sequence[Derived], frame: IncompleteFrame) -> tuple[str, ...]:
    """Refuse parts that are not numbers; return notices on observed values that their parts contradict."""
    notices = []
    for one in derived:
        for part in sorted(one.parts):
            if not frame.columns[part].is_numeric:
                raise ModelError(
                    f"derived[{one.name!r}] uses {part!r}, which is {frame.columns[part].kind}: it needs numbers"
                )
        column = frame.columns[one.name]
        if not column.observed.any():
            continue
        computed = one.values({name: frame.columns[name].values for name in one.parts})
        both = column.observed & np.isfinite(computed)
        off = np.zeros(len(computed), dtype=bool)
        off[both] = np.abs(computed[both] - column.values[both]) > _rounding(column.values[column.observed])
        if off.any():
            notices.append(
                f"{one.name!r} is not {one.text} in {name_rows(frame.index, off)}: observed values stay as they are"
            )
    return tuple(notices)


def _rounding(seen: Floats) -> float:
    """Half a unit of the last decimal that the observed values have, or the relative tolerance if that is larger."""
    for digits in range(9):
        if np.allclose(
            seen, np.round(seen, digits), rtol=0, atol=1e-12 * max(1.0, float(np.abs(seen).max()))
        ):
            return max(0.5000001 * 10.0**-digits, _TOLERANCE * float(np.abs(seen).max()))
    return _TOLERANCE * float(np.abs(seen).max())


def solve_parts(
    derived: Sequence[Derived], values: Mapping[str, Floats], unknown: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Floats]:
    """Return, by part, values that follow from an observed derived value where one part is missing, NaN elsewhere.

    Raises
    ------
    NotSupportedError
        If two or more parts of an observed derived value are missing.
    ModelError
        If no value, or more than one, of the part gives the observed one.
    """
    solved: dict[str, Floats] = {}
    for one in derived:
        seen = np.isfinite(values[one.name])
        parts = sorted(one.parts)
        holes = np.stack([unknown[part] for part in parts], axis=1)
        several = seen & (holes.sum(axis=1) > 1)
        if several.any():
            raise NotSupportedError(
                f"{one.name!r} is observed in {int(several.sum())} rows where two or more of {', '.join(parts)} are missing: a "
                "constraint on several missing cells is not supported yet; the nearest that is: blank these values of "
                f"{one.name!r}"
            )
        for j, part in enumerate(parts):
            rows = np.flatnonzero(seen & holes[:, j])
            if rows.size:
                found = _solve(one, part, rows, values)
                solved.setdefault(part, np.full(len(seen), np.nan))[rows] = found
    return solved


def _solve(one: Derived, part: str, rows: NDArray[np.intp], values: Mapping[str, Floats]) -> Floats:
    """Bisection between the two neighbouring points of a wide grid where the expression crosses the observed value."""
    seen = values[part][np.isfinite(values[part])]
    low, high = float(seen.min()), float(seen.max())
    width = (high - low) or max(abs(high), 1.0)
    least = 0.0 if low > 0 else low - 10 * width
    grid = np.unique(
        np.concatenate([np.linspace(max(least, low - 10 * width), high + 10 * width, 2001), seen])
    )
    if low > 0:
        grid = grid[grid > 0]
    others = {name: values[name][rows] for name in one.parts if name != part}

    def gap(x: Floats) -> Floats:
        shape = np.shape(x)
        given = {name: np.broadcast_to(column, shape) for name, column in others.items()}
        return one.values({**given, part: x}) - values[one.name][rows]

    table = np.stack([gap(np.full(len(rows), x)) for x in grid])  # (points, rows)
    crosses = (
        (np.signbit(table[:-1]) != np.signbit(table[1:])) & np.isfinite(table[:-1]) & np.isfinite(table[1:])
    )
    count = crosses.sum(axis=0)
    if (count != 1).any():
        bad = int(np.argmax(count != 1))
        how = "no value" if count[bad] == 0 else "more than one value"
        raise ModelError(
            f"{one.name!r} = {values[one.name][rows[bad]]:g} is observed in row {int(rows[bad])} (counted from 0) and {how} of "
            f"{part!r} gives it by {one.text}: correct or blank it there"
        )
    place = crosses.argmax(axis=0)
    left, right = grid[place], grid[place + 1]
    sign = np.signbit(gap(left))
    for _ in range(200):
        middle = 0.5 * (left + right)
        same = np.signbit(gap(middle)) == sign
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return 0.5 * (left + right)
