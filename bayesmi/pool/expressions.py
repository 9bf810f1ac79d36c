"""Expressions in the estimated terms, with exact derivatives; read, never run as Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import PoolError

__all__ = ["Dual", "Expression", "parse_expression"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Dual:
    """A number and its gradient: forward-mode differentiation.

    Attributes
    ----------
    value : float
    gradient : ndarray, shape (k,)
    """

    value: float
    gradient: Floats

    def chain(self, value: float, slope: float) -> Dual:
        """Value of a function of this number, whose derivative here is `slope`."""
        return Dual(value, slope * self.gradient)


@dataclass(frozen=True)
class Expression:
    """A formula in named terms.

    Attributes
    ----------
    text : str
        As it was written.
    names : tuple of str
        The terms in it.
    """

    text: str
    names: tuple[str, ...]
    _tree: ast.expr
    _placeholders: tuple[tuple[str, str], ...]

    def __call__(self, values: Mapping[str, Dual]) -> Dual:
        """Value and gradient at `values`."""
        names = dict(self._placeholders)
        return _evaluate(self._tree, {alias: values[name] for alias, name in names.items()}, self.text)


def parse_expression(text: str, terms: Sequence[str]) -> Expression:
    """Read an expression such as "a - b", "exp(age) * 2" or "`a:b` = 0".

    Parameters
    ----------
    text : str
        Numbers, + - * / **, parentheses, log, exp, sqrt, abs, tanh, atanh, logit, expit, and terms; a term
        that is no identifier goes in backticks; "left = right" means left - right.
    terms : sequence of str
        The terms there are.

    Returns
    -------
    Expression

    Raises
    ------
    PoolError
        If it cannot be read or names no term.
    """
    aliases: dict[str, str] = {}

    def alias(found: re.Match[str]) -> str:
        name = f"term__{len(aliases)}"
        while name in text or name in terms:
            name += "_"
        aliases[name] = found.group(1)
        return f" {name} "

    plain = re.sub(r"`([^`]*)`", alias, text)
    sides = re.split(r"(?<![<>=!])=(?!=)|==", plain)
    if len(sides) > 2:
        raise PoolError(f"constraint {text!r} has more than one '='")
    try:
        trees = [ast.parse(side.strip(), mode="eval").body for side in sides]
    except SyntaxError:
        raise PoolError(
            f"constraint {text!r} cannot be read: write it like 'a - b = 0', odd names in backticks"
        ) from None
    except (RecursionError, MemoryError):
        raise PoolError(_too_long(text)) from None
    tree = trees[0] if len(trees) == 1 else ast.BinOp(trees[0], ast.Sub(), trees[1])
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - _called(tree)
    for name in sorted(found):
        aliases.setdefault(name, name)
    for alias_name, name in aliases.items():
        if name not in terms:
            shown = ", ".join(terms[:10])
            raise PoolError(f"constraint {text!r} names {name!r}, which is no term: the terms are {shown}")
        if alias_name not in found:
            raise PoolError(f"constraint {text!r} cannot be read")
    used = {aliases[name] for name in found}
    if not used:
        raise PoolError(f"constraint {text!r} names no term")
    expression = Expression(text, tuple(t for t in terms if t in used), tree, tuple(sorted(aliases.items())))
    try:
        expression({name: Dual(0.5, np.zeros(1)) for name in used})
    except RecursionError:
        raise PoolError(_too_long(text)) from None
    return expression


def _too_long(text: str) -> str:
    return f"constraint '{text[:60]}…' is nested too deeply, or too long: compute parts of it with transform() first"


def _called(tree: ast.expr) -> set[str]:
    """Names used as functions."""
    return {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def _evaluate(node: ast.expr, values: Mapping[str, Dual], text: str) -> Dual:
    """Walk the tree; anything but arithmetic is refused."""
    size = next(iter(values.values())).gradient.size
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number) if abs(number) < 1e300:
            return Dual(float(number), np.zeros(size))
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _evaluate(operand, values, text)
            return inner.chain(-inner.value, -1.0)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _evaluate(operand, values, text)
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            chain = [node]  # a + b + c + …: one step a term, not one level
            while isinstance(chain[-1].left, ast.BinOp) and type(chain[-1].left.op) in _OPERATORS:
                chain.append(chain[-1].left)
            result = _evaluate(chain[-1].left, values, text)
            for one in reversed(chain):
                other = _evaluate(one.right, values, text)
                with np.errstate(all="ignore"):
                    result = _OPERATORS[type(one.op)](result, other)
            return result
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            inner = _evaluate(argument, values, text)
            with np.errstate(all="ignore"):
                return inner.chain(*(float(x) for x in _FUNCTIONS[name](np.float64(inner.value))))
        case ast.Call(func=ast.Name(id=name)):
            raise PoolError(
                f"constraint {text!r}: function {name!r} is not known: "
                f"use one argument and one of {', '.join(_FUNCTIONS)}"
            )
    raise PoolError(f"constraint {text!r} has something that is not arithmetic: {ast.unparse(node)}")


def _times(a: Dual, b: Dual) -> Dual:
    """Product rule."""
    return Dual(a.value * b.value, a.value * b.gradient + b.value * a.gradient)


def _over(a: Dual, b: Dual) -> Dual:
    """Quotient rule."""
    value = float(np.float64(a.value) / b.value)
    return Dual(value, (a.gradient - value * b.gradient) / np.float64(b.value))


def _power(a: Dual, b: Dual) -> Dual:
    """Power with constant or varying exponent."""
    value = float(np.float64(a.value) ** b.value)
    gradient = (
        b.value * float(np.float64(a.value) ** (b.value - 1.0)) * a.gradient
        if b.value != 0
        else 0.0 * a.gradient
    )
    if b.gradient.any():
        gradient = gradient + value * float(np.log(a.value)) * b.gradient
    return Dual(value, gradient)


_OPERATORS: dict[type, Callable[[Dual, Dual], Dual]] = {
    ast.Add: lambda a, b: Dual(a.value + b.value, a.gradient + b.gradient),
    ast.Sub: lambda a, b: Dual(a.value - b.value, a.gradient - b.gradient),
    ast.Mult: _times,
    ast.Div: _over,
    ast.Pow: _power,
}

# name -> (value, derivative)
_FUNCTIONS: dict[str, Callable[[np.float64], tuple[np.float64, np.float64]]] = {
    "log": lambda x: (np.log(x), 1.0 / x),
    "exp": lambda x: (np.exp(x), np.exp(x)),
    "sqrt": lambda x: (np.sqrt(x), 0.5 / np.sqrt(x)),
    "abs": lambda x: (np.abs(x), np.sign(x)),
    "tanh": lambda x: (np.tanh(x), 1.0 - np.tanh(x) ** 2),
    "atanh": lambda x: (np.arctanh(x), 1.0 / (1.0 - x**2)),
    "logit": lambda x: (np.log(x / (1.0 - x)), 1.0 / (x * (1.0 - x))),
    "expit": lambda x: (1.0 / (1.0 + np.exp(-x)), np.exp(-x) / (1.0 + np.exp(-x)) ** 2),
}
