"""Columns of a Gaussian factor for cross products: of its residual, and of its group effects.

An effect of a group adds its column of Z times a number that all of the group's rows share, the effect of an earlier
variable (a link) a column of ones times another: columns of the cross products like those of the design.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.build.statistics import residual_columns
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = [
    "GroupTerm",
    "StackedColumns",
    "group_codes",
    "joint_groupings",
    "may_have_groups",
    "stack_columns",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class GroupTerm:
    """One effect of one group in a factor's predictor."""

    column: int  # of the factor's columns in the cross products
    source: str  # linear predictor whose effect it is
    grouping: str
    group: int
    position: int  # among the effects of the grouping
    coefficient: int  # of a link among the factor's coefficients, -1 of an effect of its own


@dataclass(frozen=True)
class StackedColumns:
    """The columns (T, width) of a factor's table, those of Z that are no ones after those of the residual.

    Effects that are integrated out jointly (`joint`: their groupings) have their columns too, but no terms.
    """

    factor: Factor
    table: FactorTable
    joint: tuple[str, ...]
    columns: Floats
    places: tuple[tuple[int, ...], ...]  # by grouping, the column of each effect
    ones: int  # column of links

    def terms(self, row: int) -> tuple[GroupTerm, ...]:
        """Return the effects in the predictor of a row that stay in the density."""
        return self._terms(row)

    def joint_terms(self) -> tuple[GroupTerm, ...]:
        """Return the effects in the predictor that are integrated out jointly, of whatever group: -1."""
        return self._terms(None)

    def _terms(self, row: int | None) -> tuple[GroupTerm, ...]:
        def group(codes: Ints) -> int:
            return -1 if row is None else int(codes[row])

        own = [
            GroupTerm(column, self.factor.keys[0], effect.grouping, group(effect.codes), c, -1)
            for effect, places in zip(self.table.effects, self.places, strict=True)
            for c, column in enumerate(places)
        ]
        own += [
            GroupTerm(
                self.ones, link.key, link.grouping, group(self.table.links[link.name]), link.position,
                self.factor.design.n_columns + m,
            )
            for m, link in enumerate(self.factor.links)
        ]  # fmt: skip
        return tuple(term for term in own if (term.grouping in self.joint) == (row is None))

    def codes_of(self, grouping: str) -> Ints | None:
        """Return the group of each row, (T,); None where no effect of that grouping enters."""
        for effect in self.table.effects:
            if effect.grouping == grouping:
                return effect.codes
        for link in self.factor.links:
            if link.grouping == grouping:
                return self.table.links[link.name]
        return None


def stack_columns(factor: Factor, table: FactorTable, plan: Plan) -> StackedColumns:
    """Return the columns of a factor on its rows."""
    parts = list(residual_columns(factor, table).T)
    has_ones = factor.priors.intercept is not None
    places = []
    for effect in table.effects:
        own = []
        for z in effect.base.T:
            if has_ones and (z == 1.0).all():
                own.append(0)
                continue
            own.append(len(parts))
            parts.append(z)
        places.append(tuple(own))
    ones = 0
    if table.links and not has_ones:
        ones = len(parts)
        parts.append(np.ones(table.n_rows))
    return StackedColumns(
        factor, table, joint_groupings(factor, plan), np.column_stack(parts), tuple(places), ones
    )


def may_have_groups(factor: Factor, table: FactorTable, plan: Plan) -> bool:
    """Whether all effects in a factor are sampled, and none of its sampled cells has a slope that varies."""
    return all(
        not effect.source
        and not effect.slabs
        and (
            plan.effect(factor.name, effect.grouping).treatment != "collapse"
            or effect.grouping in joint_groupings(factor, plan)
        )
        for effect in table.effects
    )


def group_codes(factor: Factor, table: FactorTable, plan: Plan) -> list[Ints]:
    """Return the groups of each row, (T,) each: of effects and of links, but of those that are integrated out jointly."""
    joint = joint_groupings(factor, plan)
    own = [effect.codes for effect in table.effects if effect.grouping not in joint]
    return [*own, *(table.links[link.name] for link in factor.links if link.grouping not in joint)]


def joint_groupings(factor: Factor, plan: Plan) -> tuple[str, ...]:
    """Return the groupings whose effects are integrated out of a factor's rows jointly, own ones or linked, inner ones first."""
    own_set = plan.joint_set(factor.variable)
    if own_set is None:
        return ()
    there = {effect.grouping for effect in factor.effects} | {link.grouping for link in factor.links}
    return tuple(name for name in own_set.groupings if name in there)
