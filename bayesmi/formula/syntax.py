"""From the syntax tree to the expression of one term: brackets dissolved, signs and powers as in Python."""

from __future__ import annotations

from bayesmi.errors import FormulaError
from bayesmi.formula.expression import (
    Binary,
    Call,
    Column,
    Expression,
    Flag,
    Items,
    Number,
    Paren,
    Text,
    Unary,
)
from bayesmi.formula.functions import BASES, CONTEXTUAL, EFFECT, canonical_call, function_name

__all__ = ["arithmetic", "call", "unwrapped"]

_ARITHMETIC = frozenset({"+", "-", "*", "/", "**", "==", "!=", "<", "<=", ">", ">="})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ONLY_TERMS = ("C", "offset", *BASES, *CONTEXTUAL, EFFECT)


def arithmetic(node: Expression) -> Expression:
    """Expression in which operators mean arithmetic, as inside I() and other functions."""
    if isinstance(node, Paren):
        return arithmetic(node.inner)
    if isinstance(node, Column | Number):
        return node
    if isinstance(node, Unary):
        operand = arithmetic(node.operand)
        return operand if node.op == "+" else Unary("-", operand)
    if isinstance(node, Call):
        name = function_name(node.function)
        if name in _ONLY_TERMS:
            raise FormulaError(f"`{node}` is a term of its own and cannot be part of another expression")
        return call(node)
    if isinstance(node, Binary):
        return _operation(node)
    if isinstance(node, Text):
        raise FormulaError(f"the text {node} cannot be calculated with; a column's name goes into backticks")
    raise FormulaError(f"`{node}` cannot be calculated with")


def call(node: Call) -> Call:
    """Read a function call, its first argument as arithmetic and the others checked."""
    name = function_name(node.function)
    first = node.args[:1]
    if name == "C":
        data = tuple(unwrapped(value) for value in first)
    else:
        data = tuple(arithmetic(value) for value in first)
    options = tuple(_option(value) for value in node.args[1:])
    return canonical_call(
        node.function, (*data, *options), tuple((key, _option(value)) for key, value in node.kwargs)
    )


def unwrapped(node: Expression) -> Expression:
    """Strip round brackets."""
    while isinstance(node, Paren):
        node = node.inner
    return node


def _option(node: Expression) -> Expression:
    """Read an argument that is not data: literals and lists of them."""
    node = unwrapped(node)
    if isinstance(node, Items):
        return Items(tuple(_option(value) for value in node.values))
    if isinstance(node, Unary) and node.op == "+":
        return _option(node.operand)
    if isinstance(node, Call):
        kwargs = tuple((key, _option(value)) for key, value in node.kwargs)
        return Call(node.function, tuple(map(_option, node.args)), kwargs)
    if isinstance(node, Flag | Text | Number | Column | Unary):
        return node
    raise FormulaError(f"`{node}` is not an argument that is understood here")


def _operation(node: Binary) -> Expression:
    if node.op not in _ARITHMETIC:
        hint = {":": "; write a product as *"}.get(node.op, "")
        raise FormulaError(f"`{node.op}` in `{node}` has no meaning inside a function{hint}")
    if node.op == "**":
        return _power(node)
    if node.op in _COMPARISONS:
        for side in (node.left, node.right):
            if isinstance(side, Binary) and side.op in _COMPARISONS:
                raise FormulaError(f"comparisons are not chained: put brackets into `{node}`")
    return Binary(node.op, arithmetic(node.left), arithmetic(node.right))


def _power(node: Binary) -> Expression:
    """`-x ** 2` is `-(x ** 2)` and `a ** b ** c` is `a ** (b ** c)`, where formulae reads both from the left."""
    chain: list[Expression] = []
    left: Expression = node
    while isinstance(left, Binary) and left.op == "**":
        chain.append(left.right)
        left = left.left
    chain.append(left)  # operands from right to left
    result = arithmetic(chain[0])
    for operand in chain[1:]:
        minuses = 0
        while isinstance(operand, Unary):
            minuses += operand.op == "-"
            operand = operand.operand
        result = Binary("**", arithmetic(operand), result)
        for _ in range(minuses):
            result = Unary("-", result)
    return result
