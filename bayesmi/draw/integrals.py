"""Conditional of integrated cells for many posterior draws at once: mean, covariance and log integral of each unit.

The formulas stand in kernel/integrals.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.build.integrals import Integrals
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import linear_predictor, responses, row_scale
from bayesmi.families.functions import HALF_LOG_2PI, log_interval
from bayesmi.families.interval import normal_between
from bayesmi.model.factor import Factor

__all__ = ["UnitMoments", "draw_units", "unit_moments"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class UnitMoments:
    """S draws × K units with up to Q cells; places beyond a unit's own cells have mean 0 and variance 1."""

    units: Ints  # (K,) which units
    log_integral: Floats  # (S, K)
    mean: Floats  # (S, K, Q) between limits, where a cell has some
    precision: Floats  # (S, K, Q, Q) without limits
    centre: Floats  # (S, K, Q) the mean without limits
    limited: Ints  # (K,) which cell lies between limits, or -1
    ends: Floats  # (K, 2) and between which


def unit_moments(
    factors: tuple[Factor, ...],
    tables: Mapping[str, FactorTable],
    integrals: Integrals,
    draws: PosteriorDraws,
) -> UnitMoments:
    """Return the moments of all units that occur in the given tables."""
    present = [table.integral_unit[table.integral_unit >= 0] for table in tables.values()]
    units = np.unique(np.concatenate(present)) if present else np.zeros(0, dtype=np.intp)
    local = np.full(integrals.n, -1, dtype=np.intp)
    local[units] = np.arange(len(units))
    s, q = draws.n, integrals.most
    precision = np.zeros((s, len(units), q, q))
    b = np.zeros((s, len(units), q))
    value = np.zeros((s, len(units))) + (
        integrals.log_jacobian[units] if integrals.log_jacobian.size else 0.0
    )
    for factor in factors:
        table = tables.get(factor.variable)
        if table is None:
            continue
        rows = np.flatnonzero(table.integral_unit >= 0)
        if not rows.size:
            continue
        at = local[table.integral_unit[rows]]
        if factor.scale is None:
            sigma = draws.factors[factor.keys[0]].scales["sigma"][:, None]
        else:
            sigma = row_scale(factor, table, draws)["sigma"][:, rows]
        t = 1.0 / sigma**2
        eta = linear_predictor(factor, table, draws)[:, rows]
        y = responses(table, draws)
        r0 = (y[rows] if y.ndim == 1 else y[:, rows]) - eta
        a = np.zeros((s, len(rows), q))
        number = np.full(table.n_rows, -1, dtype=np.intp)
        number[rows] = np.arange(len(rows))
        own = table.integrated_response
        if own.size:
            a[:, number[own], integrals.place[factor.variable][table.units[own]]] = -1.0
        own = table.solved_response
        if own.size:
            a[:, number[own]] -= table.response_slopes
        slopes = draws.factors[factor.variable].coefficients
        for slab in table.integrated:
            place = integrals.place[slab.variable][table.units[slab.positions]]
            a[:, number[slab.positions], place] += slopes[:, slab.columns] @ slab.slab.T
        for effect in table.effects:
            for slab in effect.integrated:
                u = draws.factors[factor.variable].effects[effect.grouping]
                mine = u[:, effect.codes[slab.positions]][:, :, slab.columns]
                place = integrals.place[slab.variable][table.units[slab.positions]]
                a[:, number[slab.positions], place] += np.einsum("kc,skc->sk", slab.slab, mine)
        # a unit has at most one row in a factor, so that plain indexing adds each once
        value[:, at] += -np.log(sigma) - 0.5 * _LOG_2PI - 0.5 * t * r0**2
        b[:, at] += t[:, :, None] * a * r0[:, :, None]
        precision[:, at] += t[:, :, None, None] * a[:, :, :, None] * a[:, :, None, :]
    beyond = np.arange(q) >= integrals.sizes[units][:, None]
    diagonal = np.arange(q)
    precision[:, :, diagonal, diagonal] += beyond
    mean = np.linalg.solve(precision, b[..., None])[..., 0] if len(units) else b
    _, log_det = np.linalg.slogdet(precision) if len(units) else (None, np.zeros((s, 0)))
    value += 0.5 * (b * mean).sum(-1) - 0.5 * log_det + 0.5 * integrals.sizes[units] * _LOG_2PI
    limited, ends = integrals.limited[units], integrals.ends[units]
    centre, on = mean, np.flatnonzero(limited >= 0)
    if on.size:
        mean = mean.copy()
        variance, slope = _of_limited(precision, limited, on)
        sd, middle = np.sqrt(variance), centre[:, on, limited[on]]
        low, high = (ends[on, 0] - middle) / sd, (ends[on, 1] - middle) / sd
        log_mass = log_interval(low, high)
        value[:, on] += log_mass
        shift = np.exp(-0.5 * low**2 - HALF_LOG_2PI - log_mass) - np.exp(
            -0.5 * high**2 - HALF_LOG_2PI - log_mass
        )
        mean[:, on] += slope * (sd * shift)[..., None]
    return UnitMoments(units, value, mean, precision, centre, limited, ends)


def _of_limited(precision: Floats, limited: Ints, on: Ints) -> tuple[Floats, Floats]:
    """Variance of the limited cell of some units, (S, k), and how all cells of the unit move with it, (S, k, Q)."""
    unit = np.zeros((*precision.shape[:1], len(on), precision.shape[-1], 1))
    unit[:, np.arange(len(on)), limited[on]] = 1.0
    column = np.linalg.solve(precision[:, on], unit)[..., 0]
    variance = column[:, np.arange(len(on)), limited[on]]
    return variance, column / variance[..., None]


def draw_units(moments: UnitMoments, rng: np.random.Generator) -> Floats:
    """Draw the cells of every unit, (S, K, Q)."""
    root = np.linalg.cholesky(moments.precision)
    noise = rng.standard_normal(moments.mean.shape)
    solved = np.linalg.solve(np.swapaxes(root, -1, -2), noise[..., None])[..., 0]
    drawn = np.asarray(moments.centre + solved)
    on = np.flatnonzero(moments.limited >= 0)
    if on.size:  # the limited cell from between its limits, the others by how they move with it
        variance, slope = _of_limited(moments.precision, moments.limited, on)
        sd, which = np.sqrt(variance), moments.limited[on]
        centre = moments.centre[:, on, which]
        low, high = ((moments.ends[on, side] - centre) / sd for side in (0, 1))
        value = centre + sd * normal_between(1.0 - rng.random(sd.shape), low, high)
        value = np.clip(
            value, np.nextafter(moments.ends[on, 0], np.inf), np.nextafter(moments.ends[on, 1], -np.inf)
        )
        drawn[:, on] += slope * (value - drawn[:, on, which])[..., None]
        drawn[:, on, which] = value
    return drawn
