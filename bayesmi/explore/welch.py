"""Means of variables where another is observed and where it is missing, with Welch's t test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame, columns_of, indicator

__all__ = ["missingness_t_tests", "welch"]

Floats = NDArray[np.float64]


def missingness_t_tests(data: Any, target: str, columns: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Compare the means of variables between rows where the target is observed and where it is missing.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    target : str
        The variable whose missing cells make the two groups.
    columns : str or sequence of str, optional
        Variables to compare; all other numeric ones by default, two-valued numbers among them.

    Returns
    -------
    DataFrame
        By variable: ``n.observed``, ``n.missing`` (rows of the groups with the variable observed),
        ``mean.observed``, ``mean.missing``, ``difference`` (observed - missing), ``statistic``, ``df``, ``p.value``,
        ``conf.low``, ``conf.high`` (95 %). NaN with fewer than two values in a group or without variation.

    Raises
    ------
    DataError
        If the target has no missing cell, or a column is unknown or not numeric.

    Notes
    -----
    Welch (1947) with Satterthwaite's degrees of freedom, as R's ``t.test``. One variable at a time, rows taken as
    independent: a first look. `missingness_model` looks at all variables together.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> tests = bmi.missingness_t_tests(bmi.datasets.load("popmis"), "popular", "texp")
    >>> tests[["mean.observed", "mean.missing", "statistic", "p.value"]].round(4).loc["texp"].tolist()
    [14.1528, 14.4127, -0.8731, 0.3827]
    """
    frame = as_frame(data)
    hole = columns_of(frame, target)[0]
    if not hole.n_missing:
        raise DataError(f"column {target!r} has no missing cell: there are no two groups to compare")
    if columns is None:
        chosen = [column for column in frame.columns.values() if column.is_numeric and column.name != target]
    else:
        chosen = columns_of(frame, columns)
        for column in chosen:
            _check(column, target)
    gone = indicator(hole)
    rows = {column.name: welch(column.values[gone == 0], column.values[gone == 1]) for column in chosen}
    return pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS)


def welch(first: Floats, second: Floats) -> list[float]:
    """Sizes, means, difference, t, df, p and interval of two samples; NaN in them are left out."""
    from scipy.special import stdtr, stdtrit

    a, b = first[np.isfinite(first)], second[np.isfinite(second)]
    means = [float(x.mean()) if len(x) else float("nan") for x in (a, b)]
    difference = means[0] - means[1]
    head = [float(len(a)), float(len(b)), *means, difference]
    if min(len(a), len(b)) < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return [*head, *[float("nan")] * 5]
    u, v = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    error = np.sqrt(u + v)
    df = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    t = difference / error
    half = float(stdtrit(df, 0.975)) * error
    return [*head, t, df, 2 * float(stdtr(df, -abs(t))), difference - half, difference + half]


_COLUMNS = [
    "n.observed",
    "n.missing",
    "mean.observed",
    "mean.missing",
    "difference",
    "statistic",
    "df",
    "p.value",
    "conf.low",
    "conf.high",
]


def _check(column: Column, target: str) -> None:
    """Refuse what has no mean."""
    if column.name == target:
        raise DataError(f"column {target!r} cannot be compared where it is itself missing: leave it out")
    if not column.is_numeric:
        raise DataError(
            f"column {column.name!r} is {column.kind.value} and has no mean: use missingness_model"
        )
