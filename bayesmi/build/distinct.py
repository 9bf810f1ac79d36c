"""Rows of a factor as the kernel has them: identical rows once with a count, and their linear predictors by classes.

Rows that agree in all that a factor sees (predictors, groups, response) have one density: they are evaluated once. And
most columns of a design take few values (categories, counts, what is constant in a group): the rows fall into classes that
share them, whose part of the linear predictor is computed once a class. The other columns are added row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.build.numbering import number_rows

__all__ = ["DistinctRows", "distinct_rows", "every_row", "with_classes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_WORTH = 0.8  # identical rows are looked for while fewer than this share is distinct
_CLASSES = 0.25  # classes a row, at most


@dataclass(frozen=True)
class DistinctRows:
    """R kernel rows for T table rows, in K classes."""

    row_of: Ints  # (T,) kernel row of each table row
    first: Ints  # (R,) the first table row of each kernel row
    counts: Floats  # (R,) plain table rows that it stands for
    classes: Ints | None  # (R,) class of each kernel row; None: every row is its own
    members: Ints  # (K,) a table row of each class
    own: Ints  # design columns that differ within classes

    @property
    def n(self) -> int:
        """Number of kernel rows, R."""
        return len(self.first)


def every_row(table: FactorTable) -> DistinctRows:
    """Return the rows as they are."""
    rows = np.arange(table.n_rows)
    plain = (rows < table.n_plain).astype(float)
    return DistinctRows(rows, rows, plain, None, rows, np.zeros(0, dtype=np.intp))


def distinct_rows(table: FactorTable) -> DistinctRows:
    """Find the identical rows and the classes of a factor's table."""
    n = table.n_rows
    as_is = every_row(table)
    if not n or any(effect.slabs for effect in table.effects) or table.slabs or table.held:
        return as_is
    row_of, first, counts = as_is.row_of, as_is.first, as_is.counts
    if table.is_static:
        parts = [part for part in (table, table.scale, table.selection) if part is not None]
        seen = [column for part in parts for column in (*_groups(part), *part.base.T)]
        found = _codes([*table.known.values(), *seen, table.response], _WORTH * n)
        if found is not None:
            row_of, first = found
            counts = np.bincount(row_of, weights=as_is.counts, minlength=len(first))
    return with_classes(table, DistinctRows(row_of, first, counts, None, first, np.zeros(0, dtype=np.intp)))


def with_classes(table: FactorTable, rows: DistinctRows) -> DistinctRows:
    """Return distinct rows with the classes of a table, which may be that of the factor's scale or selection."""
    first, columns = rows.first, list(table.base.T)
    if not len(first):
        return rows
    if (
        table.slabs or any(effect.slabs for effect in table.effects) or table.held
    ):  # such cells stand row by row
        return DistinctRows(rows.row_of, first, rows.counts, None, first, np.zeros(0, dtype=np.intp))
    most = _CLASSES * len(first)
    shared = _codes([column[first] for column in _groups(table)], most)
    if shared is None:
        return DistinctRows(rows.row_of, first, rows.counts, None, first, np.zeros(0, dtype=np.intp))
    own = []
    by_values = sorted(range(len(columns)), key=lambda j: len(pd.unique(columns[j][first])))
    for j in by_values:
        wider = _codes([shared[0], columns[j][first]], most)
        if wider is None:
            own.append(j)
        else:
            shared = wider
    return DistinctRows(
        rows.row_of, first, rows.counts, shared[0], first[shared[1]], np.sort(np.asarray(own, dtype=np.intp))
    )


def _groups(table: FactorTable) -> list[NDArray[np.generic]]:
    """Columns of a linear predictor beside its design."""
    columns: list[NDArray[np.generic]] = [effect.codes for effect in table.effects]
    columns += list(table.links.values())
    columns += [column for effect in table.effects for column in effect.base.T]
    return [*columns, table.offset, *table.shifts.values()]


def _codes(columns: Sequence[NDArray[np.generic]], most: float) -> tuple[Ints, Ints] | None:
    """Number the distinct rows of some columns: (number of each row, first row of each number); None if there are too many."""
    code = number_rows(columns, most)
    if code is None:
        return None
    first = np.full(int(code.max()) + 1, len(code), dtype=np.intp)
    np.minimum.at(first, code, np.arange(len(code)))
    return code, first
