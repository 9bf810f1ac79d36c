"""Complete-case analysis: rows with a hole are left out, and counted."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.explore.source import as_frame, columns_of
from bayesmi.formula import parse

__all__ = ["CompleteCases", "complete_cases"]

_STATEMENT = (
    "Complete-case analysis: rows with a missing value are left out. Unbiased if values are missing completely at random, "
    "and in regression also if missingness does not depend on the outcome given the predictors; otherwise biased. What "
    "the rows left out do hold is lost, and standard errors are larger than they need be."
)


@dataclass(frozen=True, eq=False)
class CompleteCases:
    """The complete rows.

    Attributes
    ----------
    data : DataFrame
        Rows without a hole in the columns that count, all columns.
    n_rows, n_dropped : int
        Rows of the table, and rows left out.
    dropped_for : Series of int
        By column with holes: rows left out in which it is missing. A row can count in several.
    statement : str
        What the method is, and what is wrong with it.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.simple.complete_cases(bmi.datasets.load("nhanes"))
    >>> found.n_rows, found.n_dropped, found.dropped_for.to_dict()
    (25, 12, {'bmi': 9, 'hyp': 8, 'chl': 10})
    """

    data: Any
    n_rows: int
    n_dropped: int
    dropped_for: pd.Series
    statement: str = _STATEMENT

    def __repr__(self) -> str:
        kept = self.n_rows - self.n_dropped
        why = ", ".join(f"{name} {count}" for name, count in self.dropped_for.items())
        head = f"complete cases: {kept} of {self.n_rows} rows, {self.n_dropped} left out"
        return "\n".join([f"{head} (missing: {why})" if why else head, *textwrap.wrap(self.statement, 108)])


def complete_cases(data: Any, columns: str | Sequence[str] | None = None) -> CompleteCases:
    """Keep the rows without a missing value.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table, n rows.
    columns : str or sequence of str, optional
        Columns that must be observed, or a formula whose variables must be; all columns by default. Cells that do not
        apply are no holes.

    Returns
    -------
    CompleteCases
        The rows, and how many were left out for what.

    Raises
    ------
    DataError
        If a column is not in the table.

    Notes
    -----
    Little and Rubin (2019), section 3.2; van Buuren (2018), section 2.7.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> cases = bmi.simple.complete_cases(bmi.datasets.load("nhanes"), "chl ~ age + bmi")
    >>> len(cases.data), cases.n_dropped, cases.dropped_for.to_dict()
    (13, 12, {'bmi': 9, 'chl': 10})
    """
    frame = as_frame(data)
    if isinstance(columns, str) and "~" in columns:
        formula = parse(columns)
        used = set().union(
            *(term.variables for term in formula.terms), *(o.variables for o in formula.offsets)
        )
        for group in formula.groups:
            used |= group.variables | set(group.grouping_columns)
        used |= {formula.response.name} if formula.response is not None else set()
        columns_of(frame, sorted(used))
        columns = [name for name in frame.columns if name in used]
    chosen = list(frame.columns.values()) if columns is None else columns_of(frame, columns)
    hole = np.zeros(frame.n_rows, dtype=bool)
    for column in chosen:
        hole |= column.missing
    table = frame.original()
    kept = table.loc[~hole] if isinstance(table, pd.DataFrame) else table.filter(~hole)
    counts = {column.name: column.n_missing for column in chosen if column.n_missing}
    return CompleteCases(kept, frame.n_rows, int(hole.sum()), pd.Series(counts, dtype=np.int64))
