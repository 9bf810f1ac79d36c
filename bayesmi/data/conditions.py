"""A small language for conditions on rows, such as `debut == 0 and arm != "control"`; never Python's eval.

::

    condition  := conjunction ("or" conjunction)*
    conjunction:= negation ("and" negation)*
    negation   := "not" negation | "(" condition ")" | comparison
    comparison := operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
    operand    := column | `any column name` | number | "text" | 'text' | true | false

What it means row by row is in `truth.py`: a comparison with a cell that is not observed is neither true nor
false; and, or, not follow Kleene's three-valued logic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayesmi.errors import DataError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<quoted>`[^`]+`)
      | (?P<name>[^\W\d][\w.]*)
      | (?P<op>==|!=|<=|>=|<|>)
      | (?P<bracket>[()])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A word of a condition and where it stands."""

    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class Name:
    """A column."""

    column: str


@dataclass(frozen=True)
class Literal:
    """A number or a text."""

    value: float | str


@dataclass(frozen=True)
class Comparison:
    """Two operands compared."""

    left: Name | Literal
    op: str
    right: Name | Literal


@dataclass(frozen=True)
class Not:
    """Negation."""

    part: Condition


@dataclass(frozen=True)
class Both:
    """Conjunction."""

    left: Condition
    right: Condition


@dataclass(frozen=True)
class Either:
    """Disjunction."""

    left: Condition
    right: Condition


type Condition = Comparison | Not | Both | Either


def parse_condition(text: str) -> Condition:
    """Return the syntax tree of a condition."""
    if not isinstance(text, str):
        raise DataError(f"a condition is a text such as 'debut == 0', not {text!r}")
    if not text.strip():
        raise DataError(f"condition {text!r} is empty: write one such as 'debut == 0'")
    return _Parser(text, _tokenize(text)).parse()


def columns_of(condition: Condition) -> frozenset[str]:
    """Return the columns a condition names."""
    match condition:
        case Not(part):
            return columns_of(part)
        case Both(left, right) | Either(left, right):
            return columns_of(left) | columns_of(right)
        case Comparison(left_side, _, right_side):
            return frozenset(s.column for s in (left_side, right_side) if isinstance(s, Name))


def _tokenize(text: str) -> list[Token]:
    """Words with their places; anything else is named."""
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            hint = "; equality is written ==" if rest.startswith("=") else ""
            raise DataError(f"condition {text!r}: cannot read {rest[0]!r} at {rest[:12]!r}{hint}")
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match.group(kind), match.start(kind)))
        place = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text, self.tokens, self.next = text, tokens, 0

    def parse(self) -> Condition:
        """Return the whole text, with nothing left over."""
        condition = self.condition()
        if self.next < len(self.tokens):
            raise self.error(
                f"did not expect {self.tokens[self.next].text!r}; join comparisons by 'and' or 'or'"
            )
        return condition

    def condition(self) -> Condition:
        """Disjunctions."""
        left = self.conjunction()
        while self.take("or"):
            left = Either(left, self.conjunction())
        return left

    def conjunction(self) -> Condition:
        """Conjunctions."""
        left = self.negation()
        while self.take("and"):
            left = Both(left, self.negation())
        return left

    def negation(self) -> Condition:
        """Negations, brackets, comparisons."""
        if self.take("not"):
            return Not(self.negation())
        if self.take("("):
            inner = self.condition()
            if not self.take(")"):
                raise self.error("a closing bracket is missing")
            return inner
        return self.comparison()

    def comparison(self) -> Comparison:
        """Operand, operator, operand."""
        left = self.operand()
        token = self.peek()
        if token is None or token.kind != "op":
            found = "nothing" if token is None else repr(token.text)
            raise self.error(f"expected a comparison such as '== 0' after {_name(left)}, found {found}")
        self.next += 1
        right = self.operand()
        if isinstance(left, Literal) and isinstance(right, Literal):
            raise self.error("a comparison needs a column on one side")
        return Comparison(left, token.text, right)

    def operand(self) -> Name | Literal:
        """Return a column, a number or a text."""
        token = self.peek()
        if token is None:
            raise self.error("it ends where a column or a value should follow")
        self.next += 1
        if token.kind == "number":
            return Literal(float(token.text))
        if token.kind == "text":
            return Literal(token.text[1:-1])
        if token.kind == "quoted":
            return Name(token.text[1:-1])
        if token.kind == "name" and token.text.lower() in ("true", "false"):
            return Literal(float(token.text.lower() == "true"))
        if token.kind == "name" and token.text not in ("and", "or", "not"):
            return Name(token.text)
        raise self.error(f"expected a column or a value, found {token.text!r}")

    def peek(self) -> Token | None:
        """Return the next token."""
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def take(self, word: str) -> bool:
        """Consume a keyword or bracket when it is next."""
        token = self.peek()
        if token is None or token.text != word or token.kind not in ("name", "bracket"):
            return False
        self.next += 1
        return True

    def error(self, what: str) -> DataError:
        """One line with the whole condition."""
        return DataError(f"condition {self.text!r}: {what}")


def _name(operand: Name | Literal) -> str:
    """Return an operand in a message."""
    return repr(operand.column if isinstance(operand, Name) else operand.value)
