"""Simple methods against formulas, naive code and other packages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from bayesmi import datasets
from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError, FormulaError, NotSupportedError
from bayesmi.explore.logistic import expit
from bayesmi.simple import (
    complete_cases,
    hot_deck,
    inverse_probability_weights,
    knn,
    mean,
    nelson_aalen,
    regression,
    stochastic_regression,
    weighted_mean,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "explore"


def people(n: int = 300, seed: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {"x": rng.normal(size=n), "g": rng.choice(["a", "b", "c"], n), "n": rng.integers(0, 9, n)}
    )
    data["y"] = 2 + data["x"] + (data["g"] == "b") + rng.normal(size=n)
    data["b"] = (rng.uniform(size=n) < expit(data["x"].to_numpy())).astype(int)
    data["c"] = pd.Categorical(np.where(data["x"] + rng.normal(size=n) > 0, "hi", "lo"))
    gone = rng.uniform(size=n) < expit(data["x"].to_numpy() - 1)
    for name in ("y", "b", "c"):
        data[name] = data[name].mask(gone)
    data["n"] = data["n"].astype("Int64").mask(rng.uniform(size=n) < 0.1)
    return data


def test_complete_cases_count_what_they_leave_out():
    data = people()
    cases = complete_cases(data)
    pd.testing.assert_frame_equal(cases.data, data.dropna())
    assert cases.n_dropped == 300 - len(data.dropna())
    assert cases.dropped_for.to_dict() == data.isna().sum().loc[lambda s: s > 0].to_dict()
    assert f"{cases.n_dropped} left out" in repr(cases)
    some = complete_cases(data, ["x", "n"])
    pd.testing.assert_frame_equal(some.data, data.dropna(subset=["n"]))
    grouped = complete_cases(data, "y ~ log(n + 1) + (1 | g)")
    pd.testing.assert_frame_equal(grouped.data, data.dropna(subset=["y", "n"]))
    with pytest.raises(DataError, match="no column 'z'"):
        complete_cases(data, "y ~ z")


def test_cells_that_do_not_apply_are_no_holes():
    data = pd.DataFrame({"sex": ["f", "m", "f"], "births": [1.5, None, None]})
    frame = IncompleteFrame.from_table(data, not_applicable={"births": "sex == 'm'"})
    assert complete_cases(frame).n_dropped == 1


def test_means_by_kind_and_group():
    data = people()
    completed = mean(data).data
    assert completed.isna().sum().sum() == 0
    assert completed.loc[data["y"].isna(), "y"].unique().tolist() == [pytest.approx(data["y"].mean())]
    assert completed.loc[data["b"].isna(), "b"].unique().tolist() == [data["b"].mode()[0]]
    assert completed.loc[data["c"].isna(), "c"].unique().tolist() == [data["c"].mode()[0]]
    assert completed["c"].dtype == data["c"].dtype
    grouped = mean(data, "y", by="g")
    wanted = data["y"].fillna(data.groupby("g")["y"].transform("mean"))
    pd.testing.assert_series_equal(grouped.data["y"], wanted)
    assert any("still incomplete" in note for note in grouped.notes)
    assert "Variances and associations come out too small" in repr(grouped).replace("\n", " ")
    pd.testing.assert_frame_equal(grouped.complete(0), data)


def test_groups_without_values_and_holes_in_groups_are_refused():
    data = pd.DataFrame({"g": ["a", "a", "b", "b"], "y": [1.5, None, None, None]})
    with pytest.raises(DataError, match="no observed value where g = 'b'"):
        mean(data, by="g")
    with pytest.raises(DataError, match="no row has y observed where g = 'b'"):
        hot_deck(data, "y", "g", seed=1)
    holed = data.assign(g=["a", None, "b", "b"], y=[1.5, None, 2.0, 3.0])
    with pytest.raises(DataError, match="missing in row 1, where g is missing too"):
        mean(holed, "y", by="g")
    with pytest.raises(DataError, match="'g' has no missing cell"):
        mean(data, "g")


def test_regression_is_least_squares_or_logistic():
    data = people()
    fit = smf.ols("y ~ x + g", data).fit()
    gone = data["y"].isna()
    found = regression(data, "y ~ x + g")
    np.testing.assert_allclose(found.data.loc[gone, "y"], fit.predict(data[gone]), rtol=1e-10)
    assert found.data.loc[~gone, "y"].equals(data.loc[~gone, "y"])
    assert f"fitted to {int(fit.nobs)} rows, residual sd {np.sqrt(fit.scale):.4g}" in found.notes[0]
    logit = smf.logit("b ~ x", data.dropna(subset=["b"])).fit(disp=0)
    more_likely = (logit.predict(data[gone]) > 0.5).astype(float)
    np.testing.assert_array_equal(regression(data, "b ~ x").data.loc[gone, "b"], more_likely)
    labels = regression(data, "c ~ x").data.loc[gone, "c"]
    assert set(labels) <= {"hi", "lo"}
    assert labels.nunique() == 2


def test_stochastic_regression_adds_the_residual():
    data = people(2000)
    fit = smf.ols("y ~ x + g", data).fit()
    gone = data["y"].isna()
    made = stochastic_regression(data, "y ~ x + g", m=20, seed=3)
    residuals = np.array([one.loc[gone, "y"] - fit.predict(data[gone]) for one in made])
    n = residuals.size
    assert residuals.mean() == pytest.approx(0, abs=4 * np.sqrt(fit.scale / n))
    assert residuals.std() == pytest.approx(np.sqrt(fit.scale), rel=4 / np.sqrt(2 * n))
    assert np.corrcoef(residuals[0], residuals[1])[0, 1] == pytest.approx(
        0, abs=4 / np.sqrt(residuals.shape[1])
    )
    again = stochastic_regression(data, "y ~ x + g", m=2, seed=3)
    pd.testing.assert_frame_equal(again.complete(2), made.complete(2))
    logit = smf.logit("b ~ x", data.dropna(subset=["b"])).fit(disp=0)
    shares = np.mean(
        [one.loc[gone, "b"].mean() for one in stochastic_regression(data, "b ~ x", m=20, seed=3)]
    )
    assert shares == pytest.approx(logit.predict(data[gone]).mean(), abs=4 * 0.5 / np.sqrt(n))
    pooled = made.to_imputations()
    pd.testing.assert_frame_equal(pooled.complete(2), made.complete(2))
    assert pooled.m == 20


@pytest.mark.parametrize(
    ("formula", "error", "words"),
    [
        ("y ~ n", DataError, "a predictor is missing there too"),
        ("x ~ y", DataError, "'x' has no missing cell"),
        ("y ~ z", DataError, "no column 'z'"),
        ("~ x", FormulaError, "on the left"),
        ("log(y) ~ x", FormulaError, "as it is"),
        ("y ~ x + (1 | g)", NotSupportedError, "bmi.impute"),
    ],
)
def test_regression_refuses_in_words(formula, error, words):
    with pytest.raises(error, match=words):
        regression(people(), formula)


def test_three_levels_are_not_for_regression():
    data = people().assign(g=lambda d: d["g"].mask(d["x"] > 1))
    with pytest.raises(NotSupportedError, match="use hot_deck or knn"):
        regression(data, "g ~ x")


def test_a_predictor_that_is_missing_elsewhere_costs_rows_and_says_so():
    data = people()
    data.loc[data["y"].isna(), "n"] = 3
    found = regression(data, "y ~ n")
    lost = int((data["n"].isna() & data["y"].notna()).sum())
    assert lost > 0
    assert any(note.startswith(f"{lost} rows with 'y' observed are not used") for note in found.notes)
    fit = sm.OLS.from_formula("y ~ n", data.assign(n=data["n"].astype(float))).fit()
    np.testing.assert_allclose(
        found.data.loc[data["y"].isna(), "y"], fit.params["Intercept"] + 3 * fit.params["n"]
    )


def test_hot_deck_takes_whole_donors_from_the_domain():
    data = people()
    data["pair"] = data["y"] * 10
    made = hot_deck(data, ["y", "pair", "b"], domain_var="g", m=3, seed=2)
    gone = data["y"].isna()
    for one in made:
        np.testing.assert_allclose(one["pair"], one["y"] * 10)
        for group in "abc":
            pool = set(data.loc[(data["g"] == group) & ~gone, "y"])
            assert set(one.loc[gone & (data["g"] == group), "y"]) <= pool
        donors = data[~gone].set_index("y")["b"]
        assert (one.loc[gone, "b"].to_numpy() == donors.loc[one.loc[gone, "y"]].to_numpy()).all()
    assert not made.complete(1)["y"].equals(made.complete(2)["y"])
    pd.testing.assert_frame_equal(hot_deck(data, ["y", "pair", "b"], "g", m=1, seed=2).data, made.data)
    assert any("smallest number of donors" in note for note in made.notes)


def test_donors_are_equally_likely():
    data = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0] + [None] * 4000})
    counts = hot_deck(data, "y", seed=1).data["y"].iloc[4:].value_counts()
    assert ((counts - 1000).abs() < 4 * np.sqrt(1000 * 0.75)).all()


def naive_neighbours(data: pd.DataFrame, target: str, k: int) -> list[float]:
    """Gower's distance row by row."""
    filled = []
    for i in np.flatnonzero(data[target].isna()):
        found = []
        for j in np.flatnonzero(data[target].notna()):
            parts = []
            for name in data.columns.drop(target):
                a, b = data[name].iloc[i], data[name].iloc[j]
                if pd.isna(a) or pd.isna(b):
                    continue
                number = pd.api.types.is_numeric_dtype(data[name])
                parts.append(abs(a - b) / (data[name].max() - data[name].min()) if number else float(a != b))
            found.append((np.mean(parts) if parts else np.inf, j))
        near = [j for _, j in sorted(found)[:k]]
        filled.append(float(np.median(data[target].iloc[near])))
    return filled


