"""The analysis model held against the imputation model: what is left out there biases it towards zero."""

from __future__ import annotations

from collections.abc import Sequence

from bayesmi.formula import Formula
from bayesmi.mice.edges import Edge
from bayesmi.mice.request import Request
from bayesmi.mice.rows import Event

__all__ = ["compare_with"]


def compare_with(
    analysis: Formula | None, request: Request, edges: Sequence[Edge], *, both_ways: bool = True
) -> list[Event]:
    """Compare with the analysis model: outcomes left out, interactions left out.

    An edge of a joint model informs both its ends (`both_ways`); without feedback the child alone.
    """
    if analysis is None or analysis.response is None:
        return []
    outcome, events = analysis.response.name, []
    joined = {(edge.child, edge.parent) for edge in edges}
    if both_ways:
        joined |= {(parent, child) for child, parent in joined}
    for name in request.names:
        if name != outcome and name in analysis.variables and (name, outcome) not in joined:
            events.append(
                (
                    name,
                    request.method[name],
                    f"the outcome {outcome!r} of the analysis is left out of the imputation of {name!r}: its coefficient will "
                    f"be biased towards zero; set predictorMatrix.loc[{name!r}, {outcome!r}] = 1",
                )
            )
    for term in analysis.terms:
        if len(term.variables) > 1 and term.variables & set(request.names):
            said = any(
                term.variables <= other.variables for text in request.texts.values() for other in text.terms
            )
            if not said:
                events.append(
                    (
                        sorted(term.variables)[0],
                        "",
                        f"the analysis has {term}, the imputation model has not: it will be biased towards zero; say it in "
                        "formulas=, or impute with bmi.impute(data, analysis)",
                    )
                )
    return events
