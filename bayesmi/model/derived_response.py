"""A response that is derived: its parts are modelled given the predictors, it is analysed on the completed data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bayesmi.errors import ModelError
from bayesmi.formula import Formula
from bayesmi.formula.expression import Binary, Call, Column, Expression, Unary
from bayesmi.formula.terms import Response, Term
from bayesmi.model.derived import Derived

__all__ = ["columns_in_order", "parts_formula", "response_notice", "spec_of_part"]


def columns_in_order(node: Expression) -> tuple[str, ...]:
    """Return the columns of an expression in the order in which they are written, each once."""
    if isinstance(node, Column):
        return (node.name,)
    if isinstance(node, Unary):
        return columns_in_order(node.operand)
    if isinstance(node, Binary):
        return tuple(dict.fromkeys((*columns_in_order(node.left), *columns_in_order(node.right))))
    if isinstance(node, Call) and node.args:
        return columns_in_order(node.args[0])
    return ()


def parts_formula(formula: Formula, response: Derived) -> Formula:
    """Return the model of the first part of a derived response given its other parts and the predictors.

    Parameters
    ----------
    formula : Formula
        The analysis model, other derived variables already in terms of their parts.
    response : Derived
        Its response.

    Raises
    ------
    ModelError
        If every part is a predictor.

    Notes
    -----
    A density of the derived variable beside those of its parts would count them twice: the parts have one each, in
    the order f(first | others, predictors) f(others | predictors), and the derived variable none.
    """
    assert formula.response is not None
    if formula.response.trials is not None:
        raise ModelError(f"the response {response.name!r} is derived and cannot have trials()")
    parts = [name for name in columns_in_order(response.expression) if name not in formula.variables]
    if not parts:
        raise ModelError(
            f"the response {response.name!r} = {response.text} is derived and all its parts are predictors: there is nothing "
            "left to model; leave one of them out"
        )
    first, *others = parts
    terms = (*formula.terms, *(Term((Column(name),)) for name in others))
    return replace(formula, response=Response(first, Column(first)), terms=terms)


def response_notice(response: Derived, modelled: Formula) -> str:
    """Return what becomes of the analysis model, in one line."""
    assert modelled.response is not None
    return (
        f"the response {response.name!r} is derived: its parts are modelled ({modelled}) and there is no one-step summary of "
        f"{response.name!r}; analyse it on the completed data, fit.impute(m).analyze(…).pool()"
    )


def spec_of_part(spec: dict[str, Any], response: Derived, modelled: Formula) -> dict[str, Any]:
    """Return the specification with the family of the modelled part in the place of the response's."""
    assert modelled.response is not None
    part = modelled.response.name
    if spec["family"] is not None:
        raise ModelError(
            f"family= is the response's, and {response.name!r} is derived: give those of its parts, families={{{part!r}: "
            f"{spec['family']!r}}}"
        )
    families = dict(spec["families"])
    return spec | {"family": families.pop(part, None), "families": families}
