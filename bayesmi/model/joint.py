"""The product of conditionals: the model of each incomplete variable, written or read, in order; the analysis model last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bayesmi.errors import ModelError
from bayesmi.families import Family, family_for_kind, get_family
from bayesmi.formula import Expression, Formula, check_variables, parse
from bayesmi.formula.substitute import substituted
from bayesmi.mechanism import deltas_of, heckmans_of, indicators_of
from bayesmi.model.assemble import assemble_factor
from bayesmi.model.automatic import AutomaticFormula, Earlier, group_sd, write_formula
from bayesmi.model.checks import (
    check_auxiliary,
    check_groupings,
    check_names,
    check_never_seen,
    check_roles,
    check_spread,
    factor_prior_names,
    slope_notices,
)
from bayesmi.model.contextual import (
    balanced_columns,
    check_open_means,
    check_spans,
    modelled_after,
    refuse_contextual,
    write_own_formula,
)
from bayesmi.model.effect_terms import EffectTerm, effect_links, refuse_effects, take_effects
from bayesmi.model.factor import Contextual, EffectLink, Factor
from bayesmi.model.indicators import indicators_after, shared_links
from bayesmi.model.limited import check_limits, limit_kinds, limit_notices
from bayesmi.model.observed import check_observed, observation_factor, observed_notices
from bayesmi.model.order import order_variables
from bayesmi.model.scale import formula_texts, merged, read_scale, with_scale
from bayesmi.model.selection import (
    family_of_selected,
    row_kinds,
    selected_column,
    selection_only,
    with_selection,
)
from bayesmi.model.shifted import (
    NO_SHIFT,
    ModelShift,
    check_mechanisms,
    check_shifts,
    model_shift,
    shift_notices,
)
from bayesmi.model.table import ModelTable
from bayesmi.observation import Limited, Observation
from bayesmi.priors import Prior

__all__ = ["JointSpec", "Product", "product"]


@dataclass(frozen=True)
class JointSpec:
    """What a joint model is made from, beside the table."""

    formula: Formula  # of the analysis, with derived variables as their expressions
    scale: Formula | None  # of its scale
    names: Mapping[str, str]  # term -> name in the posterior
    given: Mapping[str, Any]  # families, formulas, priors, auxiliary, order as the user gave them
    measured: Mapping[str, Observation]
    mechanisms: Mapping[str, Any]
    separate_levels: bool
    latent: tuple[Contextual, ...] = ()  # group means in the analysis model
    behind: tuple[str, ...] = ()  # variables whose manifest means are in it
    elsewhere: tuple[str, ...] = ()  # incomplete in rows that inform no parameter
    limits: Mapping[str, Limited] = field(default_factory=dict)
    effects: tuple[EffectTerm, ...] = ()  # group effects of other variables in the analysis model
    derived: Mapping[str, Expression] = field(default_factory=dict)  # what derived columns stand for

    @property
    def response(self) -> str:
        """Name of the response."""
        assert self.formula.response is not None
        return self.formula.response.name


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
    _check_named(given, [*incomplete, *auxiliary], list(frame.columns))
    families: dict[str, Family] = {}
    for name in [*incomplete, *auxiliary]:
        chosen = given["families"].get(name)
        families[name] = get_family(chosen) if chosen else family_for_kind(name, frame.columns[name].kind)
        if name in heckmans_of(spec.mechanisms):
            families[name] = family_of_selected(name, families[name], spec.mechanisms[name], chosen)
        _check_family(name, families[name], table)
        table = _inside(name, families[name], table)
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
    order = _ordered(incomplete, families, table, rest if rest or not last_order else None)
    order = _means_first(order, means, table, wanted=rest)
    complete = [
        name for name in [*used, *selectors] if name not in incomplete and np.ptp(table.values[name]) > 0
    ]
    writer = _Writer(spec, table, complete, families, balanced)
    for i, name in enumerate(order):
        writer.add(name, order[:i], "covariate")
    if not spec.separate_levels and table.groupings and order:
        writer.notices.append(
            "levels='pooled': models of incomplete covariates force equal within- and between-group association"
        )
    writer.add_analysis()
    last = _ordered(auxiliary, families, table, last_order or None)
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
    _check_priors(given["priors"], factors)
    check_names(factors, table)
    check_never_seen(factors, table)
    check_shifts(spec.mechanisms, factors, table)
    of_factors = {factor.variable: factor.family for factor in factors if not factor.is_observation}
    check_limits(spec.limits, of_factors, response, spec.mechanisms, spec.measured, table)
    notices = (*notices, *limit_notices(spec.limits, table), *shift_notices(spec.mechanisms, table))
    return Product(table, tuple(factors), notices)


@dataclass
class _Writer:
    """Writes one factor after the other; each may make columns of the table and is a fact for those after it."""

    spec: JointSpec
    table: ModelTable
    complete: Sequence[str]
    families: Mapping[str, Family]
    balanced: Sequence[str] = ()
    factors: list[Factor] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    facts: dict[str, Earlier] = field(default_factory=dict)

    def add(self, name: str, before: Sequence[str], role: str) -> None:
        """Write, or read, the model of a variable given what stands before it."""
        columns = list(self.table.frame.columns)
        own, own_scale = _own_formulas(name, self.spec.given["formulas"].get(name), columns)
        if own is None and any(one.variable == name for one in self.spec.latent):
            written = write_own_formula(
                name,
                self.spec.latent,
                self.spec.formula,
                self.table,
                earlier=before,
                balanced=self.balanced,
                facts=self.facts,
                sds={one.variable: self._mean_sd(one) for one in self.spec.latent if one.variable in before},
            )
        elif own is None:
            written = self._written(name, before)
        else:
            links = shared_links(name, self.spec.mechanisms, self.factors)
            written = AutomaticFormula(own if "~" in own else f"~ {own}", {}, *links, ())
        formula = parse(written.text)
        refuse_contextual(formula, f"formulas[{name!r}]")
        of_derived: Mapping[str, str] = {}
        if own is not None:
            formula, of_derived = substituted(formula, self.spec.derived)
            formula, wanted = take_effects(formula, self.table)
            more_links, more_sds = effect_links(wanted, name, self.facts, self.table)
            written = replace(
                written, links=(*written.links, *more_links), link_sds=(*written.link_sds, *more_sds)
            )
            self._check_formula(name, formula, before, role)
        shift = self._shift(name, self.families[name], before, f"{name}__")
        factor, remarks = assemble_factor(
            name,
            shift.formula(formula),
            self.families[name],
            self.table.roughly(),
            role=role,
            level=self.table.level(name),
            links=written.links,
            link_sds=written.link_sds,
            given={**self.spec.given["priors"], **shift.priors},
            reasons=written.reasons,
            names={**of_derived, **shift.names},
            uncentred=shift.columns,
            between=frozenset(written.made),
        )
        if own_scale is not None:
            own_scale = substituted(own_scale, self.spec.derived)[0]
            self._check_formula(name, replace(own_scale, response=None), before, role)
        if name in heckmans_of(self.spec.mechanisms):
            self._check_selection(name, before, role)
        self._put(shift.factor(factor), remarks, own_scale)

    def add_analysis(self) -> None:
        """Put the analysis model into the product."""
        given, response, parsed = self.spec.given, self.spec.response, self.spec.formula
        assert parsed.response is not None
        kind = self.table.frame.columns[response].kind
        family = (
            get_family(given["family"] or "binomial")
            if given["family"] or parsed.response.trials is not None
            else family_for_kind(response, kind, "response")
        )
        if response in heckmans_of(self.spec.mechanisms):
            asked = given["family"] or ("binomial" if parsed.response.trials is not None else None)
            family = family_of_selected(response, family, self.spec.mechanisms[response], asked)
            before = [factor.variable for factor in self.factors]
            self._check_selection(response, before, "analysis")
        _check_family(response, family, self.table)
        self.table = _inside(response, family, self.table)
        if self.table.level(response) != "row":
            self.notices.append(
                f"response {response!r} is constant within {self.table.level(response)}: its rows are not independent, and "
                f"missing ones are imputed one by one; a table with one row a {self.table.level(response)} says it once"
            )
        self.notices.extend(slope_notices(parsed, self.table))
        shift = self._shift(response, family, None, "")
        links = tuple(
            EffectLink(one.variable, one.grouping, self.facts[one.variable].positions[one.grouping])
            for one in self.spec.latent
            if one.grouping in self.facts[one.variable].positions
        )
        more_links, more_sds = effect_links(self.spec.effects, response, self.facts, self.table)
        factor, remarks = assemble_factor(
            response,
            shift.formula(parsed),
            family,
            self.table.roughly(),
            role="analysis",
            links=(*links, *more_links),
            link_sds=[*[self._mean_sd(one) for one in self.spec.latent][: len(links)], *more_sds],
            given={**given["priors"], **shift.priors},
            reasons=[
                f"{one.between} is the group-level part of the model of {one.variable}; sampled is {one.link}: "
                f"{one.between + ' less ' + one.within if one.within else 'the same'}"
                for one in self.spec.latent
            ],
            names={**self.spec.names, **shift.names},
            uncentred=shift.columns,
        )
        own = {one.variable: one for one in self.factors}
        latent = [
            replace(one, balanced=balanced_columns(own[one.variable], one, self.table))
            for one in self.spec.latent
        ]
        factor = replace(factor, contextual=tuple(latent), means=self.table.means)
        self._put(shift.factor(factor), remarks, self.spec.scale)

    def _put(self, factor: Factor, remarks: Sequence[str], scale: Formula | None) -> None:
        """Put a factor into the product, with the models of its scale and of what measures it."""
        name = factor.variable
        self.notices.extend(remarks)
        if scale is not None:
            factor, more = with_scale(factor, scale, self.table.roughly(), self.spec.given["priors"])
            self.notices.extend(more)
        mechanism = heckmans_of(self.spec.mechanisms).get(name)
        if mechanism is not None:
            factor, more = with_selection(factor, mechanism, self.table.roughly(), self.spec.given["priors"])
            assert factor.selection is not None
            parts = (factor, factor.selection)
            groupings = dict.fromkeys(e.grouping for part in parts for e in part.effects)
            kinds, about = row_kinds(name, mechanism, list(groupings), self.table)
            self.table = self.table.with_made({selected_column(name): (kinds, factor.level)})
            self.notices.extend((*about, *more))
        if name in self.spec.limits:
            factor = replace(factor, limits=limit_kinds(name, self.spec.limits[name], self.table))
        if name not in self.spec.measured:
            check_spread(factor, self.table)
        self.facts[name] = Earlier.of(factor)
        self.factors.append(factor)
        if name in self.spec.measured:
            self.factors.append(observation_factor(name, self.spec.measured[name], self.table.roughly()))

    def _written(self, name: str, before: Sequence[str]) -> AutomaticFormula:
        mechanism = heckmans_of(self.spec.mechanisms).get(name)
        left_out = frozenset({name})
        if mechanism is not None:  # what is in its selection equation only is to stay out of its own model
            left_out |= selection_only(mechanism, self.spec.formula)
            before = [other for other in before if other not in left_out]
        written = write_formula(
            name,
            self.table.roughly(),
            complete=[other for other in self.complete if other not in left_out],
            earlier=before,
            facts=self.facts,
            separate_levels=self.spec.separate_levels,
        )
        for made in written.made:
            if made in self.table.frame.columns:
                raise ModelError(f"column {made!r} has the name of a group mean of the model: rename it")
        self.table = self.table.with_made(written.made)
        return written

    def _mean_sd(self, one: Contextual) -> float:
        """Rough sd of the group effects that a latent mean has."""
        return self.facts[one.variable].sd or group_sd(self.table, one.variable, one.grouping)

    def _shift(self, name: str, family: Family, before: Sequence[str] | None, prefix: str) -> ModelShift:
        """Return what a delta in the likelihood adds to the model of a variable."""
        deltas = deltas_of(self.spec.mechanisms, "model")
        if name not in deltas:
            return NO_SHIFT
        shift = model_shift(name, deltas[name], family, self.table, before, prefix)
        level = self.table.level(name)
        self.table = self.table.with_made({column: (own, level) for column, own in shift.made.items()})
        return shift

    def _check_selection(self, name: str, before: Sequence[str], role: str) -> None:
        try:
            self._check_formula(name, self.spec.mechanisms[name].selection, before, role)
        except ModelError as problem:
            raise ModelError(str(problem).replace("formulas[", "mechanisms[", 1)) from None

    def _check_formula(self, name: str, formula: Formula, before: Sequence[str], role: str) -> None:
        refuse_effects(formula, "the model of a scale or of selection")
        _check_covariate_formula(name, formula, self.table, before, self.spec.response, role)
        later = {*self.spec.given["auxiliary"]} - {*before, name}
        for other in sorted(formula.variables & later):
            raise ModelError(
                f"formulas[{name!r}] conditions on {other!r}, which as an auxiliary variable is modelled given {name!r}: leave "
                "it out of auxiliary=, out of the formula, or give order="
            )


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


def _check_named(given: Mapping[str, Any], modelled: Sequence[str], columns: Sequence[str]) -> None:
    for key in ("families", "formulas"):
        for name in given[key]:
            if name not in modelled:
                why = "is complete or not in the formula" if name in columns else "is not in the table"
                raise ModelError(
                    f"{key}[{name!r}]: {name!r} {why}; only incomplete covariates and auxiliary variables have their own model"
                )


def _ordered(
    names: Sequence[str], families: Mapping[str, Family], table: ModelTable, wanted: Sequence[str] | None
) -> list[str]:
    """Return variables in the order of the product: the user's, or that of the rule."""
    sizes = sorted(table.groupings, key=lambda name: len(table.groupings[name].labels))
    ranks = {**{name: i for i, name in enumerate(sizes)}, "row": len(sizes)}
    return list(
        order_variables(
            list(names),
            level_rank={name: ranks[table.level(name)] for name in names},
            is_discrete={name: families[name].is_discrete for name in names},
            n_missing={name: int(table.unknown[name].sum()) for name in names},
            wanted=wanted,
        )
    )


