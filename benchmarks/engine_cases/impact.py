"""IMPACT: mortality after brain injury in 15 studies, five incomplete categorical variables.

The table lies in shared/data beside the checkout; `None` is a level of pupil there, not a missing value.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.engine_cases.case import Case

__all__ = ["AUXILIARY", "FORMULA", "IMPACT", "load_impact", "why_not"]

FORMULA = "mort ~ type + age + motor_score + pupil + ct + (1 | name)"
AUXILIARY = ("hypots", "tsah", "edh")
_FILE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "impact_incomplete.csv"
_CATEGORIES = ("name", "type", "motor_score", "pupil", *AUXILIARY)


def load_impact() -> pd.DataFrame:
    """Read the table: ct ordered, the others categories, mort 0 or 1, age in years."""
    data = pd.read_csv(_FILE, keep_default_na=False, na_values=["NA", ""])
    for name in AUXILIARY:
        data[name] = data[name].astype("Int64").astype("string")
    for name in _CATEGORIES:
        data[name] = data[name].astype("category")
    data["ct"] = pd.Categorical(data["ct"], ["I/II", "III", "IV/V"], ordered=True)
    return data.drop(columns="hypox")


def why_not() -> str:
    """Return why the case cannot run, or nothing."""
    return "" if _FILE.exists() else f"{_FILE.name} is not beside the checkout (../shared/data)"


IMPACT = Case(
    "c",
    "IMPACT, random intercepts, five incomplete categorical variables",
    FORMULA,
    load_impact,
    "impact",
    {"auxiliary": list(AUXILIARY)},
    why_not,
)
