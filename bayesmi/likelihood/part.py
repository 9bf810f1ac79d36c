"""Part of the product of conditionals, planned and laid out: the whole joint model, or without some of its factors.

log f(y | x_obs) = log f(y, x_obs) - log f(x_obs): the second is the product without the analysis model, in which other
missing cells carry information and others do not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, make_tables
from bayesmi.data.grouping import rank_within
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.model import Model
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan, make_plan
from bayesmi.plan.overrides import whole_variables

if TYPE_CHECKING:
    from bayesmi.fit.grids import GridAccuracy

__all__ = ["Part", "joint_part", "laid_out", "without"]

Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Part:
    """Some factors of a joint model as laid out."""

    factors: tuple[Factor, ...]
    table: ModelTable
    plan: Plan
    tables: Tables

    @property
    def group_levels(self) -> tuple[str, ...]:
        """Groupings at which some factor has its values."""
        return tuple(dict.fromkeys(f.level for f in self.factors if f.level != "row"))

    def factor(self, variable: str) -> Factor:
        """Return the conditional of one variable."""
        return next(factor for factor in self.factors if factor.variable == variable)

    def level_of_cells(self, variable: str) -> str:
        """Return the level at which a variable's sampled cells are unknowns: their group's, where its mean is a predictor.

        Raises
        ------
        NotSupportedError
            If means of groups that do not lie in each other are.
        """
        groupings = dict.fromkeys(
            one.grouping
            for factor in self.factors
            for one in factor.means.values()
            if one.variable == variable
        )
        for outer in groupings:
            if all(inner == outer or self.table.contains(outer, inner) for inner in groupings):
                return outer
        if groupings:
            raise NotSupportedError(
                f"means of the completed {variable!r} in groups of {' and of '.join(groupings)}, of which neither lie in the "
                "other: a log likelihood is supported beside the means of one"
            )
        return self.factor(variable).level

    def sampled_at(self, level: str) -> tuple[Factor, ...]:
        """Return the variables with cells that NUTS samples and that are unknowns of a level."""
        return tuple(
            f
            for f in self.factors
            if self.tables.n_cells.get(f.variable) and self.level_of_cells(f.variable) == level
        )

    def places_of_cells(self, variable: str) -> tuple[Ints, Ints]:
        """Return of each sampled cell of a variable the unit of the level and its number among the unit's, from 0."""
        units = self.plan.units(variable, "sample")
        level, own = self.level_of_cells(variable), self.factor(variable).level
        if level == own:
            return units, np.zeros(len(units), dtype=np.intp)
        codes = self.table.codes_at(level, own)[units]
        return codes, rank_within(codes)

    @property
    def width(self) -> int:
        """Numbers that one posterior draw needs in memory at a time."""
        integrals = self.tables.integrals
        widths = [table.n_rows for table in self.tables.factors.values()]
        return max([1, *widths, self.tables.expansion.n, integrals.n * (integrals.most + 1) ** 2])


@dataclass(frozen=True)
class _Chosen:
    """What `make_plan` asks of a model."""

    factors: tuple[Factor, ...]
    table: ModelTable
    treatments: Mapping[str, str]
    response: str

    def factor(self, variable: str) -> Factor:
        for factor in self.factors:
            if factor.variable == variable:
                return factor
        raise ModelError(f"{variable!r} is not in this part of the model")


def laid_out(factors: tuple[Factor, ...], table: ModelTable, plan: Plan) -> Part:
    """Return factors with the tables that a plan makes of them."""
    return Part(factors, table, plan, make_tables(factors, table, plan))


def joint_part(model: Model, plan: Plan, tables: Tables) -> Part:
    """Return the whole joint model, as it was sampled."""
    return Part(model.factors, model.table, plan, tables)


def without(model: Model, plan: Plan, roles: Collection[str], draws: PosteriorDraws | None = None) -> Part:
    """Return the joint model without the factors of some roles; no factor left needs their variables' values.

    Parameters
    ----------
    model, plan
        The joint model and its plan, whose grids are taken over where the part needs any.
    roles : collection of str
        "auxiliary", or "auxiliary" and "analysis".
    draws : PosteriorDraws, optional
        Draws at which the grids of the part are checked, and refined where they do not hold.
    """
    from bayesmi.fit.grids import check_grids
    from bayesmi.fit.refine import refine

    factors = tuple(factor for factor in model.factors if factor.role not in roles)
    names = {factor.variable for factor in factors}
    # what was recorded of a variable goes with it
    factors = tuple(f for f in factors if not f.is_observation or set(f.column_names) & names)
    names = {factor.variable for factor in factors}
    groups = {
        f"{f.prefix}1|{effect.grouping}" for whole in factors for f in whole.parts for effect in f.effects
    }
    # of whole variables only: groups of cells are others where fewer factors depend on them
    asked = whole_variables(model.treatments)
    kept = {key: how for key, how in asked.items() if key in names or key in groups}
    chosen: Any = _Chosen(factors, model.table, kept, model.response)
    finer = {name: value for name, value in plan.finer.items() if name in names}
    wider = {name: value for name, value in plan.wider.items() if name in names}

    def lay_out(own: Plan) -> tuple[Part, tuple[GridAccuracy, ...]]:
        part = laid_out(factors, model.table, own)
        if draws is None or not own.grids:
            return part, ()
        return part, check_grids(chosen, own, part.tables, _at_centres(part, draws))

    def again(
        finer: Mapping[str, float], wider: Mapping[str, float]
    ) -> tuple[Part, tuple[GridAccuracy, ...]] | None:
        own = make_plan(chosen, finer=finer, wider=wider)
        return None if own.holds else lay_out(own)

    part, accuracy = lay_out(make_plan(chosen, finer=finer, wider=wider))
    return refine(part, accuracy, finer, wider, again)[0]


def _at_centres(part: Part, draws: PosteriorDraws) -> PosteriorDraws:
    """Return draws whose sampled cells (which differ from those of the whole model) are at their observed means."""
    cells = {
        name: np.full((draws.n, n), part.factor(name).location) for name, n in part.tables.n_cells.items()
    }
    return PosteriorDraws(draws.n_chains, draws.n_draws, draws.factors, cells)
