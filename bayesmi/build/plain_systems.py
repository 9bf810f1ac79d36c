"""Observed derived values in the plain pm.Model: a tied cell is a function of the others, a total a restriction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayesmi.errors import NotSupportedError
from bayesmi.formula.evaluate import evaluate
from bayesmi.formula.inverse import solve_for
from bayesmi.model.model import Model
from bayesmi.plan import Plan
from bayesmi.plan.systems import System, part_ranges

__all__ = ["restrict_discrete", "solved_cells"]

Cells = Mapping[str, tuple[NDArray[np.intp], Any]]


def solved_cells(
    name: str, model: Model, plan: Plan, cells: Cells
) -> list[tuple[NDArray[np.intp], Any, Any]]:
    """Return the units of a variable's tied cells with their values and log |d cell / d derived value|, by system.

    `cells` holds the latents of the variables before it in the product (units, vector).
    """
    out = []
    for system in plan.systems:
        for part, e in (*system.inverse, *system.linear):
            if part != name:
                continue
            one = system.equations[e]
            late = [p for p in one.parts if p in system.open and p != name and p not in cells]
            if late:
                raise NotSupportedError(
                    f"to_pymc() solves {name!r} from the observed {one.name!r} and needs {', '.join(late)} before it in the "
                    f"product: give order= with {name!r} last; fit() needs no order"
                )
            others = {p: _values(p, system, model, cells) for p in one.parts if p != name}
            ranges = part_ranges(one, model.table, system.supports)
            value, slope = solve_for(one.expression, name, others, system.targets[:, e], ranges)
            out.append((system.units, value, slope + pt.zeros(len(system.units))))
    return out


def restrict_discrete(model: Model, plan: Plan, cells: Cells) -> None:
    """Add a potential for each system of discrete parts: minus infinity where they do not give the observed value."""
    for number, system in enumerate(plan.systems):
        used = {e for _, e in (*system.inverse, *system.linear)}
        for e, one in enumerate(system.equations):
            if e in used:
                continue
            values = {part: _values(part, system, model, cells) for part in one.parts}
            gap = pt.abs(evaluate(one.expression, values, {}) - system.targets[:, e])
            pm.Potential(
                f"{one.name}__observed_{number}", pt.switch(gap <= system.tolerances[e], 0.0, -np.inf)
            )


def _values(part: str, system: System, model: Model, cells: Cells) -> Any:
    """Values of a part in the units of a system, as expressions see them."""
    if part not in system.open:
        return system.known[part]
    table = model.table
    missing, latent = cells[part]
    level = table.level(part)
    units = system.units if level == system.level else table.codes_at(level, system.level)[system.units]
    chosen = latent[np.searchsorted(missing, units)]
    factor = model.factor(part)
    return pt.as_tensor(np.asarray(factor.levels))[chosen] if factor.family.has_levels else chosen
