"""Sets of group effects that are integrated out together: those of one grouping in the models of several variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["JointSystem", "joint_systems"]


@dataclass(frozen=True)
class JointSystem:
    """The effects of each group, stacked: those of one equation after those of another, independent of each other a priori."""

    grouping: str
    n_groups: int
    equations: tuple[tuple[str, int], ...]  # key of the equation, its effects

    @property
    def width(self) -> int:
        """Effects of a group in all."""
        return sum(q for _, q in self.equations)

    def first(self, key: str) -> int:
        """Return the place of the first effect of an equation."""
        at = [own for own, _ in self.equations].index(key)
        return sum(q for _, q in self.equations[:at])


def joint_systems(factors: Sequence[Factor], plan: Plan) -> tuple[JointSystem, ...]:
    """Return the sets of a plan, one for each grouping that has one."""
    equations: dict[str, list[tuple[str, int]]] = {}
    for factor in factors:
        for effect in factor.effects:
            if plan.is_joint(factor.name, effect.grouping):
                equations.setdefault(effect.grouping, []).append((factor.keys[0], effect.n_effects))
    groups = {effect.grouping: effect.n_groups for effect in plan.effects}
    return tuple(JointSystem(grouping, groups[grouping], tuple(own)) for grouping, own in equations.items())
