"""Affine forms: whether an expression is affine in some columns, and its base and coefficients."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bayesmi.formula.expression import Binary, Call, Expression, Number, Unary
from bayesmi.formula.functions import number_of
from bayesmi.formula.scores import SCORE

__all__ = ["Affine", "degree_in"]

_NOT_AFFINE = 2


@dataclass(frozen=True)
class Affine:
    """base + sum of coefficients[v] * x_v, with numpy vectors (or numbers) for base and coefficients.

    An `Affine` in place of a column's values makes `evaluate` return the affine form of the whole expression,
    exactly: no differences between evaluated points.
    """

    base: Any
    coefficients: Mapping[str, Any]

    __array_ufunc__ = None  # numpy leaves `array * affine` to __rmul__

    def __add__(self, other: Any) -> Affine:
        if not isinstance(other, Affine):
            return Affine(self.base + other, self.coefficients)
        joined = dict(self.coefficients)
        for name, value in other.coefficients.items():
            joined[name] = joined[name] + value if name in joined else value
        return Affine(self.base + other.base, joined)

    __radd__ = __add__

    def __neg__(self) -> Affine:
        return self * -1.0

    def __sub__(self, other: Any) -> Affine:
        return self + (-other)

    def __rsub__(self, other: Any) -> Affine:
        return -self + other

    def __mul__(self, other: Any) -> Affine:
        if isinstance(other, Affine):
            raise TypeError("the product of two affine forms is not affine")
        return Affine(self.base * other, {name: value * other for name, value in self.coefficients.items()})

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Affine:
        return Affine(self.base / other, {name: value / other for name, value in self.coefficients.items()})


def degree_in(node: Expression, names: Collection[str]) -> int:
    """Degree of an expression in the named columns: 0 free of them, 1 affine, 2 anything else."""
    if not node.variables & set(names):
        return 0
    if isinstance(node, Unary):
        return degree_in(node.operand, names)
    if isinstance(node, Binary):
        left, right = degree_in(node.left, names), degree_in(node.right, names)
        if node.op in ("+", "-"):
            return max(left, right)
        if node.op == "*":
            return min(left + right, _NOT_AFFINE)
        if node.op == "/" and right == 0:
            return left
        return left if node.op == "**" and number_of(node.right) == 1.0 else _NOT_AFFINE
    if isinstance(node, Call):
        inner = degree_in(node.args[0], names)
        if node.function in ("I", "center", "scale", SCORE):
            return inner
        straight = node.function == "poly" and node.args[1] == Number(1.0)
        return inner if straight else _NOT_AFFINE
    return 1
