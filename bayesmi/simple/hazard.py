"""Cumulative hazard at each row's time: how survival enters an imputation model."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesmi.errors import DataError

__all__ = ["nelson_aalen"]


def nelson_aalen(time: ArrayLike, event: ArrayLike, ties: Literal["efron", "breslow"] = "efron") -> pd.Series:
    """Estimate the cumulative hazard at each time.

    Parameters
    ----------
    time : array_like, shape (n,)
        Time of the event or of censoring, from 0 up. NaN where missing.
    event : array_like, shape (n,)
        1 or True for an event, 0 or False for censoring. NaN where missing.
    ties : {"efron", "breslow"}
        Increment where d of r at risk have an event at the same time: ``"efron"`` Σ 1 / (r - k) over k < d (Fleming
        and Harrington 1984), which mice's ``nelsonaalen`` gives; ``"breslow"`` d / r, the classical estimator.

    Returns
    -------
    Series, shape (n,)
        With the index of ``time`` if it is a Series; NaN where time is missing.

    Raises
    ------
    DataError
        If sizes differ, an event is neither 0 nor 1, or a time is negative.

    Notes
    -----
    To impute covariates of a survival model, put the event indicator and this column into the imputation model, and
    leave time itself out (White and Royston 2009, Statistics in Medicine 28, 1982-1998). Rows with a missing time or
    event are not at risk; a row with time and without event still gets the hazard at its time.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.nelson_aalen([1, 2, 2, 3], [1, 1, 1, 0]).round(4).tolist()
    [0.25, 1.0833, 1.0833, 1.0833]
    >>> bmi.nelson_aalen([1, 2, 2, 3], [1, 1, 1, 0], ties="breslow").round(4).tolist()
    [0.25, 0.9167, 0.9167, 0.9167]
    """
    if ties not in ("efron", "breslow"):
        raise DataError(f"ties {ties!r} is not known: use 'efron' or 'breslow'")
    t, e = _numbers(time, "time"), _numbers(event, "event")
    if t.shape != e.shape or t.ndim != 1:
        raise DataError(f"{t.size} times and {e.size} events: give one event for each time")
    if np.isinf(t).any() or (t < 0).any():
        raise DataError(
            f"time {np.flatnonzero(np.isinf(t) | (t < 0))[0]} is negative or infinite: times are finite, from 0 up"
        )
    wrong = ~np.isin(e[np.isfinite(e)], (0.0, 1.0))
    if wrong.any() or np.isinf(e).any():
        value = e[np.isfinite(e)][wrong][0] if wrong.any() else np.inf
        raise DataError(f"event holds {value:g}: 1 is an event, 0 censored")
    used = np.isfinite(t) & np.isfinite(e)
    times, events = np.unique(t[used & (e == 1)], return_counts=True)
    at_risk = int(used.sum()) - np.searchsorted(np.sort(t[used]), times)
    if ties == "breslow":
        steps = events / at_risk
    else:
        which = np.repeat(np.arange(len(times)), events)
        k = np.arange(len(which)) - np.repeat(np.cumsum(events) - events, events)
        steps = np.bincount(which, 1.0 / (at_risk[which] - k), minlength=len(times))
    hazard = np.concatenate([[0.0], np.cumsum(steps)])
    found = np.where(np.isfinite(t), hazard[np.searchsorted(times, t, side="right")], np.nan)
    index = time.index if isinstance(time, pd.Series) else None
    return pd.Series(found, index=index, name="nelson_aalen")


def _numbers(given: Any, what: str) -> NDArray[np.float64]:
    """Numbers with NaN for every mark of a missing value."""
    try:
        numbers = pd.Series(np.asarray(given, dtype=object)).astype("Float64")
        return np.asarray(numbers.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must hold numbers") from None
