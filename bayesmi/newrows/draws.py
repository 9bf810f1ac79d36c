"""Imputations of new rows: each from one posterior draw of the fit, which new rows do not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw import FitDraws, PosteriorDraws
from bayesmi.draw.cells import complete_cells
from bayesmi.draw.shifted import complete_shifted, full_columns
from bayesmi.likelihood.part import Part
from bayesmi.mechanism import Delta, deltas_of
from bayesmi.newrows.laid import LaidOut
from bayesmi.seeds import NEW_ROWS, stream

__all__ = ["AlongFit", "NewRowDraws"]


@dataclass(frozen=True)
class AlongFit:
    """Draws that belong to those of a fit, one by one."""

    fitted: FitDraws  # the same posterior draws: cluster cells that were missing at the fit have its values

    @property
    def m(self) -> int:
        """Number of imputations."""
        return self.fitted.m

    @property
    def origins(self) -> Sequence[tuple[int, int]]:
        """(chain, draw) of every imputation."""
        return self.fitted.origins

    def origin(self, i: int) -> tuple[int, int]:
        """Return (chain, draw) of imputation i, counted from 0."""
        return self.fitted.origin(i)

    @property
    def read_columns(self) -> frozenset[str]:
        """Columns whose holes are no holes to fill, as at the fit."""
        return self.fitted.read_columns


@dataclass(frozen=True)
class NewRowDraws(AlongFit):
    """What `Imputations` asks for: cells of the new rows in imputation i, always the same."""

    laid: LaidOut

    @property
    def deltas(self) -> Mapping[str, Delta]:
        """Deltas that these draws hold, by variable."""
        return deltas_of(self.laid.model.mechanisms, "conditional")

    def cells(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        found, part, draw = self.drawn(i)
        deltas = self.deltas
        if not deltas:
            return found
        model = self.laid.model
        return complete_shifted(
            part.factors,
            part.table,
            part.plan,
            part.tables,
            draw,
            deltas,
            model.treatments,
            found,
            self.fitted.seed,
            i,
            model.derived,
        )

    def before(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Return the cells of imputation i without deltas."""
        return self.drawn(i)[0]

    def drawn(
        self, i: int, of_fit: Mapping[str, NDArray[np.float64]] | None = None
    ) -> tuple[Mapping[str, NDArray[np.float64]], Part, PosteriorDraws]:
        """Return cells without deltas, the rows as laid out, and the posterior draw with effects of their groups.

        Parameters
        ----------
        i : int
            Imputation, counted from 0.
        of_fit : mapping of str to ndarray, optional
            The fit's completed columns, which its clusters' values are taken from; by default those of imputation i.
        """
        laid, model = self.laid, self.laid.model
        rng = stream(self.fitted.seed, NEW_ROWS, i)
        part = laid.part
        if laid.rows.carried:
            part = laid.at(of_fit or full_columns(model.table, self.fitted.cells(i)))
        draw = laid.draw(part, self.fitted.chosen.take(np.array([i])), rng)
        found = complete_cells(part.factors, part.table, part.plan, part.tables, draw, rng, model.derived)
        return found, part, draw
