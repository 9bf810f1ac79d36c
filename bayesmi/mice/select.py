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
from bayesmi.mice.tables import rows_at

__all__ = ["filter_rows"]


def filter_rows(imputed: Any, rows: Any) -> Imputations:
    """Keep some rows; see `Imputations.filter`."""
    mask = _mask(imputed, rows)
    if not mask.any():
        raise DataError("filter: no row is kept")
    at = np.flatnonzero(mask)
    tables = [rows_at(table, at) for table in (imputed.frame.original(), *imputed)]
    return assemble(tables[0], tables[1:], like=imputed)


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
