"""The Titanic lecture (Shaffery 2021) redone: its tables, digit by digit where nothing in them is random."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from bayesmi.data import patterns
from bayesmi.explore import missing_by_group
from bayesmi.simple import complete_cases, hot_deck, mean, regression, stochastic_regression

SHARED = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
FILE = SHARED / "data" / "titanic3.csv"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the shared data folder is absent")

TERMS = ["Intercept", "sex[T.male]", "C(pclass)[T.2]", "C(pclass)[T.3]", "sibsp", "age", "fare"]
COMPLETE = [3.807304714, -2.567956904, -1.273142868, -2.235679273, -0.342717356, -0.039319948, 0.001483718]
ERRORS = [0.397517, 0.171414, 0.259137, 0.269341, 0.101887, 0.006641, 0.001902]
MEAN = [3.719318180, -2.553445232, -1.230501115, -2.205888284, -0.345699627, -0.039283595, 0.001791985]
REGRESSION = [3.740806855, -2.559331121, -1.232374919, -2.200134562, -0.387495275, -0.039185373, 0.001818712]
STOCHASTIC = [3.54391873, -2.57567488, -1.18023564, -2.13315998, -0.38464480, -0.03378121, 0.00181747]
DECK = [3.373130962, -2.559746301, -1.131787970, -2.067492318, -0.325992783, -0.031148581, 0.001928165]
DECK_SD = [0.156811178, 0.010982925, 0.050708409, 0.067491632, 0.009446437, 0.003535147, 0.000132874]


@pytest.fixture(scope="module")
def passengers() -> pd.DataFrame:
    """The lecture's table after `drop_na(-age)`: 1308 rows."""
    table = pd.read_csv(FILE)[["survived", "pclass", "sex", "age", "sibsp", "parch", "fare"]]
    return table[table.drop(columns="age").notna().all(axis=1)]


def fit(table: pd.DataFrame) -> pd.Series:
    """R's glm: iterations end when the deviance moves by less than 1e-8 of itself."""
    model = smf.glm("survived ~ sex + C(pclass) + sibsp + age + fare", table, family=sm.families.Binomial())
    result = model.fit(tol=0, rtol=1e-8)
    assert list(result.params.index) == TERMS
    return result


def digits(found: pd.Series, printed: list[float], places: int = 9) -> None:
    assert [f"{value:.{places}f}" for value in found] == [f"{value:.{places}f}" for value in printed]


def test_patterns_with_blanks_kept_and_the_empty_record():
    numbers = ["survived", "pclass", "sibsp", "parch", "fare", "age"]
    words = ["name", "sex", "ticket", "cabin", "embarked", "boat"]
    table = pd.read_csv(FILE, keep_default_na=False, na_values={name: [""] for name in numbers})[
        words + numbers
    ]
    empty = pd.DataFrame([dict.fromkeys(words, "") | dict.fromkeys(numbers, np.nan)])
    found = patterns(pd.concat([table, empty], ignore_index=True))
    assert list(found.index) == [1045, 263, 1, 1, ""]
    assert found.iloc[-1].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 264, 270]
    assert found.iloc[:-1, -1].tolist() == [0, 1, 1, 6]
    assert list(found.columns[-3:-1]) == ["fare", "age"]


def test_counts_by_sex_and_class(passengers):
    found = missing_by_group(passengers, ["sex", "pclass"], "age").loc["age", "missing"]
    assert found.loc["female"].tolist() == [11, 3, 64]
    assert found.loc["male"].tolist() == [28, 13, 144]


def test_complete_cases(passengers):
    cases = complete_cases(passengers)
    assert (len(cases.data), cases.n_dropped) == (1045, 263)
    result = fit(cases.data)
    digits(result.params, COMPLETE)
    digits(result.bse, ERRORS, 6)
    assert f"{result.deviance:.2f}" == "969.97"
    by_formula = complete_cases(passengers, "survived ~ sex + C(pclass) + sibsp + age + fare")
    pd.testing.assert_frame_equal(by_formula.data, cases.data)


def test_mean_imputation(passengers):
    completed = mean(passengers, "age", by=["sex", "pclass"]).data
    assert len(completed) == 1308
    digits(fit(completed).params, MEAN)


def test_regression_imputation(passengers):
    digits(fit(regression(passengers, "age ~ sex + C(pclass) + sibsp").data).params, REGRESSION)


def test_stochastic_regression_within_monte_carlo_error(passengers):
    made = stochastic_regression(passengers, "age ~ sex + C(pclass) + sibsp", m=40, seed=1)
    found = np.array([fit(table).params for table in made])
    z = (found.mean(axis=0) - STOCHASTIC) / (found.std(axis=0, ddof=1) * np.sqrt(1 + 1 / 40))
    assert np.abs(z).max() < 3.5


def test_hot_deck_within_monte_carlo_error(passengers):
    made = hot_deck(passengers, "age", domain_var=["sex", "pclass"], m=60, seed=1)
    found = np.array([fit(table).params for table in made])
    z = (found.mean(axis=0) - DECK) / (found.std(axis=0, ddof=1) * np.sqrt(1 / 10 + 1 / 60))
    assert np.abs(z).max() < 3.5
    ratio = np.array(DECK_SD) / found.std(axis=0, ddof=1)
    assert ratio.min() > 0.4
    assert ratio.max() < 2.0
