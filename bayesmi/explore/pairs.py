"""For every pair of variables: in how many rows both, one or none of them is observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame

__all__ = ["MissingPairs", "md_pairs"]


@dataclass(frozen=True, eq=False)
class MissingPairs:
    """Numbers of rows by pair of variables, each a DataFrame of shape (p, p), rows the first variable.

    Attributes
    ----------
    rr : DataFrame of int
        Both observed.
    rm : DataFrame of int
        First observed, second missing: rows in which the first can help to impute the second.
    mr : DataFrame of int
        First missing, second observed.
    mm : DataFrame of int
        Both missing.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> pairs = bmi.md_pairs(bmi.datasets.load("nhanes"))
    >>> int(pairs.rm.loc["age", "bmi"]), float(pairs.usable.loc["bmi", "age"])
    (9, 1.0)
    """

    rr: pd.DataFrame
    rm: pd.DataFrame
    mr: pd.DataFrame
    mm: pd.DataFrame

    @property
    def usable(self) -> pd.DataFrame:
        """Proportion of usable cases, mr / (mr + mm): NaN in the rows of complete variables."""
        return self.mr / (self.mr + self.mm).where(lambda both: both > 0)

    def __repr__(self) -> str:
        titles = {
            "rr": "both observed",
            "rm": "row observed, column missing",
            "mr": "row missing, column observed",
            "mm": "both missing",
        }
        return "\n\n".join(f"{key}: {title}\n{getattr(self, key)}" for key, title in titles.items())


def md_pairs(data: Any) -> MissingPairs:
    """Count rows by what is observed of each pair of variables.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table, n rows and p >= 2 columns.

    Returns
    -------
    MissingPairs
        ``rr``, ``rm``, ``mr``, ``mm``, and the proportion of ``usable`` cases.

    Raises
    ------
    DataError
        If there is only one column.

    Notes
    -----
    mice's ``md.pairs``; van Buuren (2018), section 4.1.2. A cell that does not apply counts as neither, so that
    with structural holes the four add up to less than n.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> pairs = bmi.md_pairs(bmi.datasets.load("nhanes"))
    >>> int(pairs.rm.loc["age", "chl"]), float(pairs.usable.loc["bmi", "hyp"])
    (10, 0.1111111111111111)
    """
    frame = as_frame(data)
    names = list(frame.columns)
    if len(names) < 2:
        raise DataError(f"pairs need at least two columns, the table has only {names[0]!r}")
    # products of floats go through BLAS, those of integers do not; counts below 2**53 are exact
    seen = np.column_stack([column.observed for column in frame.columns.values()]).astype(np.float64)
    gone = np.column_stack([column.missing for column in frame.columns.values()]).astype(np.float64)

    def table(first: Any, second: Any) -> pd.DataFrame:
        return pd.DataFrame((first.T @ second).astype(np.int64), index=names, columns=names)

    return MissingPairs(table(seen, seen), table(seen, gone), table(gone, seen), table(gone, gone))
