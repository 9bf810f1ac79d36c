"""Groups of rows within which a method takes its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.wording import name_rows, plain
from bayesmi.errors import DataError
from bayesmi.explore.source import columns_of, labels_of

__all__ = ["Domains", "domains_of"]


@dataclass(frozen=True, eq=False)
class Domains:
    """Domain of each row (n,), -1 where a column that makes them is missing; one domain if no column does."""

    names: tuple[str, ...]
    codes: NDArray[np.intp]
    labels: tuple[tuple[object, ...], ...]
    index: pd.Index

    def of_holes(self, column: Column) -> NDArray[np.intp]:
        """Domains that hold a missing cell of a column; a hole outside of all is refused."""
        outside = column.missing & (self.codes < 0)
        if outside.any():
            raise DataError(
                f"column {column.name!r} is missing in {name_rows(self.index, outside)}, where {' or '.join(self.names)} is "
                "missing too: impute those first, or group by less"
            )
        return np.unique(self.codes[column.missing])

    def words(self, code: int) -> str:
        """Say which domain."""
        if not self.names:
            return "at all"
        parts = [
            f"{name} = {plain(label)!r}" for name, label in zip(self.names, self.labels[code], strict=True)
        ]
        return "where " + " and ".join(parts)


def domains_of(frame: IncompleteFrame, by: str | Sequence[str] | None) -> Domains:
    """Combinations of the values of the columns; without columns all rows are one domain."""
    names = tuple(column.name for column in columns_of(frame, by)) if by is not None else ()
    if not names:
        return Domains((), np.zeros(frame.n_rows, dtype=np.intp), ((),), frame.index)
    table = pd.DataFrame({name: labels_of(frame, name).array for name in names})
    groups = table.groupby(list(names), observed=True, sort=True, dropna=True)
    codes = groups.ngroup().to_numpy()
    incomplete = table.isna().any(axis=1).to_numpy()
    labels = tuple(key if isinstance(key, tuple) else (key,) for key in groups.size().index)
    return Domains(names, np.where(incomplete, -1, codes).astype(np.intp), labels, frame.index)
