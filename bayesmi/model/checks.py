"""What a model refuses before anything is built: arguments of the wrong type, useless groupings, unusable names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.codes import no_numbers
from bayesmi.data.levels import chance_of_agreement, constant_within
from bayesmi.data.wording import did_you_mean, list_some, name_rows, short_number
from bayesmi.errors import ModelError
from bayesmi.formula import Formula
from bayesmi.formula.terms import Term
from bayesmi.model.default_priors import prior_names
from bayesmi.model.factor import Factor
from bayesmi.model.scale import formula_texts
from bayesmi.model.table import ModelTable

__all__ = [
    "check_arguments",
    "check_auxiliary",
    "check_groupings",
    "check_names",
    "check_never_seen",
    "check_roles",
    "check_spread",
    "factor_prior_names",
    "slope_notices",
]

_BY_CHANCE = (
    0.001  # probability of agreement within groups above which it may be that of a few rounded values
)
_RESERVED = ("Intercept", "sigma", "chain", "draw", "sample", "__obs__")
_LARGEST = 1e100  # sizes whose squares, products and ratios stay far inside double precision
_FARTHEST = 1e6  # standard deviations that a column may lie from zero: sums of squares hold sixteen digits
_MAPPINGS = {
    "families": "{'age': 'gaussian'}",
    "formulas": "{'age': '~ sex'}",
    "priors": "{'sigma': bmi.Prior('HalfNormal', 1)}",
    "kinds": "{'age': 'continuous'}",
    "treatments": "{'age': 'sample'}",
    "not_applicable": "{'regret': 'debut == 0'}",
}


def check_arguments(
    *,
    family: Any,
    order: Any,
    families: Any,
    formulas: Any,
    auxiliary: Any = (),
    **mappings: Mapping[str, Any] | None,
) -> None:
    """Refuse arguments of the wrong type, and say what they look like."""
    for key, given in (mappings | {"families": families, "formulas": formulas}).items():
        if given is not None and not isinstance(given, Mapping):
            raise ModelError(f"{key}= is a mapping by name, such as {_MAPPINGS[key]}, not {given!r}")
    for label, value in (
        ("family=", family),
        *((f"families[{name!r}]", value) for name, value in (families or {}).items()),
    ):
        if value is not None and not isinstance(value, str):
            raise ModelError(f"{label} must be a text, not {value!r}")
    for name, value in (formulas or {}).items():
        formula_texts(value, f"formulas[{name!r}]")
    if isinstance(auxiliary, str):
        raise ModelError(
            f"auxiliary= is a list of columns, such as [{auxiliary!r}], not the text {auxiliary!r}"
        )
    if not (isinstance(auxiliary, Iterable) and all(isinstance(v, str) for v in auxiliary)):
        raise ModelError(f"auxiliary= is a list of columns, not {auxiliary!r}")
    if isinstance(order, str):
        raise ModelError(f"order= is a list of columns, such as [{order!r}], not the text {order!r}")
    if order is not None and not (isinstance(order, Iterable) and all(isinstance(v, str) for v in order)):
        raise ModelError(f"order= is a list of columns, not {order!r}")


def check_groupings(formula: Formula, table: ModelTable) -> None:
    """Refuse groupings that say nothing: one group only, no two rows in a group, or what the predictors say already."""
    alone = {name for term in formula.terms if len(term.variables) == 1 for name in term.variables}
    for term in formula.groups:
        grouping = table.groupings[term.grouping]
        if grouping.n_groups == 1:
            raise ModelError(
                f"grouping {term.grouping!r} has one group only ({grouping.labels[0]!r}), so that nothing varies between "
                f"groups: leave {term} out of the formula"
            )
        if term.intercept and grouping.n_groups == table.n_rows:
            raise ModelError(
                f"grouping {term.grouping!r} has one row in each of its {grouping.n_groups} groups, so that its intercepts "
                f"cannot be told from the residuals: leave {term} out of the formula, or name the column of the clusters"
            )
        of_itself = sorted(term.variables & set(term.grouping_columns))
        if of_itself:
            raise ModelError(
                f"{term}: {of_itself[0]!r} has one value in each group of {term.grouping!r}, so that it has no slope there: "
                f"write {replace(term, intercept=True, terms=_without(term.terms, of_itself))}"
            )
        if term.intercept and term.grouping in alone and not table.frame.columns[term.grouping].is_numeric:
            raise ModelError(
                f"{term.grouping!r} is a predictor, with an effect of each of its levels, which {term} has once more: leave one "
                "of the two out of the formula"
            )


def slope_notices(formula: Formula, table: ModelTable) -> tuple[str, ...]:
    """Say of slopes on what is constant in every group that there is nothing to see of them within a group."""
    found = []
    for group in formula.groups:
        grouping = table.groupings[group.grouping]
        for term in group.terms:
            if term.variables and all(
                name in table.frame.columns and constant_within(table.frame.columns[name].values, grouping)
                for name in term.variables
            ):
                found.append(
                    f"{group}: {term.name!r} is constant within {group.grouping}: its slope there is only a spread of the "
                    f"groups that changes with {term.name}"
                )
    return tuple(found)


def check_spread(factor: Factor, table: ModelTable) -> None:
    """Refuse a residual sd of what is the same in all rows of a group, beside an effect of each group."""
    column = table.frame.columns.get(factor.variable)
    if column is None or column.kind != "continuous" or factor.limits:
        return
    units = np.full(table.n_rows, np.nan)
    units[table.rows_of_level(factor.level)] = column.values[table.rows_of_level(factor.level)]
    for effect in factor.effects:
        grouping = table.groupings[effect.grouping]
        if "1" not in effect.names or not constant_within(units, grouping):
            continue
        if factor.level == "row" and chance_of_agreement(column.values, grouping) > _BY_CHANCE:
            continue
        cure = (
            f"make a table with one row a {effect.grouping}, and leave (1 | {effect.grouping}) out"
            if factor.role == "analysis"
            else f"leave {column.name!r} out of levels="
        )
        raise ModelError(
            f"{column.name!r} is constant within {effect.grouping!r}, so that (1 | {effect.grouping}) leaves nothing for its "
            f"residual sd: {cure}"
        )


def _without(terms: Sequence[Term], names: Sequence[str]) -> tuple[Term, ...]:
    """Return the terms that name none of these."""
    return tuple(term for term in terms if not term.variables & set(names))


def check_never_seen(factors: Sequence[Factor], table: ModelTable) -> None:
    """Refuse levels that never occur, and were asked for, in a predictor: nothing is known of what they do."""
    for factor in factors:
        for name in sorted(factor.parents & set(table.frame.columns)):
            column = table.frame.columns[name]
            if column.is_named and column.never_seen:
                raise ModelError(
                    f"{list_some(column.never_seen)} of {name!r} never occur and kinds= names them, but {name!r} is a predictor "
                    f"of {factor.variable!r}: nothing is known of their effect; name levels that occur"
                )


def check_roles(
    formula: Formula, response: str, table: ModelTable, recorded: Mapping[str, str] | None = None
) -> None:
    """Refuse columns that cannot be modelled: identifiers, dates, constants, nothing observed, not applicable."""
    frame = table.frame
    if response in formula.variables:
        raise ModelError(f"{response!r} stands on both sides of the formula")
    in_terms = {name for term in formula.terms for name in term.variables}
    in_terms |= {name for group in formula.groups for name in group.variables}
    for variable in (*sorted(formula.variables), response):
        if variable in table.made:
            continue
        name = (recorded or {}).get(variable, variable)  # of a variable that is measured, its measurements
        column = frame.columns[name]
        if column.kind == "identifier":
            raise ModelError(_why_unusable(name, frame))
        if variable != response and column.absent.any():
            raise ModelError(
                f"predictor {name!r} does not apply in {name_rows(frame.index, column.absent)}: a row where a predictor "
                "does not apply has no model; take these rows out or recode them"
            )
        _check_values(
            name,
            column,
            _seen(variable, column, table),
            may_be_constant=variable not in {*in_terms, response},
        )
        if variable != response and column.n_missing:
            _check_distance(name, column)


def _seen(variable: str, column: Column, table: ModelTable) -> NDArray[np.float64]:
    """Observed values of a column; of a variable that is mostly known by limits, middles of these too."""
    if variable in table.stand_ins and column.name == variable:
        rough = table.stand_ins[variable]
        return rough[np.isfinite(rough)]
    return column.values[column.observed]


def check_auxiliary(
    auxiliary: Sequence[str],
    formula: Formula,
    response: str,
    table: ModelTable,
    recorded: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Return the auxiliary variables; refuse those that cannot be modelled or are in the analysis model."""
    frame = table.frame
    for name in auxiliary:
        if name not in frame.columns:
            raise ModelError(
                f"auxiliary= names {name!r}, which is not a column of the table: {did_you_mean(name, list(frame.columns))}"
            )
        if name == response or name in formula.variables:
            raise ModelError(
                f"auxiliary= names {name!r}, which is in the analysis model: leave it out of one of them"
            )
        if list(auxiliary).count(name) > 1:
            raise ModelError(f"auxiliary= names {name!r} twice")
        column = frame.columns[(recorded or {}).get(name, name)]
        if column.kind == "identifier":
            raise ModelError(_why_unusable(name, frame))
        if name in table.groupings:
            raise ModelError(f"auxiliary= names {name!r}, which is a grouping: leave it out")
        _check_values(name, column, _seen(name, column, table), may_be_constant=False)
    return tuple(auxiliary)


