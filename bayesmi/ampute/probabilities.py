"""Probabilities of missing from weighted sum scores: logistic by type, or odds by quantile group."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import DataError

__all__ = ["TYPES", "Type", "by_odds", "by_type", "shift_of", "sum_scores"]

Floats = NDArray[np.float64]
Type = Literal["RIGHT", "LEFT", "MID", "TAIL"]
TYPES: tuple[Type, ...] = ("RIGHT", "LEFT", "MID", "TAIL")
_GRID = 4000
_WIDE = 60.0  # beyond it a logistic probability is 0 or 1


def sum_scores(values: Floats, weights: Floats, std: bool) -> Floats:
    """Weighted sum of the candidates' values, standardised; zeros if it does not vary.

    `values` has shape (candidates, p). With `std` each column is standardised among the candidates first; a column
    that does not vary among them counts nothing.
    """
    used = weights != 0
    columns = values[:, used]
    if std:
        columns = _standardised(columns)
    return _standardised((columns @ weights[used])[:, None])[:, 0]


def by_type(scores: Floats, kind: Type, prop: float) -> Floats:
    """Logistic probabilities, shifted so that standard normal scores give the proportion on average.

    Notes
    -----
    Schouten, Lugtig and Vink (2018), section 2.4. mice finds the shift on 10 000 random numbers, here the expectation
    is computed.
    """
    if np.ptp(scores) == 0 if len(scores) else True:
        return np.full(len(scores), prop)
    if prop <= 0 or prop >= 1:
        return np.full(len(scores), float(prop >= 1))
    return _expit(_shape(scores, kind) + shift_of(kind, prop))


def by_odds(scores: Floats, odds: Floats, prop: float, pattern: int) -> Floats:
    """Probabilities of the quantile groups of the scores: their odds relative to each other, the proportion on average.

    Raises
    ------
    DataError
        If the scores have too few distinct values for the groups.
    """
    if np.ptp(scores) == 0 if len(scores) else True:
        return np.full(len(scores), prop)
    given = odds[np.isfinite(odds)]
    cuts = np.quantile(scores, np.linspace(0, 1, len(given) + 1))
    if (np.diff(cuts) <= 0).any():
        raise DataError(
            f"pattern {pattern}: its sum scores have too few distinct values for {len(given)} groups: give fewer odds, or "
            "weights on more columns"
        )
    group = np.searchsorted(cuts[1:-1], scores, side="right")
    return np.asarray(len(given) * prop * given[group] / given.sum())


@cache
def shift_of(kind: Type, prop: float) -> float:
    """Constant that makes the expected probability of a standard normal score equal to the proportion."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    grid = _shape(ndtri((np.arange(_GRID) + 0.5) / _GRID), kind)
    return float(brentq(lambda b: _expit(grid + b).mean() - prop, -_WIDE, _WIDE, xtol=1e-10))


def _shape(scores: Floats, kind: Type) -> Floats:
    """Log odds by score, up to the shift."""
    if kind in ("RIGHT", "LEFT"):
        return scores if kind == "RIGHT" else -scores
    return np.abs(scores) if kind == "TAIL" else -np.abs(scores)


def _standardised(columns: Floats) -> Floats:
    """Mean 0 and sd 1 by column; zeros where nothing varies."""
    if len(columns) < 2:
        return np.zeros_like(columns)
    centred = columns - columns.mean(axis=0)
    sd = columns.std(axis=0, ddof=1)
    varies = np.ptp(columns, axis=0) > 0
    return np.asarray(np.where(varies, centred / np.where(varies, sd, 1.0), 0.0))


def _expit(x: Floats) -> Floats:
    """Inverse logit."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
