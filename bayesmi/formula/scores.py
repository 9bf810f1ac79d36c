"""Numbers of ordered levels inside arithmetic: the codes of an item with levels 1 … 5 stand for 1 … 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bayesmi.formula.expression import Binary, Call, Column, Expression, Items, Number, Unary
from bayesmi.formula.functions import number_of

__all__ = ["SCORE", "calculated_columns", "score_values", "scored"]

SCORE = "score"  # not in functions.py: made here, never written by a user


def scored(node: Expression, numbers: Mapping[str, tuple[float, ...]]) -> Expression:
    """Return an expression in which some columns hold codes 0 … K-1 that stand for numbers.

    Examples
    --------
    >>> from bayesmi.formula import parse
    >>> total = parse("~ I(a + b)").terms[0].factors[0].args[0]
    >>> str(scored(total, {"a": (1.0, 2.0)}))
    'score(a, [1, 2]) + b'
    """
    if isinstance(node, Column):
        if node.name not in numbers:
            return node
        return Call(SCORE, (node, Items(tuple(_number(value) for value in numbers[node.name]))))
    if isinstance(node, Unary):
        return replace(node, operand=scored(node.operand, numbers))
    if isinstance(node, Binary):
        return replace(node, left=scored(node.left, numbers), right=scored(node.right, numbers))
    if isinstance(node, Call) and node.args:
        return replace(node, args=(scored(node.args[0], numbers), *node.args[1:]))
    return node


def _number(value: float) -> Expression:
    return Number(value) if value >= 0 else Unary("-", Number(-value))


def score_values(node: Call) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the numbers that a call of `score` looks up."""
    items = node.args[1]
    assert isinstance(items, Items)
    return np.array([number_of(value) for value in items.values], dtype=float)


def calculated_columns(node: Expression) -> frozenset[str]:
    """Return the columns that are calculated with as they are, not through the numbers of their levels."""
    if isinstance(node, Call) and node.function == SCORE:
        return frozenset()
    if isinstance(node, Unary):
        return calculated_columns(node.operand)
    if isinstance(node, Binary):
        return calculated_columns(node.left) | calculated_columns(node.right)
    if isinstance(node, Call) and node.args:
        return calculated_columns(node.args[0])
    return node.variables
