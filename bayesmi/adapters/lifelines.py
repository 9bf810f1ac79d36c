"""Regression fitters of lifelines: Cox, Weibull and others."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract

__all__ = ["ADAPTER"]


def _recognises(result: Any) -> bool:
    """Tell a fitted regression of lifelines by its module; lifelines is not imported."""
    return type(result).__module__.startswith("lifelines.") and hasattr(result, "params_")


def _extract(result: Any) -> Extract:
    """Coefficients and their covariance; a Cox model has events minus parameters df, as mice."""
    estimates: pd.Series = result.params_
    # parametric fitters label by (parameter, covariate)
    names = [":".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in estimates.index]
    covariance = pd.DataFrame(result.variance_matrix_.to_numpy(dtype=float), index=names, columns=names)
    df = float("inf")
    choices: dict[str, float] = {}
    events = getattr(result, "event_observed", None)
    if type(result).__name__ == "CoxPHFitter" and events is not None:
        df = choices["residual"] = float(max(1, int(events.sum()) - len(names)))
    n_obs = None if events is None else len(events)
    return Extract(
        pd.Series(estimates.to_numpy(dtype=float), index=names),
        covariance,
        dfcom=df,
        dfcom_choices=choices,
        n_obs=n_obs,
    )


ADAPTER = Adapter("lifelines fit", _recognises, _extract)
