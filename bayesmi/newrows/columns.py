"""Columns of new rows coded as at the fit: same kinds, same codes of levels; what the fit has never seen is refused by name."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.kinds import Kind
from bayesmi.data.levels import ROW
from bayesmi.data.raw import RawColumn
from bayesmi.data.table import Table, check_names, open_table
from bayesmi.data.wording import list_some, name_rows, short_number
from bayesmi.errors import DataError

__all__ = ["coded_column", "open_new"]

Mask = NDArray[np.bool_]


def open_new(data: Any, fitted: IncompleteFrame, needed: Collection[str]) -> Table:
    """Return the new table with the dtypes of the fit's where these matter, and columns that it lacks added, empty.

    Parameters
    ----------
    data : pandas.DataFrame or polars.DataFrame
        The new rows; the library must be that of the fit's table.
    fitted : IncompleteFrame
        The table of the fit.
    needed : collection of str
        Columns that are added where `data` does not have them.

    Raises
    ------
    DataError
        If it is no table, of the other library, or holds a category that the fit's dtype does not have.
    """
    table = open_table(data)
    check_names(table)
    original = fitted.original()
    is_pandas = isinstance(original, pd.DataFrame)
    if is_pandas != isinstance(data, pd.DataFrame):
        theirs, own = ("pandas", "polars") if is_pandas else ("polars", "pandas")
        raise DataError(f"newdata is a {own} table and the model was fitted to a {theirs} one: convert it")
    if not is_pandas:
        return open_table(_like_polars(data, original, needed))
    out = data.copy(deep=False)
    for name in original.columns:
        dtype = original[name].dtype
        if name not in needed:
            continue
        if name not in out.columns:
            out[name] = _nothing(len(out), dtype, out.index)
        elif isinstance(dtype, pd.CategoricalDtype):
            _check_labels(name, out[name], list(dtype.categories))
            out[name] = out[name].astype(dtype)
        elif out[name].isna().all():
            out[name] = _nothing(len(out), dtype, out.index)
    return open_table(out)


def _nothing(n: int, dtype: Any, index: pd.Index) -> pd.Series:
    """Return a column of missing values in a dtype that can hold both these and the fit's values."""
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        dtype = np.dtype("float64")
    elif isinstance(dtype, np.dtype) and dtype.kind == "b":
        dtype = "boolean"
    return pd.Series([None] * n, index=index, dtype=dtype)


def _check_labels(name: str, series: pd.Series, known: list[Any]) -> None:
    seen = series.notna().to_numpy()
    unknown = seen & ~series.isin(known).to_numpy()
    if unknown.any():
        label = series[unknown].iloc[0]
        raise _unknown_level(name, label, known, series.index, unknown)


def _like_polars(data: Any, original: Any, needed: Collection[str]) -> Any:
    import polars as pl

    more = []
    for name in original.columns:
        dtype = original.schema[name]
        if name not in needed:
            continue
        if name not in data.columns:
            more.append(pl.lit(None).cast(dtype).alias(name))
        elif dtype.base_type() in (pl.Categorical, pl.Enum) or data[name].is_null().all():
            labels = data[name].cast(pl.String)
            known = original[name].cast(pl.String).unique().drop_nulls().to_list()
            unknown = np.asarray((labels.is_not_null() & ~labels.is_in(known)).to_list(), dtype=bool)
            if unknown.any():
                raise _unknown_level(
                    name, labels.filter(unknown)[0], known, pd.RangeIndex(len(data)), unknown
                )
            more.append(labels.cast(dtype).alias(name))
    return data.with_columns(more)


def coded_column(raw: RawColumn, fitted: Column, index: pd.Index) -> Column:
    """Return a column of the new rows in the codes of the fit's.

    Raises
    ------
    DataError
        If it holds a level that the fit does not know, infinite values, or text where the fit has numbers.
    """
    nothing = np.zeros(len(raw.missing), dtype=bool)

    def column(values: NDArray[np.float64]) -> Column:
        return Column(
            fitted.name, fitted.kind, ROW, values, raw.missing, nothing, fitted.categories, fitted.support
        )

    if fitted.kind is Kind.IDENTIFIER or raw.missing.all():
        return column(np.full(len(raw.missing), np.nan))
    if fitted.categories is not None:
        return column(_codes(raw, fitted, index))
    if raw.numbers is None:
        held = f"labels ({list_some(raw.labels, 3)})" if raw.codes is not None else "no numbers"
        raise DataError(f"column {raw.name!r} of newdata holds {held}, at the fit it held numbers")
    values = np.where(raw.missing, np.nan, raw.numbers)
    if np.isinf(values).any():
        rows = name_rows(index, np.isinf(values))
        raise DataError(f"column {raw.name!r} of newdata holds infinite values in {rows}: correct them")
    seen = ~raw.missing
    if fitted.support is not None:
        unknown = seen & ~np.isin(values, fitted.support)
        if unknown.any():
            known = [short_number(v) for v in fitted.support]
            raise _unknown_level(raw.name, short_number(values[unknown][0]), known, index, unknown)
    if fitted.kind is Kind.COUNT:
        wrong = seen & ((values < 0) | (values != np.floor(values)))
        if wrong.any():
            raise DataError(
                f"column {raw.name!r} of newdata holds {short_number(values[wrong][0])} in {name_rows(index, wrong)}: "
                "counts are whole numbers from 0 up"
            )
    return column(values)


def _codes(raw: RawColumn, fitted: Column, index: pd.Index) -> NDArray[np.float64]:
    """Return the fit's codes of labels, or of numbers that are levels."""
    assert fitted.categories is not None
    place: Mapping[Hashable, int] = {label: code for code, label in enumerate(fitted.categories)}
    out = np.full(len(raw.missing), np.nan)
    labels = raw.labels if raw.codes is not None else tuple(np.unique(_numbers(raw)[~raw.missing]).tolist())
    for code, label in enumerate(labels):
        mine = raw.codes == code if raw.codes is not None else _numbers(raw) == label
        if label not in place:
            raise _unknown_level(raw.name, label, list(fitted.categories), index, mine)
        out[mine] = place[label]
    return out


def _numbers(raw: RawColumn) -> NDArray[np.float64]:
    if raw.numbers is None:
        raise DataError(
            f"column {raw.name!r} of newdata {raw.reason or 'holds no levels'}: it had levels at the fit"
        )
    return raw.numbers


def _unknown_level(name: str, label: Any, known: list[Any], index: pd.Index, where: Mask) -> DataError:
    return DataError(
        f"column {name!r} of newdata holds {label!r} in {name_rows(index, where)}, which the fit does not know: its levels are "
        f"{list_some(known)}; blank it, or fit a table that has it"
    )
