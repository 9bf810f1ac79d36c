"""Which variables predict which: mice's quick selection by correlations and usable cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.explore.correlation import Method, check_method, pair_correlation
from bayesmi.explore.pairs import md_pairs
from bayesmi.explore.source import as_frame, columns_of, indicator

__all__ = ["quickpred"]

Floats = NDArray[np.float64]
Threshold = float | Mapping[str, float] | pd.DataFrame | ArrayLike


def quickpred(
    data: Any,
    mincor: Threshold = 0.1,
    minpuc: Threshold = 0.0,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    method: Method = "pearson",
) -> pd.DataFrame:
    """Select predictors for each incomplete variable by simple statistics.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table, n rows and p columns.
    mincor : float, mapping by target, array of shape (p,) or (p, p), DataFrame
        Least absolute correlation of a predictor with the target, or with its missingness (the larger of the two
        counts). It must be exceeded. An array of shape (p,) has one value for each target, in the order of the
        columns; targets that a mapping does not name have 0.1.
    minpuc : float, mapping by target, array of shape (p,) or (p, p), DataFrame
        Least proportion of usable cases: among the rows where the target is missing, the share in which the
        predictor is observed. Targets that a mapping does not name have 0.
    include : str or sequence of str
        Columns that are always predictors; they win over ``exclude``.
    exclude : str or sequence of str
        Columns that are never predictors, such as identifiers.
    method : {"pearson", "spearman", "kendall"}
        Kind of correlation.

    Returns
    -------
    DataFrame of int, shape (p, p)
        A predictor matrix: 1 where the column predicts the row. Rows of complete variables and the diagonal are 0.

    Raises
    ------
    DataError
        If a name is not a column, a threshold does not have the shape of the table, or the method is not known.

    Notes
    -----
    mice's ``quickpred`` (van Buuren, Boshuizen and Knook 1999; van Buuren 2018, section 9.1.6): pairwise
    correlations, categories by their integer code in the order of their levels, also when they have no order.
    Unlike mice, names are taken as they are and never completed from their beginning. Correlation with the
    analysis model's outcome is not looked at: the outcome belongs into the imputation of its covariates; name it in
    ``include``.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.quickpred(bmi.datasets.load("nhanes"), mincor=0.3, include="age")
         age  bmi  hyp  chl
    age    0    0    0    0
    bmi    1    0    0    1
    hyp    1    0    0    1
    chl    1    1    1    0
    """
    check_method(method)
    frame = as_frame(data)
    names = list(frame.columns)
    columns = list(frame.columns.values())
    included = [names.index(column.name) for column in columns_of(frame, include)]
    excluded = [names.index(column.name) for column in columns_of(frame, exclude)]
    p = len(names)
    strength = np.zeros((p, p))
    for i, target in enumerate(columns):
        if not target.n_missing:
            continue
        gone = indicator(target)
        for j, predictor in enumerate(columns):
            if i == j:
                continue
            with_value = pair_correlation(target.values, predictor.values, method, least=2)
            with_missing = pair_correlation(gone, predictor.values, method, least=2)
            strength[i, j] = np.nanmax([abs(with_value), abs(with_missing), 0.0])
    usable = np.full((p, p), np.nan) if p < 2 else md_pairs(frame).usable.to_numpy()
    matrix = (strength > _threshold("mincor", mincor, 0.1, names)).astype(np.int64)
    matrix[np.nan_to_num(usable, nan=np.inf) < _threshold("minpuc", minpuc, 0.0, names)] = 0
    matrix[:, excluded] = 0
    matrix[:, included] = 1
    np.fill_diagonal(matrix, 0)
    matrix[[column.n_missing == 0 for column in columns], :] = 0
    return pd.DataFrame(matrix, index=names, columns=names)


def _threshold(argument: str, given: Threshold, default: float, names: list[str]) -> Floats:
    """Shape (p, p), one threshold for each pair of target and predictor."""
    p = len(names)
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise DataError(
                    f"{argument}= names {name!r}, no column of the table: {did_you_mean(name, names)}"
                )
        given = np.array([given.get(name, default) for name in names])
    if isinstance(given, pd.DataFrame):
        if set(given.index) != set(names) or set(given.columns) != set(names):
            raise DataError(f"{argument}= is a table whose rows and columns are not the columns of the data")
        given = given.loc[names, names]
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{argument}= must be a number, or one for each target: {given!r} is neither"
        ) from None
    if numbers.ndim == 1 and len(numbers) == p:
        numbers = numbers[:, None]
    if numbers.shape not in ((), (p, 1), (p, p)) or not np.isfinite(numbers).all():
        raise DataError(
            f"{argument}= has shape {numbers.shape}: give one number, one for each of the {p} columns, or a "
            f"{p} by {p} table, all finite"
        )
    return np.broadcast_to(numbers, (p, p))
