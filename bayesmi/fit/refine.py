"""Grids laid finer and wider until they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bayesmi.build.tables import make_tables
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.errors import NotSupportedError
from bayesmi.fit.grids import MOST_EDGE, MOST_ERROR, GridAccuracy, check_grids
from bayesmi.model import Model
from bayesmi.plan import Plan, make_plan
from bayesmi.plan.held import HELD

__all__ = ["next_grids", "refine", "refined_plan"]

Accuracy = tuple[GridAccuracy, ...]
Factors = Mapping[str, float]  # how much finer, or wider, than at first, by variable
_STEPS = 8
_SHARES = (1.0, 0.5, 0.25)  # of a step, where a whole one is beyond what a grid may have
_ERROR, _EDGE = 0.1 * MOST_ERROR, 0.01 * MOST_EDGE  # aimed at: other draws will ask for more


def next_grids(finer: Factors, wider: Factors, accuracy: Accuracy) -> tuple[Factors, Factors]:
    """Return how much finer and wider than at first each grid is to be, where it is not as accurate as is aimed at."""
    finer, wider = dict(finer), dict(wider)
    for one in accuracy:
        if one.error > max(_ERROR, 2.0 * one.edge):  # what is cut off at the ends is part of the error
            # between errors that fall as exp(-c / h²) and as exp(-c / h)
            finer[one.variable] = finer.get(one.variable, 1.0) * _step(one.error, _ERROR, 2 / 3, 4.0)
        if one.edge > _EDGE:
            # between tails that fall as exp(-c x²) and as exp(-c x)
            wider[one.variable] = wider.get(one.variable, 1.0) * _step(one.edge, _EDGE, 3 / 4, 2.5)
    return finer, wider


def _step(seen: float, wanted: float, power: float, most: float) -> float:
    """Return how much further to go from what was seen to what is wanted, on a scale where logarithms grow as a power."""
    ratio = np.log(2.0 / wanted) / np.log(2.0 / min(seen, 1.0))
    return float(np.clip(ratio**power, 1.15, most))


def refine[T](
    laid: T,
    accuracy: Accuracy,
    finer: Factors,
    wider: Factors,
    again: Callable[[Factors, Factors], tuple[T, Accuracy] | None],
) -> tuple[T, Accuracy]:
    """Lay grids that do not hold again, until they are as accurate as is aimed at where they are looked at.

    Parameters
    ----------
    laid, accuracy
        What was laid out, and what was seen of its grids.
    finer, wider : mapping
        How it was laid out.
    again : callable
        Lays out with finer and wider grids and looks at them; None, or a `NotSupportedError`, where these are beyond
        the budget: a shorter step, or what was laid out before, has to do. With no accuracy, where they cannot be
        looked at here: taken only where what was laid out before does not hold.
    """
    if all(one.holds for one in accuracy):
        return laid, accuracy
    for _ in range(_STEPS):
        asked_finer, asked_wider = next_grids(finer, wider, accuracy)
        for share in _SHARES:
            factors = _towards(finer, asked_finer, share), _towards(wider, asked_wider, share)
            further = _laid_out(again, *factors)
            if further is not None:
                break
        if further is None:
            break
        if not further[1] and all(one.holds for one in accuracy):  # what is aimed at is more than has to be
            break
        (laid, accuracy), (finer, wider) = further, factors
        if share < 1.0 or all(one.is_within(_ERROR, _EDGE) for one in accuracy):
            break
    return laid, accuracy


def _laid_out[T](
    again: Callable[[Factors, Factors], tuple[T, Accuracy] | None], finer: Factors, wider: Factors
) -> tuple[T, Accuracy] | None:
    """Return what is laid out, or None beyond the budget."""
    try:
        return again(finer, wider)
    except NotSupportedError:
        return None


def _towards(now: Factors, asked: Factors, share: float) -> Factors:
    """Return factors a share of the way to those asked for."""
    return {name: (old := now.get(name, 1.0)) * (new / old) ** share for name, new in asked.items()}


def refined_plan(model: Model, plan: Plan, draws: PosteriorDraws, accuracy: Accuracy) -> Plan:
    """Return a plan whose grids hold at these draws, so that sampling anew is needed once, not for each refinement.

    Where the finer grids are beyond the budget, more cells are held than the draws have: what is sampled anew tells then.
    Where a grid would have more points than any may have, the last one stays.
    """
    drawn = _held_cells(plan)

    def again(finer: Factors, wider: Factors) -> tuple[Plan, Accuracy]:
        new = make_plan(model, finer=finer, wider=wider)
        if _held_cells(new) != drawn:
            return new, ()
        return new, check_grids(model, new, make_tables(model.factors, model.table, new), draws)

    return refine(plan, accuracy, plan.finer, plan.wider, again)[0]


def _held_cells(plan: Plan) -> set[tuple[str, tuple[int, ...]]]:
    """Return which cells are held, variable by variable."""
    return {(group.variable, tuple(group.units.tolist())) for group in plan.cells if group.treatment == HELD}
