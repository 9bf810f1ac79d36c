"""An expression solved for one of its columns, with the derivative that a change of variable needs.

Two ways, both in closed form: the column enters linearly, or it stands once and every step on the way to it can be
undone. A square or an absolute value can be undone where the bounds of its argument tell the sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayesmi.formula.affine import degree_in
from bayesmi.formula.bounds import Interval, bounds
from bayesmi.formula.evaluate import evaluate, is_symbolic
from bayesmi.formula.expression import Binary, Call, Column, Expression, Unary
from bayesmi.formula.functions import number_of

__all__ = ["can_solve", "occurrences", "solve_for"]

_UNDO: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {  # value -> argument, log of its derivative
    "log": lambda xp, v: (xp.exp(v), v),
    "log2": lambda xp, v: (2.0**v, v * np.log(2.0) + np.log(np.log(2.0))),
    "log10": lambda xp, v: (10.0**v, v * np.log(10.0) + np.log(np.log(10.0))),
    "log1p": lambda xp, v: (xp.expm1(v), v),
    "exp": lambda xp, v: (xp.log(v), -xp.log(xp.abs(v))),
    "expm1": lambda xp, v: (xp.log1p(v), -xp.log(xp.abs(1.0 + v))),
    "sqrt": lambda xp, v: (xp.where(v >= 0, v, np.nan) ** 2, xp.log(2.0 * xp.abs(v))),
}


def occurrences(node: Expression, name: str) -> int:
    """Count how often a column stands in an expression."""
    if isinstance(node, Column):
        return int(node.name == name)
    if isinstance(node, Unary):
        return occurrences(node.operand, name)
    if isinstance(node, Binary):
        return occurrences(node.left, name) + occurrences(node.right, name)
    if isinstance(node, Call) and node.args:
        return occurrences(node.args[0], name)
    return 0


def can_solve(node: Expression, name: str, ranges: Mapping[str, Interval]) -> bool:
    """Whether `solve_for` has exactly one value of the column for each value of the expression.

    Parameters
    ----------
    node : Expression
        Arithmetic on columns.
    name : str
        The column to solve for.
    ranges : mapping
        Column -> (low, high) in which it lies, of all columns.
    """
    if degree_in(node, {name}) == 1:
        return True
    return occurrences(node, name) == 1 and _is_one_to_one(node, name, ranges)


def _is_one_to_one(node: Expression, name: str, ranges: Mapping[str, Interval]) -> bool:
    if isinstance(node, Column):
        return True
    if isinstance(node, Unary):
        return _is_one_to_one(node.operand, name, ranges)
    if isinstance(node, Binary):
        inside = node.left if name in node.left.variables else node.right
        if node.op == "**" and inside is node.left:
            number = number_of(node.right)
            if number is None:
                if not _sign(node.left, ranges) > 0:
                    return False
            elif number == 0 or (number % 2 == 0 and _sign(inside, ranges) == 0):
                return False
        elif node.op not in ("+", "-", "*", "/", "**"):
            return False
        return _is_one_to_one(inside, name, ranges)
    if isinstance(node, Call):
        known = node.function in _UNDO or node.function == "I"
        if node.function == "abs":
            known = _sign(node.args[0], ranges) != 0
        return known and _is_one_to_one(node.args[0], name, ranges)
    return False


def _sign(node: Expression, ranges: Mapping[str, Interval]) -> int:
    """1 where an expression cannot be negative, -1 where it cannot be positive, 0 where it can be both."""
    low, high = bounds(node, ranges)
    if np.min(low) >= 0:
        return 1
    return -1 if np.max(high) <= 0 else 0


def solve_for(
    node: Expression, name: str, values: Mapping[str, Any], target: Any, ranges: Mapping[str, Interval]
) -> tuple[Any, Any]:
    """Return the value of a column at which an expression has a value, and log |d column / d value|.

    Parameters
    ----------
    node : Expression
        Arithmetic on columns that `can_solve` accepts.
    name : str
        The column to solve for.
    values : mapping
        Values of the other columns, numpy or PyTensor.
    target : array
        Value of the expression.
    ranges : mapping
        Column -> (low, high) in which it lies; tells the sign under even powers.

    Returns
    -------
    value, log_derivative : array
        NaN where no value gives the target.

    Examples
    --------
    >>> from bayesmi.formula import parse
    >>> ratio = parse("~ I(w / h ** 2)").terms[0].factors[0].args[0]
    >>> value, slope = solve_for(ratio, "w", {"h": np.array([2.0])}, np.array([20.0]), {})
    >>> value.tolist(), slope.tolist() == [np.log(4.0)]
    ([80.0], True)
    """
    xp: Any = np
    if is_symbolic(target) or any(map(is_symbolic, values.values())):
        import pytensor.tensor as pt

        xp = pt
    with np.errstate(all="ignore"):
        if occurrences(node, name) > 1:
            base = evaluate(node, {**values, name: np.zeros(()) + 0.0}, {})
            slope = evaluate(node, {**values, name: np.zeros(()) + 1.0}, {}) - base
            return (target - base) / slope, -xp.log(xp.abs(slope))
        value, log_derivative = _undo(xp, node, name, values, target, 0.0, ranges)
        return value, log_derivative + 0.0 * target


def _undo(
    xp: Any,
    node: Expression,
    name: str,
    values: Mapping[str, Any],
    v: Any,
    total: Any,
    ranges: Mapping[str, Interval],
) -> tuple[Any, Any]:
    if isinstance(node, Column):
        return v, total
    if isinstance(node, Unary):
        return _undo(xp, node.operand, name, values, -v, total, ranges)
    if isinstance(node, Binary):
        on_left = name in node.left.variables
        inside, outside = (node.left, node.right) if on_left else (node.right, node.left)
        c = evaluate(outside, values, {})
        if node.op == "+":
            step, log_step = v - c, 0.0
        elif node.op == "-":
            step, log_step = (v + c if on_left else c - v), 0.0
        elif node.op == "*":
            step, log_step = v / c, -xp.log(xp.abs(c))
        elif node.op == "/" and on_left:
            step, log_step = v * c, xp.log(xp.abs(c))
        elif node.op == "/":
            step, log_step = c / v, xp.log(xp.abs(c)) - 2.0 * xp.log(xp.abs(v))
        elif on_left:
            step, log_step = _root(xp, v, node, inside, c, ranges)
        else:
            step, log_step = xp.log(v) / xp.log(c), -xp.log(xp.abs(v)) - xp.log(xp.abs(xp.log(c)))
        return _undo(xp, inside, name, values, step, total + log_step, ranges)
    assert isinstance(node, Call)
    if node.function == "I":
        return _undo(xp, node.args[0], name, values, v, total, ranges)
    if node.function == "abs":
        step, log_step = xp.where(v >= 0, v * _sign(node.args[0], ranges), np.nan), 0.0
    else:
        step, log_step = _UNDO[node.function](xp, v)
    return _undo(xp, node.args[0], name, values, step, total + log_step, ranges)


def _root(
    xp: Any, v: Any, node: Binary, inside: Expression, c: Any, ranges: Mapping[str, Interval]
) -> tuple[Any, Any]:
    """Undo a power."""
    number = number_of(node.right)
    size = xp.abs(v) ** (1.0 / c)
    if number is not None and number == int(number) and int(number) % 2:
        step = xp.sign(v) * size
    else:
        sign = 1 if number is None or number != int(number) else _sign(inside, ranges)
        step = xp.where(v >= 0, sign * size, np.nan)
    return step, (1.0 / c - 1.0) * xp.log(xp.abs(v)) - xp.log(xp.abs(c))
