"""Simulated pupils: the truth is the truth, and the holes are at random given what is observed."""

import numpy as np
import pytest
import statsmodels.api as sm
from pandas.testing import assert_frame_equal

from bayesmi import datasets
from bayesmi.errors import DataError


def test_same_seed_same_data():
    a, b = (datasets.simulate_pupils(20, 10, seed=3) for _ in range(2))
    assert_frame_equal(a.data, b.data)
    assert not datasets.simulate_pupils(20, 10, seed=4).complete.equals(a.complete)


def test_holes_do_not_change_the_complete_data():
    a = datasets.simulate_pupils(20, 10, seed=3)
    b = datasets.simulate_pupils(20, 10, seed=3, missing={"sex": 0.2, "texp": 0.1}, mechanism="MCAR")
    assert_frame_equal(a.complete, b.complete)
    for simulated in (a, b):
        kept = simulated.data.notna()
        assert (
            (simulated.data.where(kept) == simulated.complete.where(kept)).to_numpy()[kept.to_numpy()].all()
        )


def test_seed_sequences_serve_as_seeds():
    first, second = np.random.SeedSequence(5).spawn(2)
    a = datasets.simulate_pupils(10, 5, seed=first).complete
    assert not a.equals(datasets.simulate_pupils(10, 5, seed=second).complete)
    assert_frame_equal(
        a, datasets.simulate_pupils(10, 5, seed=np.random.SeedSequence(5).spawn(1)[0]).complete
    )


def test_design():
    pupils = datasets.simulate_pupils(100, 20, seed=1, missing={})
    data = pupils.data
    assert list(data.columns) == ["pupil", "school", "popular", "sex", "texp", "teachpop"]
    assert not data.isna().to_numpy().any()
    sizes = data.groupby("school").size()
    assert sizes.between(16, 24).all()
    assert len(sizes) == 100
    assert (data.groupby("school")["texp"].nunique() == 1).all()
    assert (data.groupby("school")["pupil"].max() == sizes).all()
    assert set(data["sex"]) == {0, 1}
    assert data["texp"].between(2, 25).all()


def test_parameters_are_the_truth():
    pupils = datasets.simulate_pupils(3000, 20, seed=2, slope_sigma=0.3, correlation=-0.5)
    data, truth = pupils.complete, pupils.truth
    x = sm.add_constant(data[["texp", "sex"]].astype(float))
    fit = sm.OLS(data["popular"], x).fit()
    assert fit.params["const"] == pytest.approx(truth["Intercept"], abs=0.1)
    assert fit.params["texp"] == pytest.approx(truth["texp"], abs=0.006)
    assert fit.params["sex"] == pytest.approx(truth["sex"], abs=0.03)
    centred = data["popular"] - 3.6 - 0.09 * data["texp"] - 0.87 * data["sex"]
    by_sex = centred.groupby([data["school"], data["sex"]])
    within = by_sex.var().dropna()
    weights = by_sex.size()[within.index] - 1
    assert np.average(within, weights=weights) == pytest.approx(truth["sigma"] ** 2, rel=0.03)
    means = by_sex.mean().unstack().dropna()
    counts = by_sex.size().unstack().loc[means.index]
    noise = truth["sigma"] ** 2
    assert means[0].var() - (noise / counts[0]).mean() == pytest.approx(truth["1|school_sigma"] ** 2, rel=0.1)
    slope = means[1] - means[0]
    slope_variance = slope.var() - (noise / counts[0] + noise / counts[1]).mean()
    assert slope_variance == pytest.approx(truth["sex|school_sigma"] ** 2, rel=0.2)
    covariance = np.cov(means[0], slope)[0, 1] + (noise / counts[0]).mean()
    assert covariance == pytest.approx(-0.5 * truth["1|school_sigma"] * truth["sex|school_sigma"], rel=0.25)
    assert truth["icc"] == 0.5
    assert truth["school__corr"] == -0.5


@pytest.mark.parametrize("mechanism", ["MAR", "MCAR"])
def test_shares_of_holes(mechanism):
    missing = {"popular": 0.4, "sex": 0.2, "texp": 0.1}
    data = datasets.simulate_pupils(1500, 20, seed=5, missing=missing, mechanism=mechanism).data
    share = data.isna().mean()
    for name, wanted in missing.items():
        assert share[name] == pytest.approx(wanted, abs=0.03)
    assert share[["pupil", "school", "teachpop"]].sum() == 0
    assert (data["texp"].isna().groupby(data["school"]).nunique() == 1).all()


def test_default_holes_depend_on_observed_values_only():
    pupils = datasets.simulate_pupils(1000, 20, seed=6)
    gone = pupils.data["popular"].isna().astype(float)
    assert pupils.data.drop(columns="popular").notna().to_numpy().all()
    assert gone.mean() == pytest.approx(0.42, abs=0.02)
    x = sm.add_constant(pupils.complete[["sex", "texp", "popular"]].astype(float))
    fit = sm.Logit(gone, x).fit(disp=0)
    assert fit.tvalues["sex"] > 20
    assert fit.tvalues["texp"] > 20
    assert abs(fit.tvalues["popular"]) < 4


def test_holes_in_sex_depend_on_the_outcome_when_that_is_complete():
    pupils = datasets.simulate_pupils(500, 20, seed=7, missing={"sex": 0.3})
    gone = pupils.data["sex"].isna()
    assert pupils.data["sex"].dtype == "float64"
    assert pupils.complete["popular"][gone].mean() - pupils.complete["popular"][~gone].mean() > 0.3
    free = (
        datasets.simulate_pupils(500, 20, seed=7, missing={"sex": 0.3}, mechanism="MCAR").data["sex"].isna()
    )
    assert abs(pupils.complete["popular"][free].mean() - pupils.complete["popular"][~free].mean()) < 0.1


@pytest.mark.parametrize(
    "options",
    [
        {"n_schools": 0},
        {"n_pupils": 0},
        {"missing": {"teachpop": 0.2}},
        {"missing": {"sex": 1.0}},
        {"missing": {"sex": -0.1}},
        {"mechanism": "MNAR"},
        {"correlation": 2.0},
        {"sigma": -1.0},
    ],
)
def test_impossible_designs_are_refused(options):
    with pytest.raises(DataError):
        datasets.simulate_pupils(seed=1, **options)


def test_smallest_design():
    assert len(datasets.simulate_pupils(1, 1, seed=1, missing={}).data) == 1


def test_holes_do_not_depend_on_values_that_are_holes_themselves():
    pupils = datasets.simulate_pupils(1500, 20, seed=8, missing={"popular": 0.4, "sex": 0.4})
    gone = pupils.data["popular"].isna()
    girl = pupils.complete["sex"] == 1
    hidden = pupils.data["sex"].isna()

    def difference(rows):
        return gone[rows & girl].mean() - gone[rows & ~girl].mean()

    assert difference(~hidden) > 0.2
    assert abs(difference(hidden)) < 0.03
