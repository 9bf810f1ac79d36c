"""A factor laid out on rows whose predictors are all known by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.expansion import nothing_expanded
from bayesmi.build.factor_table import FactorTable
from bayesmi.build.lay_out import lay_out
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["lay_out_completed"]


def lay_out_completed(
    factor: Factor, table: ModelTable, units: NDArray[np.intp], values: Mapping[str, NDArray[np.float64]]
) -> FactorTable:
    """Lay out a factor on units with completed predictor values (over rows)."""
    completed = replace(table, values=values)
    return lay_out(factor, completed, units, nothing_expanded(), None, {})
