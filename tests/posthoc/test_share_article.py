"""The SHARE article's mixed model: complete cases, and the degrees of freedom its author misses."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from bayesmi.analyses import Analyses

SHARED = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[3] / "shared"))
FILE = SHARED / "data" / "share.csv"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the shared data folder is absent")


def fit(data: pd.DataFrame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return smf.mixedlm("kscore ~ arm", data, groups="school").fit(reml=True)


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    return pd.read_csv(FILE)[["school", "arm", "sex", "scpar", "kscore"]]


def test_complete_cases_as_printed(trial):
    result = fit(trial.dropna(subset="kscore").reset_index(drop=True))
    found = Analyses.from_results([result, result])
    table = found.pool().table
    assert table["estimate"].round(2).to_dict() == {"Intercept": 4.12, "arm": 0.54}
    assert (table["ubar"] ** 0.5).round(2).to_dict() == {"Intercept": 0.12, "arm": 0.17}
    components = found.extracts[0].variance_components["estimate"]
    between, within = (
        round(float(np.sqrt(components[name])), 2)
        for name in ("Intercept~~Intercept|school", "Residual~~Residual")
    )
    assert (between, within) == (0.39, 2.32)
    assert round(between**2 / (between**2 + within**2), 3) == 0.027  # the article's, from its rounded numbers
    assert float(components["ICC|school"]) == pytest.approx(0.02801898, rel=1e-3)  # nlme's on the same rows


def test_a_cluster_level_effect_has_the_df_of_clusters(trial):
    rng = np.random.default_rng(1)
    hole = trial["kscore"].isna()
    sets = []
    for _ in range(5):
        drawn = rng.choice(trial["kscore"].dropna(), hole.sum())
        sets.append(
            trial.assign(
                kscore=trial["kscore"].mask(hole, np.nan).fillna(pd.Series(drawn, index=trial.index[hole]))
            )
        )
    fits = Analyses.from_results(fit(data) for data in sets)
    exploded = fits.pool("residual").table.loc["arm", "df"]
    honest = fits.pool("between-within").table.loc["arm"]
    assert exploded > 1000  # the article's 5702
    assert honest["dfcom"] == 23  # 25 schools, two school-level columns
    assert 19 < honest["df"] < 23
    assert (
        honest["conf.high"] - honest["conf.low"]
        > (fits.pool("residual").table.loc["arm", ["conf.low", "conf.high"]].diff().iloc[1])
    )
