"""What a delta amounts to in each missing cell: its group's amount, its expression, its draw from a prior."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.conditions import parse_condition
from bayesmi.data.truth import evaluate as truth_of
from bayesmi.data.wording import did_you_mean, name_rows, plain
from bayesmi.errors import ModelError
from bayesmi.formula.evaluate import evaluate
from bayesmi.mechanism.delta import Delta
from bayesmi.mechanism.quantiles import prior_quantile

__all__ = [
    "CellShift",
    "category_text",
    "cell_shift",
    "check_delta",
    "group_labels",
    "rows_of_group",
    "rows_where",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CellShift:
    """Amounts by cell; a cell that no group names has shift 0 and scale 1."""

    shift: Floats  # (cells,), or (cells, K) of a variable whose categories have amounts
    scale: Floats  # (cells,)

    @property
    def moves(self) -> Mask:
        """Whether a cell is shifted at all, (cells,)."""
        any_shift = self.shift != 0.0
        return (any_shift.any(axis=1) if any_shift.ndim > 1 else any_shift) | (self.scale != 1.0)

    def at(self, places: Ints) -> CellShift:
        """Return the amounts of cells by their places; a place below zero does not move."""
        still = places < 0
        shift = np.where(still[:, None] if self.shift.ndim > 1 else still, 0.0, self.shift[places])
        return CellShift(shift, np.where(still, 1.0, self.scale[places]))


def check_delta(delta: Delta, name: str, frame: IncompleteFrame, rows: Ints) -> None:
    """Refuse a delta whose columns, groups or categories are not there, or not known where the variable is missing.

    Parameters
    ----------
    delta, name
        The mechanism and its variable.
    frame
        The incomplete table.
    rows
        Rows in which the variable is missing.
    """
    label = f"mechanisms[{name!r}]"
    known = list(frame.columns)
    for column in (*delta.by, *sorted(delta.variables)):
        if column not in frame.columns:
            raise ModelError(
                f"{label} names {column!r}, which is not a column of the table: {did_you_mean(column, known)}"
            )
    for column in sorted(delta.variables):
        if not frame.columns[column].is_numeric:
            raise ModelError(
                f"{label}: the expression uses {column!r}, which is {frame.columns[column].kind}: it needs numbers; for groups "
                f"say by={column!r}"
            )
    if name in delta.by:
        raise ModelError(f"{label}: by= cannot be the variable itself")
    for column in delta.by:
        if frame.columns[column].kind == "identifier":
            raise ModelError(
                f"{label}: by={column!r} is an identifier: say what it is by kinds={{{column!r}: 'nominal'}}"
            )
    for entry in delta.entries:
        rows_of_group(delta, entry.group, frame, rows, label)
    for group, _ in delta.scales:
        rows_of_group(delta, group, frame, rows, label)
    rows_where(delta, frame, rows, label)
    own = frame.columns[name]
    if delta.has_categories:
        if own.categories is None:
            raise ModelError(
                f"{label}: a mapping without by= is by category, and {name!r} is {own.kind}: give a number, or by="
            )
        labels = [str(plain(one)) for one in own.categories]
        for entry in delta.entries:
            if category_text(entry.category, labels) not in labels:
                raise ModelError(
                    f"{label}: {entry.category!r} is not a category of {name!r}: {did_you_mean(entry.category, labels)}"
                )


def category_text(category: Any, labels: Collection[str]) -> str:
    """Return a category as labels spell it: of whole numbers 1 and 1.0 are the same one."""
    text = str(category)
    if text not in labels and isinstance(category, int | float) and float(category).is_integer():
        return next((one for one in (str(int(category)), str(float(category))) if one in labels), text)
    return text


def rows_of_group(
    delta: Delta,
    group: tuple[Any, ...],
    frame: IncompleteFrame,
    rows: Ints,
    label: str = "Delta",
    *,
    strict: bool = True,
) -> Mask:
    """Return which of the rows lie in a group, (rows,); a group of which the table has no row is an error if `strict`."""
    inside = np.ones(len(rows), dtype=bool)
    for name, level in zip(delta.by, group, strict=False):
        column = frame.columns[name]
        values = column.values
        deduced = frame.deduced.get(name)
        if deduced is not None:
            values = np.where(column.missing, deduced, values)
        unknown = ~np.isfinite(values[rows])
        if unknown.any():
            raise ModelError(
                f"{label}: by={name!r} is missing itself in {name_rows(frame.index, rows[unknown])}, where it would have to say "
                "the group"
            )
        try:
            code = _code(name, level, frame, label)
        except ModelError:
            if strict:
                raise
            code = np.nan
        inside &= values[rows] == code
    return inside


def _code(name: str, level: Any, frame: IncompleteFrame, label: str) -> float:
    """Return the number by which a column stores a level."""
    column = frame.columns[name]
    if column.categories is not None:
        labels = list(map(plain, column.categories))
        if level in labels:
            return float(labels.index(level))
        found = [str(one) for one in labels]
        if str(level) in found:
            return float(found.index(str(level)))
        raise ModelError(f"{label}: {level!r} is not a level of {name!r}: {did_you_mean(level, found)}")
    try:
        code = float(level)
    except (TypeError, ValueError):
        raise ModelError(f"{label}: {level!r} is not a value of {name!r}, which holds numbers") from None
    if not (column.values[column.observed] == code).any():
        raise ModelError(f"{label}: no row has {name!r} equal to {level!r}")
    return code


def rows_where(delta: Delta, frame: IncompleteFrame, rows: Ints, label: str = "Delta") -> Mask:
    """Return in which of the rows the condition of `where` holds, (rows,)."""
    if delta.where is None:
        return np.ones(len(rows), dtype=bool)
    truth = truth_of(parse_condition(delta.where), frame.columns)
    unknown = truth.unknown[rows]
    if unknown.any():
        raise ModelError(
            f"{label}: where={delta.where!r} is not known in {name_rows(frame.index, rows[unknown])}, where a column of it is "
            "missing itself"
        )
    return truth.true[rows]


def group_labels(by: Collection[str], frame: IncompleteFrame, rows: Ints) -> NDArray[np.object_]:
    """Return the label of each row's group, "" without groups, (rows,)."""
    out = np.full(len(rows), "", dtype=object)
    for name in by:
        column = frame.columns[name]
        values = column.values
        if name in frame.deduced:
            values = np.where(column.missing, frame.deduced[name], values)
        if column.categories is not None:
            own = [str(column.categories[int(code)]) for code in values[rows]]
        else:
            own = [f"{value:g}" for value in values[rows]]
        out = np.array(
            [
                f"{before}, {name} {one}" if before else f"{name} {one}"
                for before, one in zip(out, own, strict=True)
            ],
            dtype=object,
        )
    return out


