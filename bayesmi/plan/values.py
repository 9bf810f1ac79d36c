"""The values that a summed cell runs over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CellValues"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellValues:
    """Values that the summed cells of a variable run over, with log weights (of a grid; zero for levels)."""

    values: Floats  # (cells, K)
    log_weights: Floats  # (cells, K)
    spacing: Floats | None = None  # (cells,) of a grid on its unconstrained scale
    starts: Floats | None = None  # (cells,) its first point there
