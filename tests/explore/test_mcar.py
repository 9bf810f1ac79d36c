"""Little's test: published numbers, closed forms, an independent maximisation, and its level under MCAR."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from bayesmi import datasets
from bayesmi.errors import DataError
from bayesmi.explore import mcar_test
from bayesmi.explore.normal_em import fit_normal

GOLDEN = Path(__file__).parents[1] / "golden" / "explore"


def selection() -> pd.DataFrame:
    """Employee selection data of Enders (2010), Applied Missing Data Analysis, table 1.1."""
    na = np.nan
    return pd.DataFrame(
        {
            "iq": [78, 84, 84, 85, 87, 91, 92, 94, 94, 96, 99, 105, 105, 106, 108, 112, 113, 115, 118, 134],
            "performance": [na] * 10 + [7, 10, 11, 15, 10, 10, 12, 14, 16, 12],
            "wellbeing": [13, 9, 10, 10, na, 3, 12, 3, 13, na, 6, 12, 14, 10, na, 10, 14, 14, 12, 11],
        }
    )


def test_published_value_of_enders():
    found = mcar_test(selection())
    assert round(found.statistic, 2) == 14.63
    assert found.df == 5
    assert round(found.p_value, 2) == 0.01


def test_published_value_of_naniar():
    found = mcar_test(pd.read_csv(GOLDEN / "airquality.csv"))
    assert f"{found.statistic:.1f}" == "35.1"
    assert f"{found.p_value:.5f}" == "0.00142"
    assert (found.df, found.n_patterns) == (14, 4)
    corrected = mcar_test(pd.read_csv(GOLDEN / "airquality.csv"), divisor="n-1")
    assert corrected.statistic == pytest.approx(found.statistic * 152 / 153, rel=1e-10)


def test_two_variables_of_which_one_is_complete_have_a_closed_form():
    rng = np.random.default_rng(4)
    x = rng.normal(10, 3, 50)
    y = 2 + 0.5 * x + rng.normal(size=50)
    y[np.argsort(x)[-15:]] = np.nan
    seen = np.isfinite(y)
    slope, intercept = np.polyfit(x[seen], y[seen], 1)
    residual = np.mean((y[seen] - intercept - slope * x[seen]) ** 2)
    mean = np.array([x.mean(), intercept + slope * x.mean()])
    var = x.var()
    covariance = np.array([[var, slope * var], [slope * var, residual + slope**2 * var]])
    away = np.array([x[seen].mean(), y[seen].mean()]) - mean
    statistic = 35 * away @ np.linalg.solve(covariance, away) + 15 * (x[~seen].mean() - mean[0]) ** 2 / var
    found = mcar_test(pd.DataFrame({"x": x, "y": y}))
    np.testing.assert_allclose(found.mean, mean, rtol=1e-7)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-6)
    assert found.statistic == pytest.approx(statistic, rel=1e-6)
    assert found.df == 1
    assert found.p_value == pytest.approx(stats.chi2.sf(statistic, 1), rel=1e-5)
    assert found.patterns["contribution"].sum() == pytest.approx(found.statistic)
    assert found.patterns["missing"].tolist() == [(), ("y",)]


def test_em_reaches_the_maximum_that_an_optimiser_finds():
    rng = np.random.default_rng(8)
    values = rng.normal(size=(30, 3)) @ np.array([[1, 0.5, 0.2], [0, 1, 0.4], [0, 0, 1]]) + [1, 2, 3]
    values[rng.uniform(size=values.shape) < 0.3] = np.nan
    values = values[np.isfinite(values).any(axis=1)]
    lower = np.tril_indices(3)

    def loss(theta: np.ndarray) -> float:
        root = np.zeros((3, 3))
        root[lower] = theta[3:]
        covariance = root @ root.T
        total = 0.0
        for row in values:
            seen = np.isfinite(row)
            away, part = row[seen] - theta[:3][seen], covariance[np.ix_(seen, seen)]
            total += 0.5 * (np.linalg.slogdet(part)[1] + away @ np.linalg.solve(part, away))
        return total

    start = np.concatenate([np.nanmean(values, axis=0), np.eye(3)[lower]])
    best = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-4})
    root = np.zeros((3, 3))
    root[lower] = best.x[3:]
    fit = fit_normal(values)
    np.testing.assert_allclose(fit.mean, best.x[:3], atol=2e-4)
    np.testing.assert_allclose(fit.covariance, root @ root.T, atol=5e-4)


def simulated(rng: np.random.Generator, mechanism: str) -> pd.DataFrame:
    values = rng.multivariate_normal([0, 5, 9], [[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.4, 1]], size=200)
    gone = rng.uniform(size=(200, 2)) < (0.25 if mechanism == "mcar" else 0.5 * (values[:, :1] > 0))
    values[:, 1:][gone] = np.nan
    return pd.DataFrame(values, columns=["a", "b", "c"])


def test_p_is_uniform_under_mcar_and_small_under_mar():
    rng = np.random.default_rng(11)
    p = [mcar_test(simulated(rng, "mcar")).p_value for _ in range(200)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.01 < np.mean(np.array(p) < 0.05) < 0.11
    assert np.mean([mcar_test(simulated(rng, "mar")).p_value < 0.05 for _ in range(20)]) > 0.9


def test_what_is_left_out_is_said():
    data = pd.DataFrame(
        {
            "a": [1.0, 2.5, np.nan, 4.0, 1.5, np.nan, 3.0, 2.0],
            "b": [2.0, np.nan, 1.0, 3.5, 2.5, np.nan, np.nan, 1.0],
            "g": ["x", "y", "z", "x", "y", "z", "x", "y"],
            "one": 1.0,
        }
    )
    found = mcar_test(data)
    assert any("no order: g" in note for note in found.notes)
    assert any("do not vary: one" in note for note in found.notes)
    assert any("1 of 8 rows" in note for note in found.notes)
    assert found.n_rows == 7
    assert "no dependence on the missing values themselves" in repr(found)
    assert list(found.mean.index) == ["a", "b"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["a", "g"], "'g' is nominal"),
        (["a", "one"], "'one' does not vary"),
        (["a"], "at least two columns"),
        (["a", "c"], "no column 'c'"),
        (["d", "e"], "no value is missing"),
        (["a", "twice"], "singular"),
    ],
)
def test_refusals_name_the_column(columns, words):
    a = np.array([1.0, 2.5, np.nan, 4.0, 1.5, np.nan, 3.0, 2.0])
    d = np.arange(8.0)
    data = pd.DataFrame(
        {"a": a, "g": list("xyzxyzxy"), "one": 1.0, "d": d, "e": d[::-1] ** 2, "twice": 2 * a}
    )
    with pytest.raises(DataError, match=words):
        mcar_test(data, columns)


def test_one_pattern_has_nothing_to_compare():
    data = pd.DataFrame({"a": [1.0, 2.0, 4.0, np.nan], "b": [2.0, 1.0, 7.0, np.nan]})
    with pytest.raises(DataError, match="same pattern"):
        mcar_test(data)
    with pytest.raises(DataError, match="divisor"):
        mcar_test(datasets.load("nhanes"), divisor="n+1")
