"""Term algebra of the right-hand side: what `+ - * : / **`, brackets and `|` do to terms.

As in R: `a*b` is `a + b + a:b`, `a/b` is `a + a:b`, `(a + b)**2` all main effects and two-way interactions,
`- term` takes a term away. Where R would quietly do what few people mean (`x**2` and `x:x` are `x`, an unknown
`- term` is ignored), this refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bayesmi.errors import FormulaError
from bayesmi.formula.expression import Binary, Call, Column, Expression, Flag, Number, Paren, Text, Unary
from bayesmi.formula.syntax import call, unwrapped
from bayesmi.formula.terms import GroupTerm, Term

__all__ = ["Sum", "expand"]

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


@dataclass(frozen=True)
class Sum:
    """What an expression adds up to; `intercept` is None where neither 0 nor 1 was said."""

    intercept: bool | None = None
    terms: tuple[Term, ...] = ()
    offsets: tuple[Expression, ...] = ()
    groups: tuple[GroupTerm, ...] = ()


def expand(node: Expression) -> Sum:
    """Sum of terms that a right-hand side stands for."""
    if isinstance(node, Paren):
        return expand(node.inner)
    if isinstance(node, Column):
        return Sum(terms=(Term((node,)),))
    if isinstance(node, Call):
        return _called(node)
    if isinstance(node, Number):
        if node.value not in (0.0, 1.0):
            raise FormulaError(f"`{node}` is not a term: only 1 (intercept) and 0 (none) are")
        return Sum(intercept=node.value == 1.0)
    if isinstance(node, Unary):
        return _signed(node)
    if isinstance(node, Binary):
        return _OPERATIONS.get(node.op, _compared)(node)
    if isinstance(node, Text):
        raise FormulaError(f"the text {node} is not a term; a column's name with blanks goes into backticks")
    hint = "" if isinstance(node, Flag) else "; lists stand only in knots= and levels="
    raise FormulaError(f"`{node}` is not a term{hint}")


def _called(node: Call) -> Sum:
    built = call(node)
    if built.function == "offset":
        return Sum(offsets=(built.args[0],))
    return Sum(terms=(Term((built,)),))


def _signed(node: Unary) -> Sum:
    inner = expand(node.operand)
    if node.op == "+":
        return inner
    if inner.intercept is None or inner != Sum(intercept=inner.intercept):
        raise FormulaError(f"`{node}`: there is nothing before it to take away from; only -1 may stand first")
    return Sum(intercept=not inner.intercept)


def _summed(node: Binary) -> Sum:
    """Add up a chain of `+` and `-` from left to right; a loop, because a sum may have many terms."""
    spine: list[Binary] = []
    first: Expression = node
    while isinstance(first, Binary) and first.op in ("+", "-"):
        spine.append(first)
        first = first.left
    total = expand(first)
    intercept, offsets, groups = total.intercept, list(total.offsets), list(total.groups)
    terms = {_key(term): term for term in total.terms}
    for step in reversed(spine):
        right = expand(step.right)
        if right.intercept is not None:
            intercept = right.intercept == (step.op == "+")
        if step.op == "+":
            for term in right.terms:
                terms.setdefault(_key(term), term)
            offsets += right.offsets
            groups += right.groups
        elif right.offsets or right.groups:
            raise FormulaError(
                f"`- {step.right}`: only terms and the intercept can be taken away; leave it out"
            )
        else:
            _remove(terms, right.terms)
    return Sum(intercept, tuple(terms.values()), tuple(offsets), tuple(groups))


def _remove(terms: dict[frozenset[Expression], Term], gone: Iterable[Term]) -> None:
    for term in gone:
        if terms.pop(_key(term), None) is None:
            raise FormulaError(
                f"`- {term}` takes away a term that is not there (a column's name with a minus goes into backticks)"
            )


def _crossed(node: Binary) -> Sum:
    left, right = _pair(node)
    return Sum(terms=_by_degree(_distinct([*left, *right, *_products(left, right)])))


def _interacted(node: Binary) -> Sum:
    left, right = _pair(node)
    return Sum(terms=_distinct(_products(left, right)))


def _nested(node: Binary) -> Sum:
    left, right = _pair(node)
    everything = Term(_distinct_factors(factor for term in left for factor in term.factors))
    return Sum(terms=_distinct([*left, *_products((everything,), right)]))


def _powered(node: Binary) -> Sum:
    exponent = unwrapped(node.right)
    if not isinstance(exponent, Number) or exponent.value != int(exponent.value) or exponent.value < 1:
        raise FormulaError(
            f"`{node}`: the power of a bracket is a whole number of at least 1; of a value, write I(...)"
        )
    base = _plain(node.left, node)
    if len(base) == 1:
        raise FormulaError(
            f"`{node}` in a formula is not a power; write I({unwrapped(node.left)} ** {exponent})"
        )
    if len(base) ** int(exponent.value) > 100_000:
        raise FormulaError(f"`{node}` stands for too many terms")
    terms = base
    for _ in range(int(exponent.value) - 1):
        terms = _distinct([*terms, *_products(terms, base)])
    return Sum(terms=_by_degree(terms))


def _grouped(node: Binary) -> Sum:
    """`(effects | grouping)`; `a/b` in the grouping is `a` and `a:b`."""
    groupings = _groupings(node.right)
    inner = expand(node.left)
    if inner.groups or inner.offsets:
        what = str(inner.groups[0]) if inner.groups else f"offset({inner.offsets[0]})"
        raise FormulaError(f"`{what}` cannot stand inside the group term `({node})`")
    intercept = inner.intercept is not False
    if not intercept and not inner.terms:
        raise FormulaError(
            f"`({node})` has no effect that varies; write (1 | {node.right}) or (0 + x | {node.right})"
        )
    correlated = node.op == "|" or not inner.terms  # a lone intercept has nothing to be correlated with
    groups = tuple(
        GroupTerm(":".join(columns), columns, intercept, inner.terms, correlated) for columns in groupings
    )
    return Sum(groups=groups)


def _compared(node: Binary) -> Sum:
    if node.op in _COMPARISONS:
        raise FormulaError(f"`{node}` is not a term; write I({node})")
    raise FormulaError(f"`{node.op}` in `{node}` is not understood here")


_OPERATIONS = {
    "+": _summed,
    "-": _summed,
    "*": _crossed,
    ":": _interacted,
    "/": _nested,
    "**": _powered,
    "|": _grouped,
    "||": _grouped,
}


def _groupings(node: Expression) -> list[tuple[str, ...]]:
    """Columns of every grouping that the right of a `|` stands for."""
    node = unwrapped(node)
    if isinstance(node, Column):
        return [(node.name,)]
    if isinstance(node, Binary) and node.op in ("/", ":"):
        left, right = _groupings(node.left), _groupings(node.right)
        if len(right) == 1:
            joined = tuple(dict.fromkeys((*left[-1], *right[0])))
            if len(joined) < len(left[-1]) + len(right[0]):
                raise FormulaError(f"the grouping `{node}` names a column twice")
            if node.op == "/":
                return [*left, joined]
            if len(left) == 1:
                return [joined]
    if isinstance(node, Binary) and node.op in ("+", "*"):
        raise FormulaError(f"`{node}` is not one grouping; write a group term for each, (1 | g) + (1 | h)")
    raise FormulaError(f"`{node}` is not a grouping; it is a column, a/b or a:b")


def _pair(node: Binary) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    left, right = _plain(node.left, node), _plain(node.right, node)
    if len(left) == len(right) == 1 and _key(left[0]) == _key(right[0]):
        raise FormulaError(f"`{node}` is a term with itself; for the square write I({left[0]} ** 2)")
    return left, right


def _plain(node: Expression, whole: Binary) -> tuple[Term, ...]:
    """Terms of a part that may stand in a product: no intercept, offset or group term."""
    inner = unwrapped(node)
    if isinstance(inner, Unary):
        raise FormulaError(
            f"the sign before `{inner.operand}` in `{whole}` has no meaning; to calculate write I(...)"
        )
    if isinstance(inner, Number):
        raise FormulaError(f"the number in `{whole}` multiplies no term; to calculate write I({whole})")
    found = expand(inner)
    if found.intercept is not None:
        raise FormulaError(f"put the intercept (0 or 1) outside the product `{whole}`")
    if found.offsets or found.groups:
        what = str(found.groups[0]) if found.groups else f"offset({found.offsets[0]})"
        raise FormulaError(f"`{what}` can only be added, not multiplied as in `{whole}`")
    if not found.terms:
        raise FormulaError(f"`{node}` in `{whole}` leaves no term")
    return found.terms


def _products(left: Iterable[Term], right: Iterable[Term]) -> list[Term]:
    pairs = [(a, b) for a in left for b in right]
    return [Term(_distinct_factors([*a.factors, *b.factors])) for a, b in pairs]


def _by_degree(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Put main effects first, then two-way interactions, and so on."""
    return tuple(sorted(terms, key=lambda term: len(term.factors)))


def _distinct(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Each term once; `z:x` is `x:z`."""
    first: dict[frozenset[Expression], Term] = {}
    for term in terms:
        first.setdefault(_key(term), term)
    return tuple(first.values())


def _distinct_factors(factors: Iterable[Expression]) -> tuple[Expression, ...]:
    return tuple(dict.fromkeys(factors))


def _key(term: Term) -> frozenset[Expression]:
    return frozenset(term.factors)
