"""Values of an expression: the same code for numpy vectors, PyTensor vectors and affine forms.

Operators are Python's own; only named functions and comparisons ask which library the value belongs to. PyTensor is
not imported unless a tensor was passed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayesmi.formula.expression import Binary, Call, Column, Expression, Number, Unary
from bayesmi.formula.functions import ELEMENTWISE, number_of
from bayesmi.formula.scores import SCORE, score_values

__all__ = ["evaluate", "is_symbolic", "stateful_calls"]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
_COMPARISONS = {  # numpy's name, PyTensor's name
    "==": ("equal", "eq"),
    "!=": ("not_equal", "neq"),
    "<": ("less", "lt"),
    "<=": ("less_equal", "le"),
    ">": ("greater", "gt"),
    ">=": ("greater_equal", "ge"),
}


def evaluate(node: Expression, values: Mapping[str, Any], constants: Mapping[str, tuple[float, ...]]) -> Any:
    """Evaluate an expression that has one column.

    Parameters
    ----------
    node : Expression
        Arithmetic on columns, as `syntax.arithmetic` makes it.
    values : mapping of str to ndarray, TensorVariable or Affine, shape (n,)
        Value of every column used.
    constants : mapping of str to tuple of float
        Frozen constants of `center()` and `scale()`, by their canonical text.

    Returns
    -------
    ndarray, TensorVariable, Affine or float
        NaN where a value that it needs is NaN; numpy's warnings are the caller's to silence.
    """
    if isinstance(node, Column):
        return values[node.name]
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Unary):
        return -evaluate(node.operand, values, constants)
    if isinstance(node, Binary):
        left = evaluate(node.left, values, constants)
        exponent = number_of(node.right)
        if isinstance(left, float):
            left = np.float64(left)  # 1 / 0 is inf with a warning, as for vectors, not a ZeroDivisionError
        if node.op == "**" and exponent is not None and exponent == int(exponent):
            return (
                left if exponent == 1 else left ** int(exponent)
            )  # whole powers stay exact and differentiable
        right = evaluate(node.right, values, constants)
        if node.op in _OPERATORS:
            return _OPERATORS[node.op](left, right)
        return _compare(node.op, left, right)
    if isinstance(node, Call):
        inner = evaluate(node.args[0], values, constants)
        if node.function in ELEMENTWISE:
            return getattr(_library(inner), node.function)(inner)
        if node.function == "center":
            return inner - constants[str(node)][0]
        if node.function == "scale":
            mean, sd = constants[str(node)][:2]
            return (inner - mean) / sd
        if node.function == "I":
            return inner
        if node.function == SCORE:
            return _looked_up(score_values(node), inner)
    raise TypeError(f"{node!r} has no single column")


def stateful_calls(node: Expression) -> list[Call]:
    """Find calls of center() and scale() inside an expression, innermost first."""
    if isinstance(node, Unary):
        return stateful_calls(node.operand)
    if isinstance(node, Binary):
        return stateful_calls(node.left) + stateful_calls(node.right)
    if isinstance(node, Call) and node.args:
        return stateful_calls(node.args[0]) + ([node] if node.function in ("center", "scale") else [])
    return []


def is_symbolic(value: Any) -> bool:
    """Whether a value is a PyTensor variable."""
    return type(value).__module__.startswith("pytensor")


def _looked_up(numbers: np.ndarray[Any, np.dtype[np.float64]], codes: Any) -> Any:
    """Numbers at codes; NaN where the code is."""
    if is_symbolic(codes):
        import pytensor.tensor as pt

        return pt.as_tensor(numbers)[pt.cast(codes, "int64")]
    given = np.asarray(codes, dtype=float)
    known = np.isfinite(given)
    return np.where(known, numbers[np.where(known, given, 0.0).astype(np.intp)], np.nan)


def _library(*values: Any) -> Any:
    """numpy, or pytensor.tensor if any value is symbolic."""
    if any(map(is_symbolic, values)):
        import pytensor.tensor as pt

        return pt
    return np


def _compare(op: str, left: Any, right: Any) -> Any:
    """1 where true, 0 where false, NaN where a side is NaN (plain comparison would say false)."""
    library = _library(left, right)
    symbolic = library is not np
    truth = getattr(library, _COMPARISONS[op][symbolic])(left, right)
    unknown = library.isnan(left) | library.isnan(right)
    return library.where(unknown, np.nan, truth * 1.0)
