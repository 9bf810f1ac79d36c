"""Expressions in columns, read by the formula's own parser: never evaluated as Python."""

from __future__ import annotations

from functools import lru_cache

from bayesmi.errors import FormulaError, ModelError
from bayesmi.formula import Expression, parse_calculation
from bayesmi.formula.evaluate import stateful_calls

__all__ = ["read_expression"]


@lru_cache(maxsize=256)
def read_expression(text: str) -> Expression:
    """Return the expression of a delta such as ``"-4 + 1 * age"``.

    Raises
    ------
    ModelError
        If it cannot be read, or has a function whose constants come from data.

    Examples
    --------
    >>> sorted(read_expression("-4 + 1 * age").variables)
    ['age']
    """
    try:
        expression = parse_calculation(text)
    except FormulaError as problem:
        raise ModelError(f"Delta(shift={text!r}): {problem}") from None
    if stateful_calls(expression):
        raise ModelError(f"Delta(shift={text!r}): center() and scale() depend on the data: write the numbers")
    return expression