def test_neighbours_are_those_of_naive_code():
    data = people(60)[["x", "g", "n", "y"]]
    found = knn(data, "y", k=5).data.loc[data["y"].isna(), "y"]
    np.testing.assert_allclose(found, naive_neighbours(data, "y", 5), rtol=1e-12)
    everything = knn(data)
    assert everything.data.isna().sum().sum() == 0
    assert everything.data["n"].dtype == "Int64"
    assert "5 rows most similar" in repr(everything)


def test_neighbours_vote_on_categories():
    data = pd.DataFrame({"x": [1.0, 1.1, 1.2, 5.0, 5.1, 1.05], "c": ["u", "v", "v", "u", "u", None]})
    assert knn(data, k=3).data["c"].iloc[5] == "v"
    assert knn(data, k=5).data["c"].iloc[5] == "u"
    for options, words in (
        ({"k": 0}, "k = 0"),
        ({"k": 6}, "fewer than k = 6"),
        ({"columns": "c", "by": "c"}, "no column is left"),
    ):
        with pytest.raises(DataError, match=words):
            knn(data, **options)
    with pytest.raises(DataError, match="observed in row 5"):
        knn(data.assign(x=[1.0, 1.1, 1.2, 5.0, 5.1, None]), "c", k=3)


def test_weights_are_the_inverse_of_a_logistic_regression():
    data = people().drop(columns="n")
    fit = smf.logit("seen ~ x + g", data.assign(seen=data["y"].notna().astype(int))).fit(disp=0)
    found = inverse_probability_weights(data, "y ~ x + g")
    seen = data["y"].notna()
    np.testing.assert_allclose(found.weights[seen], 1 / fit.predict()[seen], rtol=1e-6)
    assert (found.weights[~seen] == 0).all()
    assert found.effective_n == pytest.approx(found.weights.sum() ** 2 / (found.weights**2).sum())
    stable = inverse_probability_weights(data, "y ~ x + g", stabilized=True)
    np.testing.assert_allclose(stable.weights, found.weights * seen.mean())
    cut = inverse_probability_weights(data, "y ~ x + g", truncate=0.9)
    assert cut.weights.max() == pytest.approx(np.quantile(found.weights[seen], 0.9))
    assert any("cut down" in note for note in cut.notes)
    assert "worth" in repr(found)


