"""One analysis of one data set: the numbers read out of its result, or why there are none."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.extract import Extract
from bayesmi.adapters.registry import extract
from bayesmi.adapters.remarks import remarks_of
from bayesmi.errors import AnalysisError, BayesmiError, PoolError

__all__ = ["Outcome", "analyze_one", "read_result"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one data set: result and extract, or the failure and the error it is raised as."""

    number: int
    result: Any = None
    extract: Extract | None = None
    remarks: tuple[str, ...] = ()
    failure: str = ""
    error: type[BayesmiError] = AnalysisError
    cause: Exception | None = None


def analyze_one(i: int, function: Callable[[Any], Any], data: Any) -> Outcome:
    """Run the function on one data set; warnings become remarks, an exception becomes the reason."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = function(data.copy(deep=False) if isinstance(data, pd.DataFrame) else data)
    except Exception as error:
        return Outcome(i, failure=f"data set {i}: the analysis failed: {_reason(error)}", cause=error)
    outcome = read_result(i, result, caught)
    left = _left_out(result, data)
    return replace(outcome, remarks=(*outcome.remarks, left)) if left and not outcome.failure else outcome


def _left_out(result: Any, data: Any) -> str:
    """Say that a fit dropped rows with empty cells; a subset of a completed table is nobody's mistake."""
    used = getattr(result, "nobs", None)
    if (
        not isinstance(data, pd.DataFrame)
        or not isinstance(used, int | float | np.number)
        or used >= len(data)
    ):
        return ""
    empty = [str(name) for name, holes in data.isna().any().items() if holes]
    if not empty or used < len(data.dropna()):
        return ""
    shown = ", ".join(empty[:6]) + (", …" if len(empty) > 6 else "")
    return f"the fit left out {len(data) - int(used)} of {len(data)} rows: cells of {shown} are empty in the completed table"


def read_result(i: int, result: Any, caught: Sequence[warnings.WarningMessage] = ()) -> Outcome:
    """Read the numbers out of one result."""
    try:
        found = extract(result)
    except BayesmiError as error:
        return Outcome(i, failure=f"data set {i}: {error}", error=PoolError, cause=error)
    except Exception as error:
        return Outcome(
            i, failure=f"data set {i}: cannot be read: {_reason(error)}", error=PoolError, cause=error
        )
    return Outcome(i, result, found, remarks_of(found, caught))


def _reason(error: Exception) -> str:
    """Return the kind of an exception and the first line of what it says."""
    return f"{type(error).__name__}: {error}".strip().split("\n")[0].removesuffix(":")
