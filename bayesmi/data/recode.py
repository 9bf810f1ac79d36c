"""Turning codes into missing values, when asked, and saying what was changed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.polars_table import is_polars
from bayesmi.data.raw import LARGEST_EXACT_INTEGER
from bayesmi.data.table import check_names, open_table
from bayesmi.data.wording import counted, did_you_mean, list_some
from bayesmi.errors import BayesmiNotice, DataError

EVERY = "*"


def recode_missing(data: Any, codes: Mapping[str, Iterable[Any]]) -> Any:
    """Set cells that hold a code to missing, in a new table, and report each change.

    Parameters
    ----------
    data
        A pandas or polars DataFrame; it is not changed.
    codes
        By column the codes that mean missing: ``{"age": [-9, 99], "smoker": ["?"]}``. ``"*"`` stands for
        every column not named. Text is compared with text exactly as written, numbers with numbers.

    Returns
    -------
    pandas.DataFrame or polars.DataFrame
        Integer columns that get their first missing cell become float64 (Int64 where float64 could not hold
        them), bool becomes boolean; a recoded category leaves the dtype; nothing else changes.

    Raises
    ------
    DataError
        For unknown columns, and codes that are not given as a list.

    Warns
    -----
    BayesmiNotice
        One line a column: which code, how many cells, and the dtype if it changed.

    Examples
    --------
    >>> import warnings
    >>> import pandas as pd
    >>> from bayesmi.data import recode_missing
    >>> data = pd.DataFrame({"age": [31, -9, 52], "smoker": ["yes", "?", "no"]})
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     clean = recode_missing(data, {"age": [-9], "smoker": ["?"]})
    >>> clean.isna().sum().to_dict()
    {'age': 1, 'smoker': 1}
    >>> print(said[0].message)
    column 'age': -9 set to missing in 1 cell; int64 became float64
    """
    names = check_names(open_table(data))
    wanted = _wanted(codes, names)
    lines, changed = [], {}
    total = 0
    for name, values in wanted.items():
        column = data[name]
        recoded, counts = (_recode_polars if is_polars(data) else _recode_pandas)(column, values)
        total += sum(counts.values())
        if name in codes or any(counts.values()):
            lines.append(_line(name, column, recoded, counts, name in codes))
        if any(counts.values()):
            changed[name] = recoded
    if EVERY in codes and not total:
        lines.append(f"no column holds {list_some(_listed(EVERY, codes[EVERY]))}: nothing recoded")
    for line in lines:
        warnings.warn(line, BayesmiNotice, stacklevel=2)
    if is_polars(data):
        return data.with_columns(**changed)
    return data.copy(deep=False).assign(**changed)


def _wanted(codes: Mapping[str, Iterable[Any]], names: list[str]) -> dict[str, list[Any]]:
    """Codes by column, in table order; `*` spreads over the columns not named."""
    for name in codes:
        if name != EVERY and name not in names:
            raise DataError(f"cannot recode {name!r}, which is not in the table: {did_you_mean(name, names)}")
    listed = {name: _listed(name, given) for name, given in codes.items()}
    spread = dict.fromkeys(names, listed[EVERY]) if EVERY in listed else {}
    wanted = {**spread, **{name: values for name, values in listed.items() if name != EVERY}}
    return {name: wanted[name] for name in names if name in wanted}


def _listed(name: str, given: Any) -> list[Any]:
    """Refuse a bare value: 'NA' is also a sequence of letters."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise DataError(f"codes for {name!r} must be a list: {{{name!r}: [{given!r}]}}")
    values = list(given)
    if not values:
        raise DataError(f"codes for {name!r} are empty: name at least one, {{{name!r}: [-9]}}")
    return values


def _is_number(value: Any) -> bool:
    """Tell numbers from booleans."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, (bool, np.bool_)
    )


def _recode_pandas(series: pd.Series, values: list[Any]) -> tuple[pd.Series, dict[Any, int]]:
    """Return a recoded column and the cells changed per code."""
    hits = {value: _equal(series, value) for value in values}
    counts = {value: int(hit.sum()) for value, hit in hits.items()}
    mask = np.logical_or.reduce(list(hits.values()))
    if not mask.any():
        return series, counts
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        gone = [c for c in dtype.categories if any(_same(c, v) and counts[v] for v in values)]
        return series.cat.remove_categories(gone), counts
    if pd.api.types.is_bool_dtype(dtype) and isinstance(dtype, np.dtype):
        series = series.astype("boolean")
    elif isinstance(dtype, np.dtype) and dtype.kind in "iu":
        large = bool((series.abs() > LARGEST_EXACT_INTEGER).any())
        series = series.astype("Int64" if large else "float64")
    return series.mask(mask), counts


def _equal(series: pd.Series, value: Any) -> NDArray[np.bool_]:
    """Cells equal to a code of the same type: numbers with numbers, text with text."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        match = np.array([_same(c, value) for c in dtype.categories] + [False])
        array = series.array
        assert isinstance(array, pd.Categorical)
        return match[array.codes]
    if pd.api.types.is_object_dtype(dtype):
        return np.fromiter((_same(cell, value) for cell in series), dtype=bool, count=len(series))
    is_bool = pd.api.types.is_bool_dtype(dtype)
    fits = (
        (is_bool and isinstance(value, bool))
        or (pd.api.types.is_numeric_dtype(dtype) and not is_bool and _is_number(value))
        or (pd.api.types.is_string_dtype(dtype) and isinstance(value, str))
    )
    if not fits:
        return np.zeros(len(series), dtype=bool)
    return (series == value).fillna(False).to_numpy(dtype=bool)


def _same(cell: Any, value: Any) -> bool:
    """Equal and of the same sort."""
    if _is_number(value):
        return _is_number(cell) and bool(cell == value)
    return type(cell) is type(value) and bool(cell == value)


def _recode_polars(series: Any, values: list[Any]) -> tuple[Any, dict[Any, int]]:
    """Return a recoded column and the cells changed per code."""
    import polars as pl

    dtype, counts = series.dtype, {}
    mask = pl.Series(np.zeros(len(series), dtype=bool))
    text = series.cast(pl.String) if dtype in (pl.Categorical, pl.Enum) else series
    for value in values:
        fits = (
            (dtype == pl.Boolean and isinstance(value, bool))
            or (dtype.is_numeric() and _is_number(value))
            or (text.dtype == pl.String and isinstance(value, str))
        )
        hit = (text == value).fill_null(False) if fits else pl.Series(np.zeros(len(series), dtype=bool))
        counts[value] = int(hit.sum())
        mask = mask | hit
    return series.zip_with(~mask, pl.Series([None] * len(series), dtype=dtype)).alias(series.name), counts


def _line(name: str, before: Any, after: Any, counts: dict[Any, int], named: bool) -> str:
    """Say what happened to a column."""
    done = [f"{value!r} set to missing in {counted(n, 'cell')}" for value, n in counts.items() if n]
    if named:
        done += [f"no cell equals {value!r}" for value, n in counts.items() if not n]
    if (
        any(counts.values())
        and before.dtype != after.dtype
        and not isinstance(before.dtype, pd.CategoricalDtype)
    ):
        done.append(f"{before.dtype} became {after.dtype}")
    return f"column {name!r}: " + ", ".join(done).replace(
        f", {before.dtype} became", f"; {before.dtype} became"
    )
