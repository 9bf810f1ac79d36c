"""Terms and columns with a slash in their names: a DataTree takes no slash."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi


@pytest.mark.xdist_group("fit_slashes")
def test_a_slash_in_a_term_and_in_column_names(tmp_path):
    rng = np.random.default_rng(1)
    n = 60
    data = pd.DataFrame(
        {"w": rng.lognormal(size=n), "km/h": rng.normal(size=n), "g/h": np.repeat(range(6), 10)}
    )
    data["y/x"] = data["w"] / 2 + data["km/h"] + rng.normal(size=n)
    data.loc[:5, "km/h"] = np.nan
    data.loc[4:9, "y/x"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        model = bmi.Model("`y/x` ~ I(w / 2) + `km/h` + (1 | `g/h`)", data, treatments={"km/h": "sample"})
        fit = model.fit(seed=1, draws=200, tune=300, progress=False)
        assert "I(w / 2)" in fit.summary().index
        before = fit.impute(3, despite_gate=True).complete("stacked")
    names = set(fit.posterior.data_vars)
    assert {"I(w \u2215 2)", "cell__km\u2215h", "1|g\u2215h", "km\u2215h__Intercept"} <= names
    fit.save(tmp_path / "fit.bmi")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        after = bmi.load(tmp_path / "fit.bmi").impute(3, despite_gate=True).complete("stacked")
    pd.testing.assert_frame_equal(before, after)
    import pymc as pm

    with model.to_pymc():
        prior = pm.sample_prior_predictive(2, random_seed=1)["prior"]
    assert {"I(w \u2215 2)", "1|g\u2215h", "km\u2215h__Intercept"} <= set(prior.data_vars)
    assert {"g\u2215h__factor_dim", "km\u2215h__cell"} <= set(prior.dims)


@pytest.mark.xdist_group("fit_slashes")
def test_what_is_drawn_and_compared_has_names_that_a_tree_can_hold():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"km/h": rng.normal(size=40), "g/h": np.repeat(range(4), 10)})
    data["y/x"] = data["km/h"] + rng.normal(size=40)
    data.loc[:5, "km/h"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        model = bmi.Model("`y/x` ~ `km/h` + (1 | `g/h`)", data, derived={"m/s": "`km/h` / 3.6"})
        fit = model.fit(seed=1, draws=20, tune=50, chains=2, progress=False)
        drawn = fit.posterior_predictive(draws=10, progress=False)
        prior = model.prior_predictive(draws=3, seed=1, progress=False)
        rows = fit.with_log_likelihood(progress=False)
        groups = fit.with_log_likelihood(unit="g/h", marginal=True, progress=False)
    assert {"y\u2215x", "km\u2215h"} == set(drawn["posterior_predictive"].data_vars)
    assert drawn["observed_data"]["km\u2215h"].dims == ("km\u2215h__obs",)
    assert {"y\u2215x", "km\u2215h", "m\u2215s"} == set(prior["prior_predictive"].data_vars)
    assert rows["log_likelihood"]["y\u2215x"].shape == (2, 20, 40)
    assert groups["log_likelihood"]["y\u2215x"].dims[2] == "g\u2215h__factor_dim"
    assert set(rows["log_likelihood"].data_vars) == set(fit.tree["observed_data"].data_vars)
