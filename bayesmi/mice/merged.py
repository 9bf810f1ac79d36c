"""Cells of imputations that come from several models, or from a model of clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.imputations import CellDraws, ChangedDraws, Imputations

if TYPE_CHECKING:
    from bayesmi.mice.translation import Component

__all__ = ["ClusterDraws", "MergedDraws", "known_cells", "spread", "wanted_cells"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MergedDraws:
    """Imputation i of every part, side by side; later parts win.

    `wanted` says which of a column's missing cells are kept, where not all are.
    """

    known: Mapping[str, Floats]
    parts: Sequence[CellDraws]
    n: int
    wanted: Mapping[str, NDArray[np.bool_]]

    @property
    def m(self) -> int:
        """Number of imputations."""
        return self.n

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        together = dict(self.known)
        for part in self.parts:
            together.update(part.cells(i))
        for name, mask in self.wanted.items():
            if name in together:
                together[name] = np.asarray(together[name])[mask]
        return {name: cells for name, cells in together.items() if len(cells)}

    def origin(self, i: int) -> tuple[int, int]:
        """Return (chain, draw) in the posterior of the last part."""
        return self.parts[-1].origin(i) if self.parts else (0, i)


@dataclass(frozen=True, eq=False)
class ClusterDraws(ChangedDraws):
    """Draws for clusters, spread over the rows of the table."""

    frame: IncompleteFrame
    cluster: str
    clusters_frame: Any  # the frame of the table of clusters

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        codes = self.frame.grouping(self.cluster).codes
        out = {}
        for name, drawn in self.base.cells(i).items():
            column = self.clusters_frame.columns[name]
            values = np.array(column.values)
            values[column.missing] = drawn
            out[name] = values[codes][self.frame.columns[name].missing]
        return out


def spread(imputed: Imputations, part: Component, frame: IncompleteFrame) -> CellDraws:
    """Return the draws of a part over the rows of the table."""
    if part.aggregated_by is None:
        return imputed._draws
    return ClusterDraws(imputed._draws, frame, part.aggregated_by, imputed.frame)


def known_cells(frame: IncompleteFrame, names: Sequence[str]) -> dict[str, Floats]:
    """Return the cells that other rows of their cluster tell."""
    return {name: frame.deduced[name][frame.columns[name].missing] for name in names}


def wanted_cells(frame: IncompleteFrame, asked: IncompleteFrame) -> dict[str, NDArray[np.bool_]]:
    """Return which of the missing cells are asked for, by column where not all are."""
    return {
        name: asked.columns[name].missing[column.missing]
        for name, column in frame.columns.items()
        if column.n_missing != asked.columns[name].n_missing
    }
