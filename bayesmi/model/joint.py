"""The product of conditionals: the model of each incomplete variable, written or read, in order; the analysis model last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesmi.families import Family, family_for_kind, get_family
from bayesmi.mechanism import heckmans_of, indicators_of
from bayesmi.model.checks import check_auxiliary, check_groupings, check_names, check_never_seen, check_roles
from bayesmi.model.contextual import check_open_means, check_spans, modelled_after
from bayesmi.model.factor import Factor
from bayesmi.model.factor_writer import FactorWriter, inside_support
from bayesmi.model.indicators import indicators_after
from bayesmi.model.joint_spec import JointSpec
from bayesmi.model.limited import check_limits, limit_notices
from bayesmi.model.observed import check_observed, observed_notices
from bayesmi.model.order import means_first, product_order
from bayesmi.model.own_models import check_family, check_named, check_priors
from bayesmi.model.scale import merged
from bayesmi.model.selection import family_of_selected
from bayesmi.model.shifted import check_mechanisms, check_shifts, shift_notices
from bayesmi.model.table import ModelTable

__all__ = ["Product", "product"]


@dataclass(frozen=True)
class Product:
    """Factors in the order of the product, the table with the columns made for them, and what the user should know."""

    table: ModelTable
    factors: tuple[Factor, ...]
    notices: tuple[str, ...]


def product(spec: JointSpec, table: ModelTable) -> Product:
    """Return the joint model of everything incomplete in a table."""
    given, response, frame = spec.given, spec.response, table.frame
    whole = merged(spec.formula, spec.scale)
    recorded = {name: own.column for name, own in spec.measured.items()}
    check_roles(whole, response, table, recorded)
    check_groupings(whole, table)
    means = [one.variable for one in spec.latent]
    used = [name for name in frame.columns if name in {*whole.variables, *means, *spec.behind}]
    incomplete = [name for name in used if table.is_incomplete(name) or name in {*means, *spec.elsewhere}]
    in_terms = {name for term in whole.terms for name in term.variables}
    in_terms |= set(spec.behind)
    in_terms |= {name for group in whole.groups for name in group.variables}
    selectors = [name for name in _complete_selectors(spec, table) if name not in used]
    varying = [
        name
        for name in [*used, *selectors]
        if name in {*in_terms, *selectors} and name not in incomplete and np.ptp(table.values[name]) > 0
    ]
    after, balanced = modelled_after(spec.latent, varying, table)
    incomplete += after
    incomplete += _incomplete_selectors(spec, table, [*used, *given["auxiliary"]])
    auxiliary = check_auxiliary(given["auxiliary"], whole, response, table, recorded)
    check_observed(spec.measured, {*used, response, *auxiliary})
    check_named(given, response, [*incomplete, *auxiliary], list(frame.columns))
    families: dict[str, Family] = {}
    for name in [*incomplete, *auxiliary]:
        chosen = given["families"].get(name)
        families[name] = get_family(chosen) if chosen else family_for_kind(name, frame.columns[name].kind)
        if name in heckmans_of(spec.mechanisms):
            families[name] = family_of_selected(name, families[name], spec.mechanisms[name], chosen)
        check_family(name, families[name], table)
        table = inside_support(name, families[name], table)
    special = {
        **dict.fromkeys(spec.measured, "is measured with error"),
        **dict.fromkeys(spec.limits, "has limits"),
        **dict.fromkeys(spec.derived, "is derived"),
        **dict.fromkeys(spec.mechanisms, "has a mechanism of its missingness"),
    }
    check_open_means(table.means, families, special)
    check_mechanisms(spec.mechanisms, {response, *incomplete, *auxiliary}, table)
    last_order = [name for name in given["order"] or () if name in auxiliary]
    rest = None if given["order"] is None else [name for name in given["order"] if name not in auxiliary]
    order = product_order(incomplete, families, table, rest if rest or not last_order else None)
    order = means_first(order, means, table, wanted=rest)
    complete = [
        name for name in [*used, *selectors] if name not in incomplete and np.ptp(table.values[name]) > 0
    ]
    writer = FactorWriter(spec, table, complete, families, balanced)
    for i, name in enumerate(order):
        writer.add(name, order[:i], "covariate")
    if not spec.separate_levels and table.groupings and order:
        writer.notices.append(
            "levels='pooled': models of incomplete covariates force equal within- and between-group association"
        )
    writer.add_analysis()
    last = product_order(auxiliary, families, table, last_order or None)
    if not last_order:
        last = indicators_after(last, spec.mechanisms)
    for i, name in enumerate(last):
        writer.add(name, [*order, response, *last[:i]], "auxiliary")
    if auxiliary and not any(table.is_incomplete(name) for name in [*incomplete, response]):
        writer.notices.append("nothing is missing in the analysis model: auxiliary variables inform nothing")
    table, factors = writer.table, writer.factors
    check_spans(factors, table)
    for factor in factors:
        if not factor.is_observation:
            check_observed(spec.measured, {*spec.measured, *factor.parents}, factor.variable)
    notices = (*writer.notices, *observed_notices(spec.measured, table))
    check_priors(given["priors"], factors)
    check_names(factors, table)
    check_never_seen(factors, table)
    check_shifts(spec.mechanisms, factors, table)
    of_factors = {factor.variable: factor.family for factor in factors if not factor.is_observation}
    check_limits(spec.limits, of_factors, response, spec.mechanisms, spec.measured, table)
    notices = (*notices, *limit_notices(spec.limits, table), *shift_notices(spec.mechanisms, table))
    return Product(table, tuple(factors), notices)


def _incomplete_selectors(spec: JointSpec, table: ModelTable, known: Sequence[str]) -> list[str]:
    """Incomplete columns that stand in selection equations only: they have a model too."""
    wanted = frozenset().union(*(own.selection.variables for own in heckmans_of(spec.mechanisms).values()))
    return [
        name
        for name in table.frame.columns
        if name in wanted and name not in known and name != spec.response and table.is_incomplete(name)
    ]


def _complete_selectors(spec: JointSpec, table: ModelTable) -> list[str]:
    """Complete columns of the models of being seen: what an incomplete covariate is given, it is given these too.

    The rows' likelihood is that of y and of its being seen given x and w, so that f(x | w) belongs to it.
    """
    mechanisms = (heckmans_of(spec.mechanisms), indicators_of(spec.mechanisms))
    wanted = frozenset().union(*(own.selection.variables for some in mechanisms for own in some.values()))
    modelled = {spec.response, *spec.given["auxiliary"]}
    return [
        name
        for name in table.frame.columns
        if name in wanted and name not in modelled and not table.is_incomplete(name)
    ]
