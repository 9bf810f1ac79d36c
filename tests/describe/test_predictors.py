"""describe(): complete variables that go with incomplete ones; clusters and kinds of a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.describe.predictors import association
from bayesmi.errors import DataError


@pytest.fixture(scope="module")
def pupils() -> pd.DataFrame:
    """x is missing where arm is b, y follows sex; w goes with nothing."""
    rng = np.random.default_rng(4)
    n = 400
    table = pd.DataFrame({"school": np.repeat([f"s{k}" for k in range(20)], 20), "w": rng.normal(size=n)})
    table["arm"] = rng.choice(["a", "b", "c"], n)
    table["sex"] = rng.integers(0, 2, n)
    table["x"] = np.where((table["arm"] == "b") & (rng.random(n) < 0.6), np.nan, rng.normal(size=n))
    table["y"] = np.where(rng.random(n) < 0.2, np.nan, table["sex"] + rng.normal(size=n))
    table["visits"] = rng.poisson(2, n)
    return table


def test_predictors_of_values_and_of_missingness(pupils):
    found = bmi.describe(pupils, "school")
    pairs = found.predictors.set_index(["variable", "predictor"])
    assert {one for _, one in pairs.index} == {"w", "arm", "sex", "visits"}  # complete, and no clusters
    seen = pupils["y"].notna()
    assert pairs.loc[("y", "sex"), "values"] == pytest.approx(
        pupils.loc[seen, "y"].corr(pupils.loc[seen, "sex"])
    )
    assert pairs.loc[("y", "sex"), "n"] == seen.sum()
    assert pairs.loc[("x", "sex"), "missing"] == pytest.approx(pupils["x"].isna().corr(pupils["sex"]))
    assert pairs.loc[("x", "arm"), "missing"] > 0.5
    text = repr(found)
    assert "Complete variables that go with the values" in text
    section = text.split("Complete variables")[1]
    assert section.splitlines()[2].split() == [
        "x",
        "none",
        "arm",
        f"{pairs.loc[('x', 'arm'), 'missing']:.2f}",
    ]
    assert "Complete variables" in found._repr_html_()
    assert "Complete variables" not in repr(bmi.describe(pupils[["x", "y"]]))


def test_association_of_categories():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 300).astype(float)
    numbers = labels**2 + rng.normal(size=300)
    by_label = [numbers[labels == k] for k in range(4)]
    within = sum(((v - v.mean()) ** 2).sum() for v in by_label) / 296
    ratio = np.sqrt(1 - within / numbers.var(ddof=1))
    assert association(numbers, labels, (False, True)) == pytest.approx(ratio)
    assert association(labels, numbers, (True, False)) == pytest.approx(ratio)
    assert association(labels, labels, (True, True)) == pytest.approx(1.0)
    assert association(labels, rng.permutation(labels), (True, True)) < 0.1
    assert np.isnan(association(np.ones(5), np.arange(5.0)))


def test_a_table_beside_a_model_has_its_clusters_and_kinds(pupils):
    model = bmi.Model("y ~ x + sex + (1 | school)", pupils, kinds={"visits": "count"})
    found = bmi.describe(pupils, model)
    pd.testing.assert_frame_equal(found.clusters, bmi.describe(model).clusters)
    assert found.columns.loc["visits", "kind"] == "count"
    with pytest.raises(DataError, match=r"a list of them or a Model, not a int$"):
        bmi.describe(pupils, 3)
    with pytest.raises(DataError, match="grouping column 'school' is not in the table"):
        bmi.describe(pupils.drop(columns="school"), model)
