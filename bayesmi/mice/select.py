"""Some rows of Imputations, as mice's ``filter``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.conditions import parse_condition
from bayesmi.data.truth import evaluate
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.mice.assemble import assemble
from bayesmi.mice.shifts import Shifts, shifts_of
from bayesmi.mice.tables import rows_at

__all__ = ["filter_rows"]


def filter_rows(imputed: Any, rows: Any) -> Imputations:
    """Keep some rows; see `Imputations.filter`."""
    mask = _mask(imputed, rows)
    if not mask.any():
        raise DataError("filter: no row is kept")
    at = np.flatnonzero(mask)
    completed = list(imputed)
    whole = shifts_of(imputed, completed)
    kept = {name: moved[at] for name, moved in whole.moved.items()}
    remaining = {name: delta for name, delta in whole.deltas.items() if kept[name].any()}
    return assemble(
        rows_at(imputed.frame.original(), at),
        [rows_at(table, at) for table in completed],
        like=imputed,
        shifts=Shifts([rows_at(table, at) for table in whole.tables] if remaining else [], remaining, kept),
    )


def _mask(imputed: Any, rows: Any) -> NDArray[np.bool_]:
    """Boolean array over rows."""
    if isinstance(rows, str):
        return np.asarray(evaluate(parse_condition(rows), imputed.frame.columns).true)
    if callable(rows):
        rows = rows(imputed.frame.original())
    array = np.asarray(rows.to_numpy() if hasattr(rows, "to_numpy") else rows)
    if array.dtype == object:  # a nullable mask: unknown rows are dropped
        array = np.array([value is True or value is np.True_ for value in array])
    if array.dtype != bool or array.shape != (imputed.frame.n_rows,):
        raise DataError(
            f"filter: give a boolean for each of the {imputed.frame.n_rows} rows (True = keep), a condition such as "
            "'age > 40', or a function of the table"
        )
    return array
