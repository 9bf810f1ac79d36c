"""Pool survival curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.on_scale import pool_on_scale

__all__ = ["pool_survival"]


def pool_survival(fits: Sequence[Any], times: ArrayLike) -> pd.DataFrame:
    """Pool Kaplan–Meier survival probabilities at given times.

    Parameters
    ----------
    fits : sequence
        One per completed data set: lifelines' fitted ``KaplanMeierFitter``, or a DataFrame with columns time, survival and
        std.error.
    times : array_like
        When.

    Returns
    -------
    DataFrame
        Indexed by time: estimate, conf.low, conf.high, std.error, df, riv, lambda, fmi, mcse, scale. Before the first event
        survival is 1 without an interval; where it has come down to 0 in a data set it has none either.

    Raises
    ------
    PoolError
        If there are fewer than two fits, one cannot be read, or a time lies beyond the end of follow-up.

    Notes
    -----
    Pooled on the log(-log) scale with Greenwood's variance (Marshall, Altman, Holder and Royston 2009).

    Examples
    --------
    >>> import bayesmi as bmi, pandas as pd
    >>> curve = lambda s: pd.DataFrame({"time": [1.0, 2.0], "survival": [s, s - 0.2], "std.error": [0.05, 0.06]})
    >>> bmi.pool.pool_survival([curve(0.8), curve(0.84), curve(0.82)], [1.5])["estimate"].round(3).tolist()
    [0.821]
    """
    if len(fits) < 2:
        raise PoolError(f"pooling needs at least two completed data sets, got {len(fits)}")
    at = np.atleast_1d(np.asarray(times, dtype=float))
    read = []
    for i, fit in enumerate(fits, start=1):
        try:
            read.append(_curve(fit, at))
        except PoolError as error:
            raise PoolError(f"data set {i}: {error}") from None
    survival, errors = (np.array([one[part] for one in read]) for part in (0, 1))
    inside = ((survival > 0) & (survival < 1) & (errors > 0)).all(axis=0)
    columns = pool_on_scale(at[inside].tolist(), survival[:, inside], errors[:, inside] ** 2, "cloglog")
    table = columns.reindex(at)
    table.loc[~inside, "estimate"] = survival[:, ~inside].mean(axis=0)
    table["scale"] = "cloglog"
    return table.rename_axis("time")


def _curve(fit: Any, times: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Survival and its standard error at the times, steps held until the next event."""
    if isinstance(fit, pd.DataFrame):
        for name in ("time", "survival", "std.error"):
            if name not in fit.columns:
                raise PoolError(
                    f"the table of a survival curve needs the columns time, survival, std.error: no {name!r}"
                )
        order = fit.sort_values("time")
        steps, survival, errors = (
            order[name].to_numpy(dtype=float) for name in ("time", "survival", "std.error")
        )
        last = float(steps[-1])
    elif hasattr(fit, "survival_function_") and hasattr(fit, "event_table"):
        events = fit.event_table
        steps = events.index.to_numpy(dtype=float)
        risk, died = events["at_risk"].to_numpy(dtype=float), events["observed"].to_numpy(dtype=float)
        survival = fit.survival_function_.iloc[:, 0].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(died > 0, died / (risk * (risk - died)), 0.0)
        errors, last = survival * np.sqrt(np.cumsum(part)), float(steps[-1])
    else:
        raise PoolError(
            f"{type(fit).__name__} is no fitted Kaplan–Meier curve: pass lifelines' KaplanMeierFitter().fit(...)"
        )
    if times.max() > last:
        raise PoolError(f"time {times.max():g} lies beyond the end of follow-up, {last:g}")
    place = np.searchsorted(steps, times, side="right") - 1
    before = place < 0
    return (
        np.where(before, 1.0, survival[np.maximum(place, 0)]),
        np.where(before, 0.0, np.nan_to_num(errors[np.maximum(place, 0)], nan=0.0)),
    )
