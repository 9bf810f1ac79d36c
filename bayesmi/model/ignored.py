"""Rows that are imputed and inform no parameter: ``Model(..., ignore=)``, as in mice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.polars_table import is_polars
from bayesmi.data.table import open_table
from bayesmi.data.wording import did_you_mean, name_rows
from bayesmi.errors import DataError

__all__ = ["Ignored", "check_told", "read_ignore"]

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


def check_told(name: str, level: str, index: pd.Index, only: Mask) -> None:
    """Refuse a cluster's value that ignored rows alone tell, in the rows where `only` is True."""
    if only.any():
        raise DataError(
            f"column {name!r} has one value a {level}, and only rows of ignore= have it in {name_rows(index, only)}: let one "
            "of them inform the model"
        )


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
