"""New rows laid out for drawing: plan and tables with the factors of the fit, and the columns of one posterior draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.cells import complete_cells
from bayesmi.draw.known import Known, plan_of_known
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.shifted import full_columns
from bayesmi.likelihood.part import Part, laid_out
from bayesmi.model import Model
from bayesmi.newrows.effects import draw_new_effects, effects_at, needs_turns
from bayesmi.newrows.rows import NewRows
from bayesmi.plan import Plan

if TYPE_CHECKING:
    from bayesmi.fit.grids import GridAccuracy

__all__ = ["LaidOut", "lay_out_new"]

Floats = NDArray[np.float64]
_ROUGH, _ROUGH_EDGE = 1e-3, 1e-7  # of a grid from which values are drawn only: what would be seen in them


@dataclass(frozen=True)
class LaidOut:
    """New rows with a plan for their cells."""

    model: Model
    rows: NewRows
    part: Part
    held: (
        tuple[tuple[str, ...], Plan] | None
    )  # cluster variables that are drawn before effects, and the plan given them
    notices: tuple[str, ...] = ()  # of grids that do not hold

    def at(self, values: Mapping[str, Floats]) -> Part:
        """Return the part with the fit's own values of cluster cells, by variable over the fit's rows."""
        table, own = self.part.table, {}
        for name, mask in self.rows.carried.items():
            level = table.level(name)
            codes = self.rows.known[level][table.groupings[level].codes]
            column = table.values[name].copy()
            fitted = values[name][self.model.table.groupings[level].first_row]
            column[mask] = fitted[codes[mask]]
            own[name] = column
        return laid_out(self.part.factors, table.with_values(own), self.part.plan) if own else self.part

    def draw(self, part: Part, draws: PosteriorDraws, rng: np.random.Generator) -> PosteriorDraws:
        """Return the fit's draws with the effects of the groups of the new rows, those of new groups given their rows."""
        drawn = effects_at(draws, self.rows.known, rng)

        def redraw(now: PosteriorDraws) -> Part:
            assert self.held is not None
            names, plan = self.held
            cells = complete_cells(part.factors, part.table, part.plan, part.tables, now, rng)
            columns = full_columns(part.table, cells)
            known = part.table.with_known({name: columns[name] for name in names})
            return laid_out(part.factors, known, plan)

        return draw_new_effects(part, drawn, self.rows.new, rng, redraw)

    @property
    def is_one_by_one(self) -> bool:
        """Whether effects of new groups depend on cells that each posterior draw has of its own.

        A cluster's cell that was missing at the fit has a value in each draw; it matters where one of its rows is in a
        new group of another grouping.
        """
        groupings = self.part.table.groupings
        beside = (
            new[groupings[name].codes[mask]].any()
            for mask in self.rows.carried.values()
            for name, new in self.rows.new.items()
        )
        return self.held is not None or any(beside)


def lay_out_new(model: Model, plan: Plan, rows: NewRows, draws: PosteriorDraws) -> LaidOut:
    """Lay out new rows.

    Parameters
    ----------
    model, plan
        The fit's; its grids are as fine here.
    rows : NewRows
        What was read.
    draws : PosteriorDraws
        Draws of the fit at which grids are checked, and refined where they do not hold.
    """
    from bayesmi.fit.grids import check_grids
    from bayesmi.fit.refine import refine

    known = Known(rows.factors, rows.table, {}, model.response)
    names = {factor.variable for factor in rows.factors}
    finer = {name: value for name, value in plan.finer.items() if name in names}
    wider = {name: value for name, value in plan.wider.items() if name in names}
    some = draws.take(np.linspace(0, draws.n - 1, min(48, draws.n)).astype(np.intp))

    def lay_out(own: Plan) -> tuple[Part, tuple[GridAccuracy, ...]]:
        part = laid_out(rows.factors, rows.table, own)
        if not own.grids:
            return part, ()
        at = effects_at(some, rows.known, np.random.default_rng(0))
        return part, check_grids(cast(Any, known), own, part.tables, at)

    def again(
        finer: Mapping[str, float], wider: Mapping[str, float]
    ) -> tuple[Part, tuple[GridAccuracy, ...]] | None:
        own = plan_of_known(known, finer=finer, wider=wider, scales=model.table)
        return None if any(own.units(name, "sample").size for name in names) else lay_out(own)

    first = plan_of_known(known, finer=finer, wider=wider, scales=model.table)
    part, accuracy = refine(*lay_out(first), finer, wider, again)
    held = None
    if needs_turns(part, rows.new):
        above = part.tables.expansion.group_level
        fixed = tuple(
            f.variable for f in rows.factors if f.level == above and rows.table.unknown[f.variable].any()
        )
        nothing = {name: np.zeros(rows.table.n_rows) for name in fixed}
        given = replace(known, table=rows.table.with_known(nothing))
        held = (fixed, plan_of_known(given, finer=part.plan.finer, wider=part.plan.wider, scales=model.table))
    rough = [one for one in accuracy if one.error > _ROUGH or one.edge > _ROUGH_EDGE]
    return LaidOut(model, rows, part, held, tuple(_words(one) for one in rough))


def _words(coarse: GridAccuracy) -> str:
    name = coarse.variable
    return (
        f"draws of {name!r} in new rows are rough (grid of {coarse}): what is observed beside its missing cells is far from what "
        f"the model expects; look at these rows"
    )