def _check_values(name: str, column: Column, seen: NDArray[np.float64], *, may_be_constant: bool) -> None:
    """Refuse a column without two different observed values, or with numbers that overflow when squared."""
    if seen.size == 0:
        raise ModelError(f"column {name!r} has no observed value: leave it out of the model")
    largest, spread = float(np.abs(seen).max()), float(np.ptp(seen))
    if largest > _LARGEST or 0 < spread < 1 / _LARGEST:
        size = largest if largest > _LARGEST else spread
        raise ModelError(
            f"column {name!r} has numbers of size {size:.0e}: divide them by a power of ten first"
        )
    if spread == 0 and not may_be_constant:
        value = short_number(seen[0]) if column.categories is None else repr(column.categories[int(seen[0])])
        where = "its one observed value" if seen.size == 1 else "every observed value"
        raise ModelError(
            f"column {name!r} is constant ({where} is {value}): it says nothing; leave it out of the model"
        )


def _check_distance(name: str, column: Column) -> None:
    """Refuse an incomplete predictor whose variation is lost beside its distance from zero where squares are summed."""
    seen = column.values[column.observed]
    middle, sd = float(np.median(seen)), float(seen.std())
    if column.categories is None and 0 < sd * _FARTHEST < abs(middle):
        raise ModelError(
            f"column {name!r} varies by {sd:.1g} around {middle:.6g}: beside its size most digits of its variation are lost; "
            f"subtract a constant such as {middle:.6g} from it first"
        )


