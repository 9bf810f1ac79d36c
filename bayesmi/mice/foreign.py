"""Completed tables out of the objects of other Python packages, known by what they have, not by import."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmi.errors import DataError
from bayesmi.mice.layouts import Split

__all__ = ["from_kernel", "from_statsmodels", "is_kernel"]


def is_kernel(source: object) -> bool:
    """Whether it is a miceforest kernel, or statsmodels' MICEData."""
    return hasattr(source, "complete_data") or (hasattr(source, "ix_miss") and hasattr(source, "next_sample"))


def from_kernel(source: Any) -> Split:
    """Take all data sets of a miceforest kernel (versions 5 and 6)."""
    if hasattr(source, "ix_miss"):
        raise DataError(
            "statsmodels' MICEData holds one data set at a time: "
            "bmi.from_statsmodels(micedata, m) draws m of them"
        )
    count = getattr(source, "num_datasets", None)
    if count is None:
        count = source.dataset_count()
    return Split(None, tuple(source.complete_data(dataset=i) for i in range(int(count))), "miceforest")


def from_statsmodels(micedata: Any, m: int = 20, *, skip: int = 3) -> Any:
    """Draw m completed tables from statsmodels' ``MICEData``.

    Parameters
    ----------
    micedata : statsmodels.imputation.mice.MICEData
        Its imputers may have been set; it goes on from its present state.
    m : int
        Number of data sets.
    skip : int
        Iterations between two of them.

    Returns
    -------
    Imputations

    Notes
    -----
    The incomplete table is restored from ``ix_miss``. MICEData numbers rows anew and drops rows without any value.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> from statsmodels.imputation.mice import MICEData
    >>> imputed = bmi.from_statsmodels(MICEData(bmi.datasets.load("nhanes")), m=3)
    >>> imputed.m, imputed.names
    (3, ('bmi', 'hyp', 'chl'))
    """
    from bayesmi.mice.as_mids import as_mids

    tables = []
    for _ in range(m):
        micedata.update_all(skip + 1)
        tables.append(micedata.data.copy())
    original = tables[0].copy()
    for name, rows in micedata.ix_miss.items():
        if len(rows):
            values = original[name].to_numpy(dtype=float, copy=True)
            values[np.asarray(rows)] = np.nan
            original[name] = values
    return as_mids(tables, original, layout="statsmodels")
