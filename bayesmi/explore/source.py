"""What the exploring functions take out of a table, a frame, a model or imputations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError

__all__ = ["as_frame", "columns_of", "indicator", "labels_of", "note_of"]


def as_frame(data: Any) -> IncompleteFrame:
    """Take the frame out of a table, a frame, imputations or a model."""
    inner = getattr(data, "frame", None)
    if isinstance(inner, IncompleteFrame):
        return inner
    return data if isinstance(data, IncompleteFrame) else IncompleteFrame.from_table(data)


def columns_of(frame: IncompleteFrame, names: str | Sequence[str]) -> list[Column]:
    """Columns by name; an unknown name is refused with its nearest."""
    chosen = [names] if isinstance(names, str) else list(names)
    for name in chosen:
        if name not in frame.columns:
            raise DataError(f"the table has no column {name!r}: {did_you_mean(name, list(frame.columns))}")
    return [frame.columns[name] for name in dict.fromkeys(chosen)]


def indicator(column: Column) -> NDArray[np.float64]:
    """1 where missing, 0 where observed, NaN where the column does not apply."""
    return np.where(column.absent, np.nan, column.missing.astype(float))


def labels_of(frame: IncompleteFrame, name: str) -> pd.Series:
    """Return the values of a column as a reader knows them: numbers, labels, or what an identifier holds."""
    column = columns_of(frame, name)[0]
    if column.kind == "identifier":
        stored = frame.original()[name]
        return pd.Series(list(stored), index=frame.index, name=name)
    if column.categories is None:
        values = pd.Series(column.values, index=frame.index, name=name)
        whole = values.dropna()
        return values.astype("Int64") if len(whole) and (whole % 1 == 0).all() else values
    codes = np.where(np.isfinite(column.values), column.values, -1).astype(np.intp)
    filled = pd.Categorical.from_codes(codes, categories=pd.Index(list(column.categories)), ordered=True)
    return pd.Series(filled, index=frame.index, name=name)


def note_of(names: Sequence[str], why: str) -> tuple[str, ...]:
    """One line on the columns that were left out, or none."""
    return (f"left out, {why}: {', '.join(names)}",) if names else ()
