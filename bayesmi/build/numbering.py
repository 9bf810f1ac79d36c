"""Numbers for rows that agree in everything that counts, and the rows of each number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["members_of", "number_rows"]

Ints = NDArray[np.intp]


def number_rows(columns: Sequence[NDArray[np.generic]], most: float = np.inf) -> Ints | None:
    """Number the distinct rows of some columns in the order of their appearance, (n,); None if there are more than `most`."""
    code = np.zeros(len(columns[0]), dtype=np.intp)
    for column in columns:
        own, values = pd.factorize(column)
        code, seen = pd.factorize(code * len(values) + own)
        if len(seen) > most:
            return None
    return code.astype(np.intp)


def members_of(code: Ints) -> list[Ints]:
    """Return the rows of each number, in order."""
    order = np.argsort(code, kind="stable")
    return np.split(order, np.cumsum(np.bincount(code))[:-1]) if len(code) else []
