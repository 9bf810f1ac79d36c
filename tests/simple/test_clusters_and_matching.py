"""Strategies for clusters compared, and predictive mean matching."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import bayesmi as bmi
from bayesmi.errors import DataError, NotSupportedError
from bayesmi.simple import cluster_strategies, pmm


def clustered(n_clusters, size, icc, seed, missing=0.4):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(n_clusters), size)
    x = rng.normal(size=len(g))
    y = 0.5 * x + rng.normal(0, np.sqrt(icc), n_clusters)[g] + rng.normal(0, np.sqrt(1 - icc), len(g))
    table = pd.DataFrame({"y": y, "x": x, "g": g})
    table.loc[rng.random(len(g)) < missing, "y"] = np.nan
    return table


@pytest.fixture(scope="module")
def found():
    return cluster_strategies(
        clustered(50, 20, 0.3, 1), "y ~ x", "g", m=10, seed=2, draws=500, tune=400, progress=False
    )


@pytest.mark.xdist_group("strategies")
def test_icc_is_ordered_as_theory_has_it(found):
    icc = found.table["icc"]
    truth = 0.3 / 1.25  # of y itself, x included
    assert icc["ignored"] < icc["hierarchical"] < icc["indicator"]
    assert abs(icc["hierarchical"] - truth) < 0.08
    assert icc["separate"] > icc["ignored"]
    assert found.table["coefficients"].to_dict() == {
        "ignored": 2,
        "indicator": 51,
        "separate": 2,
        "hierarchical": 4,
    }
    assert list(found.imputations) == ["ignored", "indicator", "separate", "hierarchical"]
    assert found.imputations["indicator"].m == 10
    assert found.advice.startswith("Use the hierarchical model (50 clusters")
    assert "ignored: clusters are taken as alike" in repr(found)


def test_a_cluster_without_values_leaves_one_way():
    table = clustered(12, 10, 0.2, 3)
    table.loc[table["g"] == 4, "y"] = np.nan
    found = cluster_strategies(table, "y ~ x", "g", m=2, seed=1, hierarchical=False)
    assert list(found.imputations) == ["ignored"]
    assert found.table.loc["separate", "clusters.lost"] == 1
    assert found.table.loc["indicator", "remark"] == "impossible: 1 clusters have no observed value"
    assert "systematically missing" in found.advice


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((3, 200), "impute separately or with indicators"),
        ((10, 300), "will differ little"),
        ((40, 8), "Use the hierarchical"),
    ],
)
def test_advice_follows_n_and_big_n(shape, said):
    found = cluster_strategies(clustered(*shape, 0.2, 5), "y ~ x", "g", m=2, seed=1, hierarchical=False)
    assert said in found.advice


def test_cluster_level_predictors_drop_out_of_indicators():
    table = clustered(20, 15, 0.2, 6)
    table["w"] = table["g"] % 3 * 1.0
    found = cluster_strategies(table, "y ~ x + w", "g", m=2, seed=1, hierarchical=False)
    assert found.table.loc["indicator", "coefficients"] == 21
    assert "cluster-level predictors" in found.table.loc["indicator", "remark"]
    again = cluster_strategies(table, "y ~ x + w", "g", m=2, seed=1, hierarchical=False)
    pd.testing.assert_frame_equal(found.table, again.table)


def test_strategies_refuse():
    table = clustered(5, 10, 0.2, 7)
    with pytest.raises(DataError, match="'x' has no missing cell"):
        cluster_strategies(table, "x ~ 1", "g")
    with pytest.raises(DataError, match="a predictor of 'y' is missing"):
        cluster_strategies(table.assign(x=table["x"].where(table["x"] > 0)), "y ~ x", "g")
    with pytest.raises(DataError, match="has one value: there are no clusters"):
        cluster_strategies(table.assign(g=1.0), "y ~ x", "g")


def test_matching_takes_observed_values_near_the_prediction():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    table = pd.DataFrame({"x": x, "y": np.round(3 * x + rng.normal(0, 0.5, 400), 2)})
    hole = rng.random(400) < 0.3
    truth = table["y"].to_numpy().copy()
    table.loc[hole, "y"] = np.nan
    made = pmm(table, "y ~ x", m=20, seed=3)
    values = np.array([one["y"].to_numpy()[hole] for one in made])
    assert np.isin(values, table["y"].dropna()).all()
    assert np.corrcoef(values.mean(axis=0), truth[hole])[0, 1] > 0.97
    assert (values.std(axis=0) > 0).mean() > 0.9
    pooled = made.to_imputations().analyze(lambda d: smf.ols("y ~ x", d).fit()).pool().table
    assert pooled.loc["x", "conf.low"] < 3 < pooled.loc["x", "conf.high"]
    assert pooled.loc["x", "b"] > 0
    np.testing.assert_array_equal(
        values, [one["y"].to_numpy()[hole] for one in pmm(table, "y ~ x", m=20, seed=3)]
    )
    with pytest.raises(NotSupportedError, match="holds categories"):
        pmm(pd.DataFrame({"c": ["a", None, "b"], "x": [1.0, 2, 3]}), "c ~ x")
    with pytest.raises(DataError, match="too few for 2 coefficients and 9 donors"):
        pmm(pd.DataFrame({"y": [1.5, None, 2.5, 3.5], "x": [1.0, 2, 3, 4]}), "y ~ x", donors=9)


def test_public():
    assert {"pmm", "cluster_strategies"} <= set(dir(bmi.simple))


@pytest.mark.xdist_group("strategies")
def test_the_cluster_may_have_any_name():
    spaced = clustered(20, 20, 0.3, 1).rename(columns={"g": "school id"})
    found = cluster_strategies(spaced, "y ~ x", "school id", m=2, seed=1, draws=500, tune=400)
    assert "hierarchical" in found.imputations, found.table.loc["hierarchical", "remark"]
