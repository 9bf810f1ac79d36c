"""Weights of the combinations of summed cells, integrated cells included."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Block, Expansion
from bayesmi.build.lay_out import lay_out
from bayesmi.build.tables import Tables
from bayesmi.draw.integrals import UnitMoments, unit_moments
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import log_density
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = [
    "UnitSums",
    "add_upwards",
    "block_sums",
    "choose_entries",
    "entry_probabilities",
    "restricted",
    "unit_log_weights",
    "unit_sums",
]

Floats = NDArray[np.float64]


def unit_log_weights(
    factors: tuple[Factor, ...], tables: Tables, draws: PosteriorDraws
) -> tuple[Floats, UnitMoments]:
    """Return log f of each entry over the factors that depend on its summed cells, and the integrals' moments.

    Parameters
    ----------
    factors, tables, draws
        The model as laid out (or some rows of it, see `restricted`), and S draws.

    Returns
    -------
    log_weights : (S, E) array
        Without what the entries below a group's entry add to it.
    moments : UnitMoments
        Of the units that occur.
    """
    total = np.repeat(tables.expansion.log_weights[None], draws.n, axis=0)
    for factor in factors:
        table = tables.factors.get(factor.variable)
        if table is None or not table.expanded.size:
            continue
        terms = log_density(factor, table, draws)
        terms[:, table.integral_unit >= 0] = 0.0
        # an entry has one row in a factor, so that plain indexing adds each once
        total[:, table.pair_entries] += terms[:, table.pair_rows]
    moments = unit_moments(factors, tables.factors, tables.integrals, draws)
    expanded = tables.integrals.expanded[moments.units]
    inside = expanded >= 0
    total[:, expanded[inside]] += moments.log_integral[:, inside]
    return total, moments


def add_upwards(expansion: Expansion, log_weights: Floats) -> Floats:
    """Add to the entries of groups what the units below them sum to; in place."""
    for block in expansion.blocks:
        below = block.parents >= 0
        if below.any():
            np.add.at(log_weights.T, block.parents[below], block_sums(block, log_weights)[:, below].T)
    return log_weights


def block_sums(block: Block, log_weights: Floats) -> Floats:
    """Return the log sum over the combinations of each of a block's units, (S, units)."""
    part = log_weights[:, block.entries].reshape(len(log_weights), block.n_units, block.n_combinations)
    top = part.max(axis=2)
    return np.asarray(top + np.log(np.exp(part - top[:, :, None]).sum(axis=2)))


@dataclass(frozen=True)
class UnitSums:
    """Log sums of U units; rows below a group's entries stand once for each of these."""

    keys: NDArray[
        np.intp
    ]  # (U,) of the unit and the entry above it, the same in every expansion of these cells
    parents: NDArray[np.intp]  # (U,) the group's entry, or -1
    log_sums: Floats  # (S, U)

    def of_the_highest(self) -> UnitSums:
        """Return the sums of units that are below no entry of a group."""
        highest = self.parents < 0
        return UnitSums(self.keys[highest], self.parents[highest], self.log_sums[:, highest])


def unit_sums(expansion: Expansion, log_weights: Floats) -> UnitSums:
    """Return the log sum over each unit's combinations; `log_weights` as `add_upwards` leaves them."""
    is_group = expansion.groups >= 0
    first_group = int(np.argmax(is_group)) if is_group.any() else expansion.n
    most = int(max(expansion.rows.max(initial=0), expansion.groups.max(initial=0))) + 1
    keys, parents, sums = [], [], []
    for block in expansion.blocks:
        sums.append(block_sums(block, log_weights))
        heads = block.start + block.n_combinations * np.arange(block.n_units)
        rows, groups = expansion.rows[heads], expansion.groups[heads]
        above = np.where(block.parents >= 0, block.parents - first_group + 1, 0)
        keys.append(np.where(rows >= 0, 2 * (above * most + rows), 2 * groups + 1))
        parents.append(block.parents)
    if not keys:
        return UnitSums(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros((len(log_weights), 0)))
    return UnitSums(np.concatenate(keys), np.concatenate(parents), np.concatenate(sums, axis=1))


def entry_probabilities(expansion: Expansion, log_weights: Floats) -> Floats:
    """Return the probability of each entry, (S, E), given parameters and data."""
    weights = add_upwards(expansion, log_weights.copy())
    for block in reversed(expansion.blocks):
        part = weights[:, block.entries].reshape(len(weights), block.n_units, block.n_combinations)
        part = np.exp(part - part.max(axis=2, keepdims=True))
        part /= part.sum(axis=2, keepdims=True)
        below = block.parents >= 0
        part[:, below] *= weights[:, block.parents[below], None]
        weights[:, block.entries] = part.reshape(len(weights), -1)
    return weights


def choose_entries(expansion: Expansion, log_weights: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw one combination of each unit, (E,), of units below a group those under the group's own combination.

    `log_weights` (E,) hold what the units below a group's entries add to them (`add_upwards`).
    """
    chosen = np.zeros(expansion.n, dtype=bool)
    for block in reversed(expansion.blocks):
        part = log_weights[block.entries].reshape(block.n_units, block.n_combinations)
        which = np.argmax(part + rng.gumbel(size=part.shape), axis=1)
        stands = (block.parents < 0) | chosen[block.parents]
        places = block.start + np.arange(block.n_units) * block.n_combinations + which
        chosen[places[stands]] = True
    return chosen


def restricted(
    factors: tuple[Factor, ...], table: ModelTable, tables: Tables, level: str, units: NDArray[np.intp]
) -> Tables:
    """Return the tables of some units of a level only (with all rows of a group whose cells are summed)."""
    expansion = tables.expansion
    rows = np.zeros(table.n_rows, dtype=bool)
    group_level = expansion.group_level
    codes = table.groupings[group_level].codes if group_level else np.zeros(table.n_rows, dtype=np.intp)
    groups = np.zeros(int(codes.max(initial=0)) + 1, dtype=bool)
    if level == "row":
        rows[units] = True
        if group_level:
            summed = np.zeros(len(groups), dtype=bool)
            summed[expansion.groups[expansion.groups >= 0]] = True
            groups[codes[units]] = True
            groups &= summed
            rows |= groups[codes]
    elif level == group_level:
        groups[units] = True
        rows = groups[codes]
    else:
        rows = table.rows_of_units(units, level)
    part, entries = expansion.select(rows, groups)
    place = np.full(expansion.n + 1, -1, dtype=np.intp)
    place[entries] = np.arange(len(entries))
    integrals = replace(
        tables.integrals,
        expanded=place[tables.integrals.expanded],
        expanded_unit=tables.integrals.expanded_unit[entries],
    )
    keys = {name: own[entries] for name, own in tables.keys.items()}
    made = {}
    for factor in factors:
        whole = tables.factors[factor.variable]
        if factor.level == "row":
            mine = rows[whole.units]
        elif factor.level == group_level:
            mine = groups[whole.units]
        else:
            continue
        made[factor.variable] = lay_out(
            factor,
            table,
            np.unique(whole.units[mine]),
            part,
            keys[factor.variable],
            tables.cell_position,
            integrals,
            tables.held_position,
        )
    return replace(tables, factors=made, expansion=part, integrals=integrals, keys=keys)
