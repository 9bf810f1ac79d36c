"""Derived columns that are whole numbers whatever is imputed, such as totals of items: their integer dtype can stay."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bayesmi.data import IncompleteFrame
from bayesmi.formula import Expression
from bayesmi.formula.expression import Binary, Call, Column, Number, Unary
from bayesmi.formula.scores import SCORE, score_values
from bayesmi.model.derived import Derived

__all__ = ["whole_derived"]


def whole_derived(
    derived: Sequence[Derived], frame: IncompleteFrame, integer_valued: Collection[str]
) -> frozenset[str]:
    """Return the derived columns that are sums, differences and products of whole numbers.

    Parameters
    ----------
    derived : sequence of Derived
        In columns that are not derived themselves.
    frame : IncompleteFrame
        The table.
    integer_valued : collection of str
        Columns whose family says that their imputations are whole.
    """
    whole = frozenset(
        part
        for part in frozenset[str]().union(*(one.parts for one in derived))
        if frame.is_whole(part, part in integer_valued)
    )
    return frozenset(one.name for one in derived if _is_whole(one.expression, whole))


def _is_whole(node: Expression, columns: Collection[str]) -> bool:
    if isinstance(node, Column):
        return node.name in columns
    if isinstance(node, Number):
        return node.value.is_integer()
    if isinstance(node, Unary):
        return _is_whole(node.operand, columns)
    if isinstance(node, Binary):
        return node.op in ("+", "-", "*") and all(_is_whole(n, columns) for n in (node.left, node.right))
    if isinstance(node, Call) and node.function == SCORE:
        values = score_values(node)
        return bool((values == np.floor(values)).all())
    return False