def _why_unusable(name: str, frame: IncompleteFrame) -> str:
    """Say why a column cannot enter a model, and what to do."""
    start, end = f"column {name!r} ", ": kept as it is, not usable in a model"
    for line in frame.notices:
        if line.startswith(start) and line.endswith(end):
            reason = line[len(start) : -len(end)]
            cure = (
                "make a number of it first, such as days since a date"
                if "dates" in reason
                else "make numbers or text of it first"
            )
            return f"column {name!r} {reason} and cannot enter a model: {cure}, or leave it out"
    column = frame.columns[name]
    others = no_numbers(
        cell for cell, known in zip(frame.original()[name], column.observed, strict=True) if known
    )
    if others is not None:
        which = f" (all but {list_some(others)})" if others else ""
        first = "correct these, then " if others else ""
        return (
            f"column {name!r} holds numbers written as text{which}: {first}data[{name!r}] = pd.to_numeric(data[{name!r}]), "
            "or leave it out"
        )
    return (
        f"column {name!r} is an identifier (its values all differ, or kinds= says so) and cannot enter a model: leave it "
        f"out, or say what it is, such as kinds={{{name!r}: 'nominal'}}"
    )


def check_names(factors: Sequence[Factor], table: ModelTable) -> None:
    """Refuse columns whose names would stand for two things in the posterior."""
    analysis = next(factor for factor in factors if factor.role == "analysis")
    columns = {factor.variable for factor in factors} | analysis.parents
    columns |= {part for name in table.groupings for part in _parts(name, table)}
    for name in sorted(columns):
        if "|" in name:
            raise ModelError(
                f"column name {name!r} holds '|', which marks group effects in the posterior: rename the column"
            )
        if name in _RESERVED or name.startswith("cell__"):
            raise ModelError(f"column {name!r} collides with a name of the posterior: rename the column")
    taken: dict[str, str] = {}
    for name, what in _posterior_names(factors):
        if name in taken:
            owner = next((c for c in sorted(columns, key=len, reverse=True) if c in name), name)
            raise ModelError(
                f"the posterior would hold {name!r} twice, as {taken[name]} and as {what}: rename column {owner!r}"
            )
        taken[name] = what


