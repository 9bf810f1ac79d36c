"""How completed tables are laid side by side or on top of each other, as mice's `complete()` does."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from bayesmi.errors import DataError

__all__ = ["broad", "harmonize", "is_polars", "long", "refuse_reserved", "repeated", "row_names", "stacked"]

type Order = Literal["last", "first"]
type Table = Any  # a pandas or a polars DataFrame: polars is optional, and the two share no interface


def is_polars(table: object) -> bool:
    """Whether the table is a polars frame, without importing polars."""
    return type(table).__module__.split(".")[0] == "polars"


def row_names(index: pd.Index) -> pd.Index:
    """Labels for ``.id``; the parts of a MultiIndex are joined by ':'."""
    if isinstance(index, pd.MultiIndex):
        return pd.Index([":".join(map(str, label)) for label in index])
    return index


def harmonize(original: Table, completed: Table) -> Table:
    """Give the incomplete table the dtypes of a completed one, where missing values allow it.

    Integer columns come back as float64 when their model is not integer-valued; the incomplete table must
    agree or stacking would invent a third dtype.
    """
    if is_polars(original):
        import polars as pl

        differing = [name for name in original.columns if original.schema[name] != completed.schema[name]]
        return original.with_columns([pl.col(name).cast(completed.schema[name]) for name in differing])
    changed = {
        name: completed[name].dtype
        for name in original.columns
        if original[name].dtype != completed[name].dtype
        and pd.api.types.is_numeric_dtype(original[name].dtype)
        and pd.api.types.is_numeric_dtype(completed[name].dtype)
    }
    return original.astype(changed) if changed else original


def stacked(tables: Sequence[Table]) -> Table:
    """One table under the other, rows numbered anew; a single table is left as it is."""
    if len(tables) == 1:
        return tables[0]
    if is_polars(tables[0]):
        import polars as pl

        return pl.concat(tables, how="vertical")
    return pd.concat(tables, ignore_index=True)


def long(tables: Mapping[int, Table], index: pd.Index, order: Order) -> Table:
    """One table under the other with ``.imp`` (imputation, 0 = incomplete) and ``.id`` (row name)."""
    refuse_reserved(next(iter(tables.values())))
    names = row_names(index)
    imp = np.repeat(np.fromiter(tables, dtype=np.int64), len(index))
    body = stacked(list(tables.values()))
    if is_polars(body):
        import polars as pl

        keys = [
            pl.Series(".imp", imp),
            pl.concat([pl.Series(".id", names.to_numpy())] * len(tables)),
        ]
        return body.select(keys + body.columns) if order == "first" else body.with_columns(keys)
    ids = pd.concat([names.to_series(name=".id")] * len(tables), ignore_index=True)
    rows = pd.RangeIndex(len(imp))
    labels = pd.DataFrame({".imp": imp, ".id": ids.set_axis(rows)}, index=rows)
    body = body.set_axis(rows, axis=0)
    return pd.concat([labels, body] if order == "first" else [body, labels], axis=1)


def refuse_reserved(table: Table) -> None:
    """Refuse a table that has one of the long form's own columns."""
    for reserved in (".imp", ".id"):
        if reserved in table.columns:
            raise DataError(
                f"column '{reserved}' is in the data, and the long form needs that name: rename it"
            )


def broad(tables: Mapping[int, Table]) -> Table:
    """Tables side by side, ``age.1 bmi.1 … age.2 bmi.2 …``."""
    return _beside([(table, number, name) for number, table in tables.items() for name in table.columns])


def repeated(tables: Mapping[int, Table]) -> Table:
    """Tables side by side, the columns of a variable together: ``age.1 age.2 … bmi.1 bmi.2 …``."""
    names = next(iter(tables.values())).columns
    return _beside([(table, number, name) for name in names for number, table in tables.items()])


def _beside(columns: Sequence[tuple[Any, int, Hashable]]) -> Table:
    """Columns of several tables, each with the imputation number behind its name."""
    if is_polars(columns[0][0]):
        import polars as pl

        return pl.DataFrame([table[name].alias(f"{name}.{number}") for table, number, name in columns])
    return pd.concat([table[name].rename(f"{name}.{number}") for table, number, name in columns], axis=1)
