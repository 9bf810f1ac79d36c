"""Integrated cells that are too few: those that keep more group effects from being integrated out than they are themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan.cells import children_of
from bayesmi.plan.effects import EffectGroup

__all__ = ["better_sampled"]


class _Cells(Protocol):
    @property
    def variable(self) -> str: ...
    @property
    def treatment(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def units(self) -> NDArray[np.intp]: ...


def better_sampled(
    factors: Sequence[Factor],
    table: ModelTable,
    cells: Sequence[_Cells],
    effects: Sequence[EffectGroup],
    wanted: Mapping[str, str],
) -> frozenset[str]:
    """Return the variables whose integrated cells had better be sampled, so that group effects can be integrated out."""
    joint = {(own.variable, own.grouping) for own in effects if own.jointly}
    out = set()
    for group in cells:
        if (
            group.treatment != "integrate"
            or group.level != "row"
            or wanted.get(group.variable) == "integrate"
        ):
            continue
        touched = [f for f in factors if f.variable == group.variable] + list(
            children_of(group.variable, factors)
        )
        n_effects = sum(
            len(table.groupings[effect.grouping].labels) * effect.n_effects
            for factor in touched
            if factor.scale is None  # else they are not integrated out anyway
            and not any(
                (factor.name, effect.grouping) in joint for effect in factor.effects
            )  # one grouping is
            for effect in factor.effects
            if not any(table.is_incomplete(varying) for varying in effect.variables)  # nor here
        )
        if len(group.units) <= n_effects:
            out.add(group.variable)
    return frozenset(out)
