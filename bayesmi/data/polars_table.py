"""Reading columns of a polars table and writing cells back in its schema. polars itself is optional."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.pandas_table import empty_level_notice, large_integers, left_alone
from bayesmi.data.pandas_write import Cells, fit_floats, fit_integers
from bayesmi.data.raw import RawColumn, drop_empty_levels, too_large
from bayesmi.data.wording import counted


def is_polars(data: Any, kind: str = "DataFrame") -> bool:
    """Whether data is a polars object, without importing polars: it can only be one if somebody did."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(data, getattr(polars, kind))


@dataclass(frozen=True, eq=False)
class PolarsTable:
    """A polars DataFrame behind the same operations as a pandas one."""

    data: Any

    @property
    def names(self) -> list[Any]:
        """Column names."""
        return list(self.data.columns)

    @property
    def index(self) -> pd.Index:
        """Polars has no row labels: positions."""
        return pd.RangeIndex(self.data.height)

    def read(self, position: int) -> RawColumn:
        """Return the column at a position, read by dtype."""
        return read_series(self.data.to_series(position))

    def keys(self, name: str) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
        """Codes (-1 = missing) and sorted labels of a column, whatever it holds."""
        return factorize(self.data.get_column(name))

    def write(self, cells: Mapping[str, Cells]) -> Any:
        """Return a completed copy with the same schema."""
        columns = [write_series(self.data.get_column(name), filled) for name, filled in cells.items()]
        return self.data.with_columns(columns)

    def original(self) -> Any:
        """Return the table as it came."""
        return self.data.clone()

    def dtype(self, name: str) -> str:
        """Return the dtype's name."""
        return str(self.data.schema[name]).lower()

    def missing_marks(self, name: str, missing: NDArray[np.bool_]) -> list[str]:
        """Return the different marks for missing in a column: NaN and null."""
        series = self.data.get_column(name)
        if not series.dtype.is_float():
            return []
        nan = int(series.is_nan().sum() or 0)
        return [mark for mark, n in (("NaN", nan), ("null", series.null_count())) if n]

    def loses_integers(self, name: str) -> tuple[str, str] | None:
        """(dtype, float dtype) when filling with numbers that are not whole changes the dtype."""
        dtype = self.data.schema[name]
        return (str(dtype), "Float64") if dtype.is_integer() else None


def read_series(series: Any) -> RawColumn:
    """Return a polars column as numbers, codes or something to leave alone; null is missing, and NaN too."""
    import polars as pl

    name, dtype = series.name, series.dtype
    missing = series.is_null().to_numpy()
    if dtype == pl.Boolean:
        return RawColumn(name, "bool", missing, numbers=series.cast(pl.Float64).to_numpy())
    if dtype.is_integer():
        numbers = series.cast(pl.Float64).to_numpy()
        if too_large(numbers):
            return large_integers(name, missing)
        return RawColumn(name, "integer", missing, numbers=numbers)
    if dtype.is_float():
        numbers = series.cast(pl.Float64).to_numpy()
        n_nan = int((np.isnan(numbers) & ~missing).sum())
        line = f"column {name!r}: NaN in {counted(n_nan, 'cell')}, taken as missing like null"
        notices: tuple[str, ...] = (line,) if n_nan else ()
        return RawColumn(name, "float", np.isnan(numbers), numbers=numbers, notices=notices)
    if dtype == pl.Enum:
        # every Enum has an order, so having one does not say that it means anything: ordinal by kinds= only
        physical = series.to_physical().cast(pl.Int64).fill_null(-1).to_numpy().astype(np.intp)
        codes, labels, empty = drop_empty_levels(physical, tuple(dtype.categories.to_list()))
        notices = empty_level_notice(name, empty)
        return RawColumn(
            name,
            "category",
            missing,
            codes=codes,
            labels=labels,
            has_order=True,
            empty_levels=empty,
            notices=notices,
        )
    if dtype in (pl.String, pl.Categorical):
        codes, labels = factorize(series)
        return RawColumn(
            name, "text" if dtype == pl.String else "category", missing, codes=codes, labels=labels
        )
    reason = "holds dates or times" if dtype.is_temporal() else f"has dtype {dtype}"
    return left_alone(name, missing, reason)


def factorize(series: Any) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
    """Codes (-1 = missing) and sorted labels; an Enum keeps its own order."""
    import polars as pl

    if series.dtype == pl.Enum:
        raw = read_series(series)
        assert raw.codes is not None
        return raw.codes, raw.labels
    if series.dtype == pl.Categorical:
        series = series.cast(pl.String)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    codes = series.rank("dense").cast(pl.Int64).fill_null(0).to_numpy().astype(np.intp) - 1
    return codes, tuple(series.drop_nulls().unique().sort().to_list())


def write_series(series: Any, cells: Cells) -> Any:
    """Fill cells in; an integer dtype becomes Float64 only where the cells are not whole numbers."""
    import polars as pl

    height, dtype = len(series), series.dtype
    keep = np.ones(height, dtype=bool)
    keep[cells.rows] = False
    if cells.labels is not None:
        labels = pl.Series(cells.labels.tolist(), dtype=pl.String)
        places = np.zeros(height, dtype=np.int64)
        places[cells.rows] = np.arange(len(cells.rows))
        other = labels.gather(places).cast(dtype)
        return series.zip_with(pl.Series(keep), other).alias(series.name)
    assert cells.numbers is not None
    numbers: NDArray[Any] = cells.numbers
    if dtype.is_integer() and cells.whole:
        numpy_dtype = series.head(0).to_numpy().dtype
        numbers = fit_integers(series.name, str(dtype), numpy_dtype, cells.numbers)
    elif dtype.is_integer():
        series, dtype = series.cast(pl.Float64), pl.Float64()
    elif dtype.is_float():
        numbers = fit_floats(series.name, str(dtype), series.head(0).to_numpy().dtype, cells.numbers)
    full = np.zeros(height, dtype=numbers.dtype)
    full[cells.rows] = numbers
    return series.zip_with(pl.Series(keep), pl.Series(full).cast(dtype)).alias(series.name)
