"""Weights of the combinations of summed cells, integrated cells included."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import FactorTable, Tables, lay_out
from bayesmi.draw.integrals import UnitMoments, unit_moments
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import log_density
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["restricted", "unit_log_weights"]

Floats = NDArray[np.float64]


def unit_log_weights(
    factors: tuple[Factor, ...],
    tables: Tables,
    draws: PosteriorDraws,
    among: Mapping[str, FactorTable] | None = None,
) -> tuple[Floats, UnitMoments]:
    """Return log f of each expanded row over the factors that depend on its summed cells, and the integrals' moments.

    Parameters
    ----------
    factors, tables, draws
        The model as laid out, and S draws.
    among : mapping, optional
        Factor tables of some rows only (see `restricted`); by default all.

    Returns
    -------
    log_weights : (S, E) array
        Zero for expanded rows that do not occur.
    moments : UnitMoments
        Of the units that occur.
    """
    chosen = tables.factors if among is None else among
    total = np.zeros((draws.n, tables.expansion.n))
    for factor in factors:
        table = chosen.get(factor.variable)
        if table is None or not table.expanded.size:
            continue
        terms = log_density(factor, table, draws)[:, table.n_plain :]
        terms[:, table.integral_unit[table.n_plain :] >= 0] = 0.0
        total[:, table.expanded] += terms
    moments = unit_moments(factors, chosen, tables.integrals, draws)
    expanded = tables.integrals.expanded[moments.units]
    inside = expanded >= 0
    total[:, expanded[inside]] += moments.log_integral[:, inside]
    return total, moments


def restricted(
    factors: tuple[Factor, ...], table: ModelTable, tables: Tables, rows: NDArray[np.intp]
) -> dict[str, FactorTable]:
    """Return the tables of the row-level factors on some rows only."""
    wanted = np.zeros(table.n_rows, dtype=bool)
    wanted[rows] = True
    out = {}
    for factor in factors:
        if factor.level != "row":
            continue
        whole = tables.factors[factor.variable]
        units = np.unique(whole.units[wanted[whole.units]])
        touched = np.zeros(tables.expansion.n, dtype=bool)
        touched[whole.expanded] = True
        out[factor.variable] = lay_out(
            factor, table, units, tables.expansion, touched, tables.cell_position, tables.integrals
        )
    return out
