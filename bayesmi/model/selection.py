"""Selection equations: whether a value is seen, beside the model of the value, with the names of other parts.

The equation is a probit model of being seen with its own coefficients and group effects, named `selection_…` as those of a
scale are named `sigma_…`. Group effects of a grouping that both equations have are one vector with one covariance: it
belongs to the outcome's equation, and the selection's shares it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import counted
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families import Family, get_family
from bayesmi.families.selected import BY_DESIGN, NOT_SELECTED, SELECTED, Selected, can_be_selected
from bayesmi.formula import Formula, check_variables
from bayesmi.mechanism import Heckman
from bayesmi.model.default_priors import LKJ_ETA
from bayesmi.model.factor import Factor, GroupEffect, SharedEffect
from bayesmi.model.part import assemble_part
from bayesmi.model.table import ModelTable
from bayesmi.priors import Prior

__all__ = ["family_of_selected", "row_kinds", "selected_column", "selection_only", "with_selection"]

PART = "selection"
_NORMAL = {"bernoulli": "probit", "ordinal": "ordinalprobit"}


def selected_column(name: str) -> str:
    """Name of the made column that says which kind each row is of."""
    return f"selected({name})"


def family_of_selected(name: str, family: Family, mechanism: Heckman, asked: str | None) -> Family:
    """Return the family of a variable with a selection equation: the probit one where logit would be the default.

    Raises
    ------
    ModelError, NotSupportedError
        If the family has no latent normal (or t) scale on which its error could be correlated with the selection's.
    """
    label = f"mechanisms[{name!r}]"
    if asked is None and family.name in _NORMAL:
        family = get_family(_NORMAL[family.name])
    if mechanism.errors == "student":
        if family.name not in ("gaussian", "student"):
            raise ModelError(
                f"{label}: errors='student' is for continuous variables with a gaussian model; {name!r} is {family.name}"
            )
        return get_family("student")
    if not can_be_selected(family.name) or family.name == "student":
        nearest = _NORMAL.get(family.name, "gaussian")
        if family.name == "student":
            raise ModelError(f"{label}: say errors='student' instead of the family 'student'")
        raise NotSupportedError(
            f"{label}: a Heckman model of the {family.name} variable {name!r} is not supported; those that are: gaussian, "
            f"lognormal, probit, cumulative probit, such as families={{{name!r}: {nearest!r}}}"
        )
    return family


def row_kinds(
    name: str, mechanism: Heckman, groupings: Sequence[str], table: ModelTable
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the kind of each row, (n,), and what should be known about clusters without any value."""
    unknown = table.unknown[name]
    kinds = np.where(unknown, float(NOT_SELECTED), float(SELECTED))
    notices = []
    for grouping in groupings:
        group = table.groupings[grouping]
        applies = ~table.column(name).absent
        seen = np.bincount(group.codes[~unknown & applies], minlength=len(group.labels))
        there = np.bincount(group.codes[applies], minlength=len(group.labels))
        empty = (seen == 0) & (there > 0)
        rows = empty[group.codes] & unknown
        if not rows.any():
            continue
        groups, cells = counted(int(empty.sum()), "group"), counted(int(rows.sum()), "row")
        found = f"{name!r} is wholly missing in {groups} of {grouping} ({cells})"
        if mechanism.systematic == "selected":
            notices.append(
                f"{found}, and systematic='selected' takes each of these rows as not selected: a variable that was not measured "
                "there makes the group's selection effect, and with it its values, extreme"
            )
        else:
            kinds[rows] = BY_DESIGN
            notices.append(
                f"{found}: taken as missing by design, without selection; Heckman(systematic='selected') is the other reading"
            )
    return kinds, tuple(notices)


def selection_only(mechanism: Heckman, formula: Formula) -> frozenset[str]:
    """Columns of the selection equation that an analysis formula does not have."""
    return mechanism.selection.variables - formula.variables


def with_selection(
    factor: Factor, mechanism: Heckman, table: ModelTable, given: Mapping[str, Prior]
) -> tuple[Factor, tuple[str, ...]]:
    """Return the factor with its selection equation, and notices about it.

    Default priors: intercept at the predictors' observed means Normal(0, 2.5), slopes Normal(0, 2.5 / sd of the predictor),
    group sds HalfNormal(1 / sd of the slope's column), correlations LKJ(2), rho uniform.

    Raises
    ------
    ModelError, NotSupportedError
        If a predictor is constant, wholly missing or unknown, or the variable is not one of rows.
    """
    name, formula, label = factor.variable, mechanism.selection, f"mechanisms[{factor.variable!r}]"
    if factor.level != "row":
        raise NotSupportedError(
            f"{label}: {name!r} has one value a {factor.level}; a Heckman model is supported for variables of rows"
        )
    if factor.scale is not None:
        raise NotSupportedError(
            f"{label}: {factor.scale.parameter} of {name!r} has a model, which is not supported beside a selection equation"
        )
    if mechanism.matching and factor.family.has_levels:
        raise ModelError(
            f"{label}: matching=True is for continuous variables; {name!r} is {factor.family.name}, and its draws are observed "
            "levels already"
        )
    check_variables(formula, (*table.frame.columns, *table.made))
    part, notices = assemble_part(
        factor,
        formula,
        get_family("probit"),
        table,
        given,
        parameter=PART,
        words="the selection",
        location=0.0,
        spread=1.0,
        prior_spread=1.0,
        whitening_scale=math.sqrt(math.pi / 2.0),
    )
    selected = Selected(factor.family, mechanism.fixed_rho)
    scales = dict(factor.priors.scales)
    starts = dict(factor.starts)
    if mechanism.fixed_rho is None:
        chosen = given.get(f"{factor.prefix}rho", mechanism.prior)
        if chosen.name not in ("LKJ", "Beta"):
            raise ModelError(
                f"priors[{factor.prefix + 'rho'!r}] needs Prior('LKJ', eta), or Prior('Beta', a, b) of (rho + 1) / 2, not "
                f"{chosen}"
            )
        scales["rho"], starts["rho"] = chosen, np.zeros(1)
    made = replace(
        factor,
        family=cast(Family, selected),
        selection=part,
        matching=mechanism.matching,
        priors=replace(factor.priors, scales=scales),
        starts=starts,
    )
    made, more = _joined(made, mechanism, given)
    return made, (*notices, *more, *_exclusion(made))


