"""Summed cells that are held at a value and drawn in blocks, because summing over all of a unit is beyond the budget.

Given the held cells (and parameters) what is left of a unit is summed as everywhere. Cells that are held are discrete cells
with levels, and continuous ones on a grid, at one of its points: the sum over a grid is the integral (to 1e-6), so that the
point and the parameters have the distribution of the cell and the parameters but for where in its interval the cell lies,
which is drawn afterwards (draw/held_grid.py). Counts, cells between limits, cells tied by an observed derived value, and those
that stand in one term with a missing cell of their unit that is integrated out or sampled, stay summed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import counted
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.model.factor import Factor
from bayesmi.model.limited import interval_at
from bayesmi.model.table import ModelTable
from bayesmi.plan.values import CellValues

if TYPE_CHECKING:
    from bayesmi.plan.cell_group import CellGroup

__all__ = ["BLOCK", "HELD", "Holding", "held_lines", "hold_cells", "refuse_beside_held"]

Mask = NDArray[np.bool_]
Counts = NDArray[np.intp]

HELD = "gibbs"
BLOCK = 16  # combinations of held cells that are drawn at once
_MOST = (1024, 64, 16, 4, 1)  # combinations up to which a unit stays summed, the first that is comfortable
_COMFORTABLE = 250_000  # weighted rows
_ENTRY_COST = 1.5e-7  # seconds for one combination in one factor, in numpy, measured on 15 items in 120 rows
_CONTINUOUS = ("integrate", "sample", "solve")
_SUMMED = ("enumerate", "grid")


@dataclass(frozen=True)
class Holding:
    """Cells with those that are held apart, the weighted rows that are left, and why in words."""

    cells: list[CellGroup]
    n_expanded: int
    grids: Mapping[str, CellValues]  # of the cells that are summed
    held_grids: Mapping[str, CellValues]
    words: str = ""


def hold_cells(
    cells: Sequence[CellGroup],
    factors: tuple[Factor, ...],
    table: ModelTable,
    wanted: Mapping[str, str],
    tied: Mapping[str, Mask],
    grids: Mapping[str, CellValues],
    count: Callable[[Sequence[CellGroup], Mapping[str, CellValues]], tuple[float, float]],
    budget: int,
) -> Holding:
    """Hold what was asked for, and as much as the budget needs.

    Parameters
    ----------
    cells : sequence of CellGroup
        Each with the treatment that it has without a budget.
    factors, table
        The model.
    wanted : mapping
        Treatments that were asked for by variable.
    tied : mapping
        Variable -> (units of its level,) cells tied by an observed derived value.
    grids : mapping
        Values that gridded cells and counts run over, by variable.
    count : callable
        Weighted rows of all units together and of the largest row, for groups of cells and their grids.
    budget : int
        Weighted rows that there may be.

    Raises
    ------
    ModelError
        If none of the cells that were asked to be held can be.
    NotSupportedError
        If the rest is beyond the budget all the same.
    """
    free = _holdable(cells, factors, table, tied, grids)
    out = list(cells)
    asked = [name for name, how in wanted.items() if how == HELD]
    for name in asked:
        mine = next((g for g in out if g.variable == name and g.treatment in _SUMMED), None)
        others = [g for g in out if g.variable == name and g.treatment in _CONTINUOUS]
        if mine is None and not others:
            continue  # nothing observed depends on its cells: they are predicted
        combinations = free.get(name)
        if mine is None or combinations is None or not combinations.any():
            raise ModelError(
                f"treatments[{name!r}]={HELD!r}: its cells lie between limits, are tied by an observed derived value, or "
                "stand in one term with a missing continuous variable; leave it out"
            )
        out = _split(out, {name: combinations > 0}, {name: "asked for"})
    own_grids, held_grids = _grids_of(cells, out, grids)
    total, largest = count(out, own_grids)
    if total <= budget:
        return Holding(out, round(total), own_grids, held_grids, "that was asked for" if asked else "")
    whole, worst = total, largest
    tried = out
    for most, least in (*((most, 2) for most in _MOST), (1, 1)):
        tried = _cut(out, factors, table, free, most, least)
        own_grids, held_grids = _grids_of(cells, tried, grids)
        total, largest = count(tried, own_grids)
        # a cell alone in its unit is drawn for as much as it is summed for
        if total <= _COMFORTABLE or (most == 1 and total <= budget):
            break
    names = ", ".join(dict.fromkeys(g.variable for g in cells if g.treatment in ("enumerate", "grid")))
    why = (
        f"summing out the cells of {names} needs {whole:,.0f} weighted rows (up to {worst:,.0f} for one row), more than "
        f"{budget:,}"
    )
    if total > budget:
        rest = "" if total == whole else f", and {total:,.0f} once all cells are held that can be"
        raise NotSupportedError(f"{why}{rest}: take variables out of the model, or give treatments= for some")
    return Holding(tried, round(total), own_grids, held_grids, why)


def _grids_of(
    before: Sequence[CellGroup], after: Sequence[CellGroup], grids: Mapping[str, CellValues]
) -> tuple[dict[str, CellValues], dict[str, CellValues]]:
    """Return the grids of the cells that are summed and of those that are held."""
    summed, held = dict(grids), {}
    for whole in before:
        name = whole.variable
        if whole.treatment != "grid":
            continue
        for group in after:
            if group.variable == name and group.treatment == HELD:
                mine = np.isin(whole.units, group.units)
                held[name] = grids[name].select(mine)
                if mine.all():
                    del summed[name]
                else:
                    summed[name] = grids[name].select(~mine)
    return summed, held


def refuse_beside_held(factors: Sequence[Factor], mechanisms: Mapping[str, Any]) -> None:
    """Refuse mechanisms whose conditionals the blocks do not know."""
    for factor in factors:
        if factor.selection is not None:
            raise NotSupportedError(
                f"cells are held and drawn in blocks, which is not supported beside the selection equation of "
                f"{factor.variable!r}: take variables out of the model, or give treatments= for some"
            )
    for name, one in mechanisms.items():
        if getattr(one, "kind", "") in ("conditional", "model"):
            raise NotSupportedError(
                f"cells are held and drawn in blocks, which is not supported beside mechanisms[{name!r}] of kind "
                f"{one.kind!r}; the nearest that is: kind='after', which shifts the completed data"
            )


def _holdable(
    cells: Sequence[CellGroup],
    factors: tuple[Factor, ...],
    table: ModelTable,
    tied: Mapping[str, Mask],
    grids: Mapping[str, CellValues],
) -> dict[str, Counts]:
    """Return by variable how many values each cell has that may be held, (units of its level,), zero for the others."""
    by_name = {factor.variable: factor for factor in factors if not factor.is_observation}
    continuous = [g for g in cells if g.treatment in _CONTINUOUS]
    sampled = {g.variable for g in cells if g.treatment == "sample"}
    out: dict[str, Counts] = {}
    for group in cells:
        factor = by_name.get(group.variable)
        if group.treatment not in _SUMMED or factor is None or group.variable in sampled:
            continue
        if group.treatment == "enumerate" and not factor.family.has_levels:
            continue
        mask = np.zeros(len(table.rows_of_level(group.level)), dtype=bool)
        mask[group.units] = True
        mask &= ~interval_at(group.variable, group.level, table)[2]
        if group.variable in tied:
            mask &= ~tied[group.variable]
        for other in continuous:
            if any(design.joins(group.variable, other.variable) for f in factors for design in f.designs):
                mask &= ~table.units_of_rows(table.rows_of_units(other.units, other.level), group.level)
        sizes = np.zeros(len(mask), dtype=np.intp)
        sizes[group.units] = (
            len(factor.levels) if group.treatment == "enumerate" else grids[group.variable].sizes
        )
        out[group.variable] = np.where(mask, sizes, 0)
    return out


def _cut(
    cells: Sequence[CellGroup],
    factors: tuple[Factor, ...],
    table: ModelTable,
    free: Mapping[str, Counts],
    most: int,
    least: int,
) -> list[CellGroup]:
    """Hold all cells that can be held in units where these have more than `most` combinations, and are `least` or more.

    To keep some of such a unit summed was tried: it costs more than it gains in effective draws.
    """
    held: dict[str, Mask] = {}
    for level in dict.fromkeys(g.level for g in cells if g.treatment in _SUMMED):
        own = [f for f in factors if f.variable in free and f.level == level]
        left = np.zeros(len(table.rows_of_level(level)))
        number = np.zeros(len(left), dtype=np.intp)
        for factor in own:
            left += np.log(np.maximum(free[factor.variable], 1))
            number += free[factor.variable] > 0
        large = (left > np.log(most) + 1e-9) & (number >= least)
        held |= {factor.variable: (free[factor.variable] > 0) & large for factor in own}
    words = f"with more than {most} combinations in a unit" if most > 1 else "in every unit"
    return _split(list(cells), held, dict.fromkeys(held, words))


def _split(cells: list[CellGroup], held: Mapping[str, Mask], words: Mapping[str, str]) -> list[CellGroup]:
    """Move summed cells into groups that are held."""
    out: list[CellGroup] = []
    for group in cells:
        mask = held.get(group.variable)
        if group.treatment not in _SUMMED or mask is None or not mask[group.units].any():
            out.append(group)
            continue
        mine = mask[group.units]
        if not mine.all():
            out.append(replace(group, units=group.units[~mine]))
        earlier = next((g for g in cells if g.variable == group.variable and g.treatment == HELD), None)
        units = group.units[mine] if earlier is None else np.union1d(earlier.units, group.units[mine])
        out = [g for g in out if g is not earlier]
        at = "one value" if group.treatment == "enumerate" else "a point of its grid"
        reason = (
            f"{words[group.variable]}: each at {at}, drawn anew given parameters and the unit's other cells"
        )
        out.append(replace(group, treatment=HELD, units=units, reason=reason))
    return out


def held_lines(cells: Sequence[CellGroup], why: str, held_grids: Mapping[str, CellValues]) -> list[str]:
    """Return how many cells are held, why, and what that costs, in a line; none where none are."""
    held = [g for g in cells if g.treatment == HELD]
    if not held:
        return []
    total = sum(len(g.units) for g in held)
    units = {
        level: len(np.unique(np.concatenate([g.units for g in held if g.level == level])))
        for level in dict.fromkeys(g.level for g in held)
    }
    where = " and ".join(
        counted(n, "row") if level == "row" else counted(n, "group") + f" of {level}"
        for level, n in units.items()
    )
    weighed = sum(
        float(held_grids[g.variable].sizes.sum()) if g.variable in held_grids else len(g.units) * BLOCK / 4
        for g in held
    )  # about four discrete cells a block
    seconds = weighed * (len({g.variable for g in cells}) + 1) * _ENTRY_COST
    return [
        f"  held: {counted(total, 'cell')} of {where}, because {why}: each step of NUTS (PyMC's, slower than nutpie) is followed "
        f"by draws of {_blocks(held, held_grids)}, about {seconds * 1e3:.2g} ms; draws are more autocorrelated, the "
        "more so the more these cells say"
    ]


def _blocks(held: Sequence[CellGroup], held_grids: Mapping[str, CellValues]) -> str:
    """Say what is drawn at once."""
    one_by_one = [g.variable for g in held if g.variable in held_grids]
    if len(one_by_one) == len(held):
        return "the cells of one variable after the other"
    blocks = f"blocks of up to {BLOCK} combinations"
    return f"{blocks}, and of {' and '.join(one_by_one)} each" if one_by_one else blocks
