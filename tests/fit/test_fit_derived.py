"""Derived variables from the table to the pooled answer: consistent, informative, and no answer for a derived response."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model
from bayesmi.errors import FitError

pytestmark = pytest.mark.xdist_group("derived_fits")
SUM = {"s": "a + b + c"}


def quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(*arguments, **options)


def sums(seed, n=250):
    """In 75 % of the rows two of three items are missing, their sum is not."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    a, b, c = (0.6 * common + 0.8 * rng.normal(size=n) for _ in range(3))
    data = pd.DataFrame({"a": a, "b": b, "c": c, "s": a + b + c})
    data["y"] = 1.0 + 0.8 * a - 0.5 * b + 0.3 * c + rng.normal(size=n)
    holes = rng.random(n) < 0.75
    data.loc[holes, ["a", "b"]] = np.nan
    return data


TRUTH = {"a": 0.8, "b": -0.5, "c": 0.3}


@pytest.fixture(scope="module")
def fits():
    out = []
    for seed in range(6):
        data = sums(seed)
        options = {"seed": 1, "draws": 300, "tune": 300, "progress": False}
        out.append(
            (
                quietly("y ~ a + b + c", data, derived=SUM).fit(**options),
                quietly("y ~ a + b + c", data.drop(columns="s")).fit(**options),
            )
        )
    return out


def test_a_sum_that_is_ignored_loses_efficiency(fits):
    truth = np.array([TRUTH["a"], TRUTH["b"], TRUTH["c"], TRUTH["a"] + TRUTH["b"]])
    means, sds = [], []
    for which in (0, 1):
        draws = [[pair[which].posterior[name].to_numpy().ravel() for name in TRUTH] for pair in fits]
        draws = [np.stack([*each, each[0] + each[1]]) for each in draws]
        means.append(np.stack([each.mean(axis=1) for each in draws]))
        sds.append(np.stack([each.std(axis=1) for each in draws]))
    z = (means[0] - truth) / sds[0]
    assert np.abs(z).max() < 3.8
    assert np.abs(z.mean(axis=0)).max() < 1.7  # of six data sets: sd .41
    # the sum says most about the mean of the two slopes
    assert sds[0].mean(axis=0)[3] < 0.85 * sds[1].mean(axis=0)[3]
    assert (sds[0].mean(axis=0) < sds[1].mean(axis=0)).all()
    errors = [np.sqrt(((mean - truth) ** 2).mean(axis=0))[3] for mean in means]
    assert errors[0] < errors[1]


def test_completed_sums_agree(fits):
    fit, _ = fits[0]
    data = sums(0)
    for one in fit.impute(3, despite_gate=True):
        np.testing.assert_allclose(one[["a", "b", "c"]].sum(axis=1), data["s"], rtol=0, atol=1e-12)
        pd.testing.assert_series_equal(one["s"], data["s"])


def test_a_ratio_and_items_and_a_group_stay_consistent():
    rng = np.random.default_rng(3)
    n = 90
    person = np.repeat(np.arange(30), 3)
    height = rng.normal(1.7, 0.1, 30)[person]
    weight = np.exp(np.log(22 * height**2) + 0.1 * rng.normal(size=n))
    items = rng.integers(1, 4, (n, 3)).astype(float)
    data = pd.DataFrame({"person": person, "height": height, "weight": weight, "bmi": weight / height**2})
    data[["i1", "i2", "i3"]] = items
    data["total"] = items.sum(axis=1)
    data["y"] = 0.2 * data["bmi"] + 0.5 * data["total"] + rng.normal(size=n)
    whole = data.copy()
    data.loc[person < 3, ["height", "weight"]] = np.nan  # bmi observed in every visit of three people
    data.loc[10:14, ["weight", "bmi"]] = np.nan
    data.loc[20:30, ["i1", "i2"]] = np.nan
    data.loc[28:33, ["i2", "i3"]] = np.nan
    data.loc[40:42, ["i1", "total"]] = np.nan
    model = quietly(
        "y ~ bmi + total + (1 | person)", data, derived={"bmi": "weight / height**2", "total": "i1 + i2 + i3"},
        families={"weight": "lognormal"}, kinds=dict.fromkeys(["i1", "i2", "i3"], "ordinal"), levels="pooled",
    )  # fmt: skip
    plan = model.plan()
    assert plan.units("height", "grid").tolist() == [0, 1, 2]
    assert plan.units("weight", "solve").tolist() == list(range(9))
    fit = model.fit(seed=2, draws=150, tune=250, chains=2, progress=False)
    for one in fit.impute(3, despite_gate=True):
        assert not one.isna().any().any()
        np.testing.assert_allclose(one["bmi"], one["weight"] / one["height"] ** 2, rtol=1e-12)
        scores = one[["i1", "i2", "i3"]].astype(float)
        np.testing.assert_array_equal(scores.sum(axis=1), one["total"])
        assert (one.groupby("person")["height"].nunique() == 1).all()
        for name in ("bmi", "total", "y", "weight"):
            seen = data[name].notna()
            np.testing.assert_array_equal(one[name][seen], whole[name][seen])


def test_a_derived_response_is_analysed_on_the_completed_data():
    rng = np.random.default_rng(4)
    n = 120
    z = rng.normal(size=n)
    before = rng.normal(size=n)
    after = before + 0.5 * z + rng.normal(size=n)
    data = pd.DataFrame({"z": z, "before": before, "after": after, "change": after - before})
    data.loc[:19, ["after", "change"]] = np.nan
    data.loc[15:30, ["before", "change"]] = np.nan
    data.loc[40, ["before", "after"]] = np.nan
    model = quietly("change ~ z", data, derived={"change": "after - before"})
    fit = model.fit(seed=1, draws=200, tune=200, chains=2, progress=False)
    with pytest.raises(FitError, match="'change' is derived and has no one-step summary"):
        fit.summary()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        assert "z" in fit.summary(all_models=True).index
    imputed = fit.impute(4, despite_gate=True)
    slopes = []
    for one in imputed:
        np.testing.assert_allclose(one["change"], one["after"] - one["before"], rtol=1e-9, atol=1e-12)
        slopes.append(np.polyfit(one["z"], one["change"], 1)[0])
    assert abs(np.mean(slopes) - 0.5) < 0.4
