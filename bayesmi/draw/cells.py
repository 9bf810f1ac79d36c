"""Values for every missing cell from one posterior draw: parameters, group effects and cells belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables
from bayesmi.draw.conditional import conditional
from bayesmi.draw.held_grid import place_held
from bayesmi.draw.matching import matched_values
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.summed import draw_summed_and_integrated
from bayesmi.draw.to_rows import to_rows
from bayesmi.gibbs.tables import tables_of_draw
from bayesmi.model.derived import Derived, fill_derived
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan

__all__ = ["complete_cells"]

Floats = NDArray[np.float64]


def complete_cells(
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    tables: Tables,
    draw: PosteriorDraws,
    rng: np.random.Generator,
    derived: Sequence[Derived] = (),
) -> Mapping[str, Floats]:
    """Return values for all missing cells of the modelled variables.

    Parameters
    ----------
    factors, table, plan, tables
        The model as laid out.
    draw : PosteriorDraws
        One draw with all group effects.
    rng : numpy.random.Generator
        Its own stream.
    derived : sequence of Derived
        Columns computed from the completed ones.

    Returns
    -------
    mapping
        Variable -> one value (number or code) for each missing cell in row order, as `IncompleteFrame.fill` wants.
    """
    if plan.holds:
        draw = place_held(factors, table, plan, draw, rng)
        table, tables = tables_of_draw(factors, table, plan, draw)
    values = {name: column.copy() for name, column in table.values.items()}
    for factor in factors:
        _fill_sampled(factor, table, plan, draw, values)
    draw_summed_and_integrated(factors, table, plan, tables, draw, rng, values)
    for factor in factors:
        units = plan.units(factor.variable, "predict")
        if units.size:
            values |= table.filled(values) if factor.means else {}
            _predict(factor, table, units, draw, rng, values)
    fill_derived(derived, table.frame, values)
    out: dict[str, Floats] = {}
    modelled = {one.name for one in derived} | table.solved
    modelled |= {factor.variable for factor in factors}
    for name, column in table.frame.columns.items():
        if not column.missing.any() or name not in values:
            continue
        if name in modelled or name in table.frame.deduced:
            filled = values[name][column.missing]
            if np.isfinite(filled).all():
                out[name] = filled
    return out


def _fill_sampled(
    factor: Factor, table: ModelTable, plan: Plan, draw: PosteriorDraws, values: dict[str, Floats]
) -> None:
    units = plan.units(factor.variable, "sample")
    if units.size:
        to_rows(factor, table, units, draw.cells[factor.variable][0], values[factor.variable])


def _predict(
    factor: Factor,
    table: ModelTable,
    units: NDArray[np.intp],
    draw: PosteriorDraws,
    rng: np.random.Generator,
    values: dict[str, Floats],
) -> None:
    if factor.matching:
        found = matched_values(factor, table, units, values, draw, rng)
        to_rows(factor, table, units, found, values[factor.variable])
        return
    drawn = conditional(factor, table, units, values, draw).draw(rng)
    to_rows(factor, table, units, factor.values(drawn), values[factor.variable])
