"""Draws of values that are known to lie between limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.interval import draw_between
from bayesmi.model.factor import Factor

__all__ = ["draw_limited"]

Floats = NDArray[np.float64]


def draw_limited(factor: Factor, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> Floats:
    """Draw a variable with limits, (T,): inside its own and where rows arrive, anywhere in rows without either.

    Limits of discrete variables are those of summed cells, which are not drawn here.
    """
    free = np.asarray(factor.family.draw(rng, eta, scales))
    if factor.family.is_discrete:
        return free
    lower, upper = np.full(len(free), -np.inf), np.full(len(free), np.inf)
    for low, high in factor.limits:
        inside = scales[low] <= scales[high]
        lower = np.where(inside, np.maximum(lower, scales[low]), lower)
        upper = np.where(inside, np.minimum(upper, scales[high]), upper)
    on = np.isfinite(lower) | np.isfinite(upper)
    if not on.any():
        return free
    own = {
        key: np.broadcast_to(part, free.shape)[on]
        for key, part in scales.items()
        if np.ndim(part) == 0 or np.shape(part) == free.shape
    }
    free[on] = draw_between(factor.family, rng, lower[on], upper[on], np.asarray(eta)[on], own)
    return free
