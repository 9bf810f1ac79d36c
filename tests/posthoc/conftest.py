"""Completed copies of popmis without a random number, and golden numbers of the same analyses in R."""

from __future__ import annotations

import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TESTS = Path(__file__).resolve().parents[1]
POPMIS = TESTS.parent / "bayesmi" / "datasets" / "data" / "popmis.csv"


def make_completed_sets(m: int) -> list[pd.DataFrame]:
    # the same formulas as tests/golden/completed_sets.R and posthoc.R
    data = pd.read_csv(POPMIS)
    holes = np.flatnonzero(data["popular"].isna())
    school, pupil = data["school"].to_numpy(), data["pupil"].to_numpy()
    sets = []
    for i in range(1, m + 1):
        wave = np.sin(12.9898 * (holes + 1) + 78.233 * i) + 0.6 * np.sin(4.1414 * school[holes] + 9.73 * i)
        filled = data["popular"].to_numpy(dtype=float, copy=True)
        filled[holes] = (
            3.6 + 0.09 * data["texp"].to_numpy()[holes] + 0.87 * data["sex"].to_numpy()[holes] + 0.8 * wave
        )
        sets.append(
            data.assign(
                popular=filled,
                wave=np.sin(pupil),
                tide=np.cos(3 * pupil + school),
                high=(filled > 5).astype(int),
                time=np.round(1 + 9 * np.abs(np.sin(1.7 * pupil + school)) + filled / 2, 1),
                event=(np.cos(pupil * 2.3 + school) > -0.4).astype(int),
            )
        )
    return sets


@pytest.fixture(scope="session")
def sets():
    return make_completed_sets(10)


@pytest.fixture(scope="session")
def golden():
    table: dict[str, dict[str, float]] = defaultdict(dict)
    rows = pd.read_csv(TESTS / "golden" / "posthoc.csv", keep_default_na=False)
    for case, key, value in rows.itertuples(index=False):
        table[case][key] = float(value)
    return dict(table)


@pytest.fixture(autouse=True, scope="session")
def quiet_import():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.formula.api  # noqa: F401
