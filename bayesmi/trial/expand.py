"""A row for every patient and visit: visits without a row are missing values that nobody wrote down."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from bayesmi.data.wide import constant_columns, occasion_order, place_rows, unit_codes

__all__ = ["expand_visits"]


def expand_visits(
    data: pd.DataFrame, *, subject: str, visit: str, visits: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Add a row for each visit that a patient has none of.

    Parameters
    ----------
    data : DataFrame
        One row a patient and visit.
    subject, visit : str
        Columns of the patient and the visit.
    visits : sequence, optional
        All visits in order; by default those of the table.

    Returns
    -------
    DataFrame
        Patients in order of first appearance. Added rows stand among the patient's rows in the order of visits; what is
        constant within the patient is filled in, everything else is missing. The table as it came, if no row is absent;
        else the index is numbered anew.

    Raises
    ------
    DataError
        If a patient has two rows at a visit, or the order of visits is not known.

    Examples
    --------
    >>> import bayesmi as bmi, pandas as pd
    >>> data = pd.DataFrame({"id": [1, 1, 2], "visit": [1, 2, 1], "arm": ["a", "a", "b"], "y": [0.5, 1.0, 0.2]})
    >>> bmi.trial.expand_visits(data, subject="id", visit="visit")
       id  visit arm    y
    0   1      1   a  0.5
    1   1      2   a  1.0
    2   2      1   b  0.2
    3   2      2   b  NaN
    """
    order = occasion_order(data[visit], visit, visits)
    codes, units = unit_codes(data, subject)
    rows = place_rows(data, subject, visit, codes, len(units), order)
    absent = rows < 0
    if not absent.any():
        return data
    first = rows.max(axis=1)
    for i, own in enumerate(rows):
        first[i] = own[own >= 0][0]
    source = np.where(absent, first[:, None], rows).ravel()
    added = absent.ravel()
    out = data.iloc[source].reset_index(drop=True)
    constant = constant_columns(data, codes, [name for name in data.columns if name not in (subject, visit)])
    known = {name: data[name].groupby(codes).first() for name in constant}
    unit = np.repeat(np.arange(len(units)), len(order))
    for name in data.columns:
        if name in (subject, visit):
            continue
        if name in constant:
            fill = known[name].reindex(unit[added]).to_numpy()
            if data[name].isna().any():
                column = out[name].copy()
                column[added] = fill
                out[name] = column
        else:
            out[name] = out[name].mask(pd.Series(added))
    labels = pd.Series(order, dtype=data[visit].dtype)
    at = np.tile(np.arange(len(order)), len(units))
    out[visit] = labels.iloc[at].reset_index(drop=True)
    return out
