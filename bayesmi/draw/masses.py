"""Probabilities of the levels (or counts) of missing cells: given all that is observed, or given a completed table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.conditional import conditional
from bayesmi.draw.grid import cell_masses
from bayesmi.draw.known import knowing, plan_of_known
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.weights import entry_probabilities, unit_log_weights
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan

__all__ = ["LevelMasses", "level_masses", "level_masses_given_all", "log_density_at"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_TAIL = 1e-12  # of a count's own distribution, beyond the largest that is looked at
_MOST = 1 << 16


@dataclass(frozen=True)
class LevelMasses:
    """Probabilities of some cells of a discrete variable."""

    units: Ints  # (cells,) of the variable's level
    support: Floats  # (K,) values on the family's scale: codes 0 … K-1, counts
    probabilities: Floats  # (cells, K)
    summed: bool  # whether they come from a sum over a fixed range


def level_masses(
    factor: Factor,
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    tables: Tables,
    draw: PosteriorDraws,
    values: Mapping[str, Floats],
    room: float = 0.0,
) -> tuple[LevelMasses, ...]:
    """Return P(level | all observed, parameters) of the missing cells of a discrete variable.

    Parameters
    ----------
    factor, factors, table, plan, tables
        The variable, and the model as laid out.
    draw : PosteriorDraws
        One draw with all group effects.
    values : mapping
        Completed columns: a cell that nothing observed depends on is conditional on its predictors there.
    room : float
        Shift of the linear predictor for which the range of counts has to do as well.
    """
    out = []
    informative = plan.units(factor.variable, "enumerate")
    if informative.size:
        log_weights, _ = unit_log_weights(factors, tables, draw)
        probabilities = entry_probabilities(tables.expansion, log_weights)
        grid = plan.grids.get(factor.variable)
        support = np.arange(len(factor.levels), dtype=float) if grid is None else grid.values[0]
        masses = cell_masses(
            tables.expansion, probabilities, factor.variable, factor.level, informative, len(support)
        )[0]
        out.append(LevelMasses(informative, support, masses, grid is not None))
    barren = plan.units(factor.variable, "predict")
    if barren.size:
        support = _range(factor, table, barren, values, draw, room)
        log_p = log_density_at(factor, table, barren, values, draw, support)
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        out.append(LevelMasses(barren, support, p / p.sum(axis=1, keepdims=True), False))
    return tuple(out)


def level_masses_given_all(
    factor: Factor,
    factors: tuple[Factor, ...],
    table: ModelTable,
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
    room: float = 0.0,
) -> tuple[LevelMasses, ...]:
    """Return P(level | all other cells as completed, parameters) of the missing cells of a discrete variable."""
    others = {one.variable: values[one.variable] for one in factors if one.variable != factor.variable}
    known = knowing(factors, table, others, {})
    plan = plan_of_known(known)
    tables = make_tables(factors, known.table, plan)
    return level_masses(factor, factors, known.table, plan, tables, draw, values, room)


def log_density_at(
    factor: Factor,
    table: ModelTable,
    units: Ints,
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
    support: Floats,
    shift: Floats | None = None,
) -> Floats:
    """Return log f(value | predictors as completed) for each value of the support, (cells, K).

    `shift` (cells,) adds to the linear predictor of a family with one.
    """
    own = conditional(factor, table, units, values, draw)
    own = own if shift is None else replace(own, eta=own.eta + shift)
    if not factor.family.has_levels:  # counts: all at once
        return replace(own, eta=own.eta[None, :]).log_density(support[:, None]).T
    return np.stack([own.log_density(np.full(len(units), value)) for value in support], axis=1)


def _range(
    factor: Factor,
    table: ModelTable,
    units: Ints,
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
    room: float,
) -> Floats:
    """Codes of the levels, or counts up to where the tail is negligible, also with the linear predictor shifted."""
    if factor.family.has_levels:
        return np.arange(len(factor.levels), dtype=float)
    if factor.family.needs_trials:
        trials = factor.known(lambda name: table.at(name, factor.level)[units], len(units))["trials"]
        return np.arange(float(trials.max()) + 1.0)
    top = 16
    while top < _MOST:
        support = np.arange(float(top))
        worst = 0.0
        for move in (0.0, room):
            log_p = log_density_at(factor, table, units, values, draw, support, np.full(len(units), move))
            worst = max(worst, 1.0 - float(np.exp(log_p).sum(axis=1).min()))
        if worst < 1e3 * _TAIL:
            return support
        top *= 2
    return np.arange(float(_MOST))
