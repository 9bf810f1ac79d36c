"""Rows that are imputed and inform no parameter: they are new rows of the same table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import name_rows
from bayesmi.errors import BayesmiError, DataError
from bayesmi.model.ignored import Ignored
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
        if only.any():
            raise DataError(
                f"column {name!r} has one value a {column.level}, and only rows of ignore= have it in "
                f"{name_rows(rows.frame.index, only)}: let one of them inform the model"
            )


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
        return self._joined(self.fitted.cells(i), self.ignored.cells(i))

    def before(self, i: int) -> Mapping[str, Floats]:
        """Return the cells of imputation i without deltas."""
        return self._joined(self.fitted.before(i), self.ignored.before(i))

    def _joined(self, own: Mapping[str, Floats], theirs: Mapping[str, Floats]) -> dict[str, Floats]:
        out = {}
        frames = (self.fitted.model.frame, self.ignored.laid.rows.frame)
        for name, column in self.frame.columns.items():
            if not column.missing.any() or name not in {**own, **theirs}:
                continue
            whole = np.full(self.frame.n_rows, np.nan)
            for cells, frame, rows in zip(
                (own, theirs), frames, (np.flatnonzero(~self.mask), np.flatnonzero(self.mask)), strict=True
            ):
                if name in cells:
                    whole[rows[frame.columns[name].missing]] = cells[name]
            filled = whole[column.missing]
            if np.isfinite(filled).all():
                out[name] = filled
        return out
