"""Logistic regression on one binary, one ordinal and one continuous incomplete covariate, a fifth of each missing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.engine_cases.case import Case

__all__ = ["LOGISTIC"]

_GRADES = ("low", "mid", "high")


def simulate(n: int = 500, seed: int = 1) -> pd.DataFrame:
    """y on b (0 or 1), g (three ordered levels), c (continuous) and z (complete)."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    b = (rng.random(n) < 0.4).astype(float)
    g = np.digitize(0.5 * z + rng.logistic(size=n), [-1.0, 1.0])
    c = 0.4 * z + 0.5 * b + rng.normal(size=n)
    eta = -0.3 + 0.6 * b + 0.5 * (g == 1) + 0.9 * (g == 2) + 0.5 * c + 0.3 * z
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    grade = pd.Categorical(np.asarray(_GRADES)[g], _GRADES, ordered=True)
    data = pd.DataFrame({"y": y, "b": b, "g": grade, "c": c, "z": z})
    for name, nothing in (("b", np.nan), ("g", None), ("c", np.nan)):
        data.loc[rng.random(n) < 0.2, name] = nothing
    return data


LOGISTIC = Case(
    "e",
    "logistic, one binary, one ordinal and one continuous incomplete covariate, n = 500",
    "y ~ b + g + c + z",
    simulate,
    "logistic",
)
