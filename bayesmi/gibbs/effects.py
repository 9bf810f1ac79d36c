"""Collapsed group effects that sweeps over held cells drew, as one vector a draw and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.plan import EffectGroup, Plan

__all__ = ["collapsed_groups", "flat_effects", "with_effects"]

Floats = NDArray[np.float64]


def collapsed_groups(plan: Plan) -> tuple[EffectGroup, ...]:
    """Return the group effects that are integrated out while NUTS runs."""
    return tuple(one for one in plan.effects if one.treatment == "collapse")


def flat_effects(plan: Plan, draw: PosteriorDraws) -> Floats:
    """Return the collapsed effects of one draw, (numbers,)."""
    parts = [draw.factors[e.variable].effects[e.grouping].ravel() for e in collapsed_groups(plan)]
    return np.concatenate(parts) if parts else np.zeros(0)


def with_effects(plan: Plan, draws: PosteriorDraws, effects: Floats) -> PosteriorDraws:
    """Return draws with collapsed effects from vectors, (S, numbers)."""
    start = 0
    for one in collapsed_groups(plan):
        stop = start + one.n_groups * one.n_effects
        shape = (draws.n, one.n_groups, one.n_effects)
        draws = draws.with_effects(one.variable, one.grouping, effects[:, start:stop].reshape(shape))
        start = stop
    return draws
