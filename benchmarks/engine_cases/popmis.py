"""Popularity of pupils in schools (popmis): an incomplete outcome, random intercepts."""

from __future__ import annotations

import pandas as pd

from benchmarks.engine_cases.case import Case

__all__ = ["POPMIS"]


def _load() -> pd.DataFrame:
    from bayesmi import datasets

    return datasets.load("popmis")


POPMIS = Case("b", "popmis, random intercept", "popular ~ texp + sex + (1 | school)", _load, "popmis")
