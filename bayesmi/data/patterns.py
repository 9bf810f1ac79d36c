"""Missing-data patterns as mice's md.pattern lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.table import check_names, open_table

if TYPE_CHECKING:
    from bayesmi.data.frame import IncompleteFrame

_OBSERVED, _MISSING, _ABSENT = 0, 1, 2


def patterns(data: Any) -> pd.DataFrame:
    """Tabulate which cells are missing together.

    Parameters
    ----------
    data
        A pandas or polars DataFrame, or an IncompleteFrame.

    Returns
    -------
    pandas.DataFrame
        One row a pattern, labelled by how many rows of the table have it; 1 = observed, 0 = missing, <NA> =
        does not apply; the last column (named ``""``) counts the missing variables. The last row (labelled
        ``""``) holds the number of missing cells per column and in all.

    Notes
    -----
    Order as in R's ``mice::md.pattern``: columns by number of missing cells, then as in the table; patterns
    lexicographically, observed before missing.

    Examples
    --------
    >>> from bayesmi import datasets
    >>> from bayesmi.data import patterns
    >>> patterns(datasets.load("nhanes"))
        age  hyp  bmi  chl
    13    1    1    1    1   0
    3     1    1    1    0   1
    1     1    1    0    1   1
    1     1    0    0    1   2
    7     1    0    0    0   3
          0    8    9   10  27
    """
    states, names = _states(data)
    missing = states == _MISSING
    totals = missing.sum(axis=0)
    order = np.argsort(totals, kind="stable")
    found, counts = _tabulate(states[:, order])
    shown = np.where(found == _OBSERVED, 1, 0)
    table = pd.DataFrame(shown, columns=[names[j] for j in order])
    if (found == _ABSENT).any():
        table = table.astype("Int64").mask(found == _ABSENT)
    table[""] = (found == _MISSING).sum(axis=1)
    margin = pd.DataFrame([[*totals[order].tolist(), int(totals.sum())]], columns=table.columns)
    out = pd.concat([table, margin.astype(table.dtypes.to_dict())], ignore_index=True)
    out.index = pd.Index([*counts.tolist(), ""], dtype=object)
    return out


def count_patterns(frame: IncompleteFrame) -> int:
    """How many patterns of observed, missing and absent cells there are."""
    return len(_tabulate(_states(frame)[0])[1])


def _states(data: Any) -> tuple[NDArray[np.uint8], list[str]]:
    """Shape (n, p): observed, missing or absent; and the names of the columns."""
    from bayesmi.data.frame import IncompleteFrame

    if not isinstance(data, IncompleteFrame):
        table = open_table(data)
        labels = check_names(table)
        return np.stack([table.read(j).missing * _MISSING for j in range(len(labels))], 1).astype(
            np.uint8
        ), labels
    frame, columns = data, list(data.columns.values())
    states = np.empty((frame.n_rows, len(columns)), dtype=np.uint8)
    for j, column in enumerate(columns):
        states[:, j] = column.missing * _MISSING + column.absent * _ABSENT
    return states, [column.name for column in columns]


def _tabulate(states: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Distinct rows in lexicographic order and their counts; rows are folded into one integer each."""
    codes = np.zeros(len(states), dtype=np.int64)
    for column in states.T:
        if column.any():
            codes = np.unique(codes * 3 + column, return_inverse=True)[1].astype(np.int64)
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return states[first], counts.astype(np.intp)
