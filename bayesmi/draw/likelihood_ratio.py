"""How much likelier the observed data are under a delta_model than with delta zero, at the same parameters, draw by draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks, log_density
from bayesmi.draw.weights import add_upwards, block_sums, restricted, unit_log_weights
from bayesmi.mechanism import deltas_of
from bayesmi.model import Model
from bayesmi.model.factor import Factor
from bayesmi.model.shifted import made_columns
from bayesmi.plan import Plan

__all__ = ["delta_log_ratio", "marginal_log_likelihood"]

Floats = NDArray[np.float64]


def delta_log_ratio(model: Model, plan: Plan, draws: PosteriorDraws) -> Floats:
    """Return log f(observed | parameters, delta) - log f(observed | parameters, delta = 0), (S,).

    Missing cells are summed and integrated out; group effects and sampled cells are those of the draws.

    Parameters
    ----------
    model : Model
        With delta_models; a delta with a prior has its value in each draw.
    plan : Plan
        Of the fit the draws come from.
    draws : PosteriorDraws
        S draws with all group effects.
    """
    names = list(deltas_of(model.mechanisms, "model"))
    columns = made_columns(names, list(model.table.made))
    if not columns:
        return np.zeros(draws.n)
    zero = model.table.with_values({name: np.zeros(model.table.n_rows) for name in columns})
    pairs = [(table, make_tables(model.factors, table, plan)) for table in (model.table, zero)]
    rows = np.zeros(model.table.n_rows, dtype=bool)
    for name in names:
        rows |= model.table.unknown[name]
    units = np.flatnonzero(rows)
    row_names = {factor.variable for factor in model.factors if factor.level == "row"}
    if set(names) <= row_names:  # only rows where something is shifted differ
        pairs = [(t, restricted(model.factors, t, tables, "row", units)) for t, tables in pairs]
    out = np.zeros(draws.n)
    width = max((one.n_rows for one in pairs[0][1].factors.values()), default=1) + pairs[0][1].expansion.n
    for piece in chunks(draws.n, max(1, width)):
        some = draws.take(piece)
        with_delta, without = (marginal_log_likelihood(model.factors, tables, some) for _, tables in pairs)
        out[piece] = with_delta - without
    return out


def marginal_log_likelihood(factors: tuple[Factor, ...], tables: Tables, draws: PosteriorDraws) -> Floats:
    """Return the log likelihood of what is laid out, cells summed and integrated out, (S,)."""
    total = np.zeros(draws.n)
    for factor in factors:
        table = tables.factors.get(factor.variable)
        if table is None:
            continue
        plain = np.flatnonzero((np.arange(table.n_rows) < table.n_plain) & (table.integral_unit < 0))
        if plain.size:
            total += log_density(factor, table, draws)[:, plain].sum(axis=1)
    log_weights, moments = unit_log_weights(factors, tables, draws)
    alone = tables.integrals.expanded[moments.units] < 0
    total += moments.log_integral[:, alone].sum(axis=1)
    add_upwards(tables.expansion, log_weights)
    for block in tables.expansion.blocks:
        total += block_sums(block, log_weights)[:, block.parents < 0].sum(axis=1)
    return total
