"""Shifts of finished imputations: templates by visit and visits since the event, and what they come to."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.polars_table import is_polars
from bayesmi.data.wording import did_you_mean, list_some, plain
from bayesmi.errors import DataError, ModelError
from bayesmi.trial.events import Events
from bayesmi.trial.layout import TrialData

__all__ = ["Delta", "delta_table", "read_delta", "realised_difference", "scheduled"]

Floats = NDArray[np.float64]
Delta = float | Sequence[float] | Mapping[Any, Any] | pd.DataFrame | None


def scheduled(first: int, delta: Sequence[float] | Floats, dlag: Sequence[float] | Floats) -> Floats:
    """Return a patient's shift at each visit.

    Parameters
    ----------
    first : int
        First affected visit, from 0.
    delta : sequence of float, length J
        What is added at each visit.
    dlag : sequence of float, length J
        What it is multiplied by at the event, a visit after it, two visits after it, …

    Returns
    -------
    ndarray, shape (J,)
        The cumulative sum of delta[j] dlag[j - first] over j ≥ first; zero before.

    Notes
    -----
    The parametrisation of the SAS "five macros" (Roger 2012) that rbmi's delta_template has too.

    Examples
    --------
    >>> scheduled(1, (5, 6, 7, 8), (1, 2, 3, 4))
    array([ 0.,  6., 20., 44.])
    """
    shift = np.zeros(len(delta))
    lags = np.arange(len(delta) - first)
    shift[first:] = np.cumsum(np.asarray(delta, dtype=float)[first:] * np.asarray(dlag, dtype=float)[lags])
    return shift


def delta_table(
    data: TrialData,
    events: Events,
    delta: float | Sequence[float] | Mapping[Any, Any] | None = None,
    dlag: Sequence[float] | None = None,
    *,
    missing_only: bool = True,
) -> pd.DataFrame:
    """Return the template: one row a patient and visit; see `TrialModel.delta_template`."""
    by_arm = _by_arm(data, delta)
    lags = _numbers("dlag", dlag if dlag is not None else [1.0] + [0.0] * (data.n_visits - 1), data.n_visits)
    shift = np.array(
        [
            scheduled(int(first), by_arm[arm], lags)
            for first, arm in zip(events.first, data.arm_of, strict=True)
        ]
    )
    missing = ~data.observed
    if missing_only:
        shift = np.where(missing, shift, 0.0)
    n, n_visits = data.values.shape
    after = events.after(n_visits)
    return pd.DataFrame(
        {
            data.subject: np.repeat(np.array(data.subjects, dtype=object), n_visits),
            data.visit: list(data.visits) * n,
            data.arm: np.repeat(np.array(data.arms, dtype=object)[data.arm_of], n_visits),
            "strategy": np.repeat(np.array(events.strategies, dtype=object), n_visits),
            "is_missing": missing.ravel(),
            "is_after_event": after.ravel(),
            "delta": shift.ravel(),
        }
    )


def read_delta(data: TrialData, events: Events, delta: Delta, *, observed_too: bool = False) -> Floats | None:
    """Return shifts by patient and visit, (n, J), from a number, numbers by visit, by arm, or a table.

    Raises
    ------
    DataError
        If a table names patients or visits that there are not, or shifts an observed outcome.
    """
    if delta is None:
        return None
    table: Any = delta
    if is_polars(table):
        delta = table.to_pandas()
    if not isinstance(delta, pd.DataFrame):
        return np.asarray(
            delta_table(data, events, delta, missing_only=not observed_too)["delta"]
            .to_numpy()
            .reshape(data.values.shape)
        )
    for name in (data.subject, data.visit, "delta"):
        if name not in delta.columns:
            raise DataError(
                f"delta= has no column {name!r}: {did_you_mean(name, [str(c) for c in delta.columns])}"
            )
    unit = {label: i for i, label in enumerate(data.subjects)}
    place = {label: j for j, label in enumerate(data.visits)}
    shift = np.full(data.values.shape, np.nan)
    for who, when, by in zip(
        delta[data.subject].tolist(), delta[data.visit].tolist(), delta["delta"].tolist(), strict=True
    ):
        if who not in unit or when not in place:
            raise DataError(
                f"delta= names {data.subject} {who!r} at {data.visit} {when!r}, which is not in the trial"
            )
        if not np.isnan(shift[unit[who], place[when]]):
            raise DataError(f"delta= has two rows for {data.subject} {who!r} at {data.visit} {when!r}")
        if not np.isfinite(by):
            raise DataError(
                f"delta= is {by!r} for {data.subject} {who!r} at {data.visit} {when!r}: give a number"
            )
        shift[unit[who], place[when]] = by
    shift = np.where(np.isnan(shift), 0.0, shift)
    wrong = data.observed & (shift != 0.0)
    if wrong.any() and not observed_too:
        i, j = (int(at[0]) for at in np.nonzero(wrong))
        raise DataError(
            f"delta= shifts the observed outcome of {data.subject} {data.subjects[i]!r} at {data.visit} "
            f"{data.visits[j]!r}: observed cells are never changed; use delta_template(…, missing_only=True), or give it to "
            "ancova(delta=…)"
        )
    return shift


def realised_difference(data: TrialData, shift: Floats | None) -> pd.DataFrame:
    """Return what shifts come to, by arm and visit.

    Returns
    -------
    DataFrame
        Indexed by arm and visit: patients, imputed (number of outcomes), shift (mean over imputed outcomes, NaN
        without any), arm_mean (what the mean of the arm moves by).
    """
    by = np.zeros(data.values.shape) if shift is None else shift
    rows = []
    for a, label in enumerate(data.arms):
        own = data.arm_of == a
        for j, visit in enumerate(data.visits):
            gone = own & ~data.observed[:, j]
            rows.append(
                {
                    data.arm: label,
                    data.visit: visit,
                    "patients": int(own.sum()),
                    "imputed": int(gone.sum()),
                    "shift": float(by[gone, j].mean()) if gone.any() else np.nan,
                    "arm_mean": float(by[own, j].mean()),
                }
            )
    return pd.DataFrame(rows).set_index([data.arm, data.visit])


def _by_arm(data: TrialData, delta: Any) -> list[Floats]:
    """Return delta by visit for each arm; arms that a mapping does not name have none."""
    if not isinstance(delta, Mapping):
        return [_numbers("delta", 0.0 if delta is None else delta, data.n_visits)] * len(data.arms)
    unknown: list[Hashable] = [key for key in delta if key not in data.arms]
    if unknown:
        raise ModelError(
            f"delta= names {plain(unknown[0])!r}, which is no arm: the arms are {list_some(data.arms)}"
        )
    return [_numbers("delta", delta.get(label, 0.0), data.n_visits) for label in data.arms]


def _numbers(name: str, given: Any, n: int) -> Floats:
    """Return a number for each visit."""
    try:
        numbers = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ModelError(f"{name}= is a number or one for each visit, not {given!r}") from None
    if numbers.ndim == 0:
        numbers = np.full(n, float(numbers)) if name == "delta" else numbers[None]
    if numbers.shape != (n,) or not np.isfinite(numbers).all():
        raise ModelError(f"{name}= needs {n} finite numbers, one for each visit, not {given!r}")
    return numbers
