"""The values that a summed cell runs over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["IMPOSSIBLE", "CellValues", "together", "within_limits"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
IMPOSSIBLE = -1e100  # log weight of a combination that cannot be: finite, so that gradients stay so


@dataclass(frozen=True)
class CellValues:
    """Values that the summed cells of a variable run over, with log weights (of a grid; zero for levels)."""

    values: Floats  # (cells, K)
    log_weights: Floats  # (cells, K)
    spacing: Floats | None = None  # (cells,) of a grid on its unconstrained scale
    starts: Floats | None = None  # (cells,) its first point there
    low: Floats | None = None  # (cells,) bounds of each cell, where they are not those of the family
    high: Floats | None = None
    counts: NDArray[np.intp] | None = (
        None  # (cells,) values of each cell, where these are not K: the rest is filling
    )

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of values of each cell, (cells,)."""
        if self.counts is None:
            return np.full(len(self.values), self.values.shape[1], dtype=np.intp)
        return self.counts

    def select(self, chosen: NDArray[np.bool_]) -> CellValues:
        """Return the values of some cells."""
        optional = {
            name: own[chosen]
            for name in ("spacing", "starts", "low", "high", "counts")
            if (own := getattr(self, name)) is not None
        }
        return CellValues(self.values[chosen], self.log_weights[chosen], **optional)


def together(one: tuple[Ints, CellValues], other: tuple[Ints, CellValues]) -> tuple[Ints, CellValues]:
    """Return the units of two sets of gridded cells of a variable in order, and the grids of all of them."""
    units = np.concatenate([one[0], other[0]])
    order = np.argsort(units)
    width = max(own.values.shape[1] for _, own in (one, other))

    def column(name: str) -> Floats:
        return np.concatenate([getattr(own, name) for _, own in (one, other)])[order]

    def wide(name: str) -> Floats:
        parts = []
        for _, own in (one, other):
            values = getattr(own, name)
            parts.append(np.pad(values, ((0, 0), (0, width - values.shape[1])), mode="edge"))
        return np.concatenate(parts)[order]

    bounded = one[1].low is not None
    joined = CellValues(
        wide("values"),
        wide("log_weights"),
        column("spacing"),
        column("starts"),
        column("low") if bounded else None,
        column("high") if bounded else None,
        np.concatenate([own.sizes for _, own in (one, other)])[order],
    )
    return units[order], joined


def within_limits(cells: CellValues, lower: Floats, upper: Floats) -> CellValues:
    """Return discrete values of which those outside of a cell's limits, (cells,), are impossible."""
    outside = (cells.values < lower[:, None]) | (cells.values > upper[:, None])
    return replace(cells, log_weights=np.where(outside, IMPOSSIBLE, cells.log_weights))
