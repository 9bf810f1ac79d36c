"""Sets of group effects that are integrated out together: how the effects of a group, and of the one around it, are stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bayesmi.build.patterns import JointTerm
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan
from bayesmi.plan.jointly import JointSet

__all__ = ["JointSystem", "joint_systems"]


@dataclass(frozen=True)
class JointSystem:
    """The effects of each group, those of one equation after those of another, then those of the outer group in the same way.

    Equations are independent of each other a priori.
    """

    own_set: JointSet
    # key of the equation, grouping, how many effects; inner ones first
    equations: tuple[tuple[str, str, int], ...]

    @property
    def width(self) -> int:
        """Effects of a group and of the one around it."""
        return sum(q for *_, q in self.equations)

    @property
    def inner_width(self) -> int:
        """Effects of a group."""
        return sum(q for _, grouping, q in self.equations if grouping == self.own_set.grouping)

    @property
    def n_outer(self) -> int:
        """Number of outer groups."""
        return int(self.own_set.outer_of.max(initial=-1)) + 1

    def first(self, key: str, grouping: str) -> int:
        """Return the place of the first effect of an equation."""
        at = [own[:2] for own in self.equations].index((key, grouping))
        return sum(q for *_, q in self.equations[:at])

    def slot(self, term: JointTerm) -> int:
        """Return the place of an effect."""
        return self.first(term.source, term.grouping) + term.position


def joint_systems(factors: Sequence[Factor], plan: Plan) -> tuple[JointSystem, ...]:
    """Return the sets of a plan with their effects."""
    out = []
    for own_set in plan.joint:
        equations = tuple(
            (factor.keys[0], grouping, effect.n_effects)
            for grouping in own_set.groupings
            for factor in factors
            if factor.variable in own_set.variables
            for effect in factor.effects
            if effect.grouping == grouping
        )
        out.append(JointSystem(own_set, equations))
    return tuple(out)
