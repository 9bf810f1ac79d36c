"""The interval that a continuous variable lives in, and the real line that its grid is laid on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Support", "constrain", "constrain_within", "unconstrain", "unconstrain_within"]

Floats = NDArray[np.float64]
Support = tuple[float, ...]  # (low, high), or (-inf, inf, centre, scale) of a variable with heavy tails


def unconstrain(values: Floats, support: Support) -> Floats:
    """Return values of a variable with that support on the real line: log, logit, or arsinh for heavy tails."""
    if len(support) == 4:
        return np.arcsinh((values - support[2]) / support[3])
    low, high = support
    if math.isinf(low) and math.isinf(high):
        return values
    if math.isinf(high):
        return np.log(values - low)
    if math.isinf(low):
        return -np.log(high - values)
    share = (values - low) / (high - low)
    return np.log(share) - np.log1p(-share)


def constrain(points: Floats, support: Support) -> tuple[Floats, Floats]:
    """Return values of the support, and the log of d value / d point."""
    if len(support) == 4:
        _, _, centre, scale = support
        jacobian = np.log(scale) + np.logaddexp(points, -points) - math.log(2.0)
        return centre + scale * np.sinh(points), jacobian
    low, high = support
    if math.isinf(low) and math.isinf(high):
        return points, np.zeros(np.shape(points))
    if math.isinf(high):
        return low + np.exp(points), points
    if math.isinf(low):
        return high - np.exp(-points), -points
    share = 1.0 / (1.0 + np.exp(-points))
    return low + (high - low) * share, np.log(high - low) - np.logaddexp(0, -points) - np.logaddexp(0, points)


def constrain_within(points: Floats, low: Floats, high: Floats, support: Support) -> tuple[Floats, Floats]:
    """Return values between bounds that differ from cell to cell, and the log of d value / d point.

    Where the bounds are those of the support, as `constrain`.
    """
    values, jacobian = (np.array(part, dtype=float) for part in constrain(points, support))
    for chosen, own in _cases(low, high, support):
        on = np.broadcast_to(chosen, values.shape)
        a, b = np.broadcast_to(low, values.shape)[on], np.broadcast_to(high, values.shape)[on]
        p = np.broadcast_to(points, values.shape)[on]
        if own == "low":
            values[on], jacobian[on] = a + np.exp(p), p
        elif own == "high":
            values[on], jacobian[on] = b - np.exp(-p), -p
        else:
            # from the nearer end, so that nothing rounds to a bound
            near = (b - a) / (1.0 + np.exp(np.abs(p)))
            values[on] = np.where(p < 0, a + near, b - near)
            jacobian[on] = np.log(b - a) - np.logaddexp(0, -p) - np.logaddexp(0, p)
    return values, jacobian


def unconstrain_within(values: Floats, low: Floats, high: Floats, support: Support) -> Floats:
    """Return the points of values between bounds that differ from cell to cell."""
    points = np.array(unconstrain(values, support), dtype=float)
    for chosen, own in _cases(low, high, support):
        on = np.broadcast_to(chosen, points.shape)
        a, b = np.broadcast_to(low, points.shape)[on], np.broadcast_to(high, points.shape)[on]
        v = np.broadcast_to(values, points.shape)[on]
        if own == "low":
            points[on] = np.log(v - a)
        elif own == "high":
            points[on] = -np.log(b - v)
        else:
            points[on] = np.log(v - a) - np.log(b - v)
    return points


def _cases(low: Floats, high: Floats, support: Support) -> list[tuple[NDArray[np.bool_], str]]:
    """Which cells have bounds of their own, by kind."""
    own = (np.asarray(low) != support[0]) | (np.asarray(high) != support[1])
    left, right = np.isfinite(low), np.isfinite(high)
    cases = [(own & left & ~right, "low"), (own & ~left & right, "high"), (own & left & right, "both")]
    return [(chosen, name) for chosen, name in cases if np.any(chosen)]
