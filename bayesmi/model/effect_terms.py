"""group_effect(x) in formulas: the group effect of an earlier incomplete variable, of its own model, as a predictor.

It is what separates the levels where a model is not written for the user: the slope of x is then the association within groups,
that of its group effect what the association between groups differs by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.formula import Formula
from bayesmi.formula.expression import Call, Column
from bayesmi.formula.functions import EFFECT
from bayesmi.formula.terms import Term
from bayesmi.model.automatic import Earlier, group_sd
from bayesmi.model.factor import EffectLink
from bayesmi.model.table import ModelTable

__all__ = ["EffectTerm", "effect_links", "refuse_effects", "take_effects"]


@dataclass(frozen=True)
class EffectTerm:
    """A group effect that a formula asks for."""

    text: str  # as written
    variable: str
    grouping: str


def take_effects(formula: Formula, table: ModelTable) -> tuple[Formula, tuple[EffectTerm, ...]]:
    """Return the formula without its group_effect() terms, and these.

    Raises
    ------
    NotSupportedError
        Where one stands in a product or varies by group.
    ModelError
        Where its grouping is not said, or is none.
    """
    for group in formula.groups:
        for term in group.terms:
            if _calls(term):
                raise NotSupportedError(
                    f"`{group}`: slopes on {_calls(term)[0]} are not supported; the nearest that is: slopes on the variable"
                )
    found = []
    for term in formula.terms:
        calls = _calls(term)
        if calls and len(term.factors) > 1:
            raise NotSupportedError(
                f"`{term}`: products with {calls[0]} are not supported; the nearest that is: the term by itself"
            )
        found += [_read(call, table) for call in calls]
    terms = tuple(term for term in formula.terms if not _calls(term))
    return replace(formula, terms=terms), tuple(dict.fromkeys(found))


def refuse_effects(formula: Formula, of: str) -> None:
    """Refuse group_effect() where it cannot stand.

    Raises
    ------
    NotSupportedError
        Names the term.
    """
    for term in formula.all_terms:
        if _calls(term):
            raise NotSupportedError(
                f"`{_calls(term)[0]}` in {of} is not supported: group effects of other variables stand in models of values; the "
                "nearest that is: a column of group means in the table"
            )


def effect_links(
    wanted: Sequence[EffectTerm], of: str, facts: Mapping[str, Earlier], table: ModelTable
) -> tuple[tuple[EffectLink, ...], tuple[float, ...]]:
    """Return the links that the terms of a variable's model are, and rough sds of these effects.

    Raises
    ------
    ModelError
        If there is no such effect before the variable in the product.
    """
    links: list[EffectLink] = []
    sds: list[float] = []
    for one in wanted:
        if one.variable not in facts:
            why = (
                f"{one.variable!r} has no model before that of {of!r}: put it first by order="
                if table.is_incomplete(one.variable)
                else f'{one.variable!r} is complete: write between({one.variable}, "manifest") or a column of group means'
            )
            raise ModelError(f"`{one.text}` in the model of {of!r}: {why}")
        own = facts[one.variable]
        if one.grouping not in own.positions:
            raise ModelError(
                f"`{one.text}` in the model of {of!r}: the model of {one.variable!r} has no (1 | {one.grouping})"
            )
        labels = own.labels or ("",)
        called = one.text if len(labels) == 1 else ""
        links += [
            EffectLink(one.variable, one.grouping, own.positions[one.grouping], label, called=called)
            for label in labels
        ]
        sds += [own.sd or group_sd(table, one.variable, one.grouping)] * len(labels)
    return tuple(links), tuple(sds)


def _calls(term: Term) -> list[Call]:
    return [f for f in term.factors if isinstance(f, Call) and f.function == EFFECT]


def _read(call: Call, table: ModelTable) -> EffectTerm:
    variable = next(iter(call.args[0].variables))
    named = [one.name for one in (*call.args[1:], *(v for _, v in call.kwargs)) if isinstance(one, Column)]
    if not named and len(table.groupings) != 1:
        there = ", ".join(table.groupings) or "none, such as (1 | school)"
        raise ModelError(
            f"`{call}`: an effect of which groups? there are {there}: say {EFFECT}({call.args[0]}, school)"
        )
    grouping = named[0] if named else next(iter(table.groupings))
    if grouping not in table.groupings:
        raise ModelError(
            f"`{call}`: {grouping!r} is no grouping of the formula; it has {', '.join(table.groupings) or 'none'}"
        )
    return EffectTerm(str(call), variable, grouping)
