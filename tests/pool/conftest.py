"""Golden numbers written by the R scripts beside them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

# a busy machine is no failure
settings.register_profile("pool", deadline=None)
settings.load_profile("pool")

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def read_golden(name: str) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for case, key, value in pd.read_csv(GOLDEN / f"{name}.csv", keep_default_na=False).itertuples(
        index=False
    ):
        table[case][key] = float(value)
    return dict(table)


@pytest.fixture(scope="session")
def golden():
    return read_golden
