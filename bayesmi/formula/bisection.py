"""An expression solved for a column that stands in it more than once: bisection where it is monotone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.formula.evaluate import evaluate
from bayesmi.formula.expression import Expression

__all__ = ["bisect_for"]

Floats = NDArray[np.float64]
_CHUNK = 4_000_000  # floats


def bisect_for(
    node: Expression, name: str, values: Mapping[str, Any], target: Floats, points: Floats
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return the value of a column at which an expression has a value, log |d column / d value|, and how many there are.

    Parameters
    ----------
    node : Expression
        Arithmetic on columns.
    name : str
        The column to solve for.
    values : mapping
        Values of the other columns, (n,).
    target : (n,) array
        Value of the expression.
    points : (k,) array
        Increasing values of the column, between the first and last of which it lies.

    Returns
    -------
    value, log_derivative : (n,) arrays
        NaN where there is not exactly one.
    count : (n,) array
        Neighbouring points between which the expression crosses its value.
    """
    n = len(target)
    value, log_derivative = np.full(n, np.nan), np.full(n, np.nan)
    count = np.zeros(n, dtype=np.intp)
    step = max(1, _CHUNK // len(points))
    for start in range(0, n, step):
        part = slice(start, min(n, start + step))
        known = {key: np.broadcast_to(np.asarray(v, dtype=float), n)[part] for key, v in values.items()}
        value[part], log_derivative[part], count[part] = _chunk(node, name, known, target[part], points)
    return value, log_derivative, count


def _chunk(
    node: Expression, name: str, known: Mapping[str, Floats], target: Floats, points: Floats
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    n = len(target)

    def gap(x: Floats) -> Floats:
        shape = np.shape(x)
        given = {key: np.broadcast_to(column, shape) for key, column in known.items()}
        with np.errstate(all="ignore"):
            return np.broadcast_to(evaluate(node, {**given, name: x}, {}), shape) - target

    table = gap(np.broadcast_to(points[:, None], (len(points), n)))
    finite = np.isfinite(table[:-1]) & np.isfinite(table[1:])
    crosses = (np.signbit(table[:-1]) != np.signbit(table[1:])) & finite
    count = crosses.sum(axis=0)
    place = crosses.argmax(axis=0)
    left, right = points[place], points[place + 1]
    sign = np.signbit(gap(left))
    for _ in range(200):
        middle = 0.5 * (left + right)
        same = np.signbit(gap(middle)) == sign
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    found = np.where(count == 1, 0.5 * (left + right), np.nan)
    h = 1e-4 * np.maximum(np.abs(found), 1e-4 * (points[-1] - points[0]))
    slope = (8.0 * (gap(found + h) - gap(found - h)) - (gap(found + 2 * h) - gap(found - 2 * h))) / (12.0 * h)
    with np.errstate(all="ignore"):
        return found, -np.log(np.abs(slope)), count
