"""Imputations of a Fit: m posterior draws, each completed by its own random stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.cells import complete_cells
from bayesmi.draw.matching import outside_donors
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.shifted import complete_shifted, full_columns
from bayesmi.mechanism import Delta, deltas_of
from bayesmi.model import Model
from bayesmi.model.shifted import made_columns
from bayesmi.plan import Plan
from bayesmi.seeds import IMPUTE, stream

__all__ = ["FitDraws"]

_LOOKED_AT = 5  # imputations


@dataclass(frozen=True)
class FitDraws:
    """What `Imputations` asks for: cells of imputation i, in any order, by any worker, always the same."""

    model: Model
    plan: Plan
    tables: Tables
    chosen: PosteriorDraws  # the m draws, with group effects
    origins: Sequence[tuple[int, int]]  # (chain, draw)
    seed: int
    plans: dict[tuple[str, ...], Plan] = field(default_factory=dict, repr=False, compare=False)

    @property
    def m(self) -> int:
        """Number of imputations."""
        return len(self.origins)

    def origin(self, i: int) -> tuple[int, int]:
        """Return (chain, draw) of imputation i, counted from 0."""
        return self.origins[i]

    def cells(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        draw = self.chosen.take(np.array([i]))
        model = self.model
        cells = complete_cells(
            model.factors,
            model.table,
            self.plan,
            self.tables,
            draw,
            stream(self.seed, IMPUTE, i),
            model.derived,
        )
        deltas = deltas_of(model.mechanisms, "conditional")
        if not deltas:
            return cells
        return complete_shifted(
            model.factors,
            model.table,
            self.plan,
            self.tables,
            draw,
            deltas,
            model.treatments,
            cells,
            self.seed,
            i,
            model.derived,
            self.plans,
        )

    @property
    def read_columns(self) -> frozenset[str]:
        """Columns that the model reads limits or measurements from: their holes are no holes to fill."""
        limits = (name for own in self.model.limits.values() for name in own.columns)
        measured = (
            name for factor in self.model.factors if factor.is_observation for name in (factor.variable,)
        )
        return frozenset([*limits, *measured])

    def matching_notices(self) -> tuple[str, ...]:
        """Say of each variable that is imputed by matching how many means lie outside the range of the donors'."""
        out = []
        model = self.model
        for factor in model.factors:
            units = self.plan.units(factor.variable, "predict")
            if not factor.matching or not units.size:
                continue
            shares = []
            for i in range(min(self.m, _LOOKED_AT)):
                draw = self.chosen.take(np.array([i]))
                values = full_columns(model.table, self.cells(i))
                shares.append(outside_donors(factor, model.table, units, values, draw))
            out.append(
                f"{factor.variable}: {100 * float(np.mean(shares)):.1f} % of the {len(units)} matched cells have a mean outside "
                "the range of the donors' means: their values cannot go where the model puts them"
            )
        return tuple(out)

    @property
    def deltas(self) -> Mapping[str, Delta]:
        """Deltas that these draws hold, by variable."""
        mechanisms = self.model.mechanisms
        return {**deltas_of(mechanisms, "conditional"), **deltas_of(mechanisms, "model")}

    def before(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Return the cells of imputation i without deltas: same parameters, same random numbers.

        Of a delta_model these are not those under missing at random, whose parameters are others.
        """
        model = self.model
        columns = made_columns(list(deltas_of(model.mechanisms, "model")), list(model.table.made))
        table, tables = model.table, self.tables
        if columns:
            table = table.with_values({name: np.zeros(table.n_rows) for name in columns})
            tables = make_tables(model.factors, table, self.plan)
        return complete_cells(
            model.factors,
            table,
            self.plan,
            tables,
            self.chosen.take(np.array([i])),
            stream(self.seed, IMPUTE, i),
            model.derived,
        )
