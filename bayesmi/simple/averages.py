"""Mean imputation, over all rows or within groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesmi.data import Column
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame
from bayesmi.simple.domains import Domains, domains_of
from bayesmi.simple.result import Floats, SimpleImputation, columns_to_impute, most_frequent, skipped

__all__ = ["mean"]

_STATEMENT = (
    "Mean imputation: each hole takes the mean of the observed values{where} (the most frequent value, if they are "
    "categories or two numbers). Variances and associations come out too small, standard errors too: for comparison only."
)


def mean(
    data: Any, columns: str | Sequence[str] | None = None, by: str | Sequence[str] | None = None
) -> SimpleImputation:
    """Impute the mean, or the mean of the group.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    columns : str or sequence of str, optional
        Columns to impute; all incomplete ones that are not in ``by`` by default.
    by : str or sequence of str, optional
        Column that makes the groups, or several for their combinations; complete in the rows concerned.

    Returns
    -------
    SimpleImputation
        ``data`` is the completed table.

    Raises
    ------
    DataError
        If a column cannot be imputed, or a group has no observed value.

    Notes
    -----
    Little and Rubin (2019), section 4.2.1: unconditional mean imputation; with ``by`` within adjustment cells.
    Columns of whole numbers come back as floats where the mean is none.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"sex": ["f", "f", "m", "m"], "age": [31.5, None, 40.5, None]})
    >>> bmi.simple.mean(table, by="sex").data["age"].tolist()
    [31.5, 31.5, 40.5, 40.5]
    """
    frame = as_frame(data)
    domains = domains_of(frame, by)
    if columns is None:
        chosen = [c for c in columns_to_impute(frame, None) if c.name not in domains.names]
        if not chosen:
            raise DataError("no column has a missing cell, but for those in by=")
    else:
        chosen = columns_to_impute(frame, columns)
    imputed = {column.name: _means(column, domains)[None, :] for column in chosen}
    where = f" in its group ({', '.join(domains.names)})" if domains.names else ""
    name = "group mean imputation" if domains.names else "mean imputation"
    return SimpleImputation(
        name, _STATEMENT.format(where=where), frame, imputed, notes=skipped(frame, chosen)
    )


def _means(column: Column, domains: Domains) -> Floats:
    """Mean or most frequent value of the domain of each hole."""
    averaged = column.categories is None and column.support is None
    by_domain: dict[int, float] = {}
    for code in domains.of_holes(column):
        values = column.values[column.observed & (domains.codes == code)]
        if not len(values):
            raise DataError(
                f"column {column.name!r} has no observed value {domains.words(code)}: use larger groups in by="
            )
        by_domain[int(code)] = float(values.mean()) if averaged else most_frequent(values)
    return np.array([by_domain[int(code)] for code in domains.codes[column.missing]])
