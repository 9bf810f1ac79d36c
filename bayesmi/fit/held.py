"""What the gate looks at where cells are held: the chains of their draws, and which other cells depend on these."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.model import Model
from bayesmi.plan import Plan
from bayesmi.plan.held import HELD

__all__ = ["beside_held", "held_chains"]

_MOST = 200


def held_chains(model: Model, plan: Plan, draws: PosteriorDraws) -> dict[str, NDArray[np.float64]]:
    """Return the draws (S,) of up to 200 held cells, those with the widest distributions; of nominal ones P(not the first)."""
    found: list[tuple[float, str, int]] = []
    for group in plan.cells:
        if group.treatment == HELD:
            factor, drawn = model.factor(group.variable), draws.cells[group.variable]
            sds = (
                np.std(drawn != factor.levels[0], axis=0)
                if factor.family.is_discrete
                else np.std(drawn, axis=0) / (factor.spread or 1.0)
            )
            found += [(float(sd), group.variable, j) for j, sd in enumerate(sds)]
    found.sort(key=lambda entry: -entry[0])
    out = {}
    for _, name, j in found[:_MOST]:
        factor, unit = model.factor(name), int(plan.units(name, HELD)[j])
        values = np.asarray(draws.cells[name][:, j], dtype=float)
        if factor.family.has_equations:
            values = (values != factor.levels[0]).astype(float)
        named = factor.level == "row" and model.frame.index.is_unique
        out[f"{name}[{model.frame.index[unit] if named else unit}]"] = values
    return out


def beside_held(model: Model, plan: Plan, level: str) -> NDArray[np.bool_]:
    """Return the units of a level that share a row with a held cell."""
    table = model.table
    rows = np.zeros(table.n_rows, dtype=bool)
    for group in plan.cells:
        if group.treatment == HELD:
            rows |= table.rows_of_units(group.units, group.level)
    for group in plan.cells:  # a summed cell of a group depends on all its rows, and these on it
        if group.level != "row" and group.treatment in ("enumerate", "grid"):
            rows |= table.units_of_rows(rows, group.level)[table.groupings[group.level].codes]
    return table.units_of_rows(rows, level)
