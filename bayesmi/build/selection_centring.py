"""Centred group effects of a selection equation: v = u + what the fixed effects of that equation contribute in the group.

They stand among the effects of the outcome's equation, with which they are correlated, but their intercept and slopes are the
selection equation's: its rows hold intercept plus effect tightly and either of them hardly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.centring import centrings, columns_alike, known_means
from bayesmi.build.regression import regression_of
from bayesmi.build.tables import Tables
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["SelectionCentring", "selection_centring"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SelectionCentring:
    """What the fixed effects of a selection equation contribute to its effects: intercept and weights @ coefficients."""

    first: int  # its first effect among the outcome's
    intercept: int  # the effect, among the outcome's, that takes the intercept (less its location), or -1
    weights: Floats  # (its effects, G, p)

    def shift(self, above: Floats | None, coefficients: Floats) -> Floats:
        """Return the contributions, (S, G, its effects), of intercepts over their location (S,) and coefficients (S, p)."""
        out = np.einsum("qgj,sj->sgq", self.weights, coefficients[:, : self.weights.shape[2]])
        if self.intercept >= 0 and above is not None:
            out[:, :, self.intercept - self.first] += above[:, None]
        return out


def selection_centring(factor: Factor, tables: Tables, plan: Plan) -> dict[str, SelectionCentring]:
    """Return the centring of the effects of a factor's selection equation by grouping, where these are centred."""
    out: dict[str, SelectionCentring] = {}
    part = factor.selection
    if part is None:
        return out
    table = tables.of(part)
    if regression_of(part, part.keys[0], table, plan, centrings(part, table, plan)) is not None:
        return out  # its coefficients are sampled given the values of groups of its own
    p = part.design.n_columns
    raw = table.base + part.centers[:p]
    for shared in part.shared:
        planned = plan.effect(factor.name, shared.grouping)
        effect = table.effect(shared.grouping)
        n_effects = effect.base.shape[1]
        if planned.n_centred < n_effects:
            continue
        weights = np.zeros((n_effects - shared.first, effect.n_groups, p))
        own = range(shared.first, n_effects)
        varying = {int(c) for slab in effect.slabs for c in slab.columns}
        takes = [c for c in own if c not in varying and (effect.base[:, c] == 1.0).all()]
        free = list(range(p))
        for j in range(p):
            slope = next((c for c in own if c not in takes and columns_alike(raw, table, effect, j, c)), None)
            if slope is None or (not takes and part.centers[j] != 0.0):
                continue
            weights[slope - shared.first, :, j] = 1.0
            if takes:  # columns are centred: the constant goes to the intercept
                weights[takes[0] - shared.first, :, j] -= part.centers[j]
            free.remove(j)
        if takes:
            means = known_means(table, effect)
            weights[takes[0] - shared.first][:, free] = means[:, free]
        intercept = takes[0] if takes and part.priors.intercept is not None else -1
        if intercept >= 0 or weights.any():
            out[shared.grouping] = SelectionCentring(shared.first, intercept, weights)
    return out
