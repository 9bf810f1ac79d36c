"""Text to syntax tree with formulae's scanner and parser: the only module that knows formulae.

formulae is used for the syntax tree and nothing else, and is not trusted to have read everything:

- its parser stops at the first token that it cannot place (`y ~ x | g` and `y ~ x z` lose their tails without a
  word): here what is left over is an error that names the token;
- its `**` binds looser than a sign and to the left (`-x**2` is `(-x)**2`): put right in `syntax.arithmetic`;
- it has no `||`, no one-sided formulas and no lists: all three are rewritten on the token list;
- its scanner ends a text at any kind of quote, runs past an open backtick, and has neither `1e-3` nor `_x`: the
  subclass below reads these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

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
from bayesmi.formula.formulae_parts import ParseError, Parser, ScanError, Scanner, Token, expr

__all__ = ["NO_RESPONSE", "calculation_tree", "tree"]

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_CLOSING = {"LEFT_PAREN": "RIGHT_PAREN", "LEFT_BRACKET": "RIGHT_BRACKET", "LEFT_BRACE": "RIGHT_BRACE"}
_OPENING = {closing: opening for opening, closing in _CLOSING.items()}
_LIST = "["  # name of the call that a list is rewritten to; no identifier can be called so
_MISSING_RESPONSE = "~"  # likewise, the left-hand side put in front of a one-sided formula
_WHOLE = "("  # likewise, the function put around a calculation
_NOTHING = ""  # how the bracket that closes it is written
_NAMES = ("IDENTIFIER", "BQNAME")
_COMPARISONS = ("EQUAL_EQUAL", "BANG_EQUAL", "LESS_EQUAL", "LESS", "GREATER_EQUAL", "GREATER")
NO_RESPONSE = Call(_MISSING_RESPONSE)
_FLAGS = {"True": True, "False": False}


def tree(text: str) -> Expression:
    """Syntax tree of a whole formula; a one-sided one has `NO_RESPONSE` on the left."""
    return _parsed(_rewritten(_scanned(text)))


def calculation_tree(text: str) -> Expression:
    """Syntax tree of a calculation: what may be the one argument of a function."""
    if not text.strip():
        raise FormulaError("there is nothing to calculate")
    *tokens, end = _scanned(text)
    for token in tokens:
        if token.kind == "TILDE":
            raise FormulaError(f"`~` at position {token.position + 1}: this is a calculation, not a formula")
    opening = [_token("TILDE", "~", 0), _token("IDENTIFIER", _WHOLE, 0), _token("LEFT_PAREN", "(", 0)]
    closing = _token("RIGHT_PAREN", _NOTHING, end.position)
    root = _parsed(_rewritten([*opening, *tokens, closing, end]))
    whole = root.right if isinstance(root, Binary) else root
    if not isinstance(whole, Call) or len(whole.args) != 1 or whole.kwargs:
        raise FormulaError(f"`{text.strip()}` is not one calculation")
    return whole.args[0]


def _parsed(tokens: list[Token]) -> Expression:
    parser = Parser(tokens)
    try:
        root = parser.parse()
    except ParseError as error:
        at = parser.current
        if "assignment" in str(error):  # found out only after the right-hand side of the `=`
            at = max(i for i in range(at) if tokens[i].kind == "EQUAL")
        raise FormulaError(_unexpected(tokens, at)) from None
    if not parser.at_end():
        raise FormulaError(_unexpected(tokens, parser.current))
    return _converted(root)


class _FormulaScanner(Scanner):
    """formulae's scanner with positions, matching quotes, closed backticks, exponents and leading underscores."""

    def add_token(self, kind: str, literal: Any = None) -> None:
        super().add_token(kind, literal)
        self.tokens[-1].position = self.start

    def scan_token(self) -> None:
        char = self.peek()
        if char == "_":
            self.advance()
            self.identifier()
        elif char in "^%!&;$@#\\?" and not self.code.startswith("!=", self.current):
            hint = {"^": "; write ** for a power", "%": "; write a/b or a:b for nesting"}.get(char, "")
            raise FormulaError(f"unexpected character `{char}` at position {self.current + 1}{hint}")
        else:
            super().scan_token()

    def number(self) -> None:
        found = _NUMBER.match(self.code, self.start)
        if found is None:
            raise FormulaError(f"unexpected character `{self.code[self.start]}` at position {self.start + 1}")
        self.current = found.end()
        value = float(found.group())
        if value == float("inf"):
            raise FormulaError(f"the number `{found.group()}` at position {self.start + 1} is too large")
        self.add_token("NUMBER", value)

    floatnum = number

    def identifier(self) -> None:
        while self.peek().isalnum() or self.peek() in (".", "_"):
            self.advance()
        name = self.code[self.start : self.current]
        if name in _FLAGS:
            self.add_token("PYTHON_LITERAL", _FLAGS[name])
        elif name == "None":
            raise FormulaError("`None` is not needed: leave the argument out")
        else:
            self.add_token("IDENTIFIER")

    def char(self) -> None:
        quote = self.code[self.start]
        end = self.code.find(quote, self.current)
        if end < 0:
            raise FormulaError(f"the text that opens with {quote} at position {self.start + 1} is not closed")
        self.current = end + 1
        self.add_token("STRING", self.code[self.start + 1 : end])

    def backquote(self) -> None:
        end = self.code.find("`", self.current)
        if end < 0:
            raise FormulaError(f"the name that opens with ` at position {self.start + 1} is not closed")
        if end == self.current:
            raise FormulaError(f"there is no name between the backticks at position {self.start + 1}")
        self.current = end + 1
        self.add_token("BQNAME")


