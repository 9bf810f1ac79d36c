"""A covariate with a quadratic effect, 30 % missing completely at random, 500 rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.engine_cases.case import Case

__all__ = ["QUADRATIC"]


def simulate(n: int = 500, seed: int = 1) -> pd.DataFrame:
    """y on x, x squared and z, residual sd 1."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x = 0.5 * z + rng.normal(size=n)
    y = 1.0 + 0.5 * x + 0.5 * x**2 + 0.3 * z + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x": x, "z": z})
    data.loc[rng.random(n) < 0.3, "x"] = np.nan
    return data


QUADRATIC = Case(
    "d", "a covariate with a quadratic effect, n = 500", "y ~ x + I(x**2) + z", simulate, "quadratic"
)
