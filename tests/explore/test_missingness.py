"""The missingness model and the t tests: against statsmodels, scipy, an optimiser and a printed table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import optimize, stats

from bayesmi import datasets
from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.explore import missingness_model, missingness_t_tests
from bayesmi.explore.logistic import expit, fit_logistic, independent_columns
from bayesmi.imputations import Imputations, StoredDraws


def test_popmis_as_the_multilevel_tutorial_prints_it():
    row = missingness_t_tests(datasets.load("popmis"), "popular", "texp").loc["texp"]
    assert round(row["mean.observed"], 5) == 14.15278
    assert round(row["mean.missing"], 5) == 14.41274
    assert round(row["difference"], 7) == -0.2599581
    assert round(row["statistic"], 7) == -0.8731291
    assert round(row["p.value"], 7) == 0.3827095
    assert round(row["df"], 3) == 1796.115
    assert round(row["conf.low"], 7) == -0.8438947
    assert round(row["conf.high"], 7) == 0.3239786
    assert (row["n.observed"], row["n.missing"]) == (1152, 848)


def test_welch_is_that_of_scipy_and_survives_small_groups():
    data = pd.DataFrame(
        {
            "y": [1.0, np.nan, 3.0, np.nan, 5.0, np.nan, 2.0, 8.0],
            "x": [4.0, 2.5, 3.0, 7.0, np.nan, 6.0, 1.0, 2.0],
            "z": [1.0, np.nan, 2.0, np.nan, 4.0, 5.0, 2.0, 3.0],
        }
    )
    found = missingness_t_tests(data, "y")
    wanted = stats.ttest_ind([4.0, 3.0, 1.0, 2.0], [2.5, 7.0, 6.0], equal_var=False)
    assert found.loc["x", "statistic"] == pytest.approx(wanted.statistic)
    assert found.loc["x", "p.value"] == pytest.approx(wanted.pvalue)
    assert found.loc["x", "df"] == pytest.approx(wanted.df)
    assert found.loc["z", "n.missing"] == 1
    assert np.isnan(found.loc["z", "p.value"])
    with pytest.raises(DataError, match="'x' has no missing cell"):
        missingness_t_tests(data.assign(x=1.5), "x")
    with pytest.raises(DataError, match="cannot be compared"):
        missingness_t_tests(data, "y", ["y"])
    with pytest.raises(DataError, match="'g' is nominal"):
        missingness_t_tests(data.assign(g=list("abcabcab")), "y", "g")


def incomplete(n: int = 400, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {"x": rng.normal(50, 10, n), "g": rng.choice(["a", "b", "c"], n), "w": rng.normal(size=n)}
    )
    y = data["x"] + rng.normal(size=n)
    data["y"] = y.mask(rng.uniform(size=n) < expit((data["x"].to_numpy() - 55) / 10))
    data["w"] = data["w"].mask(rng.uniform(size=n) < 0.2)
    return data


def test_model_is_the_logistic_regression_of_statsmodels():
    data = incomplete()
    table = data.assign(r=data["y"].isna().astype(int))
    fit = smf.logit("r ~ x + g + w", table.dropna(subset=["w"])).fit(disp=0)
    found = missingness_model(data, "y", ["x", "g", "w"], incomplete="rows")
    wanted = fit.params[["Intercept", "x", "g[T.b]", "g[T.c]", "w"]]
    np.testing.assert_allclose(found.table["estimate"], wanted, rtol=1e-6)
    np.testing.assert_allclose(found.table["std.error"], fit.bse[wanted.index], rtol=1e-6)
    np.testing.assert_allclose(found.table["p.value"], fit.pvalues[wanted.index], rtol=1e-5)
    g = fit.wald_test("g[T.b] = 0, g[T.c] = 0", scalar=True)
    assert found.variables.loc["g", "statistic"] * 2 == pytest.approx(float(g.statistic), rel=1e-6)
    assert found.variables.loc["g", "p.value"] == pytest.approx(float(g.pvalue), rel=1e-6)
    assert found.variables.index[0] == "x"
    assert (found.n_missing, found.n_rows) == (table.dropna(subset=["w"])["r"].sum(), data["w"].notna().sum())
    assert f"{data['w'].isna().sum()} of 400 rows left out" in found.handling
    p1, p0 = fit.predict()[fit.model.endog == 1], fit.predict()[fit.model.endog == 0]
    pairs = (p1[:, None] > p0).mean() + 0.5 * (p1[:, None] == p0).mean()
    assert found.auc == pytest.approx(pairs, rel=1e-10)


def test_indicator_keeps_all_rows_and_has_a_term_of_its_own():
    data = incomplete()
    table = data.assign(r=data["y"].isna().astype(int), gone=data["w"].isna().astype(int))
    table["w"] = table["w"].fillna(table["w"].mean())
    fit = smf.logit("r ~ x + g + w + gone", table).fit(disp=0)
    found = missingness_model(data, "y")
    assert list(found.table.index) == ["Intercept", "x", "g[b]", "g[c]", "w", "w missing"]
    np.testing.assert_allclose(found.table.loc["w missing", "estimate"], fit.params["gone"], rtol=1e-6)
    np.testing.assert_allclose(found.table.loc["x", "std.error"], fit.bse["x"], rtol=1e-6)
    assert found.n_rows == 400
    assert found.variables.loc["w", "df1"] == 2
    assert "term of their own (w)" in found.handling
    assert "Welch" not in repr(found)
    assert "w missing" in repr(found)


def test_what_is_missing_for_no_reason_is_predicted_by_nothing():
    rng = np.random.default_rng(6)
    p = []
    for _ in range(200):
        data = pd.DataFrame(rng.normal(size=(150, 3)), columns=["y", "a", "b"])
        data["y"] = data["y"].mask(rng.uniform(size=150) < 0.3)
        p.append(missingness_model(data, "y").overall["p.value"])
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_completed_predictors_are_pooled():
    data = incomplete()
    frame = IncompleteFrame.from_table(data[["x", "g", "y", "w"]])
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(5, frame.columns["w"].n_missing))
    imputed = Imputations(frame, StoredDraws({"w": draws}, tuple((0, i) for i in range(5))))
    found = missingness_model(imputed, "y")
    tables = []
    for i in range(5):
        w = data["w"].to_numpy(copy=True)
        w[np.isnan(w)] = draws[i]
        fit = smf.logit("r ~ x + g + w", data.assign(w=w, r=data["y"].isna().astype(int))).fit(disp=0)
        tables.append((fit.params["w"], fit.bse["w"] ** 2))
    estimates, variances = np.array(tables).T
    total = variances.mean() + 1.2 * estimates.var(ddof=1)
    assert found.table.loc["w", "estimate"] == pytest.approx(estimates.mean(), rel=1e-6)
    assert found.table.loc["w", "std.error"] == pytest.approx(np.sqrt(total), rel=1e-6)
    assert found.handling.startswith("5 completed data sets")
    assert found.variables.loc["w", "df2"] < np.inf
    assert "w missing" not in found.table.index


def test_separation_is_dealt_with_by_firth_and_said():
    rng = np.random.default_rng(9)
    x = rng.normal(size=40)
    data = pd.DataFrame(
        {"x": x, "y": np.where(x > 0.3, np.nan, x + rng.normal(size=40)), "u": rng.normal(size=40)}
    )
    found = missingness_model(data, "y")
    assert any("Firth" in note for note in found.notes)
    design = np.column_stack([np.ones(40), data["x"], data["u"]])
    gone = data["y"].isna().to_numpy(dtype=float)

    def loss(b: np.ndarray) -> float:
        eta = design @ b
        p = expit(eta)
        information = (design * (p * (1 - p))[:, None]).T @ design
        return -(gone @ eta - np.logaddexp(0, eta).sum() + 0.5 * np.linalg.slogdet(information)[1])

    best = optimize.minimize(
        loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 5000}
    )
    np.testing.assert_allclose(found.table["estimate"], best.x, atol=1e-4)


def test_ordinary_data_are_not_penalised():
    data = incomplete()
    gone = data["y"].isna().to_numpy(dtype=float)
    fit = fit_logistic(np.column_stack([np.ones(400), data["x"]]), gone)
    assert not fit.penalised
    assert np.abs(np.column_stack([np.ones(400), data["x"]]).T @ (gone - fit.probabilities)).max() < 1e-6


def test_terms_that_follow_from_others_are_left_out_and_said():
    data = incomplete().assign(twice=lambda d: 2 * d["x"])
    found = missingness_model(data, "y", ["x", "twice"])
    assert list(found.table.index) == ["Intercept", "x"]
    assert any("'twice'" in note for note in found.notes)
    assert independent_columns(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [1.0, 2.0, 3.0]])) == [0, 2]


def test_clusters_identifiers_and_wide_factors_are_remarked_on():
    data = incomplete().assign(
        id=[f"p{i}" for i in range(400)], school=np.repeat(np.arange(20), 20), same=1.5
    )
    frame = IncompleteFrame.from_table(data, groups=["school"], kinds={"id": "identifier"})
    found = missingness_model(frame, "y")
    assert any("clusters (school)" in note for note in found.notes)
    assert any("identifiers: id" in note for note in found.notes)
    assert any("constants: same" in note for note in found.notes)
    wide = missingness_model(data[["x", "y"]].assign(town=[f"t{i % 25}" for i in range(400)]), "y")
    assert any("more than 20 levels: town" in note for note in wide.notes)


@pytest.mark.parametrize(
    ("target", "predictors", "options", "words"),
    [
        ("x", None, {}, "no missing cell"),
        ("y", ["y"], {}, "own missingness"),
        ("y", ["z"], {}, "no column 'z'"),
        ("y", [], {}, "no column is left"),
        ("y", None, {"incomplete": "drop"}, "use 'indicator' or 'rows'"),
    ],
)
def test_the_model_refuses_in_one_line(target, predictors, options, words):
    with pytest.raises(DataError, match=words):
        missingness_model(incomplete(), target, predictors, **options)
