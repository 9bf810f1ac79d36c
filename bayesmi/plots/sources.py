"""What the plots take out of imputations and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Column
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations

__all__ = ["ImputedColumn", "imputed_column"]


@dataclass(frozen=True, eq=False)
class ImputedColumn:
    """Observed and imputed values of one column, as numbers."""

    column: Column
    observed: NDArray[np.float64]  # (n_observed,)
    imputed: NDArray[np.float64]  # (n_missing, m)

    @property
    def m(self) -> int:
        """Number of imputations."""
        return self.imputed.shape[1]

    @property
    def levels(self) -> list[tuple[float, str]]:
        """Value and label of each level of a discrete column; empty for a continuous one."""
        column = self.column
        if column.categories is not None:
            return [(float(k), str(label)) for k, label in enumerate(column.categories)]
        if column.support is not None:
            return [(value, f"{value:g}") for value in column.support]
        if column.kind in ("count", "ordinal", "binary"):
            values = np.unique(np.concatenate([self.observed, self.imputed.ravel()]))
            return [(float(value), f"{value:g}") for value in values] if len(values) <= 30 else []
        return []


def imputed_column(imputations: Imputations, name: str) -> ImputedColumn:
    """Take one imputed column; a line says why there is none."""
    if not isinstance(imputations, Imputations):
        raise DataError(
            f"this plot takes imputations, not {type(imputations).__name__}: what impute() or mice() returned"
        )
    drawn = imputations.draws_of(name)
    column = imputations.frame.columns[name]
    return ImputedColumn(column, column.values[column.observed], drawn)
