"""Opening a table: pandas and polars behind the same few operations, anything else refused."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bayesmi.data.pandas_table import PandasTable
from bayesmi.data.polars_table import PolarsTable, is_polars
from bayesmi.data.wording import counted, list_some
from bayesmi.errors import DataError

Table = PandasTable | PolarsTable


def open_table(data: Any) -> Table:
    """Return the table behind its few operations; anything else is refused with what to do."""
    if isinstance(data, pd.DataFrame):
        return PandasTable(data.copy(deep=False))
    if is_polars(data):
        return PolarsTable(data.clone())
    if is_polars(data, "LazyFrame"):
        raise DataError("data is a polars LazyFrame: call .collect() first")
    if isinstance(data, (str, bytes)) or hasattr(data, "__fspath__"):
        raise DataError(f"data is a file name: read it first, bmi.read_csv({str(data)!r})")
    raise DataError(f"data is a {type(data).__name__}: give a pandas or polars DataFrame")


def check_names(table: Table) -> list[str]:
    """Names that are strings and differ, and a table that has cells."""
    names = table.names
    if not names or not len(table.index):
        raise DataError(
            f"the table is empty: {counted(len(table.index), 'row')}, {counted(len(names), 'column')}"
        )
    for name in names:
        if not isinstance(name, str):
            what = "has several levels" if isinstance(name, tuple) else "is not a string"
            fix = (
                "['_'.join(map(str, c)) for c in df.columns]"
                if isinstance(name, tuple)
                else "df.columns.astype(str)"
            )
            raise DataError(f"column name {name!r} {what}: rename the columns, df.columns = {fix}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"column names occur more than once: {list_some(twice)}; rename or drop the duplicates"
        )
    return [str(name) for name in names]
