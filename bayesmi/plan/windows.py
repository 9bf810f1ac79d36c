"""Where on the line a cell can be of which something was measured: around its measurement, each cell its own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.support import Support, constrain, unconstrain
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["Windows", "find_windows"]

Floats = NDArray[np.float64]
_REACH = 9.0  # standard errors to either side: 1e-12 of a measurement's mass is beyond 7, and others pull by a few at most
_CORE = 5.0  # within which the density has to be resolved
_LEAST = 4.0  # standard errors that a window has at least


@dataclass(frozen=True)
class Windows:
    """Ends and resolution of each cell on the unconstrained scale."""

    low: Floats  # (cells,)
    high: Floats
    sd: Floats  # (cells,) of the cell given its measurements alone; inf where it has none


def find_windows(
    factor: Factor,
    factors: Sequence[Factor],
    table: ModelTable,
    units: NDArray[np.intp],
    ends: tuple[float, float],
    wider: float,
) -> Windows | None:
    """Return the windows of a variable's cells, inside the ends of the common grid; None where nothing is measured."""
    found = _measurements(factor, factors, table)
    if found is None:
        return None
    centre, error = found[0][units], found[1][units]
    seen = np.isfinite(centre)
    centre, error = np.where(seen, centre, 0.0), np.where(seen, error, 1.0)
    reach = wider * _REACH * error
    left = _free(centre - reach, factor.support, ends[0])
    right = _free(centre + reach, factor.support, ends[1])
    sd = np.full(len(units), np.inf)
    for step in np.linspace(-_CORE, _CORE, 9):
        z = np.clip(_free(centre + step * error, factor.support, np.nan), *ends)
        with np.errstate(over="ignore"):
            slope = np.exp(constrain(z, factor.support)[1])
        sd = np.fmin(sd, error / slope)
    low, high = np.maximum(left, ends[0]), np.minimum(right, ends[1])
    narrow = high - low < _LEAST * sd  # far outside of what the others are: its own window as it is
    low, high = np.where(narrow, left, low), np.where(narrow, right, high)
    return Windows(np.where(seen, low, ends[0]), np.where(seen, high, ends[1]), np.where(seen, sd, np.inf))


def _free(values: Floats, support: Support, outside: float) -> Floats:
    """Return values on the unconstrained scale, `outside` where they are beyond the support."""
    if len(support) == 2:
        inside = (values > support[0]) & (values < support[1])
    else:
        inside = np.ones(len(values), dtype=bool)
    out = np.full(len(values), outside)
    out[inside] = unconstrain(values[inside], support)
    return out


def _measurements(
    factor: Factor, factors: Sequence[Factor], table: ModelTable
) -> tuple[Floats, Floats] | None:
    """Return mean and standard error of what was measured of each unit, NaN where nothing was."""
    child = next((f for f in factors if f.is_observation and factor.variable in f.parents), None)
    if child is None or child.scale is None:
        return None
    rows = table.rows_of_level(child.level)
    values = {name: table.values[name][rows] for name in child.scale.offsets.variables}
    with np.errstate(invalid="ignore"):
        precision = np.exp(-2.0 * np.asarray(child.scale.offsets.matrix(values).sum(axis=1)))
    y = table.values[child.variable][rows]
    seen = np.isfinite(y) & np.isfinite(precision)
    codes = np.arange(len(rows)) if child.level == factor.level else table.codes_at(factor.level, child.level)
    n = len(table.rows_of_level(factor.level))
    total = np.bincount(codes[seen], weights=precision[seen], minlength=n)
    sums = np.bincount(codes[seen], weights=(precision * y)[seen], minlength=n)
    known = total > 0
    mean = np.divide(sums, total, out=np.full(n, np.nan), where=known)
    error = np.divide(1.0, np.sqrt(total), out=np.full(n, np.nan), where=known)
    return mean, error
