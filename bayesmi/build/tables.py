"""Factor tables: for each conditional the rows it is evaluated on, with static design and the places of latent cells.

Rows with cells that are summed out stand several times, once for each combination of the values that the factor can
see; everything else is a plain number, computed once whatever the formula does to a variable. A cell that NUTS samples
enters affinely (`Slab`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import Expansion
from bayesmi.build.factor_table import FactorTable
from bayesmi.build.integrals import Integrals, find_integrals
from bayesmi.build.lay_out import lay_out
from bayesmi.build.summed_cells import entry_keys, expand_cells
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.values import CellValues

__all__ = ["Tables", "held_positions", "make_tables"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Tables:
    """All factor tables, the expansion and the number of sampled cells by variable."""

    factors: Mapping[str, FactorTable]
    expansion: Expansion
    integrals: Integrals
    cells: Mapping[str, CellValues]  # values that cells on a grid run over
    keys: Mapping[str, Ints]  # variable -> (E,) which entries are the same row of its factor, -1: not in it
    n_cells: Mapping[str, int]
    cell_position: Mapping[str, Ints]  # variable -> (units of its level,) index of the sampled cell or -1
    held_position: Mapping[str, Ints] = field(default_factory=dict)  # the same of cells held at a value

    def of(self, factor: Factor) -> FactorTable:
        """Return the table of a factor, or of the model of its scale or selection."""
        own = self.factors[factor.variable]
        if factor.parameter == "selection" and own.selection is not None:
            return own.selection
        return own.scale if factor.parameter and own.scale is not None else own


def make_tables(
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    cells: Mapping[str, CellValues] | None = None,
    only: NDArray[np.bool_] | None = None,
    held: Mapping[str, Ints] | None = None,
) -> Tables:
    """Lay out the tables of all factors.

    `cells` gives values for grid cells other than the plan's; `only` keeps the row-level factors to some rows; `held` gives
    the places of held cells where these are not all of the plan's.
    """
    expansion = expand_cells(factors, table, plan, cells or {})
    keys = {factor.variable: entry_keys(factor, expansion) for factor in factors}
    integrals = find_integrals(factors, table, plan, expansion, keys)
    cell_position: dict[str, Ints] = {}
    n_cells: dict[str, int] = {}
    for factor in factors:
        units = plan.units(factor.variable, "sample")
        if units.size:
            position = np.full(len(table.rows_of_level(factor.level)), -1, dtype=np.intp)
            position[units] = np.arange(units.size)
            cell_position[factor.variable] = position
            n_cells[factor.variable] = int(units.size)
    held_position = held_positions(factors, table, plan) if held is None else held
    made = {
        factor.variable: lay_out(
            factor,
            table,
            np.flatnonzero(
                plan.active[factor.variable] & only
                if only is not None and factor.level == "row"
                else plan.active[factor.variable]
            ),
            expansion,
            keys[factor.variable],
            cell_position,
            integrals,
            held_position,
        )
        for factor in factors
    }
    return Tables(
        made,
        expansion,
        integrals,
        {**plan.grids, **(cells or {})},
        keys,
        n_cells,
        cell_position,
        held_position,
    )


def held_positions(factors: tuple[Factor, ...], table: ModelTable, plan: Plan) -> dict[str, Ints]:
    """Return by variable the number of the held cell of each unit of its level, or -1."""
    out: dict[str, Ints] = {}
    for factor in factors:
        units = plan.units(factor.variable, "gibbs")
        if units.size and not factor.is_observation:
            out[factor.variable] = np.full(len(table.rows_of_level(factor.level)), -1, dtype=np.intp)
            out[factor.variable][units] = np.arange(units.size)
    return out
