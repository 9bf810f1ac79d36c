"""Which complete variables go with the values of an incomplete one, and with its being missing."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame

__all__ = ["association", "predictors"]

Floats = NDArray[np.float64]
_COLUMNS = ["variable", "predictor", "values", "missing", "n"]


def predictors(frame: IncompleteFrame, leave_out: Collection[str] = ()) -> pd.DataFrame:
    """Associate every incomplete variable, and its missingness, with every complete one.

    Parameters
    ----------
    frame : IncompleteFrame
        The incomplete table.
    leave_out : collection of str
        Columns that predict nothing, such as those of clusters.

    Returns
    -------
    DataFrame
        One line a pair: ``variable`` (incomplete), ``predictor`` (complete), ``values`` (association with the ``n`` values
        that are observed), ``missing`` (association with being missing, 1 = missing). Correlations, with sign; of
        categories without order what `association` says. NaN where nothing varies. Identifiers are left out.
    """
    usable = [
        column
        for name, column in frame.columns.items()
        if column.kind != "identifier" and name not in leave_out
    ]
    complete = [column for column in usable if not column.n_missing and not column.absent.any()]
    rows = []
    for hole in (column for column in usable if column.n_missing):
        seen, applies = hole.observed, ~hole.absent
        missing = hole.missing.astype(float)[applies]
        for one in complete:
            unordered = (_is_unordered(hole), _is_unordered(one))
            rows.append(
                (
                    hole.name,
                    one.name,
                    association(hole.values[seen], one.values[seen], unordered),
                    association(missing, one.values[applies], (False, unordered[1])),
                    hole.n_observed,
                )
            )
    return pd.DataFrame(rows, columns=_COLUMNS)


def association(x: Floats, y: Floats, unordered: tuple[bool, bool] = (False, False)) -> float:
    """Say how strongly two variables go together.

    Parameters
    ----------
    x, y : array, shape (n,)
        Numbers, or codes of categories; no NaN.
    unordered : pair of bool
        Whether each holds categories without order.

    Returns
    -------
    float
        Pearson's correlation; with one variable without order the correlation ratio, with two Cramér's V, from 0 to 1,
        both less what chance alone gives them. NaN where one of them does not vary.

    Notes
    -----
    Correlation ratio: the root of epsilon² = 1 - (1 - eta²)(n - 1)/(n - k) (Kelley 1935); V: Bergsma (2013, Journal of
    the Korean Statistical Society 42, 323-328).

    Examples
    --------
    >>> association(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]))
    -1.0
    """
    n = len(x)
    if n < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    if all(unordered):
        return _cramer(x, y)
    if any(unordered):
        numbers, labels = (y, x) if unordered[0] else (x, y)
        return _ratio(numbers, labels)
    a, b = x - x.mean(), y - y.mean()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def _ratio(numbers: Floats, labels: Floats) -> float:
    """Correlation ratio, less what chance gives it."""
    codes = np.unique(labels, return_inverse=True)[1]
    sizes = np.bincount(codes)
    n, k = len(numbers), len(sizes)
    if n <= k:
        return float("nan")
    means = np.bincount(codes, weights=numbers) / sizes
    within = float(((numbers - means[codes]) ** 2).sum()) / (n - k)
    whole = float(((numbers - numbers.mean()) ** 2).sum()) / (n - 1)
    return float(np.sqrt(max(1.0 - within / whole, 0.0)))


def _cramer(x: Floats, y: Floats) -> float:
    """Cramér's V, less what chance gives it."""
    first, second = (np.unique(values, return_inverse=True)[1] for values in (x, y))
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1.0)
    n, (r, c) = len(x), table.shape
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n - (r - 1) * (c - 1) / (n - 1)
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1.0
    return float(np.sqrt(min(max(phi, 0.0) / least, 1.0))) if least > 0 else float("nan")


def _is_unordered(column: Column) -> bool:
    """Whether it holds categories without an order; two have one, by their codes."""
    return column.kind == "nominal"
