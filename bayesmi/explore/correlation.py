"""Correlations over the pairs that are observed: of variables, and of variables with what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame, indicator, note_of

__all__ = ["Correlations", "Method", "check_method", "pair_correlation", "pairwise_correlations"]

Method = Literal["pearson", "spearman", "kendall"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Correlations:
    """What `pairwise_correlations` found.

    Attributes
    ----------
    values : DataFrame, shape (p, p)
        Correlation of each pair of variables, over the rows where both are observed.
    missing : DataFrame, shape (q, p)
        Correlation of the missingness of each of the q incomplete variables (1 = missing) with each variable.
        Of a variable with its own missingness there is none.
    pairs : DataFrame of int, shape (p, p)
        Rows in which both are observed.
    method : str
        Pearson, Spearman or Kendall (tau-b).
    notes : tuple of str
        What was left out, and why.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.pairwise_correlations(bmi.datasets.load("nhanes"))
    >>> found.method, found.values.shape, list(found.missing.index)
    ('pearson', (4, 4), ['bmi', 'hyp', 'chl'])
    >>> int(found.pairs.loc["bmi", "chl"])
    13
    """

    values: pd.DataFrame
    missing: pd.DataFrame
    pairs: pd.DataFrame
    method: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = [f"Correlations ({self.method}, pairs that are observed)\n{self.values.round(3).to_string()}"]
        if len(self.missing):
            parts.append(f"with missingness (1 = missing)\n{self.missing.round(3).to_string()}")
        return "\n\n".join([*parts, *self.notes])


def pairwise_correlations(data: Any, method: Method = "pearson") -> Correlations:
    """Correlate every two variables, and every variable with the missingness of the others.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    method : {"pearson", "spearman", "kendall"}
        Kind of correlation.

    Returns
    -------
    Correlations
        NaN where fewer than three pairs are observed, or one of the two does not vary in them.

    Raises
    ------
    DataError
        If fewer than two columns have an order, or the method is not known.

    Notes
    -----
    Categories enter by their code when they are ordered or two; nominal columns with more levels and identifiers
    have no correlation, are left out, and said to be. A matrix of pairwise correlations need not be positive
    definite. A variable that correlates with another, or with its missingness, is a candidate for its model (van
    Buuren 2018, section 6.3.2); `quickpred` makes a predictor matrix of this.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.pairwise_correlations(bmi.datasets.load("nhanes"))
    >>> round(float(found.values.loc["bmi", "chl"]), 3), round(float(found.missing.loc["chl", "bmi"]), 3)
    (0.373, 0.012)
    """
    check_method(method)
    frame = as_frame(data)
    chosen = [column for column in frame.columns.values() if _has_order(column)]
    names = [column.name for column in chosen]
    if len(chosen) < 2:
        raise DataError(
            "correlations need two numeric, two-valued or ordinal columns: say kinds= if levels have an order"
        )
    left = [name for name in frame.columns if name not in names]
    values = np.eye(len(names))
    for i, first in enumerate(chosen):
        values[i, i] = pair_correlation(first.values, first.values, method)
        for j in range(i):
            values[i, j] = values[j, i] = pair_correlation(first.values, chosen[j].values, method)
    holes = [column for column in frame.columns.values() if column.n_missing]
    missing = [
        [pair_correlation(indicator(hole), column.values, method) for column in chosen] for hole in holes
    ]
    seen = np.column_stack([column.observed for column in chosen]).astype(np.float64)
    return Correlations(
        pd.DataFrame(values, index=names, columns=names),
        pd.DataFrame(missing, index=[column.name for column in holes], columns=names, dtype=float),
        pd.DataFrame((seen.T @ seen).astype(np.int64), index=names, columns=names),
        method,
        note_of(left, "their values have no order"),
    )


def pair_correlation(x: Floats, y: Floats, method: Method = "pearson", least: int = 3) -> float:
    """Correlation over the rows where both are finite; NaN with fewer than `least` or without variation."""
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < least:
        return float("nan")
    a, b = x[both], y[both]
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    if method == "kendall":
        from scipy.stats import kendalltau

        return float(kendalltau(a, b).statistic)
    if method == "spearman":
        from scipy.stats import rankdata

        a, b = rankdata(a), rankdata(b)
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def check_method(method: str) -> None:
    """Refuse a correlation that is not known."""
    if method not in get_args(Method):
        raise DataError(f"method {method!r} is not known: {did_you_mean(method, list(get_args(Method)))}")


def _has_order(column: Column) -> bool:
    """Whether its numbers or codes have an order."""
    return column.is_numeric or column.kind in ("binary", "ordinal")
