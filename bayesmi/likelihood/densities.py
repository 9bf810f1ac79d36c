"""Log densities of the rows, combinations and groups of a part, for many posterior draws at once.

Cells that are summed or integrated out are handled as in `draw/weights.py`; cells that NUTS samples stand at the values
the draws hold, and `integral.py` integrates over these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.integrals import unit_moments
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import log_density
from bayesmi.draw.weights import add_upwards
from bayesmi.likelihood.part import Part
from bayesmi.model.table import ModelTable

__all__ = ["Densities", "Terms", "by_group", "densities", "log_sum", "sum_combinations"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Terms:
    """Log likelihood by unit: of rows, and of groups what belongs to no single row of theirs."""

    rows: Floats  # (S, n)
    groups: dict[str, Floats]  # grouping -> (S, G)


@dataclass(frozen=True)
class Densities:
    """Before the sums over combinations: a row with summed cells has all its density in its combinations."""

    rows: Floats  # (S, n)
    groups: dict[str, Floats]
    entries: Floats  # (S, E)


def densities(part: Part, draws: PosteriorDraws) -> Densities:
    """Return the log densities at the draws' parameters, group effects and sampled cells."""
    table, tables, s = part.table, part.tables, draws.n
    expansion = tables.expansion
    rows = np.zeros((s, table.n_rows))
    groups = {level: np.zeros((s, len(table.groupings[level].labels))) for level in part.group_levels}
    entries = np.repeat(expansion.log_weights[None], s, axis=0)
    for factor in part.factors:
        own = tables.factors[factor.variable]
        if not own.n_rows:
            continue
        values = log_density(factor, own, draws)
        values[:, own.integral_unit >= 0] = 0.0
        target = rows if factor.level == "row" else groups[factor.level]
        target[:, own.units[: own.n_plain]] += values[:, : own.n_plain]
        # an entry has one row in a factor, so that plain indexing adds each once
        entries[:, own.pair_entries] += values[:, own.pair_rows]
    if tables.integrals.n:
        moments = unit_moments(part.factors, tables.factors, tables.integrals, draws)
        expanded = tables.integrals.expanded[moments.units]
        inside = expanded >= 0
        rows[:, tables.integrals.rows[moments.units[~inside]]] += moments.log_integral[:, ~inside]
        entries[:, expanded[inside]] += moments.log_integral[:, inside]
    of_row = expansion.rows >= 0
    entries[:, of_row] += rows[:, expansion.rows[of_row]]
    rows[:, expansion.rows[of_row]] = 0.0
    return Densities(rows, groups, entries)


def sum_combinations(part: Part, found: Densities) -> Terms:
    """Sum over the combinations of summed cells, those of rows inside those of their group."""
    expansion = part.tables.expansion
    rows, groups = found.rows.copy(), {level: own.copy() for level, own in found.groups.items()}
    if expansion.n:
        weights = add_upwards(expansion, found.entries.copy())
        for block in expansion.blocks:
            top = np.flatnonzero(block.parents < 0)
            if not top.size:
                continue
            own = weights[:, block.entries].reshape(len(weights), block.n_units, block.n_combinations)
            sums = log_sum(own[:, top], axis=2)
            first = block.start + top * block.n_combinations
            if expansion.rows[first[0]] >= 0:
                rows[:, expansion.rows[first]] += sums
            else:
                groups[expansion.group_level][:, expansion.groups[first]] += sums
    return Terms(rows, groups)


def log_sum(values: Floats, axis: int) -> Floats:
    """Return the log of the sum of exponentials along an axis."""
    top = values.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        summed = np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top
    return np.asarray(np.squeeze(summed, axis=axis))


def by_group(table: ModelTable, terms: Terms, level: str) -> Floats:
    """Return the sum over everything in each group, (S, G)."""
    out = _sum_over(terms.rows, table.groupings[level].codes)
    for inner, own in terms.groups.items():
        if inner == level:
            out = out + own
        elif table.contains(level, inner):
            out = out + _sum_over(own, table.codes_at(level, inner))
    return out


def _sum_over(values: Floats, codes: Ints) -> Floats:
    """Sums of columns with the same code; every code occurs."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(int(codes.max()) + 1))
    return np.asarray(np.add.reduceat(values[:, order], starts, axis=1))
