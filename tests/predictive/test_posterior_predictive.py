"""Replications of observed values: what `check` looks at, and what ArviZ takes."""

import warnings

import arviz as az
import numpy as np
import pytest
from kernel_cases import small_table

from bayesmi import BayesmiNotice, Model
from bayesmi.errors import FitError

pytestmark = pytest.mark.xdist_group("posterior_predictive")


@pytest.fixture(scope="module")
def fit():
    data = small_table()
    data.index = [f"r{i}" for i in range(24)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model("y ~ x + z + b1 + (1 | a)", data).fit(draws=150, tune=300, seed=1, progress=False)


def test_groups_and_dims(fit):
    before = set(fit.tree.children)
    tree = fit.posterior_predictive(draws=40, progress=False)
    assert set(fit.tree.children) == before
    assert tree["posterior_predictive"]["y"].dims == ("chain", "draw", "__obs__")
    assert tree["posterior_predictive"]["y"].shape == (4, 10, 20)
    assert tree["posterior_predictive"]["x"].dims == ("chain", "draw", "x__obs")
    for name in ("y", "x", "b1"):
        observed, drawn = tree["observed_data"][name], tree["posterior_predictive"][name]
        np.testing.assert_array_equal(observed[observed.dims[0]], drawn[drawn.dims[-1]])
    assert tree["observed_data"]["y"]["__obs__"].values[0] == "r1"
    np.testing.assert_allclose(tree["observed_data"]["y"], small_table()["y"].dropna())
    assert set(np.unique(tree["posterior_predictive"]["b1"])) == {0.0, 1.0}


def test_check_and_predictive_are_one_road(fit):
    """All draws in order: replication i of the check is draw i of the posterior predictive."""
    whole = fit.posterior_predictive(draws=None, seed=5, progress=False)["posterior_predictive"]["y"]
    check = fit.check(replications=600, seed=5)
    np.testing.assert_array_equal(whole.values.reshape(600, -1), check.replicated["y"])
    with pytest.raises(FitError, match="there is no check of 'yy': did you mean 'y'"):
        check.plot("yy")


def test_it_looks_like_the_data(fit):
    drawn = fit.posterior_predictive(draws=200, progress=False)["posterior_predictive"]["y"]
    y = small_table()["y"].dropna()
    low, high = np.quantile(drawn.values.reshape(-1, 20), [0.01, 0.99], axis=0)
    assert ((y >= low) & (y <= high)).mean() > 0.85
    assert np.corrcoef(drawn.mean(("chain", "draw")), y)[0, 1] > 0.7


def test_arviz_takes_it(fit):
    import matplotlib

    matplotlib.use("Agg")
    import arviz_plots as azp

    azp.plot_ppc_dist(fit.posterior_predictive(progress=False), var_names=["y"], backend="matplotlib")
    prior = fit.model.prior_predictive(draws=60, seed=1, progress=False)
    azp.plot_ppc_dist(prior, group="prior_predictive", var_names=["y"], backend="matplotlib")
    import matplotlib.pyplot as plt

    plt.close("all")


def test_arviz_compares_models_by_their_outcome(fit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = Model("y ~ z", fit.model.frame).fit(draws=150, tune=300, seed=1, progress=False)
        trees = {name: one.with_log_likelihood(progress=False) for name, one in (("x", fit), ("z", small))}
        one = az.loo(trees["x"])
        table = az.compare(trees)
    assert one.n_data_points == 20
    assert table.index[0] == "x"  # y depends on x strongly
    assert "log_likelihood" not in fit.tree.children
    values = trees["x"]["log_likelihood"]["y"]
    mean = np.log(np.exp(values).mean(("chain", "draw"))).sum()
    assert one.elpd < float(mean)


def test_arviz_loo_pit_finds_rows_of_both(fit):
    tree = fit.posterior_predictive(draws=None, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree["log_likelihood"] = fit.with_log_likelihood(progress=False)["log_likelihood"]
        pit = az.loo_pit(tree, var_names=["y"])
    assert pit["y"].shape == (20,)


def test_joint_in_a_tree_says_what_it_does_not_compare(fit):
    with pytest.warns(BayesmiNotice, match="comparable only between models in which the same variables"):
        tree = fit.with_log_likelihood("joint", progress=False)
    assert list(tree["log_likelihood"].data_vars) == ["joint"]


def test_wrong_numbers_are_refused(fit):
    with pytest.raises(FitError, match="draws must be"):
        fit.posterior_predictive(draws=0)