def cell_shift(
    delta: Delta,
    frame: IncompleteFrame,
    rows: Ints,
    columns: Mapping[str, Floats],
    uniforms: Floats,
    levels: Collection[Any] = (),
    *,
    strict: bool = True,
) -> CellShift:
    """Return the amounts of the cells in some rows.

    Parameters
    ----------
    delta : Delta
        The mechanism.
    frame : IncompleteFrame
        The incomplete table.
    rows : (k,) array
        Rows of the cells.
    columns : mapping
        Values of the columns that expressions use, over all rows.
    uniforms : (priors,) array
        A number between 0 and 1 for each prior, in the order of the entries.
    levels : collection, optional
        Categories of the variable, in order, where amounts belong to categories.
    strict : bool
        Refuse groups of which the table has no row.
    """
    shape: tuple[int, ...] = (len(rows), len(levels)) if delta.has_categories else (len(rows),)
    shift, scale = np.zeros(shape), np.ones(len(rows))
    labels = [str(level) for level in levels]
    allowed = rows_where(delta, frame, rows)
    used = 0
    for entry in delta.entries:
        inside = rows_of_group(delta, entry.group, frame, rows, strict=strict) & allowed
        amount: Floats | float
        if isinstance(entry.amount, str):
            whole = evaluate(
                delta.expressions[entry.amount], {name: columns[name][rows] for name in delta.variables}, {}
            )
            amount = np.broadcast_to(np.asarray(whole, dtype=float), (len(rows),))
            bad = inside & ~np.isfinite(amount)
            if bad.any():
                raise ModelError(
                    f"Delta(shift={entry.amount!r}) is not a number in {name_rows(frame.index, rows[bad])}"
                )
            amount = amount[inside]
        elif isinstance(entry.amount, float):
            amount = entry.amount
        else:
            amount = prior_quantile(entry.amount, float(uniforms[used]))
            used += 1
        if entry.category is None:
            shift[inside] = amount
        else:
            shift[inside, labels.index(category_text(entry.category, labels))] = amount
    for group, factor in delta.scales:
        scale[rows_of_group(delta, group, frame, rows, strict=strict) & allowed] = factor
    return CellShift(shift, scale)
