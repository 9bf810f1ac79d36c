"""The small incomplete table that the tests of bad and odd input start from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

N = 40


def table(**columns: Any) -> pd.DataFrame:
    """Eight groups of five rows; y, x and b have holes, z has none. Columns replace or join them."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(8), 5)
    x, z = rng.normal(size=N), rng.normal(size=N)
    y = 1 + 0.5 * x + 0.3 * z + rng.normal(size=8)[g] + rng.normal(size=N)
    data = pd.DataFrame({"y": y, "x": x, "z": z, "b": rng.integers(0, 2, N).astype(float), "g": g})
    data.loc[[1, 5, 9], "y"] = np.nan
    data.loc[[2, 6], "x"] = np.nan
    data.loc[[3, 9], "b"] = np.nan
    return data.assign(**columns)
