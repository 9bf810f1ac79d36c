"""Reading the columns of a pandas table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.pandas_write import Cells, float_dtype, is_integer, write_series
from bayesmi.data.raw import RawColumn, drop_empty_levels, too_large
from bayesmi.data.wording import list_some
from bayesmi.errors import DataError


@dataclass(frozen=True, eq=False)
class PandasTable:
    """A pandas DataFrame behind the few operations that IncompleteFrame needs."""

    data: pd.DataFrame

    @property
    def names(self) -> list[Any]:
        """Column names as they are."""
        return list(self.data.columns)

    @property
    def index(self) -> pd.Index:
        """Row labels."""
        return self.data.index

    def read(self, position: int) -> RawColumn:
        """Return the column at a position, read by dtype."""
        return read_series(self.data.iloc[:, position])

    def keys(self, name: str) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
        """Codes (-1 = missing) and sorted labels of a column, whatever it holds."""
        return factorize(self.data[name])

    def write(self, cells: Mapping[str, Cells]) -> pd.DataFrame:
        """Return a completed copy; columns without a written cell share their memory with the original."""
        table = self.data.copy(deep=False)
        for name, filled in cells.items():
            position = self.names.index(name)
            column = write_series(self.data.iloc[:, position], filled)
            table.isetitem(position, column)  # type: ignore[arg-type]
        return table

    def original(self) -> pd.DataFrame:
        """Return the table as it came."""
        return self.data.copy(deep=False)

    def dtype(self, name: str) -> str:
        """Return the dtype's name."""
        return str(self.data[name].dtype).lower()

    def missing_marks(self, name: str, missing: NDArray[np.bool_]) -> list[str]:
        """Return the different marks for missing in a column: NaN, None, NA, NaT."""
        series = self.data[name]
        if series.dtype == object:
            marks = {_mark(cell) for cell in series.to_numpy()[missing]}
        elif isinstance(series.dtype, pd.ArrowDtype) and pd.api.types.is_float_dtype(series.dtype):
            nulls = series.array.isna()
            marks = {"NA"} if nulls.any() else set()
            marks |= {"NaN"} if (missing & ~nulls).any() else set()
        else:
            return []
        return sorted(marks)

    def loses_integers(self, name: str) -> tuple[str, str] | None:
        """(dtype, float dtype) when filling with numbers that are not whole changes the dtype."""
        dtype = self.data[name].dtype
        if not is_integer(dtype) or isinstance(dtype, np.dtype):
            return None
        return str(dtype), str(float_dtype(dtype))


def _mark(cell: Any) -> str:
    """Return the name of a missing mark."""
    if cell is None:
        return "None"
    if cell is pd.NA:
        return "NA"
    return "NaT" if cell is pd.NaT else "NaN"


def read_series(series: pd.Series) -> RawColumn:
    """Return a pandas column as numbers, codes or something to leave alone."""
    name, dtype = str(series.name), series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _read_categorical(series)
    if isinstance(dtype, pd.SparseDtype):
        raise DataError(f"column {name!r} is sparse: make it dense first: df[{name!r}].sparse.to_dense()")
    if pd.api.types.is_bool_dtype(dtype):
        return _read_numbers(series, "bool")
    if is_integer(dtype):
        return _read_numbers(series, "integer")
    if pd.api.types.is_float_dtype(dtype):
        return _read_numbers(series, "float")
    if pd.api.types.is_object_dtype(dtype):
        return _read_objects(series)
    if pd.api.types.is_string_dtype(dtype) and not pd.api.types.is_datetime64_any_dtype(dtype):
        return _read_text(series)
    temporal = getattr(dtype, "kind", "") in "mM" or "period" in str(dtype)
    reason = "holds dates or times" if temporal else f"has dtype {dtype}"
    return left_alone(name, series.isna().to_numpy(), reason)


def left_alone(name: str, missing: NDArray[np.bool_], reason: str) -> RawColumn:
    """Return a column that no model can use and that comes back untouched."""
    notice = f"column {name!r} {reason}: kept as it is, not usable in a model"
    return RawColumn(name, "other", missing, reason=reason, notices=(notice,))


