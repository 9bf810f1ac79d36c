"""Making cells of a complete table missing, in its own dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["blank"]

_LARGEST_EXACT = 2**53


def blank(table: Any, gone: NDArray[np.bool_]) -> Any:
    """Return a copy with the marked cells missing; `gone` has the shape of the table.

    Where a pandas column cannot hold a missing value, bool becomes boolean and whole numbers become float64 (Int64
    where float64 could not tell them apart).
    """
    if isinstance(table, pd.DataFrame):
        made = table.copy()
        for j, name in enumerate(table.columns):
            if gone[:, j].any():
                made[name] = _holding_missing(table[name]).mask(gone[:, j])
        return made
    import polars as pl

    columns = [
        pl.select(pl.when(pl.lit(pl.Series(~gone[:, j]))).then(pl.lit(table.to_series(j))))
        .to_series()
        .alias(name)
        for j, name in enumerate(table.columns)
    ]
    return table.with_columns(columns)


def _holding_missing(series: pd.Series) -> pd.Series:
    """Return the column in a dtype that has a missing value."""
    dtype = series.dtype
    if not isinstance(dtype, np.dtype):
        return series
    if dtype.kind == "b":
        return series.astype("boolean")
    if dtype.kind in "iu":
        return series.astype("Int64" if (series.abs() > _LARGEST_EXACT).any() else "float64")
    return series
