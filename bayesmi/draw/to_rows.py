"""Values of the units of a level laid into a column over rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["to_rows"]


def to_rows(
    factor: Factor,
    table: ModelTable,
    units: NDArray[np.intp],
    at_units: NDArray[np.float64],
    column: NDArray[np.float64],
) -> None:
    """Write one value a unit into the unknown cells of the rows of the unit, in place."""
    if factor.level == "row":
        column[units] = at_units
        return
    group = table.groupings[factor.level]
    by_group = np.full(len(group.labels), np.nan)
    by_group[units] = at_units
    spread = by_group[group.codes]
    holes = np.isfinite(spread) & table.unknown[factor.variable]
    column[holes] = spread[holes]
