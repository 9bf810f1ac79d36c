"""Imputations of a Fit: m posterior draws, each completed by its own random stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables
from bayesmi.draw.cells import complete_cells
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.model import Model
from bayesmi.plan import Plan
from bayesmi.seeds import IMPUTE, stream

__all__ = ["FitDraws"]


@dataclass(frozen=True)
class FitDraws:
    """What `Imputations` asks for: cells of imputation i, in any order, by any worker, always the same."""

    model: Model
    plan: Plan
    tables: Tables
    chosen: PosteriorDraws  # the m draws, with group effects
    origins: Sequence[tuple[int, int]]  # (chain, draw)
    seed: int

    @property
    def m(self) -> int:
        """Number of imputations."""
        return len(self.origins)

    def origin(self, i: int) -> tuple[int, int]:
        """Return (chain, draw) of imputation i, counted from 0."""
        return self.origins[i]

    def cells(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        return complete_cells(
            self.model.factors,
            self.model.table,
            self.plan,
            self.tables,
            self.chosen.take(np.array([i])),
            stream(self.seed, IMPUTE, i),
            self.model.derived,
        )
