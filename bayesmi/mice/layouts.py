"""How programs lay out completed data: which column numbers the imputations, which one the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data.wording import did_you_mean, list_some, plain
from bayesmi.errors import DataError
from bayesmi.mice.tables import column, drop, is_table, rows_at, with_index

__all__ = ["LAYOUTS", "Layout", "Split", "find_layout", "split_list", "split_long"]


@dataclass(frozen=True)
class Layout:
    """Column names of a program's long form.

    `imp` numbers the imputations (0 is the incomplete table, unless the program counts completed tables from 0), `id`
    names the rows; `extra` are columns that the program adds and that are no data.
    """

    program: str
    imp: str | None
    id: str | None
    extra: tuple[str, ...] = ()
    from_zero: bool = False


@dataclass(frozen=True)
class Split:
    """The incomplete table, where there is one, and the completed ones."""

    original: Any | None
    completed: tuple[Any, ...]
    program: str


LAYOUTS: dict[str, Layout] = {
    layout.program: layout
    for layout in (
        Layout("mice", ".imp", ".id"),
        Layout("jomo", "Imputation", "id"),
        Layout(
            "mitml", "Imputation_", None, from_zero=True
        ),  # write.mitmlSPSS; lists by mitmlComplete(imp, "all")
        Layout("Amelia", "imp", None, ("", "Unnamed: 0")),  # write.amelia(separate = FALSE)
        Layout("miceforest", None, None),
        Layout("statsmodels", None, None),
    )
}


def find_layout(names: Sequence[str], layout: str | None) -> Layout:
    """Return the layout asked for, or the one whose columns are there."""
    if layout is not None:
        match = {name.lower(): name for name in LAYOUTS}
        if str(layout).lower() not in match:
            raise DataError(f"layout={layout!r}: {did_you_mean(layout, list(LAYOUTS))}")
        return LAYOUTS[match[str(layout).lower()]]
    for known in LAYOUTS.values():
        if known.imp in names:
            return known
    raise DataError(
        "the table has no column that numbers the imputations (.imp of mice, Imputation of jomo, Imputation_ of mitml, "
        f"imp of Amelia); it has {list_some(names)}: name it with imp="
    )


def split_long(long: Any, layout: Layout, imp: str | None, id: str | None) -> Split:
    """Cut a long table into the incomplete and the completed tables; rows in the order of the first one."""
    names = [str(name) for name in long.columns]
    key = imp or layout.imp
    if key is None:
        raise DataError(f"{layout.program} has no long form: give a list of completed tables")
    if key not in names:
        raise DataError(f"no column '{key}' that numbers the imputations: {did_you_mean(key, names)}")
    if id is not None and id not in names:
        raise DataError(f"no column '{id}' that names the rows: {did_you_mean(id, names)}")
    row = id or (layout.id if layout.id in names else None)
    numbers = _numbers(long, key) + layout.from_zero
    away = [name for name in (key, row, *layout.extra) if name is not None and name in names]
    body = drop(long, away)
    parts = {}
    first: pd.Index | None = None
    for number in sorted(set(numbers.tolist())):
        at = np.flatnonzero(numbers == number)
        labels = None if row is None else pd.Index(column(long, row).iloc[at].map(plain)).rename(None)
        if labels is not None and first is not None:
            at, labels = _in_order(at, labels, first, number)
        if first is None:
            first = labels
        part = rows_at(body, at)
        parts[number] = with_index(part, pd.RangeIndex(len(at)) if labels is None else labels)
    sizes = {number: len(part) for number, part in parts.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(
            f"the imputations have different numbers of rows ({', '.join(f'{key} {k}: {v}' for k, v in sizes.items())})"
        )
    original = parts.pop(0, None)
    if not parts:
        raise DataError(f"column '{key}' holds 0 only: there are no completed tables")
    return Split(original, tuple(parts.values()), layout.program)


def split_list(tables: Any, program: str) -> Split:
    """Completed tables that came one by one; a mapping may have the incomplete one as number 0."""
    original = None
    if isinstance(tables, Mapping):
        keyed = dict(tables)
        for zero in (0, "0"):
            original = keyed.pop(zero, original)
        tables = list(keyed.values())
    parts = [part.copy() if isinstance(part, pd.DataFrame) else part for part in tables]
    for number, part in enumerate(parts, start=1):
        if not is_table(part):
            raise DataError(f"completed table {number} is a {type(part).__name__}, not a DataFrame")
    if not parts:
        raise DataError("there are no completed tables in this list")
    extra = LAYOUTS[program].extra if program in LAYOUTS else ()
    parts = [drop(part, [name for name in extra if name in part.columns]) for part in parts]
    return Split(original, tuple(parts), program)


def _numbers(long: Any, key: str) -> np.ndarray:
    """Imputation number of every row."""
    values = column(long, key)
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0])
        raise DataError(
            f"column '{key}' is missing in row {row} (counted from 0): it numbers the imputations"
        )
    try:
        numbers = values.astype(float).to_numpy()
        if (numbers != np.floor(numbers)).any() or (numbers < 0).any():
            raise ValueError
    except (TypeError, ValueError):
        raise DataError(f"column '{key}' must hold whole numbers 0, 1, … m") from None
    return numbers.astype(int)


def _in_order(at: np.ndarray, labels: pd.Index, first: pd.Index, number: int) -> tuple[np.ndarray, pd.Index]:
    """Put the rows of one imputation in the order of the first table, by their names."""
    if labels.equals(first) or len(labels) != len(first):
        return at, labels
    if not (labels.is_unique and first.is_unique):
        raise DataError(
            f"imputation {number} has its rows in another order than the first table, and row names repeat: sort it"
        )
    order = labels.get_indexer(first)
    if (order < 0).any():
        missing = first[int(np.flatnonzero(order < 0)[0])]
        raise DataError(f"imputation {number} lacks the row named {plain(missing)!r}")
    return at[order], first
