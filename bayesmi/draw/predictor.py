"""Linear predictor and log density of a factor for many posterior draws at once, in numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.families.interval import log_probability
from bayesmi.model.factor import Factor
from bayesmi.model.limited import INTERVAL

__all__ = ["chunks", "linear_predictor", "log_density", "predictors", "responses", "row_scale", "scales"]

Floats = NDArray[np.float64]
_CHUNK = 8_000_000  # floats in one chunk's largest array


def chunks(n_draws: int, width: int) -> Iterator[slice]:
    """Cut the draws so that (draws, width) arrays stay small."""
    step = max(1, _CHUNK // max(1, width))
    for start in range(0, n_draws, step):
        yield slice(start, min(n_draws, start + step))


def linear_predictor(
    factor: Factor,
    table: FactorTable,
    draws: PosteriorDraws,
    *,
    without: str | None = None,
    key: str | None = None,
) -> Floats:
    """Return one linear predictor, (S, T).

    Parameters
    ----------
    factor, table : Factor, FactorTable
        The conditional and its rows.
    draws : PosteriorDraws
        S draws with group effects.
    without : str, optional
        A grouping whose effects are left out.
    key : str, optional
        Which linear predictor, of a family with several; by default the first.
    """
    own = draws.factors[key or factor.keys[0]]
    n_design = factor.design.n_columns
    eta = np.repeat(own.centred_intercept(factor)[:, None], table.n_rows, axis=1) + table.offset
    if (key or factor.keys[0]) in table.shifts:
        eta += table.shifts[key or factor.keys[0]]
    slopes = own.coefficients[:, :n_design]
    if n_design:
        eta += slopes @ table.base.T
        for slab in table.slabs:
            weight = slopes[:, slab.columns] @ slab.slab.T
            eta[:, slab.positions] += weight * draws.cells[slab.variable][:, slab.index]
    for j, link in enumerate(factor.links):
        source = draws.factors[link.key].effects[link.grouping][:, :, link.position]
        eta += own.coefficients[:, [n_design + j]] * source[:, table.links[link.name]]
    for effect in table.effects:
        if effect.grouping == without:
            continue
        u = (draws.factors[effect.source] if effect.source else own).effects[effect.grouping]
        for j in range(effect.base.shape[1]):
            eta += effect.base[:, j] * u[:, effect.codes, j]
        for slab in effect.slabs:
            at = u[:, effect.codes[slab.positions]][:, :, slab.columns]
            added = np.einsum("kc,skc->sk", slab.slab, at) * draws.cells[slab.variable][:, slab.index]
            eta[:, slab.positions] += added
    return eta


def responses(table: FactorTable, draws: PosteriorDraws) -> Floats:
    """Return the response with its sampled cells filled in: (T,) or (S, T)."""
    if not table.response_positions.size:
        return table.response
    y = np.repeat(table.response[None, :], draws.n, axis=0)
    y[:, table.response_positions] = draws.cells[table.variable][:, table.response_index]
    return y


def predictors(factor: Factor, table: FactorTable, draws: PosteriorDraws) -> Any:
    """Return what the family takes as `eta`: the linear predictor, or a list of them."""
    if not factor.family.has_equations:
        return linear_predictor(factor, table, draws)
    return [linear_predictor(factor, table, draws, key=key) for key in factor.keys]


def scales(factor: Factor, table: FactorTable, draws: PosteriorDraws) -> dict[str, Floats]:
    """Return the family's parameters, (S, 1), (S, T) where one has a model, and what the family knows of each row."""
    return {**draws.scales(factor, trailing=1), **row_scale(factor, table, draws), **table.known}


def row_scale(factor: Factor, table: FactorTable, draws: PosteriorDraws) -> dict[str, Floats]:
    """Return the parameter that has a model, and the predictor of being seen, (S, T), by name; nothing where none has."""
    out: dict[str, Floats] = {}
    if factor.scale is not None and table.scale is not None:
        out[factor.scale.parameter] = np.exp(linear_predictor(factor.scale, table.scale, draws))
    if factor.selection is not None and table.selection is not None:
        out["selection"] = linear_predictor(factor.selection, table.selection, draws)
    return out


def log_density(factor: Factor, table: FactorTable, draws: PosteriorDraws) -> Floats:
    """Return log f(response | predictors, group effects) by row, (S, T)."""
    eta, own = predictors(factor, table, draws), scales(factor, table, draws)
    with np.errstate(over="ignore"):  # a mean beyond what a number can hold: the density is zero
        value = np.asarray(factor.family.log_density(np, responses(table, draws), eta, own))
    return with_limits(factor, value, eta, own)


def with_limits(factor: Factor, value: Floats, eta: Any, own: dict[str, Any]) -> Floats:
    """Put probabilities of intervals in the place of densities, (S, T), or divide these by them, where rows have limits."""
    for which in factor.limits:
        lower, upper = own[which[0]], own[which[1]]
        on = np.flatnonzero((lower <= upper) & (np.isfinite(lower) | np.isfinite(upper)))
        if not on.size:
            continue
        at_rows = {
            key: part[:, on] if np.shape(part)[-1:] == lower.shape else part
            for key, part in own.items()
            if np.ndim(part) == 2
        }
        found = log_probability(factor.family, lower[on], upper[on], eta[:, on], at_rows)
        if which == INTERVAL:
            value[:, on] = found
        else:
            value[:, on] -= found
    return value
