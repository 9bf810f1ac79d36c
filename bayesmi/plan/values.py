"""The values that a summed cell runs over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["IMPOSSIBLE", "CellValues", "within_limits"]

Floats = NDArray[np.float64]
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


def within_limits(cells: CellValues, lower: Floats, upper: Floats) -> CellValues:
    """Return discrete values of which those outside of a cell's limits, (cells,), are impossible."""
    outside = (cells.values < lower[:, None]) | (cells.values > upper[:, None])
    return replace(cells, log_weights=np.where(outside, IMPOSSIBLE, cells.log_weights))
