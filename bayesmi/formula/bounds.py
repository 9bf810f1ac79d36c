"""Bounds of an expression from bounds of its columns: interval arithmetic on vectors.

Bounds are never too narrow; they are exact where each column stands once and every step is monotone, as in sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmi.formula.expression import Binary, Call, Column, Expression, Number, Unary
from bayesmi.formula.functions import number_of
from bayesmi.formula.scores import SCORE, score_values

__all__ = ["Interval", "bounds"]

Interval = tuple[Any, Any]
_EVERYTHING = (-np.inf, np.inf)


def bounds(node: Expression, columns: Mapping[str, Interval]) -> Interval:
    """Return lower and upper bounds of an expression.

    Parameters
    ----------
    node : Expression
        Arithmetic on columns.
    columns : mapping
        Column -> (low, high), numbers or vectors; infinite ends are allowed. Of a column of codes, codes.

    Examples
    --------
    >>> from bayesmi.formula import parse
    >>> ratio = parse("~ I(w / h ** 2)").terms[0].factors[0].args[0]
    >>> [float(end) for end in bounds(ratio, {"w": (50.0, 80.0), "h": (1.0, 2.0)})]
    [12.5, 80.0]
    """
    with np.errstate(all="ignore"):
        low, high = _bounds(node, columns)
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _bounds(node: Expression, columns: Mapping[str, Interval]) -> Interval:
    if isinstance(node, Column):
        low, high = columns[node.name]
        return np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if isinstance(node, Number):
        return np.float64(node.value), np.float64(node.value)
    if isinstance(node, Unary):
        low, high = _bounds(node.operand, columns)
        return -high, -low
    if isinstance(node, Binary):
        if node.op == "**":
            return _power(_bounds(node.left, columns), node.right, columns)
        left, right = _bounds(node.left, columns), _bounds(node.right, columns)
        if node.op == "+":
            return left[0] + right[0], left[1] + right[1]
        if node.op == "-":
            return left[0] - right[1], left[1] - right[0]
        if node.op == "*":
            return _product(left, right)
        if node.op == "/":
            return _product(left, _reciprocal(right))
        return np.float64(0.0), np.float64(1.0)  # a comparison
    if isinstance(node, Call):
        return _call(node, columns)
    return _EVERYTHING


def _product(left: Interval, right: Interval) -> Interval:
    # 0 times infinity is 0 at an end: the other ends hold the rest
    ends = np.stack(np.broadcast_arrays(*(np.nan_to_num(a * b, nan=0.0, posinf=np.inf, neginf=-np.inf)
                                          for a in left for b in right)))  # fmt: skip
    return ends.min(axis=0), ends.max(axis=0)


def _reciprocal(of: Interval) -> Interval:
    low, high = of
    inside = (low < 0) & (high > 0)
    upper = np.where(low == 0, np.inf, 1.0 / low)
    lower = np.where(high == 0, -np.inf, 1.0 / high)
    return np.where(inside, -np.inf, lower), np.where(inside, np.inf, upper)


def _power(base: Interval, exponent: Expression, columns: Mapping[str, Interval]) -> Interval:
    number = number_of(exponent)
    if number is None:
        power = _bounds(exponent, columns)
        low, high = np.maximum(base[0], 0.0), base[1]
        ends = np.stack(np.broadcast_arrays(*(a**b for a in (low, high) for b in power)))
        negative = np.asarray(base[0]) < 0
        return np.where(negative, -np.inf, ends.min(axis=0)), np.where(negative, np.inf, ends.max(axis=0))
    if number < 0:
        return _reciprocal(_whole_power(base, -number))
    return _whole_power(base, number)


def _whole_power(base: Interval, number: float) -> Interval:
    low, high = base
    if number != int(number):
        return np.maximum(low, 0.0) ** number, np.maximum(high, 0.0) ** number
    if int(number) % 2:
        return low ** int(number), high ** int(number)
    return _even((low ** int(number), high ** int(number)), base)


def _even(ends: Interval, inner: Interval) -> Interval:
    """Bounds of an even function that grows with |x|, from its values at the ends."""
    crosses = (inner[0] < 0) & (inner[1] > 0)
    return np.where(crosses, 0.0, np.minimum(*ends)), np.maximum(*ends)


def _call(node: Call, columns: Mapping[str, Interval]) -> Interval:
    low, high = _bounds(node.args[0], columns)
    if node.function == "I":
        return low, high
    if node.function == SCORE:
        numbers = score_values(node)
        fixed = np.asarray(low == high)
        at = numbers[np.where(fixed, np.asarray(low), 0).astype(np.intp)]
        return np.where(fixed, at, numbers.min()), np.where(fixed, at, numbers.max())
    if node.function == "abs":
        return _even((np.abs(low), np.abs(high)), (low, high))
    least = {"log": 0.0, "log2": 0.0, "log10": 0.0, "sqrt": 0.0, "log1p": -1.0}.get(node.function, -np.inf)
    function = getattr(np, node.function, None)
    if node.function in ("center", "scale") or function is None:
        return _EVERYTHING
    return function(np.maximum(low, least)), function(np.maximum(high, least))
