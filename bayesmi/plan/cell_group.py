"""Missing cells of one variable that are dealt with alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CellGroup"]


@dataclass(frozen=True)
class CellGroup:
    """Missing cells of one variable that are dealt with alike."""

    variable: str
    treatment: str  # "predict", "enumerate", "gibbs", "integrate", "grid", "sample", "solve", "deduce"
    level: str
    units: NDArray[np.intp]  # positions among the units of the level
    reason: str
