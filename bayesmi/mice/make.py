"""A first predictor matrix and first methods, as mice proposes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data import IncompleteFrame, Kind
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame

__all__ = ["make_method", "make_predictor_matrix"]

_SINGLE = {
    Kind.CONTINUOUS: "pmm",
    Kind.BINARY: "logreg",
    Kind.NOMINAL: "polyreg",
    Kind.ORDINAL: "polr",
    Kind.COUNT: "pmm",
}
_TWO = {
    Kind.CONTINUOUS: "2l.pmm",
    Kind.BINARY: "2l.bin",
    Kind.NOMINAL: "2l.polyreg",
    Kind.ORDINAL: "2l.polr",
    Kind.COUNT: "2l.pmm",
}


def make_predictor_matrix(data: Any) -> pd.DataFrame:
    """Return the predictor matrix in which every variable predicts every other one.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table with p columns.

    Returns
    -------
    DataFrame of int, shape (p, p)
        Rows are predicted by columns: 1 off the diagonal, 0 on it.

    Notes
    -----
    mice's ``make.predictorMatrix``. Change it cell by cell: ``pred.loc["popular", "school"] = -2`` names the cluster,
    2 a random slope, 3 a cluster mean besides, 4 both, 0 leaves a predictor out. `explain` says each code in words.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.make_predictor_matrix(bmi.datasets.load("nhanes")).loc["bmi"].tolist()
    [1, 0, 1, 1]
    """
    names = list(as_frame(data).columns)
    matrix = np.ones((len(names), len(names)), dtype=int) - np.eye(len(names), dtype=int)
    return pd.DataFrame(matrix, index=names, columns=names)


def make_method(data: Any, cluster: str | None = None) -> pd.Series:
    """Return a method for each column: by its kind, and "" where nothing is missing.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    cluster : str, optional
        The column of the clusters: two-level methods are proposed then, and 2lonly.* for variables that are constant
        within clusters.

    Returns
    -------
    Series of str

    Raises
    ------
    DataError
        If `cluster` is no column.

    Notes
    -----
    mice's ``make.method`` proposes pmm for numbers, logreg for two levels, polyreg for unordered and polr for ordered
    ones, always single-level. Numbers with two distinct values are binary here.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.make_method(bmi.datasets.load("nhanes2")).to_dict()
    {'age': '', 'bmi': 'pmm', 'hyp': 'logreg', 'chl': 'pmm'}
    """
    frame = as_frame(data)
    if cluster is not None:
        if cluster not in frame.columns:
            raise DataError(f"cluster={cluster!r} is no column: {did_you_mean(cluster, list(frame.columns))}")
        if cluster not in frame.groups:
            frame = IncompleteFrame.from_table(frame.original(), groups=(cluster,))
    method = {}
    for name, column in frame.columns.items():
        if not column.n_missing or name == cluster or column.kind is Kind.IDENTIFIER:
            method[name] = ""
        elif column.level != "row":
            method[name] = "2lonly.logreg" if column.kind is Kind.BINARY else "2lonly.pmm"
        else:
            method[name] = (_SINGLE if cluster is None else _TWO)[column.kind]
    return pd.Series(method, dtype=object, name="method")
