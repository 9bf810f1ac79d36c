"""Rows that are imputed and inform no parameter: they are new rows of the same table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiError
from bayesmi.model.ignored import Ignored, check_told
from bayesmi.newrows.draws import AlongFit, NewRowDraws
from bayesmi.newrows.rows import read_new_rows

__all__ = ["TogetherDraws", "check_ignored"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def check_ignored(model: Any, ignored: Ignored) -> None:
    """Refuse ignored rows that the model cannot impute, before it is fitted.

    Raises
    ------
    DataError
        As for new rows, and where only an ignored row says what the value of a cluster is.
    """
    try:
        rows = read_new_rows(model, ignored.rows)
    except BayesmiError as problem:
        raise type(problem)(
            str(problem).replace(" of newdata", " of the rows of ignore=").replace("newdata", "the table")
        ) from None
    for name, column in rows.frame.columns.items():
        if column.level == "row" or name not in model.table.values:
            continue
        group = rows.frame.groups[column.level]
        codes = rows.known[column.level][group.codes]
        fitted = model.table.unknown[name][model.table.groupings[column.level].first_row]
        only = column.observed & (codes >= 0) & fitted[np.maximum(codes, 0)]
        check_told(name, column.level, rows.frame.index, only)


@dataclass(frozen=True)
class TogetherDraws(AlongFit):
    """Cells of imputation i of the whole table: of rows that inform and of ignored ones, from the same posterior draw."""

    frame: IncompleteFrame
    mask: Mask
    ignored: NewRowDraws

    @property
    def deltas(self) -> Mapping[str, Any]:
        """Deltas that these draws hold, by variable."""
        return self.ignored.deltas

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        return self.join(self.fitted.cells(i), self.ignored.cells(i))

    def before(self, i: int) -> Mapping[str, Floats]:
        """Return the cells of imputation i without deltas."""
        return self.join(self.fitted.before(i), self.ignored.before(i))

    def join(self, own: Mapping[str, Floats], theirs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the missing cells of the whole table from those of the rows that inform and of the ignored ones."""
        out = {}
        parts = (
            (own, self.fitted.model.frame, np.flatnonzero(~self.mask)),
            (theirs, self.ignored.laid.rows.frame, np.flatnonzero(self.mask)),
        )
        for name, column in self.frame.columns.items():
            if not column.missing.any() or not (name in own or name in theirs):
                continue
            values = np.full(self.frame.n_rows, np.nan)
            for cells, frame, rows in parts:
                if name in cells:
                    values[rows[frame.columns[name].missing]] = cells[name]
            filled = values[column.missing]
            if np.isfinite(filled).all():
                out[name] = filled
        return out
