"""Numbers moved: scale * value + shift, on the scale of the values, of their logarithm, or of their logit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.families.support import constrain, unconstrain
from bayesmi.mechanism.cell_shift import CellShift

__all__ = ["shifted_values", "support_of"]

Floats = NDArray[np.float64]


def support_of(on: str, support: tuple[float, ...]) -> tuple[float, float]:
    """Return the interval whose unconstrained scale `on` names.

    Raises
    ------
    ModelError
        If a variable with this support has no such scale.
    """
    if on == "value":
        return -np.inf, np.inf
    low, high = support[:2]
    if on == "log":
        if np.isfinite(low):
            return low, np.inf
        if np.isfinite(high):
            raise ModelError("on='log' needs numbers above a bound; this variable has a bound above")
        return 0.0, np.inf
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ModelError("on='logit' needs a variable between two bounds, such as one of the family 'beta'")
    return low, high


def shifted_values(
    name: str, values: Floats, amounts: CellShift, on: str, support: tuple[float, ...]
) -> Floats:
    """Return shifted numbers; those that do not move are bit for bit the same.

    Parameters
    ----------
    name : str
        The variable, for the errors.
    values : (k,) array
        Drawn values.
    amounts : CellShift
        Of the same cells.
    on : {"value", "log", "logit"}
        Scale.
    support : tuple of float
        Open interval that the variable lives in.

    Raises
    ------
    ModelError
        If a value has no logarithm (logit), or is shifted out of the variable's range.
    """
    try:
        interval = support_of(on, support)
    except ModelError as problem:
        raise ModelError(f"mechanisms[{name!r}]: {problem}") from None
    moves = amounts.moves
    out = values.copy()
    if not moves.any():
        return out
    if not ((values[moves] > interval[0]) & (values[moves] < interval[1])).all():
        raise ModelError(f"mechanisms[{name!r}]: on={on!r} needs values of {name!r} above {interval[0]:g}")
    points = unconstrain(values[moves], interval)
    out[moves] = constrain(amounts.scale[moves] * points + amounts.shift[moves], interval)[0]
    low, high = support[:2]
    outside = moves & ~((out > low) & (out < high))
    if outside.any():
        worst = out[outside][0]
        better = "on='log'" if not np.isfinite(high) else "on='logit'"
        raise ModelError(
            f"mechanisms[{name!r}]: an imputed value would become {worst:g}, outside of what its family allows "
            f"({low:g} to {high:g}): say {better}"
        )
    return out