def _means_first(
    order: Sequence[str], means: Sequence[str], table: ModelTable, *, wanted: Sequence[str] | None
) -> list[str]:
    """Return the order with variables of rows that have a latent mean before others of rows."""
    above = [name for name in order if table.level(name) != "row"]
    first = [name for name in order if name in means]
    rest = [name for name in order if name not in {*above, *first}]
    moved = [*above, *first, *rest]
    if wanted and moved != list(order):
        raise ModelError(
            f"order=: {', '.join(first)} with a latent mean comes before other variables of rows: {', '.join(moved)}"
        )
    return moved


def _inside(name: str, family: Family, table: ModelTable) -> ModelTable:
    """Return the table with stand-ins that the variable's family can have: a measurement may lie outside."""
    if name not in table.stand_ins or family.is_discrete:
        return table
    rough = table.stand_ins[name]
    low, high = family.support[:2]
    return table.with_stand_ins({name: np.where((rough > low) & (rough < high), rough, np.nan)})


def _own_formulas(
    name: str, given: str | Sequence[str] | None, columns: Sequence[str]
) -> tuple[str | None, Formula | None]:
    """Return the given right-hand side of a covariate's mean and the formula of its scale, None where absent."""
    if given is None:
        return None, None
    texts = formula_texts(given, f"formulas[{name!r}]")
    first = parse(texts[0] if "~" in texts[0] else f"~ {texts[0]}").response
    if len(texts) == 1 and not isinstance(given, str) and first is not None and first.name not in columns:
        return None, read_scale(texts[0], name, columns)
    return texts[0], read_scale(texts[1], name, columns) if len(texts) > 1 else None


def _check_family(name: str, family: Family, table: ModelTable) -> None:
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


def _check_covariate_formula(
    name: str, formula: Formula, table: ModelTable, earlier: Sequence[str], response: str, role: str
) -> None:
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


def _check_priors(given: Mapping[str, Prior], factors: Sequence[Factor]) -> None:
    known = [name for factor in factors for name in factor_prior_names(factor)]
    for name in given:
        if name not in known:
            raise ModelError(f"priors[{name!r}]: the model has no such parameter; it has {', '.join(known)}")
