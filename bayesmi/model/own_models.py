"""Checks of what the user gives for the model of one variable: family, formula, priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError
from bayesmi.families import Family
from bayesmi.formula import Formula, check_variables
from bayesmi.model.checks import check_groupings, factor_prior_names
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.priors import Prior

__all__ = ["check_covariate_formula", "check_family", "check_named", "check_priors"]


def check_family(name: str, family: Family, table: ModelTable) -> None:
    """Raise where a column cannot have the family."""
    column = table.column(name)
    if family.has_levels and family.kinds == ("binary",) and len(table.levels_of(name)) != 2:
        raise ModelError(f"family {family.name!r} needs two values; column {name!r} is {column.kind}")
    if not family.has_levels and column.categories is not None:
        raise ModelError(
            f"family {family.name!r} needs numbers; column {name!r} holds categories ({column.kind})"
        )
    if family.has_levels and len(table.levels_of(name)) < 2:
        raise ModelError(
            f"family {family.name!r} needs levels; column {name!r} is {column.kind}: say "
            f"kinds={{{name!r}: {family.kinds[0]!r}}}"
        )


def check_covariate_formula(
    name: str, formula: Formula, table: ModelTable, earlier: Sequence[str], response: str, role: str
) -> None:
    """Raise where a formula of the user cannot be the model of a variable in its place of the product."""
    if formula.response is not None and formula.response.name != name:
        raise ModelError(f"formulas[{name!r}] has the response {formula.response.name!r}; write '~ …'")
    check_variables(formula, (*table.frame.columns, *table.made))
    if role == "covariate" and response in formula.variables:
        raise ModelError(
            f"formulas[{name!r}] conditions on the response {response!r}: the covariate's information on it comes "
            "through the analysis model; leave it out"
        )
    for other in sorted(formula.variables):
        if other == name:
            raise ModelError(f"formulas[{name!r}] has {name!r} on its own right-hand side")
        if other not in table.made and table.is_incomplete(other) and other not in earlier:
            raise ModelError(
                f"formulas[{name!r}] conditions on {other!r}, which is incomplete and comes later in the product or "
                f"has no model; the order is {', '.join([*earlier, name])} …: give order= or leave it out"
            )
        level = table.level(name)
        if level != "row" and not (
            table.level(other) == level
            or (table.level(other) != "row" and table.contains(table.level(other), level))
        ):
            raise ModelError(
                f"formulas[{name!r}]: {name!r} is a {level} variable and cannot depend on {other!r} of level "
                f"{table.level(other)}"
            )
    for term in formula.groups:
        if term.grouping not in table.groupings:
            raise ModelError(
                f"formulas[{name!r}] has the grouping {term.grouping!r}, which the analysis model does not have"
            )
    try:
        check_groupings(formula, table)
    except ModelError as problem:
        raise ModelError(f"formulas[{name!r}]: {problem}") from None


def check_named(
    given: Mapping[str, Any], response: str, modelled: Sequence[str], columns: Sequence[str]
) -> None:
    """Raise where families= or formulas= names a variable that has no model of its own."""
    for key, instead in (
        ("families", "its family is family="),
        ("formulas", "its formula is the first argument"),
    ):
        for name in given[key]:
            if name == response:
                raise ModelError(f"{key}[{name!r}]: {name!r} is the response, and {instead}")
            if name not in columns and name not in modelled:
                raise ModelError(
                    f"{key}[{name!r}]: {name!r} is not in the table: {did_you_mean(name, modelled)}"
                )
            if name not in modelled:
                raise ModelError(
                    f"{key}[{name!r}]: {name!r} is complete or not in the formula; only incomplete covariates and auxiliary "
                    "variables have their own model"
                )


def check_priors(given: Mapping[str, Prior], factors: Sequence[Factor]) -> None:
    """Raise where priors= names a parameter that the model does not have."""
    known = [name for factor in factors for name in factor_prior_names(factor)]
    for name in given:
        if name not in known:
            raise ModelError(f"priors[{name!r}]: the model has no such parameter; it has {', '.join(known)}")
