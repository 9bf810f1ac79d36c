from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.imputations import Imputations, StoredDraws


@pytest.fixture
def table() -> pd.DataFrame:
    """Every dtype that can have holes, odd row labels, and columns that must not be touched."""
    return pd.DataFrame(
        {
            "score": [1.5, np.nan, 3.25, np.nan, 7.0],
            "group": pd.Categorical(
                ["a", None, "b", "a", None], categories=["b", "a", "never"], ordered=True
            ),
            "whole": pd.array([3, None, 5, 6, None], dtype="Int64"),
            "flag": pd.array([True, None, False, True, True], dtype="boolean"),
            "word": ["x", "y", None, "x", "z"],
            "left": [np.nan, 0.25, 0.5, 1e-300, 2.0],
            "when": pd.to_datetime(["2024-01-01", "2024-01-02", None, "2024-01-04", "2024-01-05"]),
            "known": [10, 20, 30, 40, 50],
        },
        index=pd.Index(["r1", "r2", "r3", "r4", "r5"], name="who"),
    )


def make(table: pd.DataFrame, m: int = 3, **about: object) -> Imputations:
    rng = np.random.default_rng(1)
    frame = IncompleteFrame.from_table(table)
    values = {
        "score": rng.normal(size=(m, 2)),
        "group": rng.integers(0, 2, size=(m, 2)).astype(float),
        "whole": rng.normal(size=(m, 2)),
        "flag": rng.integers(0, 2, size=(m, 1)).astype(float),
        "word": rng.integers(0, 3, size=(m, 1)).astype(float),
    }
    draws = StoredDraws(values, tuple((i % 4, 10 * i + 3) for i in range(m)))
    return Imputations(
        frame,
        draws,
        **{
            "formula": "score ~ group",
            "families": {"score": "gaussian"},
            "seed": 7,
            "gate": "passed",
            **about,
        },
    )


@pytest.fixture
def imputed(table: pd.DataFrame) -> Imputations:
    return make(table)
