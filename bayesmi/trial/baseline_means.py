"""Missing baseline covariates at the mean of those that are known, whatever the arm and the outcomes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import counted
from bayesmi.trial.layout import TrialData

__all__ = ["at_means", "baseline_notices"]

Floats = NDArray[np.float64]


def at_means(data: TrialData, known: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the baseline with missing numbers at their mean and missing categories at the most frequent one.

    Parameters
    ----------
    data : TrialData
        The trial.
    known : mapping of str to ndarray
        Numbers or codes by covariate, (n,), NaN where missing.

    Notes
    -----
    White & Thompson (2005), Statistics in Medicine 24, 993-1007: such a value depends on nothing that comes after randomisation,
    so that the effect of the arm stays unbiased.
    """
    out = dict(known)
    for name in data.incomplete:
        values = out[name].copy()
        gone = np.isnan(values)
        seen = values[~gone]
        if data.frame.columns[name].categories is None:
            values[gone] = seen.mean()
        else:
            levels, counts = np.unique(seen, return_counts=True)
            values[gone] = levels[np.argmax(counts)]
        out[name] = values
    return out


def baseline_notices(data: TrialData) -> tuple[str, ...]:
    """Say which values were put where."""
    lines = []
    for name in data.incomplete:
        gone = int(data.baseline[name].isna().sum())
        where = "the mean" if data.frame.columns[name].categories is None else "the most frequent level"
        lines.append(
            f"{name!r} is missing in {counted(gone, 'patient')}: put at {where} of the others for conditional means, whatever "
            "the arm; fit().impute() draws it from the model instead"
        )
    return tuple(lines)
