"""The interval that a continuous variable lives in, and the real line that its grid is laid on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Support", "constrain", "unconstrain"]

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
