"""Tidy tables: one row per term with estimate and standard error, as broom writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract
from bayesmi.errors import PoolError

__all__ = ["ADAPTER"]

_ERRORS = ("std.error", "std_error", "se")


def _recognises(result: Any) -> bool:
    """Any table; what it lacks is said on reading."""
    return isinstance(result, pd.DataFrame)


def _extract(result: pd.DataFrame) -> Extract:
    """Columns term (or the index), estimate, std.error and perhaps df."""
    table = result if "term" in result.columns else result.rename_axis(index="term").reset_index()
    error = next((name for name in _ERRORS if name in table.columns), None)
    if "estimate" not in table.columns or error is None:
        shown = ", ".join(str(name) for name in result.columns)
        raise PoolError(f"a tidy table needs the columns term, estimate and std.error, this one has {shown}")
    if table.empty:
        raise PoolError("the tidy table has no rows")
    terms = [str(term) for term in table["term"]]
    twice = pd.Index(terms)[pd.Index(terms).duplicated()]
    if len(twice):
        raise PoolError(f"term {twice[0]!r} has two rows in the tidy table")
    errors = _numbers(table, error)
    covariance = np.full((len(terms), len(terms)), np.nan)
    np.fill_diagonal(covariance, errors**2)
    df = (
        dict(zip(terms, _numbers(table, "df").tolist(), strict=True))
        if "df" in table.columns
        else float("inf")
    )
    return Extract(
        pd.Series(_numbers(table, "estimate"), index=terms),
        pd.DataFrame(covariance, index=terms, columns=terms),
        dfcom=df,
    )


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    """Read a column as floats, or say its name."""
    try:
        return table[column].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise PoolError(f"column {column!r} of the tidy table must hold numbers") from None


ADAPTER = Adapter("tidy table", _recognises, _extract)
