"""Group effects of several models, integrated out together with the cells of their rows.

Rows of Gaussian models are tied to each other by the cells that are integrated out of them and by group effects that are
predictors of later models. Where everything in such a set of models is Gaussian, cells and the effects of one grouping, and of
one around it, have one Gaussian distribution given the parameters and the effects of other groupings, and leave the density
together (kernel/jointly.py). That takes cells that enter all rows of a pattern alike, and effects on complete columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.factor import Factor
from bayesmi.model.limited import interval_at
from bayesmi.model.table import ModelTable
from bayesmi.plan.alike import are_alike
from bayesmi.plan.cell_group import CellGroup
from bayesmi.plan.effects import EffectGroup
from bayesmi.plan.overrides import effect_key
from bayesmi.plan.same_rows import in_expanded_rows, in_same_rows
from bayesmi.plan.systems import System

__all__ = ["JointSet", "integrate_jointly", "may_be_joint"]

_REASON = "Gaussian: in closed form, together with {what}"


@dataclass(frozen=True)
class JointSet:
    """Models whose effects of a grouping, and of one around it, are integrated out together with the cells of their rows."""

    variables: tuple[str, ...]
    grouping: str
    n_groups: int
    outer: str = ""  # the grouping around it, or none
    outer_of: NDArray[np.intp] = field(  # (G,) group of the outer grouping that each group lies in
        default_factory=lambda: np.zeros(0, dtype=np.intp), compare=False, repr=False
    )

    @property
    def groupings(self) -> tuple[str, ...]:
        """Both groupings, the inner one first."""
        return (self.grouping, self.outer) if self.outer else (self.grouping,)


def integrate_jointly(
    effects: tuple[EffectGroup, ...],
    factors: Sequence[Factor],
    table: ModelTable,
    cells: Sequence[CellGroup],
    systems: Sequence[System],
    wanted: Mapping[str, str],
    otherwise: Callable[[EffectGroup, Sequence[str]], EffectGroup],
) -> tuple[tuple[EffectGroup, ...], tuple[JointSet, ...]]:
    """Return the effects with those marked that are integrated out together, and the sets of models.

    Parameters
    ----------
    effects : tuple of EffectGroup
        As each would be treated by itself.
    factors, table
        The model.
    cells, systems
        Missing cells with their treatments, and those that observed derived values tie together.
    wanted : mapping
        Treatments asked for.
    otherwise : callable
        How effects are treated, given them and the groupings of their model that are integrated out in their place.
    """
    if any(group.treatment == "gibbs" for group in cells):  # cells and effects are drawn in turn then
        return effects, ()
    integrated = frozenset(group.variable for group in cells if group.treatment == "integrate")
    apart = {group.variable for group in cells if group.treatment not in ("integrate", "predict", "deduce")}
    good = _gaussian(factors, table, apart | in_expanded_rows(cells, systems, table), integrated)
    out = {(own.variable, own.grouping): own for own in effects}
    sets = []
    for component in _components(factors, integrated, in_same_rows(cells)):
        if not all(factor.variable in good for factor in component):
            continue
        alone = len(component) == 1 and component[0].variable not in integrated
        own_set = _choose(component, out, table, wanted, alone)
        if own_set is None:
            continue
        sets.append(own_set)
        for factor in component:
            for effect in factor.effects:
                own = out[factor.name, effect.grouping]
                if effect.grouping in own_set.groupings:
                    reason = _reason(factor, component, own_set, integrated)
                    out[factor.name, effect.grouping] = EffectGroup(
                        own.variable,
                        own.grouping,
                        "collapse",
                        own.n_groups,
                        own.n_effects,
                        reason,
                        jointly=True,
                    )
                else:
                    there = {e.grouping for e in factor.effects} | {link.grouping for link in factor.links}
                    instead = [name for name in own_set.groupings if name in there]
                    out[factor.name, effect.grouping] = otherwise(own, instead or own_set.groupings)
    return tuple(out[own.variable, own.grouping] for own in effects), tuple(sets)


def _reason(
    factor: Factor, component: Sequence[Factor], own_set: JointSet, integrated: Collection[str]
) -> str:
    """Say together with what the effects of a model are integrated out."""
    cells = sorted(name for name in integrated if name in factor.parents or name == factor.variable)
    mates = [f for f in component if any(e.grouping in own_set.groupings for e in f.effects)]
    others = [f.variable for f in mates if f.variable != factor.variable]
    parts = [f"the cells of {_listed(cells)}"] if cells else []
    if others:
        parts.append(f"the effects in the model{'s' * (len(others) > 1)} of {_listed(others)}")
    if not parts:
        parts.append(f"those of {' and '.join(own_set.groupings)}")
    return _REASON.format(what=" and ".join(parts))


def may_be_joint(factor: Factor, table: ModelTable) -> bool:
    """Whether the rows of a factor can be part of such a set, whatever becomes of its cells."""
    return (
        factor.level == "row"
        and factor.family.is_gaussian_identity
        and factor.scale is None
        and factor.selection is None
        and not factor.is_observation
        and not factor.limits
        and not factor.shifts
        and not factor.means
        and not interval_at(factor.variable, "row", table)[2].any()
    )


def _gaussian(
    factors: Sequence[Factor],
    table: ModelTable,
    apart: Collection[str],
    integrated: Collection[str],
) -> set[str]:
    """Variables whose models are Gaussian in all their unknowns, none of them `apart`, which enter all rows alike."""
    return {
        factor.variable
        for factor in factors
        if may_be_joint(factor, table)
        and not (factor.parents | {factor.variable}) & set(apart)
        and all(_enters_alike(factor, name, table) for name in integrated if name in factor.parents)
    }


def _enters_alike(factor: Factor, name: str, table: ModelTable) -> bool:
    """Whether a step of a missing cell changes the predictor by the same columns in all rows, and no group effect."""
    if any(name in effect.variables for effect in factor.effects) or name in factor.offsets.variables:
        return False
    rows = np.flatnonzero(table.unknown[name])
    values = {own: np.nan_to_num(table.values[own][rows]) for own in factor.design.variables}
    low = factor.matrix({**values, name: np.zeros(len(rows))}, len(rows))
    high = factor.matrix({**values, name: np.ones(len(rows))}, len(rows))
    return are_alike(high - low)


def _components(
    factors: Sequence[Factor], integrated: Collection[str], together: Collection[tuple[str, str]]
) -> list[list[Factor]]:
    """Return the sets of models that share integrated cells or group effects, those of effects alone too.

    Cells that are integrated out of the same rows (`together`: pairs of variables) leave in one step.
    """
    number = {factor.variable: n for n, factor in enumerate(factors)}

    def join(one: str, other: str) -> None:
        keep, drop = number[one], number[other]
        for name, own in number.items():
            if own == drop:
                number[name] = keep

    for factor in factors:
        for name in factor.parents:
            if name in integrated:
                join(factor.variable, name)
        for link in factor.links:
            join(factor.variable, link.variable)
    for one, other in together:
        join(one, other)
    return [[f for f in factors if number[f.variable] == n] for n in sorted(set(number.values()))]


def _choose(
    component: Sequence[Factor],
    effects: Mapping[tuple[str, str], EffectGroup],
    table: ModelTable,
    wanted: Mapping[str, str],
    alone: bool,
) -> JointSet | None:
    """Return the groupings with most effects that can be integrated out of a set of models, None if it gains nothing.

    Out of a model `alone`, without integrated cells, one grouping is integrated anyway.
    """
    numbers: dict[str, int] = {}
    gains: set[str] = set()
    refused: set[str] = set()
    named: set[str] = set()
    for factor in component:
        for effect in factor.effects:
            own = effects[factor.name, effect.grouping]
            numbers[effect.grouping] = numbers.get(effect.grouping, 0) + own.n_groups * own.n_effects
            if own.treatment != "collapse":
                gains.add(effect.grouping)
            asked = wanted.get(effect_key(factor, effect), "collapse")
            if effect_key(factor, effect) in wanted and asked == "collapse":
                named.add(effect.grouping)
            incomplete = any(table.is_incomplete(name) for name in effect.variables)
            if asked != "collapse" or incomplete or effect.elsewhere:
                refused.add(effect.grouping)
    free = [name for name in numbers if name not in refused]
    sets: list[tuple[str, ...]] = [] if alone else [(name,) for name in free]
    sets += [(inner, outer) for inner in free for outer in free if table.contains(outer, inner)]
    best = max(
        (own for own in sets if gains & set(own)),
        key=lambda own: (len(named & set(own)), sum(numbers[name] for name in own)),
        default=None,
    )
    if best is None:
        return None
    inner = table.groupings[best[0]]
    variables = tuple(factor.variable for factor in component)
    if len(best) == 1:
        return JointSet(variables, best[0], inner.n_groups)
    outer_of = table.groupings[best[1]].codes[inner.first_row]
    return JointSet(variables, best[0], inner.n_groups, best[1], outer_of)


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} and {parts[-1]}"
