"""Draws of a fit with some variables matched to observed values: of its own rows, of new rows, or of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.donors import choose_donors
from bayesmi.draw import FitDraws
from bayesmi.imputations import ChangedDraws
from bayesmi.mice.predict import Predictor, expected_cells, posterior_mean
from bayesmi.newrows.draws import NewRowDraws
from bayesmi.newrows.ignored import TogetherDraws
from bayesmi.seeds import MATCH, stream

if TYPE_CHECKING:
    from bayesmi.draw import PosteriorDraws
    from bayesmi.fit import Fit
    from bayesmi.imputations import CellDraws
    from bayesmi.likelihood.part import Part
    from bayesmi.model import Model
    from bayesmi.plan import Plan

__all__ = ["MatchedDraws", "MatchedNewRows", "MatchedTogether", "match_draws"]

Floats = NDArray[np.float64]
Pool = tuple[Floats, Floats]  # predictions of donors, and their values


@dataclass(frozen=True, eq=False)
class MatchedDraws(ChangedDraws):
    """Cells of a fit's imputations with some variables matched; order and workers do not matter."""

    base: FitDraws  # of the same posterior draws
    fit: Fit
    mean: PosteriorDraws
    variables: tuple[str, ...]
    donors: int
    matchtype: int
    seed: int

    @property
    def model(self) -> Any:
        """The joint model."""
        return self.fit.model

    @property
    def chosen(self) -> PosteriorDraws:
        """The posterior draw of every imputation."""
        return self.base.chosen

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        return self._own_rows(i)[0]

    def with_new(self, i: int, new: NewRowDraws) -> tuple[Mapping[str, Floats], Mapping[str, Floats]]:
        """Return the cells of imputation i, and those of new rows matched to the same donors."""
        from bayesmi.draw.shifted import full_columns

        cells, pools = self._own_rows(i)
        found, part, draw = new.drawn(i, full_columns(self.model.table, cells))
        centre = self.mean
        if self.matchtype == 0:
            centre = new.laid.draw(part, self.mean, stream(self.seed, MATCH, 2 * i + 1))
        receiver = _Receiver(part, part.plan, dict(found), draw, centre, stream(self.seed, MATCH, 2 * i + 1))
        for factor in part.factors:
            if factor.variable in pools:
                receiver.receive(self, factor.variable, pools[factor.variable])
        return cells, receiver.finish(self.model.derived)

    def _own_rows(self, i: int) -> tuple[Mapping[str, Floats], Mapping[str, Pool]]:
        """Return the cells of the fit's own rows, and the donors that each variable has at its turn."""
        model = self.fit.model
        draw = self.chosen.take(np.array([i]))
        receiver = _Receiver(
            model, self.fit.plan, dict(self.base.cells(i)), draw, self.mean, stream(self.seed, MATCH, 2 * i)
        )
        pools = {}
        for factor in model.factors:
            if factor.variable in self.variables:
                pools[factor.variable] = receiver.give(self, factor.variable)
                receiver.receive(self, factor.variable, pools[factor.variable])
        return receiver.finish(model.derived), pools


@dataclass(frozen=True, eq=False)
class MatchedNewRows(ChangedDraws):
    """Cells of new rows, matched to observed values of the fit."""

    base: MatchedDraws
    new: NewRowDraws

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        return self.base.with_new(i, self.new)[1]


@dataclass(frozen=True, eq=False)
class MatchedTogether(ChangedDraws):
    """Cells of a whole table of which some rows inform no parameter, and are no donors."""

    base: MatchedDraws
    together: TogetherDraws

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        return self.together.join(*self.base.with_new(i, self.together.ignored))


def match_draws(
    fit: Fit, drawn: Any, variables: tuple[str, ...], donors: int, matchtype: int, seed: int
) -> CellDraws:
    """Return a fit's draws (of its rows, of new ones, or of a whole table with ignored ones) with some variables matched."""
    own = drawn if isinstance(drawn, FitDraws) else drawn.fitted
    matched = MatchedDraws(own, fit, posterior_mean(fit.draws), variables, donors, matchtype, seed)
    if isinstance(drawn, TogetherDraws):
        return MatchedTogether(matched, drawn)
    return MatchedNewRows(matched, drawn) if isinstance(drawn, NewRowDraws) else matched


class _Receiver:
    """Rows that are completed one variable after the other: each matched value feeds the next prediction."""

    def __init__(
        self,
        part: Model | Part,
        plan: Plan,
        cells: dict[str, Floats],
        draw: PosteriorDraws,
        centre: PosteriorDraws,
        rng: np.random.Generator,
    ) -> None:
        from bayesmi.draw.systems import tied_parts

        self.table, self.plan, self.cells, self.rng = part.table, plan, cells, rng
        self.draw, self.centre = Predictor(part, draw), Predictor(part, centre)
        self.tied = tied_parts(plan, part.table)
        self.values = {name: column.copy() for name, column in part.table.values.items()}
        for name, filled in cells.items():
            self.values[name][part.table.frame.columns[name].missing] = filled

    def _expected(self, by: MatchedDraws, name: str, at: Predictor) -> Floats:
        seen = by.model.table.values[name]
        return expected_cells(at, name, self.values, self.plan.active, seen)

    def give(self, by: MatchedDraws, name: str) -> Pool:
        """Return the donors of a variable."""
        factor = by.model.factor(name)
        own = self.table.values[name][self.table.rows_of_level(factor.level)]
        known = np.isfinite(own) & ~self.table.unknown_at(name, factor.level)
        at = self.draw if by.matchtype == 2 else self.centre
        return self._expected(by, name, at)[known], own[known]

    def receive(self, by: MatchedDraws, name: str, pool: Pool) -> None:
        """Give every open cell of a variable the value of a donor."""
        level = by.model.factor(name).level
        rows, unknown = self.table.rows_of_level(level), self.table.unknown_at(name, level)
        if name in self.tied:
            unknown = unknown & ~self.tied[name]
        if not unknown.any():
            return
        scores = self._expected(by, name, self.centre if by.matchtype == 0 else self.draw)[unknown]
        own = self.values[name][rows]
        own[unknown] = pool[1][choose_donors(pool[0], scores, by.donors, self.rng)]
        spread = own if level == "row" else own[self.table.groupings[level].codes]
        holes = self.table.unknown[name]
        self.values[name][holes] = spread[holes]

    def finish(self, derived: Any) -> dict[str, Floats]:
        """Return all missing cells, those of derived variables computed from the others."""
        from bayesmi.model.derived import fill_derived

        frame = self.table.frame
        fill_derived(derived, frame, self.values)
        names = {*self.cells, *(one.name for one in derived)}
        return {name: self.values[name][frame.columns[name].missing] for name in sorted(names)}
