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


def read_golden(name: str) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for case, key, value in pd.read_csv(TESTS / "golden" / f"{name}.csv", keep_default_na=False).itertuples(
        index=False
    ):
        table[case][key] = float(value)
    return dict(table)


def make_completed_sets(m: int) -> list[pd.DataFrame]:
    # the same formula as tests/golden/completed_sets.R
    data = pd.read_csv(POPMIS)
    holes = np.flatnonzero(data["popular"].isna())
    sets = []
    for i in range(1, m + 1):
        wave = np.sin(12.9898 * (holes + 1) + 78.233 * i)
        wave = wave + 0.6 * np.sin(4.1414 * data["school"].to_numpy()[holes] + 9.73 * i)
        filled = data["popular"].to_numpy(dtype=float, copy=True)
        filled[holes] = (
            3.6 + 0.09 * data["texp"].to_numpy()[holes] + 0.87 * data["sex"].to_numpy()[holes] + 0.8 * wave
        )
        sets.append(data.assign(popular=filled))
    return sets


@pytest.fixture(scope="session")
def golden():
    return read_golden


@pytest.fixture(scope="session")
def completed_sets():
    return make_completed_sets(20)


@pytest.fixture(autouse=True, scope="session")
def quiet_import():
    # statsmodels and what it imports may warn once, on import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.formula.api  # noqa: F401
