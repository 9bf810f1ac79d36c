"""A linear model with three incomplete Gaussian covariates, a quarter of each missing completely at random."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from benchmarks.engine_cases.case import Case

__all__ = ["LINEAR", "simulate"]


def simulate(n: int, seed: int = 1) -> pd.DataFrame:
    """y on x1, x2, x3 and z, residual sd 1 everywhere; n rows."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x1 = 0.5 * z + rng.normal(size=n)
    x2 = 0.4 * x1 + 0.3 * z + rng.normal(size=n)
    x3 = 0.3 * x1 - 0.3 * x2 + rng.normal(size=n)
    y = 1.0 + 0.5 * x1 - 0.4 * x2 + 0.3 * x3 + 0.2 * z + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x1": x1, "x2": x2, "x3": x3, "z": z})
    for name in ("x1", "x2", "x3"):
        data.loc[rng.random(n) < 0.25, name] = np.nan
    return data


LINEAR = tuple(
    Case(
        f"a{n}",
        f"linear, three incomplete Gaussian covariates, n = {n:,}",
        "y ~ x1 + x2 + x3 + z",
        partial(simulate, n),
        "linear",
    )
    for n in (500, 2_000, 50_000)
)
