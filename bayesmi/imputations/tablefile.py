"""An incomplete table as Parquet bytes and a few JSON facts, and back without change."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.imputations.layouts import is_polars

__all__ = ["read_frame", "write_frame"]


def write_frame(frame: IncompleteFrame) -> tuple[bytes, dict[str, Any]]:
    """Store a frame: its table, and what was found or stated about its columns.

    Returns
    -------
    table : bytes
        Parquet with the dtypes of the table that came in.
    facts : dict
        For JSON: library, kinds, levels, groups, notices, and which cells are to be imputed where not all
        are.

    Raises
    ------
    DataError
        If the table would come back changed; the line names the column.
    """
    original = frame.original()
    facts: dict[str, Any] = {
        "library": "polars" if is_polars(original) else "pandas",
        "kinds": {name: column.plain_kind for name, column in frame.columns.items()},
        "levels": {name: column.level for name, column in frame.columns.items()},
        "groups": list(frame.groups),
        "where": {  # rows to impute, of the columns that also have cells never to be imputed
            name: np.flatnonzero(column.missing).tolist()
            for name, column in frame.columns.items()
            if column.absent.any()
        },
        "notices": list(frame.notices),
    }
    facts["categories"] = _categories(original)
    facts["objects"] = _objects(original)
    facts["freq"] = None if is_polars(original) else _frequency(original.index)
    table = _to_bytes(_without_categories(original, facts["categories"]))
    changed = _changed(original, _from_bytes(table, facts))
    if changed:
        raise DataError(
            f"{changed} cannot be stored without change: convert it to text, numbers or dates first"
        )
    return table, facts


def read_frame(table: bytes, facts: dict[str, Any]) -> IncompleteFrame:
    """Restore what `write_frame` stored."""
    original = _from_bytes(table, facts)
    n = len(original)
    where = {name: np.isin(np.arange(n), rows) for name, rows in facts["where"].items()}
    frame = IncompleteFrame.from_table(
        original,
        kinds=facts["kinds"],
        groups=tuple(facts["groups"]),
        levels=facts["levels"],
        where=where or None,
    )
    return replace(frame, notices=tuple(facts["notices"]))


def _to_bytes(table: Any) -> bytes:
    """Parquet, with the library's own notes on dtypes."""
    import pyarrow as pa

    buffer = io.BytesIO()
    try:
        if is_polars(table):
            table.write_parquet(buffer)
        else:
            table.to_parquet(buffer, engine="pyarrow")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, ValueError) as error:
        for name in table.columns:  # which one is it?
            try:
                pa.array(table[name])
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
                raise DataError(
                    f"column '{name}' cannot be stored without change: convert it to text, numbers or dates "
                    f"first"
                ) from error
        raise DataError(f"the table cannot be stored as Parquet: {str(error).splitlines()[0]}") from error
    return buffer.getvalue()


def _from_bytes(table: bytes, facts: dict[str, Any]) -> Any:
    """Read Parquet back, with the categories that it could not hold."""
    if facts["library"] == "polars":
        try:
            import polars as pl
        except ImportError as error:
            raise DataError("this file holds a polars table: install polars to load it") from error
        return pl.read_parquet(io.BytesIO(table))
    read = pd.read_parquet(io.BytesIO(table), engine="pyarrow")
    for name, about in facts.get("categories", {}).items():
        categories = pd.Index(about["labels"], dtype=about["dtype"])
        dtype = pd.CategoricalDtype(categories, about["ordered"])
        read[name] = pd.Series(pd.Categorical.from_codes(read[name], dtype=dtype), index=read.index)
    for name in facts.get("objects", ()):
        read[name] = read[name].astype(object)
    if facts.get("freq"):
        read.index = pd.DatetimeIndex(read.index, freq=facts["freq"])
    return read


def _categories(table: Any) -> dict[str, dict[str, Any]]:
    """Labels, their dtype and whether they are ordered, of pandas categories that are numbers or truth values.

    Parquet keeps categories that are text; others it would return as plain numbers.
    """
    if is_polars(table):
        return {}
    found = {}
    for name, dtype in table.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            labels = dtype.categories
            plain = isinstance(labels.dtype, np.dtype) and labels.dtype.kind in "iufb"
            if plain or (labels.dtype == object and all(isinstance(label, bool) for label in labels)):
                found[name] = {
                    "labels": labels.tolist(),
                    "dtype": str(labels.dtype),
                    "ordered": bool(dtype.ordered),
                }
    return found


def _frequency(index: pd.Index) -> str | None:
    """Return the frequency of dates, None where its name does not tell it whole, such as that of one's own holidays."""
    if not isinstance(index, pd.DatetimeIndex) or index.freq is None:
        return None
    try:
        same = pd.tseries.frequencies.to_offset(index.freqstr) == index.freq
    except ValueError:
        return None
    return index.freqstr if same else None


def _objects(table: Any) -> list[str]:
    """Columns of pandas objects: where these are text, pandas 3 would return them as its own text dtype."""
    return (
        []
        if is_polars(table)
        else [
            name for name, dtype in table.dtypes.items() if dtype.kind == "O" and isinstance(dtype, np.dtype)
        ]
    )


def _without_categories(table: Any, categories: dict[str, Any]) -> Any:
    """Return the table with codes in place of these categories, -1 where missing."""
    return table.assign(**{name: table[name].cat.codes for name in categories}) if categories else table


def _changed(before: Any, after: Any) -> str:
    """Name the first thing that did not survive; empty when all did."""
    if is_polars(before):
        for name in before.columns:
            if before.schema[name] != after.schema[name] or not before[name].equals(
                after[name], null_equal=True
            ):
                return f"column '{name}'"
        return ""
    if not before.index.equals(after.index) or list(before.index.names) != list(after.index.names):
        return "the index"
    for name in before.columns:
        if name not in after.columns or before[name].dtype != after[name].dtype:
            return f"column '{name}'"
        if not before[name].equals(after[name]):  # None and NaN are both missing, and count as equal
            known = before[name].notna()
            if not known.equals(after[name].notna()) or list(before[name][known]) != list(after[name][known]):
                return f"column '{name}'"
    return ""