def _exclusion(factor: Factor) -> tuple[str, ...]:
    """Say what identifies rho where every predictor of the selection stands in the outcome's equation too."""
    assert factor.selection is not None
    slopes = frozenset().union(*(effect.variables for effect in factor.effects))
    outcome = factor.design.variables | factor.offsets.variables | slopes
    own = factor.selection.design.variables | factor.selection.offsets.variables
    if own - outcome:
        return ()
    what = ", ".join(sorted(own)) or "an intercept alone"
    return (
        f"selection of {factor.variable!r}: no variable is in the selection equation only ({what} in both): rho rests on the "
        "normal shape of the errors and on its prior, not on data; add a variable that moves being seen and not the value",
    )


def _joined(factor: Factor, mechanism: Heckman, given: Mapping[str, Prior]) -> tuple[Factor, tuple[str, ...]]:
    """Join the group effects of the two equations, grouping by grouping."""
    part = factor.selection
    assert part is not None
    label = f"mechanisms[{factor.variable!r}]"
    common = [effect for effect in part.effects if any(e.grouping == effect.grouping for e in factor.effects)]
    fixed = mechanism.group_rho
    if fixed is not None and not common:
        raise ModelError(
            f"{label}: group_rho={fixed:g} needs group effects of one grouping in both equations; there are none"
        )
    if fixed == 0.0 or not common:
        return factor, ()
    notices: list[str] = []
    shared: list[SharedEffect] = []
    for own in common:
        outer = factor.effect(own.grouping)
        sizes = outer.n_effects, own.n_effects
        if len(outer.blocks) > 1 or len(own.blocks) > 1:
            if fixed is not None:
                raise NotSupportedError(
                    f"{label}: group_rho={fixed:g} is supported for one intercept of {own.grouping} in each equation; "
                    "group_rho=0 for all"
                )
            notices.append(
                f"effects of {own.grouping} are uncorrelated in one of the equations of {factor.variable!r} ('||'): they are "
                "taken as independent across the equations too"
            )
            continue
        if fixed is not None and sizes != (1, 1):
            raise NotSupportedError(
                f"{label}: group_rho={fixed:g} is supported for one intercept of {own.grouping} in each equation, not for "
                f"{sizes[0]} and {sizes[1]} effects; group_rho=0 for all"
            )
        shared.append(SharedEffect(own.grouping, own.designs, sizes[0]))
        joint = replace(
            outer,
            names=(*outer.names, *(f"{PART}_{name}" for name in own.names)),
            blocks=((0, sum(sizes)),),
            elsewhere=own.n_effects,
            known_correlation=fixed,
        )
        factor, part = _move(factor, part, joint, given)
    part = replace(part, shared=tuple(shared))
    return replace(factor, selection=part), tuple(notices)


def _move(
    factor: Factor, part: Factor, joint: GroupEffect, given: Mapping[str, Prior]
) -> tuple[Factor, Factor]:
    """Move the selection's effects of a grouping into the outcome's, with their priors."""
    grouping = joint.grouping
    sds = dict(factor.priors.group_sds)
    own_sds = dict(part.priors.group_sds)
    sds[grouping] = (*sds[grouping], *own_sds.pop(grouping))
    correlations = dict(factor.priors.correlations)
    own_correlations = {key: eta for key, eta in part.priors.correlations.items() if key != grouping}
    if joint.known_correlation is None:
        name = f"{factor.prefix}{grouping}__corr"
        prior = given.get(name, Prior("LKJ", LKJ_ETA))
        if prior.support != "correlation":
            raise ModelError(f"priors[{name!r}] needs Prior('LKJ', eta), not {prior}")
        correlations[grouping] = prior.parameters["eta"]
    factor = replace(
        factor,
        effects=tuple(joint if e.grouping == grouping else e for e in factor.effects),
        priors=replace(factor.priors, group_sds=sds, correlations=correlations),
    )
    part = replace(
        part,
        effects=tuple(e for e in part.effects if e.grouping != grouping),
        priors=replace(part.priors, group_sds=own_sds, correlations=own_correlations),
    )
    return factor, part
