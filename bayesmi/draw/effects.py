"""Group effects that were integrated out, drawn back from their exact conditional.

u_g | y, theta ~ L N(M_g^-1 w_g, M_g^-1) with M_g = I + L'Z'Z L / sigma², w_g = L'Z'r / sigma² (see build/collapse.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import EffectTable, FactorTable
from bayesmi.build.statistics import gaussian_statistics, group_cross
from bayesmi.build.tables import Tables
from bayesmi.draw.gaussian import draw_by_precision
from bayesmi.draw.joint_effects import draw_back_jointly
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks, linear_predictor, responses
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["draw_back_effects"]

Floats = NDArray[np.float64]


def draw_back_effects(
    factors: tuple[Factor, ...], plan: Plan, tables: Tables, draws: PosteriorDraws, rng: np.random.Generator
) -> PosteriorDraws:
    """Return the draws with every collapsed group effect drawn back, one draw for each posterior draw."""
    draws = draw_back_jointly(factors, plan, tables, draws, rng)
    for factor in factors:
        table = tables.factors[factor.variable]
        for effect in table.effects:
            planned = plan.effect(factor.variable, effect.grouping)
            if planned.treatment != "collapse" or planned.jointly:
                continue
            q = effect.base.shape[1]
            out = np.empty((draws.n, effect.n_groups, q))
            width = max(table.n_rows if not _is_simple(factor, table) else 1, effect.n_groups * q * q)
            for piece in chunks(draws.n, width):
                out[piece] = _draw(factor, table, effect, draws.take(piece), rng)
            draws = draws.with_effects(factor.variable, effect.grouping, out)
    return draws


def _is_simple(factor: Factor, table: FactorTable) -> bool:
    return table.is_static and len(factor.effects) == 1 and not factor.links


def _draw(
    factor: Factor, table: FactorTable, effect: EffectTable, draws: PosteriorDraws, rng: np.random.Generator
) -> Floats:
    own = draws.factors[factor.keys[0]]
    sigma = own.scales["sigma"]
    q = effect.base.shape[1]
    if _is_simple(factor, table):
        statistics = gaussian_statistics(factor, table, effect)
        weights = np.empty((draws.n, statistics.gram.shape[0]))
        weights[:, 0] = factor.location - own.centred_intercept(factor)
        weights[:, 1:-1] = -own.coefficients
        weights[:, -1] = 1.0
        zr = np.einsum("agd,sd->sga", statistics.zx, weights)
        zz = statistics.zz
    else:
        residual = responses(table, draws) - linear_predictor(factor, table, draws, without=effect.grouping)
        zr = np.empty((draws.n, effect.n_groups, q))
        for s in range(draws.n):
            for a in range(q):
                zr[s, :, a] = np.bincount(
                    effect.codes, effect.base[:, a] * residual[s], minlength=effect.n_groups
                )
        zz = group_cross(effect)
    root = own.root(effect.grouping)
    precision = 1.0 / sigma**2
    m = np.einsum("sai,gab,sbj->sgij", root, zz, root) * precision[:, None, None, None] + np.eye(q)
    w = np.einsum("sai,sga->sgi", root, zr) * precision[:, None, None]
    standard = draw_by_precision(m, w, rng)
    return np.asarray(np.einsum("sij,sgj->sgi", root, standard))
