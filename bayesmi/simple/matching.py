"""Predictive mean matching of one variable: holes take observed values of rows that are predicted alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmi.data.wording import name_rows
from bayesmi.donors import choose_donors
from bayesmi.errors import DataError, NotSupportedError
from bayesmi.explore.logistic import independent_columns
from bayesmi.explore.source import as_frame, columns_of
from bayesmi.seeds import check_seed, stream
from bayesmi.simple.linear import design_of, read_formula
from bayesmi.simple.result import SimpleImputation, skipped
from bayesmi.simple.streams import MATCHING, check_m

__all__ = ["pmm"]

_STATEMENT = (
    "Predictive mean matching: each hole takes the observed value of one of the {donors} rows whose predictions are nearest, "
    "predicted with a draw of the coefficients. Values look like observed ones; none lies outside their range, which with few "
    "donors far out is a bias. One variable at a time, by complete predictors: leave the outcome out of them and its "
    "association with the variable is weakened."
)


def pmm(data: Any, formula: str, m: int = 5, donors: int = 5, seed: int | None = None) -> SimpleImputation:
    """Impute observed values of rows that are predicted alike.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    formula : str
        ``"variable ~ predictors"``; predictors must be observed where the variable is missing.
    m : int
        Number of completed tables.
    donors : int
        Rows to choose from.
    seed : int, optional
        Repeats the tables exactly. Without it one is drawn, and kept in the result.

    Returns
    -------
    SimpleImputation
        ``data`` is the first completed table; iterate for all. These are proper imputations: `to_imputations` pools them.

    Raises
    ------
    DataError
        If a predictor is missing where it is needed, or there are too few complete rows.
    NotSupportedError
        For categories.

    Notes
    -----
    Type-1 matching of mice's ``pmm`` (van Buuren 2018, section 3.4): donors are predicted with the least-squares coefficients,
    holes with a draw from their posterior, beta* = b + s* (X'X)^-½ z, s*² = RSS / chi²(n - k), without mice's ridge of 1e-5.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 4.5], "y": [2.5, 3.5, 6.5, 7.5, None]})
    >>> set(one["y"].iloc[4] for one in bmi.simple.pmm(table, "y ~ x", m=3, donors=2, seed=1)) <= {2.5, 3.5, 6.5, 7.5}
    True
    """
    frame = as_frame(data)
    check_m(m)
    seed = check_seed(seed)
    parsed, name = read_formula(formula, "the variable to impute")
    column = columns_of(frame, name)[0]
    if column.categories is not None:
        raise NotSupportedError(f"column {name!r} holds categories, which have no mean: use hot_deck or knn")
    if not column.n_missing:
        raise DataError(f"column {name!r} has no missing cell: there is nothing to impute")
    matrix, offset, _ = design_of(frame, parsed)
    known = np.isfinite(matrix).all(axis=1) & np.isfinite(offset)
    if (column.missing & ~known).any():
        raise DataError(
            f"column {name!r} cannot be predicted in {name_rows(frame.index, column.missing & ~known)}: a predictor is missing "
            "there too; impute it first, or leave it out"
        )
    rows = column.observed & known
    x, n = matrix[:, independent_columns(matrix[rows])], int(rows.sum())
    k = x.shape[1]
    if n <= k or not 1 <= donors <= n:
        raise DataError(f"{n} complete rows are too few for {k} coefficients and {donors} donors")
    y = column.values[rows]
    b = np.linalg.lstsq(x[rows], y - offset[rows], rcond=None)[0]
    rss = float(((y - offset[rows] - x[rows] @ b) ** 2).sum())
    root = np.linalg.inv(np.linalg.qr(x[rows], mode="r"))
    predicted = x[rows] @ b + offset[rows]
    drawn = np.empty((m, column.n_missing))
    for i in range(m):
        rng = stream(seed, MATCHING, i)
        sd = np.sqrt(rss / rng.chisquare(n - k))
        wanted = x[column.missing] @ (b + sd * (root @ rng.standard_normal(k))) + offset[column.missing]
        drawn[i] = y[choose_donors(predicted, wanted, donors, rng)]
    notes = (f"{n} possible donors", *skipped(frame, [column]))
    return SimpleImputation(
        "predictive mean matching", _STATEMENT.format(donors=donors), frame, {name: drawn}, seed, notes
    )
