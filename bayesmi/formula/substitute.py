"""Columns that stand for expressions: put the expressions in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bayesmi.formula.expression import Binary, Call, Column, Expression, Paren, Unary
from bayesmi.formula.terms import Formula, GroupTerm, Term

__all__ = ["substitute", "substituted"]


def substitute(node: Expression, expressions: Mapping[str, Expression]) -> Expression:
    """Return an expression with columns replaced."""
    if isinstance(node, Column):
        return expressions.get(node.name, node)
    if isinstance(node, Unary):
        return replace(node, operand=substitute(node.operand, expressions))
    if isinstance(node, Binary):
        return replace(
            node, left=substitute(node.left, expressions), right=substitute(node.right, expressions)
        )
    if isinstance(node, Paren):
        return replace(node, inner=substitute(node.inner, expressions))
    if isinstance(node, Call) and node.args:
        return replace(node, args=(substitute(node.args[0], expressions), *node.args[1:]))
    return node


def substituted(formula: Formula, expressions: Mapping[str, Expression]) -> tuple[Formula, Mapping[str, str]]:
    """Return a formula with columns replaced on its right-hand side, and the names its changed terms had before.

    Examples
    --------
    >>> from bayesmi.formula import parse
    >>> ratio = parse("~ I(w / h)").terms[0].factors[0].args[0]
    >>> formula, names = substituted(parse("y ~ r + z"), {"r": ratio})
    >>> str(formula), dict(names)
    ('y ~ I(w / h) + z', {'I(w / h)': 'r'})
    """
    if not expressions:
        return formula, {}
    names: dict[str, str] = {}

    def term(one: Term) -> Term:
        if not one.variables & expressions.keys():
            return one
        factors = tuple(
            Call("I", (expressions[f.name],))
            if isinstance(f, Column) and f.name in expressions
            else substitute(f, expressions)
            for f in one.factors
        )
        changed = Term(factors)
        names[changed.name] = one.name
        return changed

    def group(one: GroupTerm) -> GroupTerm:
        return replace(one, terms=tuple(map(term, one.terms)))

    changed = replace(
        formula,
        terms=tuple(map(term, formula.terms)),
        offsets=tuple(substitute(offset, expressions) for offset in formula.offsets),
        groups=tuple(map(group, formula.groups)),
    )
    return changed, names
