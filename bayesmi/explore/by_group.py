"""Missing cells by group: where they pile up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame, columns_of, labels_of

__all__ = ["missing_by_group"]


def missing_by_group(
    data: Any, by: str | Sequence[str], columns: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """Count the missing cells of each variable within groups of rows.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    by : str or sequence of str
        The column that makes the groups, or several for their combinations. Rows without a value of it are a
        group of their own, labelled NaN.
    columns : str or sequence of str, optional
        Variables to count; all incomplete ones that are not in ``by`` by default.

    Returns
    -------
    DataFrame
        One row for each variable and group that occurs (index: ``variable``, then ``by``), with ``rows`` to
        which the variable applies, ``missing`` cells, their ``share``, and ``share_of_missing``: the part of
        the variable's missing cells that lies in the group.

    Raises
    ------
    DataError
        If a column is not in the table, or nothing is missing.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"sex": ["f", "f", "m", "m"], "age": [31.5, None, None, None]})
    >>> bmi.missing_by_group(table, "sex").loc["age", ["rows", "missing", "share"]].to_numpy().tolist()
    [[2.0, 1.0, 0.5], [2.0, 2.0, 1.0]]
    """
    frame = as_frame(data)
    keys = [column.name for column in columns_of(frame, by)]
    if not keys:
        raise DataError("by= names no column: name the one that makes the groups")
    if columns is None:
        chosen = [column for column in frame.columns.values() if column.n_missing and column.name not in keys]
        if not chosen:
            raise DataError("no column has a missing cell: name those to be counted with columns=")
    else:
        chosen = columns_of(frame, columns)
    table = pd.DataFrame({key: labels_of(frame, key).array for key in keys})
    groups = table.groupby(keys, dropna=False, observed=True, sort=True)
    of_row, index = groups.ngroup().to_numpy(), groups.size().index
    parts = []
    for column in chosen:
        counts = pd.DataFrame(
            {
                "rows": np.bincount(of_row, weights=~column.absent, minlength=len(index)).astype(np.int64),
                "missing": np.bincount(of_row, weights=column.missing, minlength=len(index)).astype(np.int64),
            },
            index=index,
        )
        counts["share"] = counts["missing"] / counts["rows"].where(counts["rows"] > 0)
        counts["share_of_missing"] = counts["missing"] / (column.n_missing or np.nan)
        parts.append(counts)
    return pd.concat(parts, keys=[column.name for column in chosen], names=["variable", *keys])
