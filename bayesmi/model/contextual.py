"""Contextual effects: between(x) and within(x) of the analysis formula.

The latent group mean of x is the group-level part of x's own model, mu_g = alpha + gamma'w_g + u_g (Lüdtke et al. 2008). So
that it is one number a group, x conditions on group-level variables only and stands first in the product; what else varies
within groups is modelled given x. Then

    b_w (x - mu_g) + b_b mu_g = b_w x + (b_b - b_w) (alpha + gamma'w_g + u_g),

and since w stands in the analysis model too, its sampled form has x, w and the group effect u_g as predictors: nothing of it
is a product of parameters. `fit/contextual_view.py` goes between the two forms. Manifest means are columns made for the model, of
incomplete variables means of the completed data (`manifest.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families import Family
from bayesmi.formula import Formula
from bayesmi.formula.expression import Call, Column, Text
from bayesmi.formula.functions import CONTEXTUAL
from bayesmi.formula.terms import Term
from bayesmi.model.automatic import AutomaticFormula, Earlier, quoted
from bayesmi.model.factor import Contextual, EffectLink, Factor
from bayesmi.model.manifest import Manifest
from bayesmi.model.table import ModelTable, manifest_means

__all__ = [
    "ContextualFormula",
    "balanced_columns",
    "check_open_means",
    "check_spans",
    "modelled_after",
    "read_contextual",
    "refuse_contextual",
    "write_own_formula",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ContextualFormula:
    """The analysis formula in columns of the table, and what became of between() and within()."""

    formula: Formula
    table: ModelTable  # with the manifest columns
    latent: tuple[Contextual, ...] = ()
    manifest: Mapping[str, Manifest] = field(default_factory=dict)


def read_contextual(formula: Formula, table: ModelTable) -> ContextualFormula:
    """Take between() and within() out of the analysis formula.

    Raises
    ------
    ModelError
        If the grouping is not said, a mean stands without what it needs, or the variable is no number.
    NotSupportedError
        For latent means in products and varying slopes, and manifest means of incomplete variables of a group.
    """
    calls = [f for term in formula.all_terms for f in term.factors if _is_contextual(f)]
    if not calls:
        return ContextualFormula(formula, table)
    found: dict[tuple[str, str], dict[str, str]] = {}
    manifest: dict[str, Manifest] = {}
    made: dict[str, tuple[Floats, str]] = {}
    unknown: dict[str, Manifest] = {}
    for call in dict.fromkeys(calls):
        variable, grouping, mean = _read(call, formula, table)
        text = str(call)
        if mean == "manifest":
            manifest[text] = Manifest(variable, grouping, call.function == "within")
            if table.is_incomplete(variable):
                unknown[text] = _of_incomplete(text, manifest[text], table)
            else:
                made[text] = _manifest_column(text, manifest[text], table)
        else:
            found.setdefault((variable, grouping), {})[call.function] = text
    for group in formula.groups:
        for term in group.terms:
            names = [str(f) for f in term.factors if _is_contextual(f) and str(f) not in manifest]
            if names:
                raise NotSupportedError(
                    f"`{group}`: slopes on the latent {names[0]} are not supported; the nearest that is: slopes on the variable "
                    f"itself, or on {_as_manifest(names[0])}"
                )
    table = table.with_made(made).with_means(unknown)
    latent = tuple(
        _latent(variable, grouping, own, formula, table) for (variable, grouping), own in found.items()
    )
    _check_latent(latent, table)
    within = {one.within: one.variable for one in latent if one.within}
    drop = {one.between for one in latent}

    def changed(term: Term) -> Term:
        names = [str(f) for f in term.factors if _is_contextual(f) and str(f) not in manifest]
        if names and len(term.factors) > 1:
            raise NotSupportedError(
                f"`{term}`: products with the latent {names[0]} are not supported; the nearest that is: "
                f"{_as_manifest(names[0])}, the mean of the data"
            )
        return Term(
            tuple(
                Column(str(f)) if str(f) in manifest else Column(within[str(f)]) if str(f) in within else f
                for f in term.factors
            )
        )

    terms = tuple(
        changed(term)
        for term in formula.terms
        if not (len(term.factors) == 1 and str(term.factors[0]) in drop)
    )
    groups = tuple(replace(group, terms=tuple(map(changed, group.terms))) for group in formula.groups)
    return ContextualFormula(replace(formula, terms=terms, groups=groups), table, latent, manifest)


def refuse_contextual(formula: Formula, of: str) -> None:
    """Refuse between() and within() where they cannot stand.

    Raises
    ------
    NotSupportedError
        Names the term.
    """
    for term in formula.all_terms:
        for one in term.factors:
            if _is_contextual(one):
                raise NotSupportedError(
                    f"`{one}` in {of}: between() and within() stand in the analysis model only; write the variable itself, or "
                    "make its group means a column of the table"
                )


def _is_contextual(node: object) -> TypeGuard[Call]:
    return isinstance(node, Call) and node.function in CONTEXTUAL


def _as_manifest(text: str) -> str:
    return f'{text[:-1]}, "manifest")'


def _read(call: Call, formula: Formula, table: ModelTable) -> tuple[str, str, str]:
    """Return variable, grouping and which mean."""
    variable = next(iter(call.args[0].variables))
    options = [*call.args[1:], *(value for _, value in call.kwargs)]
    means = [one.value for one in options if isinstance(one, Text)]
    columns = [one.name for one in options if isinstance(one, Column)]
    groupings = list(dict.fromkeys(term.grouping for term in formula.groups))
    if not columns and len(groupings) != 1:
        why = (
            f"there are {', '.join(groupings)}" if groupings else "the formula has none, such as (1 | school)"
        )
        raise ModelError(
            f"`{call}`: a mean of which groups? {why}: say {call.function}({call.args[0]}, school)"
        )
    grouping = columns[0] if columns else groupings[0]
    if grouping not in table.groupings:
        raise ModelError(
            f"`{call}`: {grouping!r} is no grouping of the formula; it has {', '.join(groupings) or 'none'}"
        )
    column = table.frame.columns.get(variable)
    if column is None or column.kind in ("identifier", "nominal", "ordinal") or column.categories is not None:
        raise ModelError(
            f"`{call}`: {variable!r} holds no numbers: give the table a column of 0 and 1 for each level"
        )
    if table.level(variable) != "row" and not table.contains(grouping, table.level(variable)):
        raise ModelError(f"`{call}`: {variable!r} does not vary within {grouping}: write {variable} itself")
    return variable, grouping, means[0] if means else "latent"


def _manifest_column(text: str, one: Manifest, table: ModelTable) -> tuple[Floats, str]:
    means = list(manifest_means(table, one.variable, one.grouping).values())
    if not means:
        raise ModelError(f"`{text}`: the mean of {one.variable!r} is the same in every {one.grouping}")
    return one.values(table.values[one.variable], means[0]), "row" if one.is_within else one.grouping


def _of_incomplete(text: str, one: Manifest, table: ModelTable) -> Manifest:
    """Return it, if means of its completed data can be had."""
    latent = f"the latent mean, between({one.variable}), which is less attenuated in small groups"
    if table.level(one.variable) != "row":
        raise NotSupportedError(
            f"`{text}`: {one.variable!r} is incomplete and has one value a {table.level(one.variable)}; means of completed data "
            f"are those of variables of rows; the nearest that is supported: {one.variable} itself"
        )
    if table.column(one.variable).absent.any():
        raise NotSupportedError(
            f"`{text}`: {one.variable!r} is incomplete and does not apply to every row, so that its group means are of some rows "
            f"only; the nearest that is supported: {latent}"
        )
    return one


def _latent(
    variable: str, grouping: str, own: Mapping[str, str], formula: Formula, table: ModelTable
) -> Contextual:
    beside = any(term.factors == (Column(variable),) for term in formula.terms)
    if "between" not in own:
        raise NotSupportedError(
            f"`{own['within']}` without the group mean is not supported; the nearest that is: beside it "
            f"{own['within'].replace('within', 'between', 1)}"
        )
    if "within" in own and beside:
        raise ModelError(
            f"`{variable}` is the sum of {own['within']} and {own['between']}: leave {variable} or {own['within']} out"
        )
    if table.level(variable) != "row":
        raise NotSupportedError(
            f"`{own['between']}`: {variable!r} has one value a {table.level(variable)}; latent means are of variables of rows"
        )
    return Contextual(variable, grouping, own["between"], own.get("within", ""))


def _check_latent(latent: Sequence[Contextual], table: ModelTable) -> None:
    if len({one.grouping for one in latent}) > 1:
        raise NotSupportedError(
            f"latent means of several groupings ({', '.join(one.between for one in latent)}) are not supported: the nearest that "
            "is: those of one grouping, and manifest ones of the others"
        )
    for one in latent:
        for other in table.groupings:
            if other != one.grouping and table.contains(other, one.grouping):
                raise NotSupportedError(
                    f"`{one.between}`: groups of {one.grouping} lie in groups of {other}, so that its latent mean has effects of "
                    f"both; the nearest that is supported: the latent mean of {other}, or {_as_manifest(one.between)}"
                )


def modelled_after(
    latent: Sequence[Contextual], complete: Sequence[str], table: ModelTable
) -> tuple[list[str], list[str]]:
    """Return complete variables that need a model given those with latent means, and those these may condition on.

    A variable that varies within groups and between them would take a part of the group mean with it.

    Raises
    ------
    NotSupportedError
        If such a variable has one value for each group of another grouping.
    """
    if not latent:
        return [], []
    grouping = latent[0].grouping
    after, balanced = [], []
    for name in complete:
        at = table.level(name)
        if at == grouping or (at != "row" and table.contains(at, grouping)):
            continue
        if not manifest_means(table, name, grouping):
            balanced.append(name)
        elif at == "row":
            after.append(name)
        else:
            raise NotSupportedError(
                f"{latent[0].between} beside {name!r}, which has one value a {at}: the nearest that is supported is "
                f"{_as_manifest(latent[0].between)}"
            )
    return after, balanced


def write_own_formula(
    variable: str,
    latent: Sequence[Contextual],
    formula: Formula,
    table: ModelTable,
    *,
    earlier: Sequence[str],
    balanced: Sequence[str],
    facts: Mapping[str, Earlier],
    sds: Mapping[str, float],
) -> AutomaticFormula:
    """Write the model of a variable with a latent group mean: group-level terms of the analysis model, and the like before it.

    `sds` are rough sds of group effects by variable.
    """
    grouping = latent[0].grouping
    before = [one.variable for one in latent if one.variable in earlier]
    terms = [str(term) for term in formula.terms if _is_of_group(term, grouping, table)]
    terms += [quoted(name) for name in (*balanced, *before)]
    terms += [f"(1 | {_grouping_text(name, table)})" for name in table.groupings]
    links = tuple(EffectLink(name, grouping, facts[name].positions[grouping]) for name in before)
    why = f"its latent mean of each {grouping} is a predictor: it conditions on {grouping} variables only, others on it"
    return AutomaticFormula(
        f"{quoted(variable)} ~ {' + '.join(terms)}", {}, links, tuple(sds[name] for name in before), (why,)
    )


def _is_of_group(term: Term, grouping: str, table: ModelTable) -> bool:
    """Whether all variables of a term have one value a group."""
    return bool(term.variables) and all(
        table.level(name) == grouping
        or (table.level(name) != "row" and table.contains(table.level(name), grouping))
        for name in term.variables
    )


def balanced_columns(own: Factor, latent: Contextual, table: ModelTable) -> tuple[str, ...]:
    """Return the columns of a variable's own model that vary within groups and have the same mean in every group.

    Those of a delta, which nothing else is modelled given, are part of the deviations of missing cells, as a known delta is.
    """
    return tuple(
        name
        for term, block in zip(own.formula.terms, own.design.blocks, strict=True)
        for name in block.names
        if not _is_of_group(term, latent.grouping, table)
        and not table.is_incomplete(next(iter(term.variables)))
        and (
            term.variables <= set(table.made)
            or not any(manifest_means(table, variable, latent.grouping) for variable in term.variables)
        )
    )


def _grouping_text(grouping: str, table: ModelTable) -> str:
    parts = [grouping] if grouping in table.frame.columns else grouping.split(":")
    return ":".join(quoted(part) for part in parts)


def check_open_means(
    means: Mapping[str, Manifest], families: Mapping[str, Family], otherwise: Mapping[str, str]
) -> None:
    """Refuse means of completed data of variables whose cells are not sampled; `otherwise` says why, by variable.

    Raises
    ------
    NotSupportedError
        Names the term.
    """
    for text, one in means.items():
        latent = f"between({one.variable})"
        family = families[one.variable]
        if not family.is_gaussian_identity:
            raise NotSupportedError(
                f"`{text}`: {one.variable!r} is incomplete with a {family.name} model; means of completed data are supported of "
                f"Gaussian ones; the nearest that is: the latent mean, {latent}"
            )
        if one.variable in otherwise:
            raise NotSupportedError(
                f"`{text}`: {one.variable!r} {otherwise[one.variable]}, beside which means of its completed data are not "
                f"supported; the nearest that is: the latent mean, {latent}"
            )


def check_spans(factors: Sequence[Factor], table: ModelTable) -> None:
    """Refuse models in which a group mean has a part that the analysis model has no column for.

    Raises
    ------
    ModelError
        Names the predictor.
    """
    analysis = next(factor for factor in factors if factor.role == "analysis")
    names = {one.variable for one in analysis.contextual}
    for one in analysis.contextual:
        own = next(factor for factor in factors if factor.variable == one.variable)
        if one.within and not own.family.is_gaussian_identity:
            raise NotSupportedError(
                f"`{one.within}`: {one.variable!r} has a {own.family.name} model, whose group mean is on the scale of its linear "
                f"predictor: write {one.variable} + {one.between}"
            )
        if not any(e.grouping == one.grouping and "1" in e.names for e in own.effects):
            raise ModelError(
                f"formulas[{one.variable!r}]: {one.between} needs the group effect (1 | {one.grouping}) in it"
            )
        if any(name != "1" for e in own.effects for name in e.names):
            raise NotSupportedError(
                f"formulas[{one.variable!r}]: varying slopes beside {one.between} are not supported; the nearest that is: "
                f"(1 | {one.grouping})"
            )
        if len(names) > 1 and not own.family.is_gaussian_identity:
            raise NotSupportedError(
                f"`{one.between}` of a {own.family.name} model beside other latent means is not supported; the nearest that is: "
                "one latent mean"
            )
        for term, block in zip(own.formula.terms, own.design.blocks, strict=True):
            of_group = _is_of_group(term, one.grouping, table) and set(block.names) <= set(
                analysis.column_names
            )
            if term.variables <= names or of_group or set(block.names) <= set(one.balanced):
                continue
            raise ModelError(
                f"formulas[{one.variable!r}]: {block.name!r} has a part in {one.between} for which the analysis model has no "
                f"term: leave it out; {block.name} is modelled given {one.variable}"
            )
