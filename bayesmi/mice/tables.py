"""The few things done to whole tables here, for pandas and polars alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import DataError
from bayesmi.imputations.layouts import is_polars

__all__ = ["beside", "column", "drop", "is_table", "rows_at", "under", "with_index"]


def is_table(thing: object) -> bool:
    """Whether it is a pandas or polars DataFrame."""
    return isinstance(thing, pd.DataFrame) or (is_polars(thing) and hasattr(thing, "columns"))


def column(table: Any, name: str) -> pd.Series:
    """Return a column as a Series numbered from 0, missing cells as pandas' missing values."""
    if is_polars(table):
        values = table[name]
        if values.dtype.is_numeric():
            return pd.Series(values.cast(float).to_numpy().astype(float), name=name)
        return pd.Series(values.to_list(), name=name, dtype=object)
    return table[name].reset_index(drop=True)


def rows_at(table: Any, positions: NDArray[np.intp]) -> Any:
    """Return rows by position, labels kept."""
    return table[positions.tolist()] if is_polars(table) else table.iloc[positions]


def drop(table: Any, names: Sequence[str]) -> Any:
    """Return the table without some columns."""
    return table.drop(list(names)) if is_polars(table) else table.drop(columns=list(names))


def with_index(table: Any, index: pd.Index) -> Any:
    """Return the table with these row labels; polars has none."""
    return table if is_polars(table) else table.set_axis(index, axis=0)


def under(tables: Sequence[Any]) -> Any:
    """Return tables one under the other; categories are united in the order of their appearance."""
    _same_library(tables)
    if is_polars(tables[0]):
        import polars as pl

        return pl.concat(tables, how="vertical_relaxed")
    parts = [table.copy(deep=False) for table in tables]
    for name in parts[0].columns:
        if all(isinstance(part[name].dtype, pd.CategoricalDtype) for part in parts):
            united = pd.api.types.union_categoricals([part[name] for part in parts], ignore_order=False)
            for part in parts:
                part[name] = part[name].cat.set_categories(united.categories)
    return pd.concat(parts)


def beside(left: Any, right: Any) -> Any:
    """Return two tables side by side, rows by position."""
    _same_library([left, right])
    if is_polars(left):
        import polars as pl

        return pl.concat([left, right], how="horizontal")
    return pd.concat([left, right.set_axis(left.index, axis=0)], axis=1)


def _same_library(tables: Sequence[Any]) -> None:
    """Refuse to mix pandas and polars."""
    if len({is_polars(table) for table in tables}) > 1:
        raise DataError("one table is pandas, another polars: convert one of them first")
