"""What a condition says about each row: true, false, or not known for want of an observed cell."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.column import Column
from bayesmi.data.conditions import Both, Comparison, Condition, Either, Literal, Name, Not
from bayesmi.data.kinds import Kind
from bayesmi.data.wording import did_you_mean, list_some
from bayesmi.errors import DataError

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, eq=False)
class Truth:
    """Per row: known to be true, known to be false, or neither."""

    true: NDArray[np.bool_]
    false: NDArray[np.bool_]

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Shape (n,). Neither true nor false, for want of an observed cell."""
        return ~(self.true | self.false)


def evaluate(condition: Condition, columns: Mapping[str, Column]) -> Truth:
    """Return the truth of a condition in every row."""
    match condition:
        case Not(part):
            inner = evaluate(part, columns)
            return Truth(inner.false, inner.true)
        case Both(left, right):
            a, b = evaluate(left, columns), evaluate(right, columns)
            return Truth(a.true & b.true, a.false | b.false)
        case Either(left, right):
            a, b = evaluate(left, columns), evaluate(right, columns)
            return Truth(a.true | b.true, a.false & b.false)
        case Comparison():
            return _compare(condition, columns)


def _compare(comparison: Comparison, columns: Mapping[str, Column]) -> Truth:
    """Return a comparison row by row, on observed cells."""
    left, op, right = comparison.left, comparison.op, comparison.right
    if isinstance(left, Literal):
        left, op, right = right, _MIRRORED[op], left
    assert isinstance(left, Name)
    column = _column(left.column, columns)
    known = column.observed
    if isinstance(right, Name):
        other = _column(right.column, columns)
        known = known & other.observed
        a, b = _numbers(column), _numbers(other)
        if a is None or b is None:
            raise DataError(
                f"cannot compare columns {column.name!r} and {other.name!r}: both must be numbers"
            )
        result = _OPERATORS[op](a, b)
    else:
        result = _compare_to(column, op, right.value)
    result = np.asarray(result, dtype=bool)
    return Truth(known & result, known & ~result)


def _compare_to(column: Column, op: str, value: float | str) -> NDArray[np.bool_]:
    """Return a column against a number or a label."""
    numbers = _numbers(column)
    if isinstance(value, float) and numbers is not None:
        return _OPERATORS[op](numbers, value)
    if column.categories is None or isinstance(value, float):
        wanted = (
            "a number" if column.categories is None else f"one of its labels: {list_some(column.categories)}"
        )
        raise DataError(f"cannot compare column {column.name!r} with {value!r}: compare it with {wanted}")
    labels = [str(label) for label in column.categories]
    if value not in labels:
        raise DataError(f"{value!r} is not a level of column {column.name!r}: {did_you_mean(value, labels)}")
    if op not in ("==", "!=") and column.kind is not Kind.ORDINAL:
        raise DataError(f"column {column.name!r} has no order: compare it with == or !=, not {op}")
    return _OPERATORS[op](column.values, float(labels.index(value)))


def _numbers(column: Column) -> NDArray[np.float64] | None:
    """Return a column's numbers, also of levels that are numbers; None for other labels."""
    if column.categories is None:
        return column.values
    if not all(isinstance(label, (int, float)) for label in column.categories) or not column.categories:
        return None
    labels = np.array([*column.categories, np.nan], dtype=np.float64)
    return labels[np.where(np.isnan(column.values), -1, column.values).astype(np.intp)]


def _column(name: str, columns: Mapping[str, Column]) -> Column:
    """Return a usable column by its name."""
    if name not in columns:
        raise DataError(
            f"condition names {name!r}, which is not in the table: {did_you_mean(name, list(columns))}"
        )
    if columns[name].kind is Kind.IDENTIFIER:
        raise DataError(f"condition names {name!r}, which is an identifier: give a boolean mask instead")
    return columns[name]
