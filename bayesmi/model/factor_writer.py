"""Factors written one after the other: each may make columns of the table and is a fact for those after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bayesmi.errors import ModelError
from bayesmi.families import Family, family_for_kind, get_family
from bayesmi.formula import Formula, parse
from bayesmi.formula.substitute import substituted
from bayesmi.mechanism import deltas_of, heckmans_of
from bayesmi.model.assemble import assemble_factor
from bayesmi.model.automatic import AutomaticFormula, Earlier, group_sd, write_formula
from bayesmi.model.checks import check_spread, slope_notices
from bayesmi.model.contextual import balanced_columns, refuse_contextual, write_own_formula
from bayesmi.model.effect_terms import effect_links, refuse_effects, take_effects
from bayesmi.model.factor import Contextual, EffectLink, Factor
from bayesmi.model.indicators import shared_links
from bayesmi.model.joint_spec import JointSpec
from bayesmi.model.limited import limit_kinds
from bayesmi.model.observed import observation_factor
from bayesmi.model.own_models import check_covariate_formula, check_family
from bayesmi.model.scale import formula_texts, read_scale, with_scale
from bayesmi.model.selection import (
    family_of_selected,
    row_kinds,
    selected_column,
    selection_only,
    with_selection,
)
from bayesmi.model.shifted import NO_SHIFT, ModelShift, model_shift
from bayesmi.model.table import ModelTable

__all__ = ["FactorWriter", "inside_support"]


@dataclass
class FactorWriter:
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
        check_family(response, family, self.table)
        self.table = inside_support(response, family, self.table)
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
        check_covariate_formula(name, formula, self.table, before, self.spec.response, role)
        later = {*self.spec.given["auxiliary"]} - {*before, name}
        for other in sorted(formula.variables & later):
            raise ModelError(
                f"formulas[{name!r}] conditions on {other!r}, which as an auxiliary variable is modelled given {name!r}: leave "
                "it out of auxiliary=, out of the formula, or give order="
            )


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


def inside_support(name: str, family: Family, table: ModelTable) -> ModelTable:
    """Return the table with stand-ins that the variable's family can have: a measurement may lie outside."""
    if name not in table.stand_ins or family.is_discrete:
        return table
    rough = table.stand_ins[name]
    low, high = family.support[:2]
    return table.with_stand_ins({name: np.where((rough > low) & (rough < high), rough, np.nan)})
