"""Predictive mean matching of values that were not selected: by their means given that, against those of seen ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.donors import choose_donors
from bayesmi.draw.conditional import conditional
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["DONORS", "matched_values", "outside_donors"]

Floats = NDArray[np.float64]
DONORS = 5


def matched_values(
    factor: Factor,
    table: ModelTable,
    units: NDArray[np.intp],
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
    rng: np.random.Generator,
) -> Floats:
    """Return an observed value for each unit, one of the `DONORS` with the nearest means."""
    wanted, means, seen = _means(factor, table, units, values, draw)
    return np.asarray(seen[choose_donors(means, wanted, DONORS, rng)])


def outside_donors(
    factor: Factor,
    table: ModelTable,
    units: NDArray[np.intp],
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
) -> float:
    """Return the share of units whose mean lies outside the range of the donors' means."""
    wanted, means, _ = _means(factor, table, units, values, draw)
    return float(np.mean((wanted < means.min()) | (wanted > means.max()))) if len(wanted) else 0.0


def _means(
    factor: Factor,
    table: ModelTable,
    units: NDArray[np.intp],
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
) -> tuple[Floats, Floats, Floats]:
    """Means of the units given that they were not selected, of the donors given that they were, and the donors' values."""
    observed = np.flatnonzero(np.isfinite(table.at(factor.variable, factor.level)))
    out = []
    for chosen in (units, observed):
        own = conditional(factor, table, chosen, values, draw)
        out.append(np.asarray(factor.family.mean(np, own.eta, own.scales), dtype=float))
    return out[0], out[1], table.at(factor.variable, factor.level)[observed]
