"""Rows that are imputed and inform no parameter: `Model(..., ignore=)`, as in mice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.polars_table import is_polars
from bayesmi.data.table import open_table
from bayesmi.data.wording import did_you_mean, name_rows
from bayesmi.draw import FitDraws
from bayesmi.errors import BayesmiError, DataError
from bayesmi.newrows.draws import NewRowDraws

__all__ = ["Ignored", "TogetherDraws", "check_ignored", "read_ignore"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ignored:
    """A table of which some rows inform no parameter."""

    whole: Any  # pandas or polars
    mask: Mask  # (n,) the rows that do not inform

    @property
    def informing(self) -> Any:
        """The other rows."""
        return _rows(self.whole, ~self.mask)

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Columns with missing values in the ignored rows: they need a model, also where the other rows are complete."""
        table = open_table(self.rows)
        return tuple(str(name) for i, name in enumerate(table.names) if table.read(i).missing.any())

    @property
    def rows(self) -> Any:
        """The ignored rows."""
        return _rows(self.whole, self.mask)


def _rows(table: Any, mask: Mask) -> Any:
    return table.filter(mask) if is_polars(table) else table.loc[mask]


def read_ignore(data: Any, ignore: Any, where: Any) -> Ignored | None:
    """Read ``ignore=``: the name of a column of True and False, or as many of them as there are rows.

    Raises
    ------
    DataError
        If it is neither, has missing values, or leaves no row; or the table was read before.
    """
    if ignore is None or isinstance(ignore, Ignored):
        return ignore
    if isinstance(data, IncompleteFrame) or not hasattr(data, "columns") or not hasattr(data, "shape"):
        raise DataError("ignore= needs the table itself, a pandas or polars DataFrame")
    if where is not None:
        raise DataError("ignore= beside where= is not supported: leave one out")
    label = "ignore="
    if isinstance(ignore, str):
        names = [str(name) for name in data.columns]
        if ignore not in names:
            raise DataError(
                f"ignore= names {ignore!r}, which is not in the table: {did_you_mean(ignore, names)}"
            )
        label, ignore = f"column {ignore!r} of ignore=", data[ignore]
    values = np.asarray(ignore, dtype=object)
    n = len(data)
    if values.shape != (n,):
        raise DataError(
            f"{label} has {values.size} values, the table {n} rows: give one True or False for each"
        )
    wrong = np.array([not isinstance(v, bool | np.bool_) and v not in (0, 1) for v in values])
    if wrong.any():
        shown = values[wrong][0]
        raise DataError(f"{label} holds {shown!r}: True (imputed, does not inform) or False for every row")
    mask = np.array([bool(v) for v in values])
    if mask.all():
        raise DataError(f"{label} leaves no row that informs the model")
    return Ignored(data, mask) if mask.any() else None


def check_ignored(model: Any, ignored: Ignored) -> None:
    """Refuse ignored rows that the model cannot impute, before it is fitted.

    Raises
    ------
    DataError
        As for new rows, and where only an ignored row says what the value of a cluster is.
    """
    from bayesmi.newrows.rows import read_new_rows

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
class TogetherDraws:
    """Cells of imputation i of the whole table: of rows that inform and of ignored ones, from the same posterior draw."""

    frame: IncompleteFrame
    mask: Mask
    fitted: FitDraws
    ignored: NewRowDraws

    @property
    def m(self) -> int:
        """Number of imputations."""
        return self.fitted.m

    @property
    def origins(self) -> Sequence[tuple[int, int]]:
        """(chain, draw) of every imputation."""
        return self.fitted.origins

    def origin(self, i: int) -> tuple[int, int]:
        """Return (chain, draw) of imputation i, counted from 0."""
        return self.fitted.origin(i)

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
