"""One function on every completed data set: in order, in several processes if wanted, with progress."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import replace
from typing import Any

import pandas as pd

from bayesmi.adapters.portable import pack, unpack
from bayesmi.analyses.analyses import Analyses
from bayesmi.analyses.outcome import Outcome, analyze_one
from bayesmi.errors import AnalysisError, BayesmiNotice
from bayesmi.progress import shown

__all__ = ["run_analyses"]


def run_analyses(
    imputations: Iterable[Any], function: Callable[[Any], Any], n_jobs: int = 1, progress: bool = True
) -> Analyses:
    """Run one function on every completed data set.

    Parameters
    ----------
    imputations : iterable of DataFrame
        The m completed data sets.
    function : callable
        Takes a completed data set; returns a statsmodels or lifelines fit, an (estimates, covariance) pair,
        or a tidy table with term, estimate, std.error and perhaps df.
    n_jobs : int, default 1
        Processes; -1 for all cores. The numbers do not depend on it. Fits that come back from another process
        cannot predict for new data by formula.
    progress : bool, default True
        Show progress where there is a terminal or notebook to show it in.

    Returns
    -------
    Analyses

    Raises
    ------
    AnalysisError
        If the function fails on a data set: it is named, with the reason; none is left out.
    PoolError
        If its result cannot be read, or there is nothing to read from it.

    Examples
    --------
    >>> import pandas as pd
    >>> sets = [pd.DataFrame({"x": [1.0, 2.0, 3.0 + i]}) for i in range(3)]
    >>> mean = lambda d: ({"mean": d["x"].mean()}, [[d["x"].var() / len(d)]])
    >>> round(float(run_analyses(sets, mean).pool().table.loc["mean", "estimate"]), 3)
    2.333
    """
    if not callable(function):
        raise AnalysisError(
            f"analyze needs a function of one completed data set, got a {type(function).__name__}"
        )
    if isinstance(imputations, pd.DataFrame | Mapping | str) or not isinstance(imputations, Iterable):
        raise AnalysisError(
            "analyses run on a list of completed data sets, got a " + type(imputations).__name__
        )
    if not isinstance(n_jobs, int) or n_jobs == 0:
        raise AnalysisError(f"n_jobs={n_jobs!r} must be a number of processes, or -1 for all cores")
    numbered = enumerate(imputations, start=1)
    if n_jobs == 1:
        running: Iterable[Outcome] = _until_failure(analyze_one(i, function, data) for i, data in numbered)
    else:
        from joblib import Parallel, delayed

        task = delayed(_analyze_elsewhere)
        workers = Parallel(n_jobs=n_jobs, return_as="generator")
        sent = workers(task(i, function, data) for i, data in numbered)
        running = (replace(one, result=unpack(one.result)) for one in sent)
    total = len(imputations) if isinstance(imputations, Sized) else getattr(imputations, "m", None)
    analyses = Analyses.from_outcomes(list(shown(running, total, progress, "analysing")))
    if analyses.notices:
        count, first = len(analyses.notices), analyses.notices[0]
        line = f"{count} remark{'s' if count > 1 else ''} on {analyses.m} analyses (.notices): {first}"
        warnings.warn(line, BayesmiNotice, stacklevel=3)
    return analyses


def _analyze_elsewhere(i: int, function: Callable[[Any], Any], data: Any) -> Outcome:
    """Run in another process: result packed, exception left there."""
    outcome = analyze_one(i, function, data)
    return replace(outcome, result=pack(outcome.result), cause=None)


def _until_failure(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Stop after the first failure: it will be raised."""
    for one in outcomes:
        yield one
        if one.failure:
            return