def factor_prior_names(factor: Factor) -> tuple[str, ...]:
    """Return the names under which a user may give priors of a factor."""
    if factor.is_observation:
        return ()
    return tuple(name for part in factor.parts for name in _part_prior_names(part))


def _part_prior_names(factor: Factor) -> tuple[str, ...]:
    columns = [(block.name, name) for block in factor.design.blocks for name in block.names]
    columns += [(link.name, link.name) for link in factor.links]
    return prior_names(
        factor.prefix,
        intercept=factor.priors.intercept is not None,
        columns=columns,
        scales=tuple(parameter.name for parameter in factor.parameters),
        effects=factor.effects,
    )


def _parts(grouping: str, table: ModelTable) -> list[str]:
    """Columns of a grouping."""
    return [grouping] if grouping in table.frame.columns else grouping.split(":")


def _posterior_names(factors: Sequence[Factor]) -> Iterator[tuple[str, str]]:
    """Every variable and coordinate of the posterior, with what it is."""
    groupings = dict.fromkeys(effect.grouping for factor in factors for effect in factor.effects)
    yield from ((f"{grouping}__factor_dim", f"the groups of {grouping!r}") for grouping in groupings)
    estimated = [factor for factor in reversed(factors) if not factor.is_observation]
    for factor in (part for whole in estimated for part in whole.parts):
        own, prefix = f"the model of {factor.name!r}", factor.prefix
        if factor.priors.intercept is not None:
            yield f"{prefix}Intercept", f"the intercept in {own}"
        for block in factor.design.blocks:
            yield f"{prefix}{block.name}", f"the effect of {block.name!r} in {own}"
            if block.labels is not None:
                yield f"{prefix}{block.name}_dim", f"the levels of {block.name!r} in {own}"
        for link in factor.links:
            yield f"{prefix}{link.name}", f"the effect of {link.name!r} in {own}"
        for parameter in factor.parameters:
            yield f"{prefix}{parameter.name}", f"{parameter.words} in {own}"
            if parameter.per_level:
                yield f"{prefix}{parameter.name}_dim", f"the {parameter.words} in {own}"
        if factor.labels:
            yield f"{factor.variable}__level", f"the levels of {factor.variable!r}"
        for effect in factor.effects:
            for name in effect.names:
                yield f"{prefix}{name}|{effect.grouping}", f"a group effect in {own}"
                yield f"{prefix}{name}|{effect.grouping}_sigma", f"a group sd in {own}"
            if effect.is_correlated:
                yield f"{prefix}{effect.grouping}__corr", f"the correlations of {effect.grouping!r} in {own}"
                yield f"{prefix}{effect.grouping}__corr_dim", f"the pairs of {effect.grouping!r} in {own}"
        if not factor.parameter:
            yield f"{factor.variable}__cell", f"the missing cells of {factor.variable!r}"
