"""Holes in the complete rows, as the incomplete table has them: patterns of rows with the same outcome, age and type.

Which of the five variables are missing is drawn, with all five at once, from the rows of the incomplete table in the same
stratum of mortality, study type and third of age: missing at random given these, which are never missing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["HOLED", "complete_rows", "mask_rows"]

HOLED = ("pupil", "ct", "hypots", "tsah", "edh")
MASK = 9  # purpose of the random stream


def complete_rows(data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without a hole."""
    return data.dropna(subset=list(HOLED)).reset_index(drop=True)


def mask_rows(data: pd.DataFrame, seed: int, mort: NDArray[np.intp] | None = None) -> pd.DataFrame:
    """Return the complete rows with holes; `mort` is another outcome of these rows, on which holes depend then."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(MASK,)))
    cuts = np.quantile(data["age"], [1 / 3, 2 / 3])
    patterns = data[list(HOLED)].isna().to_numpy()
    table = complete_rows(data)
    table = table if mort is None else table.assign(mort=mort)
    of_all, of_table = _strata(data, cuts), _strata(table, cuts)
    holes = np.zeros((len(table), len(HOLED)), dtype=bool)
    for stratum in np.unique(of_table):
        donors, own = np.flatnonzero(of_all == stratum), np.flatnonzero(of_table == stratum)
        holes[own] = patterns[rng.choice(donors, len(own))]
    return table.assign(**{name: table[name].mask(holes[:, j]) for j, name in enumerate(HOLED)})


def _strata(data: pd.DataFrame, cuts: np.ndarray) -> np.ndarray:
    third = np.digitize(data["age"], cuts)
    return 6 * data["mort"].to_numpy() + 3 * (data["type"] == "RCT").to_numpy() + third
