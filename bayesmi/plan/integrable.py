"""Which continuous cells can be, and are worth being, integrated out of their row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan.cells import children_of

__all__ = ["integrable_cells"]


def integrable_cells(
    factors: tuple[Factor, ...],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    wanted: Mapping[str, str],
) -> dict[str, NDArray[np.bool_]]:
    """Return for each variable the rows whose informative cell is integrated out.

    A cell qualifies where its own factor and every factor of the row that it enters are Gaussian with identity link,
    jointly linear in the row's continuous cells, and have no group-specific slope on it. Where a factor's group
    effects could be integrated out instead, that is kept if there are no more cells than group effects.
    """
    continuous = {
        f.variable
        for f in factors
        if f.level == "row" and f.family.is_gaussian_identity and table.is_incomplete(f.variable)
    }
    out: dict[str, NDArray[np.bool_]] = {}
    for factor in factors:
        name = factor.variable
        if name not in continuous or wanted.get(name) == "sample":
            continue
        rows = table.unknown[name] & active[name]
        touched = [factor]
        for child in children_of(name, factors):
            latent = sorted(continuous & child.parents)
            linear = (
                child.family.is_gaussian_identity
                and child.design.is_affine_in(latent)
                and not any(name in effect.variables for effect in child.effects)
                and name not in child.offsets.variables
            )
            if linear:
                touched.append(child)
            else:
                rows = rows & ~active[child.variable]
        if not rows.any():
            continue
        n_effects = sum(
            len(table.groupings[effect.grouping].labels) * effect.n_effects
            for other in touched
            if other.family.is_gaussian_identity
            for effect in other.effects
        )
        if wanted.get(name) == "integrate" or int(rows.sum()) > n_effects:
            out[name] = rows
    return out
