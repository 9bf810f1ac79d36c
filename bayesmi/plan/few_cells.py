"""Integrated cells that are too few: those that keep more group effects from being integrated out than they are themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan.cell_group import CellGroup
from bayesmi.plan.cells import children_of
from bayesmi.plan.effects import EffectGroup

__all__ = ["better_sampled"]


def better_sampled(
    factors: Sequence[Factor],
    table: ModelTable,
    cells: Sequence[CellGroup],
    effects: Sequence[EffectGroup],
    wanted: Mapping[str, str],
) -> frozenset[str]:
    """Return the variables whose integrated cells had better be sampled, so that group effects can be integrated out."""
    joint = {own.variable for own in effects if own.jointly}
    out = set()
    for group in cells:
        if group.treatment != "integrate" or group.level != "row":
            continue
        if wanted.get(group.variable) == "integrate":
            continue
        touched = [factor for factor in factors if factor.variable == group.variable]
        touched += children_of(group.variable, factors)
        # beside a model of the scale, on an incomplete column, or beside a grouping that leaves anyway they would be sampled
        n_effects = sum(
            table.groupings[effect.grouping].n_groups * effect.n_effects
            for factor in touched
            if factor.scale is None and factor.name not in joint
            for effect in factor.effects
            if not any(table.is_incomplete(varying) for varying in effect.variables)
        )
        if len(group.units) <= n_effects:
            out.add(group.variable)
    return frozenset(out)