def _scanned(text: str) -> list[Token]:
    scanner = _FormulaScanner(text)
    try:
        tokens = scanner.scan(add_intercept=False)
    except ScanError as error:
        message = str(error)
        if "more than one '~'" in message:
            raise FormulaError("there is more than one `~`") from None
        raise FormulaError(message[:1].lower() + message[1:]) from None
    tokens[-1].position = len(text)
    _check_brackets(tokens)
    return tokens


def _check_brackets(tokens: Sequence[Token]) -> None:
    """Every bracket is closed by its own kind; formulae would stop reading at the first that is not."""
    open_: list[Token] = []
    for token in tokens:
        if token.kind in _CLOSING:
            open_.append(token)
        elif token.kind in _OPENING:
            if not open_ or open_[-1].kind != _OPENING[token.kind]:
                raise FormulaError(f"`{token.lexeme}` at position {token.position + 1} closes nothing")
            open_.pop()
        elif token.kind == "TILDE" and open_:
            raise FormulaError(f"`~` at position {token.position + 1} is inside brackets")
    if open_:
        raise FormulaError(f"`{open_[-1].lexeme}` at position {open_[-1].position + 1} is not closed")


def _rewritten(tokens: Sequence[Token]) -> list[Token]:
    """`||` becomes one token, a list a call, and a one-sided formula gets a left-hand side."""
    out: list[Token] = []
    if not any(token.kind == "TILDE" for token in tokens):
        raise FormulaError("there is no `~`; write `outcome ~ predictors`")
    if tokens[0].kind == "TILDE":
        out.append(_token("IDENTIFIER", _MISSING_RESPONSE, tokens[0].position))
    for token in tokens:
        before = out[-1] if out else None
        if token.kind == "PIPE" and before is not None and before.kind == "PIPE" and before.lexeme == "|":
            out[-1] = _token("PIPE", "||", before.position)
        elif token.kind == "LEFT_BRACKET":
            if before is not None and before.kind in ("IDENTIFIER", "BQNAME", "RIGHT_PAREN"):
                raise FormulaError(f"`{before.lexeme}[` is not a term; choose levels with C(x, levels=[...])")
            out += [_token("IDENTIFIER", _LIST, token.position), _token("LEFT_PAREN", "(", token.position)]
        elif token.kind == "RIGHT_BRACKET":
            out.append(_token("RIGHT_PAREN", "]", token.position))
        else:
            out.append(token)
    return out


def _token(kind: str, lexeme: str, position: int) -> Token:
    token = Token(kind, lexeme)
    token.position = position
    return token


