"""Random streams of the simple methods, and how many tables they make."""

from __future__ import annotations

import numpy as np

from bayesmi.errors import DataError

__all__ = ["CLUSTERS", "DECK", "MATCHING", "STOCHASTIC", "check_m"]

STOCHASTIC, DECK, MATCHING, CLUSTERS = (
    110,
    111,
    112,
    113,
)  # purposes; the small numbers belong to the sampler and the imputations


def check_m(m: int) -> int:
    """Return the number of completed tables, or refuse it."""
    if isinstance(m, bool) or not isinstance(m, int | np.integer) or m < 1:
        raise DataError(f"m = {m!r}: the number of completed tables is a whole number from 1 up")
    return int(m)
