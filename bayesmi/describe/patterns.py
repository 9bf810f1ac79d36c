"""Missing-data patterns: which variables are observed together, and in how many rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesmi.data import IncompleteFrame

__all__ = ["missing_patterns", "observed_cells"]


def observed_cells(frame: IncompleteFrame) -> pd.DataFrame:
    """Mark the observed cells, by row and column; missing and absent cells are False."""
    return pd.DataFrame({name: column.observed for name, column in frame.columns.items()}, index=frame.index)


def missing_patterns(frame: IncompleteFrame) -> pd.DataFrame:
    """Every distinct pattern of missing cells, with its rows.

    Parameters
    ----------
    frame : IncompleteFrame
        The incomplete table.

    Returns
    -------
    DataFrame
        One row a pattern, in mice's order. Columns: the variables, least missing first, each "observed",
        "missing" or "absent" (does not apply, or outside ``where=``); then ``rows``, the number of rows with
        the pattern, and ``missing``, the number of its missing cells (these two with ``_`` behind them where a variable
        has that name).

    Notes
    -----
    Order of mice's ``md.pattern``: variables by number missing, patterns by their cells from left to right,
    observed before missing.

    Examples
    --------
    >>> from bayesmi.data import IncompleteFrame
    >>> frame = IncompleteFrame.from_table(pd.DataFrame({"b": [1.5, np.nan, np.nan], "a": [1.2, 2.3, 3.1]}))
    >>> missing_patterns(frame)
              a         b  rows  missing
    0  observed  observed     1        0
    1  observed   missing     2        1
    """
    names = sorted(
        frame.columns, key=lambda name: frame.columns[name].n_missing
    )  # stable: table order among equals
    states = np.column_stack(
        [
            frame.columns[name].missing.astype(np.int8) + 2 * frame.columns[name].absent.astype(np.int8)
            for name in names
        ]
        or [np.zeros((frame.n_rows, 0), dtype=np.int8)]
    )
    distinct, counts = np.unique(states, axis=0, return_counts=True)
    words = np.array(["observed", "missing", "absent"], dtype=object)
    table = pd.DataFrame(words[distinct], columns=names)
    table[_free("rows", names)] = counts
    table[_free("missing", names)] = (distinct == 1).sum(axis=1)
    return table


def _free(name: str, taken: Sequence[str]) -> str:
    """Return the name, with as many underscores behind it as it takes to differ from all variables."""
    while name in taken:
        name += "_"
    return name
