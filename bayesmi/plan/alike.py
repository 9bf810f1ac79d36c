"""Whether cells enter all rows alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["are_alike"]

_ROUNDING = 1e-10  # a term like I(x / 3 + z) rounds its steps in x differently from row to row


def are_alike(weights: NDArray[np.float64], allowance: float = 1.0) -> bool:
    """Whether all rows of weights (rows, columns) are the same but for rounding, column by column.

    An `allowance` above one forgives as much more: what was found alike among more rows is so among fewer.
    """
    if not len(weights):
        return True
    size = np.abs(weights).max(axis=0)
    return bool((np.abs(weights - weights[0]) <= allowance * _ROUNDING * size).all())