def empty_level_notice(name: str, empty: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the line about levels that never occur."""
    if not empty:
        return ()
    verb = "level never occurs" if len(empty) == 1 else "levels never occur"
    return (f"column {name!r}: {verb} ({list_some(empty)}): left out of the coding, kept in the dtype",)


def large_integers(name: str, missing: NDArray[np.bool_]) -> RawColumn:
    """Integers beyond 2**53 are somebody's keys."""
    return left_alone(name, missing, "holds whole numbers beyond 2**53, too large to compute with")


def _read_numbers(series: pd.Series, storage: Any) -> RawColumn:
    """Numbers and booleans, numpy, nullable or Arrow: NaN and NA are both missing."""
    name = str(series.name)
    if isinstance(series.dtype, np.dtype):
        numbers = series.to_numpy().astype(np.float64)
    else:
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.isnan(numbers)
    if storage == "integer" and too_large(numbers):
        return large_integers(name, missing)
    return RawColumn(name, storage, missing, numbers=numbers)


def _read_categorical(series: pd.Series) -> RawColumn:
    """Categories in declared order; those that never occur are dropped from the coding only."""
    name = str(series.name)
    array = series.array
    assert isinstance(array, pd.Categorical)
    labels = tuple(array.categories.tolist())
    codes, kept, empty = drop_empty_levels(array.codes.astype(np.intp), labels)
    ordered = bool(array.ordered)
    return RawColumn(
        name,
        "category",
        codes < 0,
        codes=codes,
        labels=kept,
        has_order=ordered,
        is_ordered=ordered,
        empty_levels=empty,
        notices=empty_level_notice(name, empty),
    )


def _read_text(series: pd.Series) -> RawColumn:
    """Text: levels are the distinct strings, sorted."""
    codes, labels = factorize(series)
    return RawColumn(str(series.name), "text", codes < 0, codes=codes, labels=labels)


def _read_objects(series: pd.Series) -> RawColumn:
    """Object columns by what they hold: text, booleans or numbers with holes; anything else is left alone."""
    name = str(series.name)
    found = pd.api.types.infer_dtype(series, skipna=True)
    if found in ("string", "empty"):
        return _read_text(series)
    missing = series.isna().to_numpy()
    if found in ("boolean", "integer", "floating", "mixed-integer-float", "decimal"):
        numbers = np.full(len(series), np.nan)
        try:
            numbers[~missing] = series.to_numpy()[~missing].astype(np.float64)
        except OverflowError:
            return large_integers(name, missing)
        if found == "boolean":
            return RawColumn(name, "bool", missing, numbers=numbers)
        if found == "integer" and too_large(numbers):
            return large_integers(name, missing)
        notice = f"column {name!r} holds numbers as Python objects: read as numbers"
        storage: Any = "integer" if found == "integer" else "float"
        return RawColumn(name, storage, missing, numbers=numbers, notices=(notice,))
    if found in ("date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"):
        return left_alone(name, missing, "holds dates or times")
    types = {type(v).__name__ for v in series[~missing].head(1000)}
    return left_alone(name, missing, f"mixes or nests types ({list_some(sorted(types), 4)})")


def factorize(series: pd.Series) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
    """Codes (-1 = missing) and labels in sorted (or declared) order; mixed types sort by type, then text."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        array = series.array
        assert isinstance(array, pd.Categorical)
        codes, labels, _ = drop_empty_levels(array.codes.astype(np.intp), tuple(array.categories.tolist()))
        return codes, labels
    try:
        raw_codes, uniques = pd.factorize(series, sort=False)
    except TypeError:
        raise DataError(
            f"column {series.name!r} holds values that cannot be compared: it cannot group rows"
        ) from None
    found = pd.Index(uniques).tolist()
    try:
        order = sorted(range(len(found)), key=found.__getitem__)
    except TypeError:
        order = sorted(range(len(found)), key=lambda i: (type(found[i]).__name__, str(found[i])))
    renumber = np.empty(len(found) + 1, dtype=np.intp)
    renumber[np.asarray(order, dtype=np.intp)] = np.arange(len(found))
    renumber[-1] = -1
    return renumber[raw_codes], tuple(found[i] for i in order)
