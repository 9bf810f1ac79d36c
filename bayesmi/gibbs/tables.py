"""Tables with the held cells at the values of one posterior draw."""

from __future__ import annotations

import numpy as np

from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.gibbs.state import held_table
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.plan.held import HELD

__all__ = ["table_of_draw", "tables_of_draw"]


def table_of_draw(
    factors: tuple[Factor, ...], table: ModelTable, plan: Plan, draws: PosteriorDraws, draw: int = -1
) -> ModelTable:
    """Return the model's table with the held cells of one draw, by default the last; they stay unknown."""
    held = [f.variable for f in factors if plan.units(f.variable, HELD).size and not f.is_observation]
    return held_table(factors, table, plan, {name: np.asarray(draws.cells[name][draw]) for name in held})


def tables_of_draw(
    factors: tuple[Factor, ...], table: ModelTable, plan: Plan, draws: PosteriorDraws, draw: int = -1
) -> tuple[ModelTable, Tables]:
    """Return that table and the factor tables of it."""
    filled = table_of_draw(factors, table, plan, draws, draw)
    return filled, make_tables(factors, filled, plan)
