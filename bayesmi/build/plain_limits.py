"""Limits in the plain form of a model: latents that stay between theirs, rows divided by the probability of arriving."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.logprob.transforms import Transform

from bayesmi.errors import NotSupportedError
from bayesmi.families.support import constrain_within
from bayesmi.model.factor import Factor
from bayesmi.model.limited import ARRIVAL, interval_at, limit_columns
from bayesmi.model.table import ModelTable

__all__ = ["Within", "divide_by_arrival", "limit_options", "restrict_levels"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


class Within(Transform):
    """Between bounds that differ from entry to entry: a logit, the log of the distance from one bound, or as it is."""

    name = "within"
    ndim_supp = 0

    def __init__(self, low: Floats, high: Floats) -> None:
        self.low, self.high = low, high
        self._left, self._right = np.isfinite(low), np.isfinite(high)

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Return the value on the real line."""
        below = pt.log(pt.switch(self._left, value - np.where(self._left, self.low, 0.0), 1.0))
        above = pt.log(pt.switch(self._right, np.where(self._right, self.high, 0.0) - value, 1.0))
        return pt.switch(self._left | self._right, below - above, value)

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Return the value between its bounds."""
        low, high = np.where(self._left, self.low, 0.0), np.where(self._right, self.high, 0.0)
        both = low + (high - low) * pt.sigmoid(value)
        one = pt.switch(self._left, low + pt.exp(value), pt.switch(self._right, high - pt.exp(-value), value))
        return pt.switch(self._left & self._right, both, one)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Return the log of d value / d point."""
        width = np.where(self._left & self._right, self.high - self.low, 1.0)
        both = np.log(width) - pt.softplus(-value) - pt.softplus(value)
        one = pt.switch(self._left, value, pt.switch(self._right, -value, 0.0))
        return pt.switch(self._left & self._right, both, one)


def limit_options(factor: Factor, units: Ints, table: ModelTable) -> dict[str, Any]:
    """Return what the latents of cells with limits need: their transform and a value to start from."""
    lower, upper, limited = (part[units] for part in interval_at(factor.variable, factor.level, table))
    if ARRIVAL in factor.limits:
        low, high = (table.at(key, factor.level)[units] for key in limit_columns(factor.variable, ARRIVAL))
        lower, upper = np.maximum(lower, low), np.minimum(upper, high)
        limited = limited | np.isfinite(lower) | np.isfinite(upper)
    if factor.family.is_discrete or not limited.any():
        return {}
    first, last = factor.family.support[:2]
    low, high = np.maximum(lower, first), np.minimum(upper, last)
    free = ~(np.isfinite(low) | np.isfinite(high))
    step = np.log(factor.spread if factor.spread > 0 else 1.0)
    points = np.where(free, factor.location, np.where(np.isfinite(low) & np.isfinite(high), 0.0, step))
    points = np.where(np.isfinite(high) & ~np.isfinite(low), -step, points)
    start, _ = constrain_within(points, low, high, (-np.inf, np.inf))
    return {"default_transform": Within(low, high), "initval": start}


def restrict_levels(name: str, factor: Factor, units: Ints, table: ModelTable, latent: Any) -> None:
    """Add a potential: minus infinity where a level or a count is outside of its limits."""
    lower, upper, limited = (part[units] for part in interval_at(name, factor.level, table))
    if not factor.family.is_discrete or not limited.any():
        return
    value = pt.as_tensor(np.asarray(factor.levels))[latent] if factor.family.has_levels else latent
    inside = pt.ge(value, np.where(limited, lower, -np.inf)) & pt.le(value, np.where(limited, upper, np.inf))
    pm.Potential(f"cell__{name}__limits", pt.switch(inside, 0.0, -np.inf))


def divide_by_arrival(name: str, factor: Factor, units: Ints, table: ModelTable, variable: Any) -> None:
    """Divide the density of a random variable's rows by the probability that such a row arrives.

    Raises
    ------
    NotSupportedError
        If PyMC does not know the distribution function of the family.
    """
    if ARRIVAL not in factor.limits:
        return
    low, high = (table.at(key, factor.level)[units] for key in limit_columns(factor.variable, ARRIVAL))
    first, last = factor.family.support[:2]
    left, right = low > first, high < last
    try:
        if left.any():
            below = pm.logcdf(variable, np.where(left, low, 0.0))
        if right.any():
            above = pm.logcdf(variable, np.where(right, high, 0.0))
    except NotImplementedError:
        raise NotSupportedError(
            f"to_pymc() of a truncated {factor.family.name} variable is not supported; fit() is"
        ) from None
    top = pt.switch(right, above, 0.0) if right.any() else pt.zeros(len(units))
    mass = top + (pt.log1mexp(pt.switch(left, below, -np.inf) - top) if left.any() else 0.0)
    pm.Potential(f"{name}__arrival", -mass)