def test_weighting_undoes_missing_at_random():
    raw, weighted = [], []
    for seed in range(60):
        data = people(1000, seed)[["x", "g", "y"]]
        raw.append(data["y"].mean())
        weighted.append(weighted_mean(data["y"], inverse_probability_weights(data, "y ~ x")).estimate)
    truth = 2 + 1 / 3
    assert np.mean(weighted) == pytest.approx(truth, abs=4 * np.std(weighted) / np.sqrt(60))
    assert abs(np.mean(raw) - truth) > 0.15


def test_weighted_mean_is_that_of_statsmodels():
    rng = np.random.default_rng(3)
    y, w = rng.normal(size=40), rng.uniform(0.5, 3, size=40)
    found = weighted_mean(y, w)
    robust = sm.WLS(y, np.ones(40), weights=w).fit(cov_type="HC0")
    assert found.estimate == pytest.approx(robust.params[0])
    assert found.standard_error == pytest.approx(robust.bse[0])
    low, high = robust.conf_int()[0]
    assert (found.conf_low, found.conf_high) == (pytest.approx(low), pytest.approx(high))
    for values, weights, words in (
        ([1.0], [1.0, 2.0], "one weight for each value"),
        ([1.0, None], [1.0, 2.0], "value 1 is missing"),
        ([1.0, 2.0], [-1.0, 2.0], "from 0 up"),
    ):
        with pytest.raises(DataError, match=words):
            weighted_mean(values, weights)


