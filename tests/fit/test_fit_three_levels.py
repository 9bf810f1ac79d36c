"""Three levels and crossed effects: with nothing missing the answer is lme4's."""

import warnings
from pathlib import Path

import pandas as pd
import pytest

import bayesmi as bmi

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
REML = pd.read_csv(GOLDEN / "three_levels_reml.csv")
FORMULAS = {
    "nested": "y ~ x + w + (1 | school) + (1 | room)",
    "crossed": "v ~ z + (1 | person) + (1 | item)",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_estimates_are_those_of_lme4(name):
    data = pd.read_csv(GOLDEN / f"three_levels_{name}.csv", skipinitialspace=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = bmi.Model(FORMULAS[name], data)
        table = model.fit(seed=1, draws=1000, tune=600, chains=2, progress=False).summary()
    reml = REML[REML["model"] == name]
    for row in reml[reml["kind"] == "fixed"].itertuples():
        found = table.loc["Intercept" if row.term == "(Intercept)" else row.term]
        assert abs(found["mean"] - row.value) < 3 * found["mcse_mean"] + 0.1 * row.se, row.term
        assert found["sd"] == pytest.approx(row.se, rel=0.12)
    for row in reml[reml["kind"] == "sd"].itertuples():
        found = table.loc["sigma" if row.term == "Residual" else f"1|{row.term}_sigma"]
        # the mean of a skew posterior lies above its mode, near which REML is
        assert -0.2 < (found["mean"] - row.value) / found["sd"] < 0.45, row.term