def _unexpected(tokens: Sequence[Token], at: int) -> str:
    """One line about the token that nothing could be done with."""
    token, before = tokens[at], tokens[at - 1] if at else None
    after = "" if before is None else f" after `{before.lexeme}`"
    if token.kind == "EOF" or token.lexeme == _NOTHING:
        return f"{'the formula' if token.kind == 'EOF' else 'it'} stops short{after}"
    where = f"`{token.lexeme}` at position {token.position + 1}"
    if token.kind == "PIPE":
        return f"{where} is outside brackets; a group term is written ({_pipe_hint(tokens, at)})"
    if token.kind == "EQUAL":
        return f"{where} is not understood here; the outcome is set off by `~`"
    if token.kind in _COMPARISONS:
        return f"{where} is not understood here; write a comparison as I(x {token.lexeme} 1)"
    if token.kind == "PERIOD":
        return f"{where} is not understood: name the columns one by one"
    starts = token.kind in ("IDENTIFIER", "NUMBER", "STRING", "BQNAME", "PYTHON_LITERAL", "LEFT_BRACE")
    ended = before is not None and before.kind in (
        "IDENTIFIER", "NUMBER", "STRING", "BQNAME", "PYTHON_LITERAL", "RIGHT_PAREN", "RIGHT_BRACE",
    )  # fmt: skip
    hint = "; is a `+` missing?" if starts and ended else ""
    return f"unexpected {where}{after}{hint}"


def _pipe_hint(tokens: Sequence[Token], at: int) -> str:
    left = tokens[at - 1].lexeme if at and tokens[at - 1].kind in _NAMES else "1"
    right = tokens[at + 1].lexeme if tokens[at + 1].kind in _NAMES else "g"
    return f"{left} {tokens[at].lexeme} {right}"


def _converted(node: Any) -> Expression:
    """Turn formulae's tree into ours."""
    if isinstance(node, expr.Grouping):
        return Paren(_converted(node.expression))
    if isinstance(node, expr.Binary):
        return _chain(node)
    if isinstance(node, expr.Unary):
        return Unary(node.operator.lexeme, _converted(node.right))
    if isinstance(node, expr.QuotedName):
        return Column(node.expression.lexeme[1:-1])
    if isinstance(node, expr.Variable):
        name = node.name.lexeme
        return NO_RESPONSE if name == _MISSING_RESPONSE else Column(name)
    if isinstance(node, expr.Literal):
        if isinstance(node.value, bool):
            return Flag(node.value)
        return Text(node.value) if isinstance(node.value, str) else Number(float(node.value))
    if isinstance(node, expr.Call):
        return _call(node)
    if isinstance(node, expr.Assign):
        raise FormulaError(
            f"`{node.name.name.lexeme} =` is not understood here; the outcome is set off by `~`"
        )
    raise FormulaError(f"cannot read {type(node).__name__}")  # pragma: no cover


def _chain(node: Any) -> Expression:
    """Convert a binary operation, walking down its left side, which is as long as the formula has terms."""
    spine = []
    while isinstance(node, expr.Binary):
        spine.append(node)
        node = node.left
    result = _converted(node)
    for parent in reversed(spine):
        result = Binary(parent.operator.lexeme, result, _converted(parent.right))
    return result


def _call(node: Any) -> Expression:
    if not isinstance(node.callee, expr.Variable):
        what = _converted(node.callee)
        raise FormulaError(f"`{what}` is not a function; is a `+` or `*` missing before the bracket?")
    args: list[Expression] = []
    kwargs: list[tuple[str, Expression]] = []
    for arg in node.args:
        if isinstance(arg, expr.Assign):
            kwargs.append((arg.name.name.lexeme, _converted(arg.value)))
        elif kwargs:
            raise FormulaError(f"in `{node.callee.name.lexeme}(...)` a plain argument follows a named one")
        else:
            args.append(_converted(arg))
    name = node.callee.name.lexeme
    if name == _LIST or (name == "c" and args):
        if kwargs:
            raise FormulaError(f"a list has no named items: `{kwargs[0][0]}=`")
        return Items(tuple(args))
    return Call(name, tuple(args), tuple(kwargs))
