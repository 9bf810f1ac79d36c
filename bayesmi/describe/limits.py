"""Missing cells that are known by limits: below one, above one, between two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["limit_counts"]


def limit_counts(data: Any) -> pd.DataFrame:
    """Return how many missing cells of each variable with limits are known to lie where.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame or Model
        Only a Model knows of limits.

    Returns
    -------
    DataFrame
        Indexed by variable: ``below``, ``above``, ``between``; without columns where no variable has limits.
    """
    limits = getattr(data, "limits", None) or {}
    from bayesmi.model.limited import interval_at, known_at

    rows = {}
    for name, limited in limits.items():
        if limited.interval is None:
            continue
        lower, upper, _ = interval_at(name, "row", data.table)
        known = known_at(name, "row", data.table)
        low, high = np.isfinite(lower), np.isfinite(upper)
        rows[name] = {
            "below": int((known & ~low).sum()),
            "above": int((known & ~high).sum()),
            "between": int((known & low & high).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index", dtype="Int64")
