"""Derived variables: computed from others in every completed data set, never modelled beside their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import name_rows
from bayesmi.errors import FormulaError, ModelError
from bayesmi.formula import Expression, parse_calculation
from bayesmi.formula.evaluate import evaluate, stateful_calls
from bayesmi.formula.scores import scored
from bayesmi.formula.substitute import substitute

__all__ = ["Derived", "check_parts", "fill_derived", "read_derived", "with_derived_columns", "with_scores"]

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

    def rounding(self, seen: Floats) -> float:
        """Return how far observed values may be off by rounding to their own digits."""
        return _rounding(seen)


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
            read = parse_calculation(text)
        except FormulaError as problem:
            raise ModelError(f"derived[{name!r}]: {problem}") from None
        expression = substitute(read, {d.name: d.expression for d in out})
        if stateful_calls(expression):
            raise ModelError(f"derived[{name!r}]: center() and scale() depend on the data: write the numbers")
        if name in expression.variables:
            raise ModelError(f"derived[{name!r}] uses itself")
        unknown = sorted(expression.variables - set(columns))
        if unknown:
            later = [n for n in unknown if n in given] if given else []
            why = "is derived after it: put it first" if later else "is not a column of the table"
            raise ModelError(f"derived[{name!r}] uses {(later or unknown)[0]!r}, which {why}")
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


def with_scores(derived: Sequence[Derived], frame: IncompleteFrame) -> tuple[Derived, ...]:
    """Return them with the numbers of their ordered parts: an item with levels 1 … 5 is summed by these.

    Raises
    ------
    ModelError
        If the levels of a part are no numbers.
    """
    numbers: dict[str, tuple[float, ...]] = {}
    for one in derived:
        for part in sorted(one.parts):
            column = frame.columns[part]
            if column.is_numeric:
                continue
            labels = column.categories or ()
            if column.kind == "nominal" or not labels or not all(_is_number(label) for label in labels):
                raise ModelError(
                    f"derived[{one.name!r}] uses {part!r}, which is {column.kind}: it needs numbers"
                )
            numbers[part] = tuple(float(label) for label in labels)  # type: ignore[arg-type]
    if not numbers:
        return tuple(derived)
    return tuple(replace(one, expression=scored(one.expression, numbers)) for one in derived)


def _is_number(label: object) -> bool:
    return isinstance(label, int | float | np.number) and bool(np.isfinite(float(label)))


def check_parts(derived: Sequence[Derived], frame: IncompleteFrame) -> tuple[str, ...]:
    """Return notices on observed values that their parts contradict."""
    notices = []
    for one in derived:
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
