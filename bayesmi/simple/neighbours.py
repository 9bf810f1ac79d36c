"""k nearest neighbours: holes take the median or most frequent value of the most similar rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesmi.data import Column
from bayesmi.data.wording import name_rows
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame, columns_of, note_of
from bayesmi.simple.result import Floats, SimpleImputation, columns_to_impute, most_frequent, skipped

__all__ = ["knn"]

_STATEMENT = (
    "k nearest neighbours: each hole takes the median (the most frequent value, if they are categories or two numbers) of the "
    "{k} rows most similar by Gower's distance. Variances come out too small, standard errors too: for comparison only."
)
_CHUNK = 2_000_000  # distances held at once


def knn(
    data: Any, columns: str | Sequence[str] | None = None, by: str | Sequence[str] | None = None, k: int = 5
) -> SimpleImputation:
    """Impute from the most similar rows.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    columns : str or sequence of str, optional
        Columns to impute; all incomplete ones by default.
    by : str or sequence of str, optional
        Columns in which rows are compared; all but the one to impute by default. Identifiers and text of many levels
        make rows look different: name the columns that count.
    k : int
        Number of neighbours.

    Returns
    -------
    SimpleImputation
        ``data`` is the completed table. Nothing is random: of rows at the same distance the first are taken.

    Raises
    ------
    DataError
        If there are fewer than k donors, or a row has nothing to be compared by.

    Notes
    -----
    Gower's (1971) distance: the mean, over the columns observed in both rows, of |difference| / range for numbers and
    ordered levels and of 0 or 1 for others. Holes are all filled from observed values, none from imputed ones. VIM's
    ``kNN`` (Kowarik and Templ 2016) has the same defaults, k = 5 and medians.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 9.0, 2.1], "y": [10.5, 20.5, 30.5, 90.5, None]})
    >>> bmi.simple.knn(table, "y", k=3).data["y"].tolist()[-1]
    20.5
    """
    frame = as_frame(data)
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise DataError(f"k = {k!r}: the number of neighbours is a whole number from 1 up")
    chosen = columns_to_impute(frame, columns)
    identifiers = [c.name for c in frame.columns.values() if c.kind == "identifier"]
    if by is None:
        compared = [c for c in frame.columns.values() if c.kind != "identifier"]
        notes = note_of(identifiers, "they are identifiers")
    else:
        compared, notes = columns_of(frame, by), ()
        for column in compared:
            if column.kind == "identifier":
                raise DataError(
                    f"column {column.name!r} is an identifier: rows are not compared by it, leave it out of by="
                )
    imputed = {}
    for column in chosen:
        others = [other for other in compared if other.name != column.name]
        if not others:
            raise DataError(f"no column is left by which rows could be compared for {column.name!r}")
        if column.n_observed < k:
            raise DataError(
                f"column {column.name!r} has {column.n_observed} observed values, fewer than k = {k}"
            )
        imputed[column.name] = _impute(column, others, k, frame.index)[None, :]
    notes += skipped(frame, chosen)
    return SimpleImputation("k nearest neighbours", _STATEMENT.format(k=k), frame, imputed, notes=notes)


def _impute(column: Column, others: list[Column], k: int, index: Any) -> Floats:
    """One value for each hole, a chunk of rows at a time."""
    holes, donors = np.flatnonzero(column.missing), np.flatnonzero(column.observed)
    given = column.values[donors]
    averaged = column.categories is None and column.support is None
    filled = np.empty(len(holes))
    step = max(1, _CHUNK // len(donors))
    for start in range(0, len(holes), step):
        rows = holes[start : start + step]
        distances = _gower(others, rows, donors)
        alone = ~np.isfinite(distances).any(axis=1)
        if alone.any():
            where = name_rows(index, rows[alone])
            raise DataError(
                f"nothing that rows are compared by is observed in {where}: column {column.name!r} cannot be imputed"
            )
        near = np.argsort(distances, axis=1, kind="stable")[:, :k]
        for i, chosen in enumerate(near):
            usable = chosen[np.isfinite(distances[i, chosen])]
            values = given[usable]
            filled[start + i] = np.median(values) if averaged else most_frequent(values)
    return filled


def _gower(columns: list[Column], rows: np.ndarray, donors: np.ndarray) -> Floats:
    """Distances (rows, donors); infinite where nothing is observed in both."""
    total = np.zeros((len(rows), len(donors)))
    number = np.zeros_like(total)
    for column in columns:
        a, b = column.values[rows][:, None], column.values[donors][None, :]
        both = np.isfinite(a) & np.isfinite(b)
        if column.categories is not None and column.kind != "ordinal":
            apart = (a != b).astype(float)
        else:
            spread = np.ptp(column.values[column.observed]) if column.n_observed else 0.0
            apart = np.abs(a - b) / (spread or 1.0)
        total += np.where(both, apart, 0.0)
        number += both
    return np.where(number > 0, total / np.maximum(number, 1), np.inf)