def test_weights_refuse_predictors_with_holes():
    with pytest.raises(DataError, match="a predictor is missing in row"):
        inverse_probability_weights(people(), "y ~ n")
    with pytest.raises(DataError, match="never missing"):
        inverse_probability_weights(people(), "x ~ g")
    with pytest.raises(DataError, match="truncate = 99"):
        inverse_probability_weights(people(), "y ~ x", truncate=99)


def test_hazard_is_that_of_mice():
    golden = pd.read_csv(GOLDEN / "nelson_aalen.csv")
    found = nelson_aalen(golden["time"], golden["event"])
    known = golden["hazard"].notna()
    np.testing.assert_allclose(found[known], golden.loc[known, "hazard"], rtol=1e-10)
    assert golden["time"][found.isna()].isna().all()
    breslow = nelson_aalen(golden["time"], golden["event"], ties="breslow")
    known = golden["breslow"].notna()
    np.testing.assert_allclose(breslow[known], golden.loc[known, "breslow"], rtol=1e-10)
    late = golden["time"] == 20
    assert (found[late] == found[golden["time"] <= 20].max()).all()


def test_hazard_keeps_the_index_and_refuses_nonsense():
    time = pd.Series([3.0, 1.0, 2.0], index=["u", "v", "w"])
    found = nelson_aalen(time, [False, True, True])
    assert found.to_dict() == pytest.approx({"u": 5 / 6, "v": 1 / 3, "w": 5 / 6})
    for arguments, words in (
        (([1, 2], [1]), "one event for each time"),
        (([1, -2], [1, 0]), "time 1 is negative"),
        (([1, 2], [1, 2]), "event holds 2"),
        (([1, 2], ["yes", "no"]), "event must hold numbers"),
        (([1, 2], [1, 0], "exact"), "ties 'exact'"),
    ):
        with pytest.raises(DataError, match=words):
            nelson_aalen(*arguments)


def test_polars_comes_back_as_polars():
    pl = pytest.importorskip("polars")
    data = people()[["x", "g", "y"]]
    table = pl.from_pandas(data)
    found = hot_deck(table, "y", domain_var="g", seed=1).data
    assert isinstance(found, pl.DataFrame)
    np.testing.assert_allclose(found["y"].to_numpy(), hot_deck(data, "y", domain_var="g", seed=1).data["y"])
    assert complete_cases(table).data.height == data["y"].notna().sum()
    assert isinstance(mean(table, by="g").data, pl.DataFrame)


def test_numbers_of_tables_are_checked():
    nhanes = datasets.load("nhanes")
    with pytest.raises(DataError, match="m = 0"):
        hot_deck(nhanes, m=0)
    with pytest.raises(DataError, match="no completed table 3"):
        hot_deck(nhanes, m=2, seed=1).complete(3)
