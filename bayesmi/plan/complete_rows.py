"""The units of which a variable and its predictors are observed, for rough regressions before anything is fitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["complete_rows", "with_intercept"]

Floats = NDArray[np.float64]


def complete_rows(
    factor: Factor, table: ModelTable, predictors: Collection[str]
) -> tuple[Floats, dict[str, Floats]]:
    """Return response and predictors of the units of a factor's level that have all of them, (units,) each."""
    rows = table.rows_of_level(factor.level)
    response = table.values[factor.variable][rows]
    columns = {name: table.values[name][rows] for name in predictors}
    known = np.isfinite(response)
    for column in columns.values():
        known &= np.isfinite(column)
    return response[known], {name: column[known] for name, column in columns.items()}


def with_intercept(factor: Factor, values: Mapping[str, Floats], n_rows: int) -> Floats:
    """Return a factor's design with a first column of ones, (n_rows, 1 + design columns)."""
    return np.column_stack([np.ones(n_rows), factor.matrix(values, n_rows)])
