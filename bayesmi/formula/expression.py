"""Frozen syntax tree of one expression: what a formula says about one column, before any data are seen.

`str()` of a node is its canonical text: spaced as formulae and Bambi space their names, with the brackets that
are needed to read the same tree back and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Binary", "Call", "Column", "Expression", "Flag", "Items", "Number", "Paren", "Text", "Unary"]

_LITERALS = frozenset({"True", "False", "None"})

_PRECEDENCE = {
    "~": 0,
    "|": 1,
    "||": 1,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 2),
    "+": 3,
    "-": 3,
    "*": 4,
    "/": 4,
    ":": 5,
    "**": 7,
}
_COMPARISON = 2
_UNARY = 6
_POWER = 7
_ATOM = 9


@dataclass(frozen=True)
class Column:
    """A column of the table, by name."""

    name: str

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns used."""
        return frozenset({self.name})

    def __str__(self) -> str:
        return self.name if _is_plain(self.name) else f"`{self.name}`"


@dataclass(frozen=True)
class Number:
    """A number as written, never negative (a minus sign is a `Unary`)."""

    value: float

    variables = frozenset[str]()

    def __str__(self) -> str:
        return number_text(self.value)


@dataclass(frozen=True)
class Text:
    """A quoted text, used only to name levels."""

    value: str

    variables = frozenset[str]()

    def __str__(self) -> str:
        return f"'{self.value}'" if '"' in self.value else f'"{self.value}"'


@dataclass(frozen=True)
class Flag:
    """`True` or `False`."""

    value: bool

    variables = frozenset[str]()

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Items:
    """A list, `[1, 2]`; `c(1, 2)` is read as the same."""

    values: tuple[Expression, ...]

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns used."""
        return frozenset().union(*(value.variables for value in self.values))

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.values))}]"


@dataclass(frozen=True)
class Call:
    """A function of a formula with its arguments."""

    function: str
    args: tuple[Expression, ...] = ()
    kwargs: tuple[tuple[str, Expression], ...] = ()

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns used."""
        parts = [*self.args, *(value for _, value in self.kwargs)]
        return frozenset().union(*(part.variables for part in parts))

    def __str__(self) -> str:
        if self.function in ("Treatment", "Sum") and not self.args:
            return self.function
        parts = [*map(str, self.args), *(f"{name}={value}" for name, value in self.kwargs)]
        return f"{self.function}({', '.join(parts)})"


@dataclass(frozen=True)
class Unary:
    """A sign before an expression."""

    op: str
    operand: Expression

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns used."""
        return self.operand.variables

    def __str__(self) -> str:
        inner = _precedence(self.operand)
        return f"{self.op}{self.operand}" if inner >= _UNARY else f"{self.op}({self.operand})"


@dataclass(frozen=True)
class Binary:
    """Two expressions joined by an operator."""

    op: str
    left: Expression
    right: Expression

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns used."""
        return self.left.variables | self.right.variables

    def __str__(self) -> str:
        own = _PRECEDENCE[self.op]
        left, right = str(self.left), str(self.right)
        if own == _POWER:  # right associative, and -x ** 2 means -(x ** 2)
            wrap_left, wrap_right = _precedence(self.left) < _ATOM, _precedence(self.right) < _UNARY
        else:
            wrap_left = _precedence(self.left) < own or (
                own == _COMPARISON and _precedence(self.left) == _COMPARISON
            )
            wrap_right = _precedence(self.right) <= own
        left = f"({left})" if wrap_left else left
        right = f"({right})" if wrap_right else right
        return f"{left}:{right}" if self.op == ":" else f"{left} {self.op} {right}"


@dataclass(frozen=True)
class Paren:
    """Round brackets: only in the syntax tree of a whole formula, gone from the expressions of its terms."""

    inner: Expression

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns used."""
        return self.inner.variables

    def __str__(self) -> str:
        return f"({self.inner})"


type Expression = Column | Number | Text | Flag | Items | Call | Unary | Binary | Paren


def number_text(value: float) -> str:
    """Shortest text that reads back as the same number, without an exponent."""
    return np.format_float_positional(value, trim="-") if np.isfinite(value) else str(value)


def _is_plain(name: str) -> bool:
    """Whether the scanner reads the name without backticks."""
    starts = name[:1].isalpha() or name[:1] == "_"
    return starts and name not in _LITERALS and all(char.isalnum() or char in "._" for char in name)


def _precedence(node: Expression) -> int:
    if isinstance(node, Binary):
        return _PRECEDENCE[node.op]
    return _UNARY if isinstance(node, Unary) else _ATOM
