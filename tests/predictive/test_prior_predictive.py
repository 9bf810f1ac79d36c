"""Draws from the prior follow scipy's distributions, and the tables made from them have the moments they must."""

import warnings

import numpy as np
import pandas as pd
import pytest
from kernel_cases import SHAPES, make_model, small_table
from scipy import stats

from bayesmi import BayesmiNotice, Model, Prior
from bayesmi.errors import BayesmiError, ModelError
from bayesmi.predictive.distributions import scipy_distribution
from bayesmi.predictive.prior_draws import draw_prior
from bayesmi.priors import _KNOWN

LEAST_P = 1e-4  # of a Kolmogorov-Smirnov test; seeds are fixed


def quiet_model(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(*args, **kwargs)


def quietly(model, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return model.prior_predictive(progress=False, **kwargs)


PRIORS = [
    Prior("Normal", 0.7, 1.9),
    Prior("StudentT", 3.5, 0.4, 2.2),
    Prior("Cauchy", -0.6, 1.4),
    Prior("Laplace", 0.3, 0.8),
    Prior("Logistic", -1.2, 0.9),
    Prior("HalfNormal", 1.3),
    Prior("HalfStudentT", 4.0, 1.7),
    Prior("HalfCauchy", 0.6),
    Prior("Exponential", 2.5),
    Prior("Gamma", 2.2, 3.1),
    Prior("InverseGamma", 2.7, 1.6),
    Prior("LogNormal", 0.4, 0.7),
    Prior("Weibull", 1.8, 1.2),
    Prior("Beta", 2.3, 1.4),
]


def test_every_proper_prior_is_here():
    assert {prior.name for prior in PRIORS} == set(_KNOWN) - {"LKJ", "Flat", "HalfFlat"}


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: prior.name)
def test_distribution_is_the_kernels_density(prior):
    from bayesmi.kernel.priors import encode_prior, log_prior

    distribution = scipy_distribution(prior, "it")
    drawn = distribution.rvs(size=4000, random_state=np.random.default_rng(1))
    assert stats.kstest(drawn, distribution.cdf).pvalue > LEAST_P
    for x in drawn[:5]:
        value, _ = log_prior(np.array(encode_prior(prior)), x)
        assert distribution.logpdf(x) == pytest.approx(value, rel=1e-10)


def test_every_parameter_follows_the_prior_it_prints():
    model = make_model("priors_1")
    draws = draw_prior(model, 4000, np.random.default_rng(2)).factors["y"]
    names = list(model.analysis.column_names)
    found = {
        "Intercept": draws.intercept,
        **{name: draws.coefficients[:, names.index(name)] for name in ("z", "w", "h")},
        "sigma": draws.scales["sigma"],
        "1|a_sigma": draws.sds["a"][:, 0],
        "z|a_sigma": draws.sds["a"][:, 1],
    }
    for name, values in found.items():
        prior = SHAPES["priors_1"][1]["priors"][name]
        assert stats.kstest(values, scipy_distribution(prior, name).cdf).pvalue > LEAST_P, name
    # LKJ(0.7) of two: 2 Beta(0.7, 0.7) - 1
    assert stats.kstest((draws.correlations["a"][:, 1, 0] + 1) / 2, stats.beta(0.7, 0.7).cdf).pvalue > LEAST_P


def test_default_intercept_sits_at_the_predictors_means():
    model = make_model("linear_x")
    draws = draw_prior(model, 4000, np.random.default_rng(3)).factors["y"]
    at_means = draws.intercept + draws.coefficients @ model.analysis.centers
    prior = scipy_distribution(model.analysis.priors.intercept, "Intercept")
    assert stats.kstest(at_means, prior.cdf).pvalue > LEAST_P


def test_correlations_of_three_effects_are_lkj():
    model = make_model("three_effects")
    matrices = draw_prior(model, 4000, np.random.default_rng(4)).factors["y"].correlations["a"]
    # marginally each correlation is 2 Beta(eta + (q - 2) / 2, same) - 1, whatever its place
    for i, j in ((1, 0), (2, 0), (2, 1)):
        assert stats.kstest((matrices[:, i, j] + 1) / 2, stats.beta(2.5, 2.5).cdf).pvalue > LEAST_P


def test_effects_have_their_covariance():
    model = make_model("slope")
    draws = draw_prior(model, 4000, np.random.default_rng(5)).factors["y"]
    root = draws.root("a")
    standard = np.linalg.solve(root, draws.effects["a"][:, 0, :, None])[:, :, 0]
    for j in range(2):
        assert stats.kstest(standard[:, j], stats.norm.cdf).pvalue > LEAST_P


def test_thresholds_are_increasing_and_follow_their_prior():
    model = make_model("ordinal_prior")
    thresholds = draw_prior(model, 3000, np.random.default_rng(6)).factors["grade"].scales["threshold"]
    assert (np.diff(thresholds, axis=1) > 0).all()
    # equal priors put in order are together as many draws of the prior
    assert stats.kstest(thresholds.ravel(), stats.norm(0.5, 3.0).cdf).pvalue > LEAST_P


def test_moments_of_a_simple_model():
    data = pd.DataFrame({"x": np.repeat([0.0, 1.0, 2.0], 4), "y": np.arange(12.0)})
    data.loc[3, "y"] = np.nan
    priors = {
        "Intercept": Prior("Normal", 3, 0.5),
        "x": Prior("Normal", 2, 0.3),
        "sigma": Prior("Gamma", 16, 8),
    }
    tree = quietly(quiet_model("y ~ x", data, priors=priors), draws=4000, seed=1)
    y = tree["prior_predictive"]["y"]
    assert y.dims == ("chain", "draw", "__obs__")
    assert y.shape == (1, 4000, 12)
    x = data["x"].to_numpy()
    np.testing.assert_allclose(y.values[0].mean(axis=0), 3 + 2 * x, atol=0.25)
    variance = 0.25 + 0.09 * x**2 + (16 / 64 + 4)
    np.testing.assert_allclose(y.values[0].var(axis=0), variance, rtol=0.12)
    assert set(tree["prior"].data_vars) == {"Intercept", "x", "sigma"}


def test_moments_with_an_incomplete_covariate_and_groups():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(6), 5), "x": rng.normal(size=30), "y": rng.normal(size=30)})
    data.loc[[2, 9], "x"] = np.nan
    priors = {
        "Intercept": Prior("Normal", 1, 0.01),
        "x": Prior("Normal", 2, 0.01),
        "sigma": Prior("Gamma", 1e4, 1e4),
        "1|g_sigma": Prior("Gamma", 1e4, 2e4),
        "x__Intercept": Prior("Normal", -1, 0.01),
        "x__sigma": Prior("Gamma", 1e4, 1e4),
    }
    model = quiet_model("y ~ x + (1 | g)", data, priors=priors, formulas={"x": "~ 1"})
    predicted = quietly(model, draws=3000, seed=2)["prior_predictive"]
    x, y = predicted["x"].values[0], predicted["y"].values[0]
    # what is observed of x is not used: all rows are alike
    np.testing.assert_allclose(x.mean(axis=0), -1.0, atol=0.1)
    assert y.mean() == pytest.approx(1 - 2, abs=0.05)
    assert y.var(axis=0).mean() == pytest.approx(4 + 0.25 + 1, rel=0.05)
    assert np.mean((y[:, 0] - y.mean()) * (y[:, 1] - y.mean())) == pytest.approx(0.25, abs=0.2)
    assert np.mean((y[:, 0] - y.mean()) * (y[:, 29] - y.mean())) == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize(
    "name", [n for n in SHAPES if n not in ("priors_2", "priors_3", "priors_flat_intercept")]
)
def test_every_shape_has_a_prior_predictive(name):
    model = make_model(name)
    tree = quietly(model, draws=6, seed=1)
    for factor in model.factors:
        own = tree["prior_predictive"][factor.variable]
        n = len(model.table.rows_of_level(factor.level))
        assert own.shape == (1, 6, n)
        drawn = own.values[np.isfinite(own.values)]
        assert drawn.size
        if factor.family.has_levels:
            assert set(drawn) <= set(factor.levels)
        if factor.family.integer_valued:
            assert (drawn == np.floor(drawn)).all()
        if not factor.family.is_discrete:
            low, high = factor.family.support[:2]
            assert (drawn >= low).all()
            assert (drawn <= high).all()


def test_names_are_those_of_the_posterior():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model("y ~ nom + z + x + (1 + z | a)", small_table())
        fit = model.fit(draws=60, tune=100, chains=2, seed=1, progress=False)
        tree = quietly(model, draws=10, seed=1)
    posterior = fit.posterior.to_dataset()
    names = {name for name in posterior.data_vars if not str(name).startswith("cell__")}
    assert set(tree["prior"].data_vars) == names
    for name in names:
        assert tree["prior"][name].dims == posterior[name].dims
        assert tree["prior"][name].shape[2:] == posterior[name].shape[2:]


def test_a_seed_repeats_it():
    model = make_model("mixed_groups")
    one, two, other = (quietly(model, draws=5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["prior_predictive"]["y"], two["prior_predictive"]["y"])
    assert (one["prior_predictive"]["y"].values != other["prior_predictive"]["y"].values).all()
    assert one.attrs["seed"] == 1


def test_improper_priors_and_wrong_numbers_are_refused():
    with pytest.raises(ModelError, match=r"prior of . is Flat.*give a proper one"):
        make_model("priors_flat_intercept").prior_predictive(draws=5, progress=False)
    with pytest.raises(ModelError, match="draws must be"):
        make_model("linear_x").prior_predictive(draws=0, progress=False)
    with pytest.raises(BayesmiError, match="seed must be"):
        make_model("linear_x").prior_predictive(draws=2, seed=-1, progress=False)


def test_priors_that_reach_beyond_numbers_are_said():
    data = small_table()
    model = quiet_model("price ~ z", data, family="lognormal", priors={"Intercept": Prior("Normal", 0, 2000)})
    with pytest.warns(BayesmiNotice, match=r"in \d+ of 20 draws 'price' is beyond what a number can hold"):
        model.prior_predictive(draws=20, seed=1, progress=False)


def test_rows_where_a_variable_does_not_apply_are_left_out():
    data = small_table().assign(debut=lambda d: (d["z"] > 0).astype(float))
    data.loc[data["debut"] == 0, "y"] = np.nan
    model = quiet_model("y ~ w", data, not_applicable={"y": "debut == 0"})
    predicted = quietly(model, draws=3, seed=1)["prior_predictive"]["y"]
    assert list(predicted["__obs__"].values) == list(np.flatnonzero(data["debut"] == 1))


def test_derived_columns_follow_from_the_drawn_tables():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"w": rng.normal(70, 8, 30), "h": rng.normal(1.7, 0.1, 30)})
    data["y"] = data["w"] + rng.normal(size=30)
    data.loc[3, "h"] = data.loc[4, "w"] = np.nan
    model = quiet_model("y ~ w + h", data, derived={"bmi": "w / h**2"})
    drawn = quietly(model, draws=20, seed=3)["prior_predictive"]
    assert drawn["bmi"].dims == ("chain", "draw", "bmi__obs")
    np.testing.assert_allclose(drawn["bmi"].values, drawn["w"].values / drawn["h"].values ** 2)


def test_counts_whose_predictors_are_no_number_are_said():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"w": rng.lognormal(size=30), "q": rng.lognormal(size=30)})
    data["y"] = rng.poisson(2.0, 30)
    data.loc[:3, ["w", "q"]] = np.nan
    wide = {"w__Intercept": Prior("Normal", 0.0, 1e4), "q__Intercept": Prior("Normal", 0.0, 1e4)}
    model = Model(
        "y ~ w + q",
        data,
        family="poisson",
        kinds={"y": "count"},
        families={"w": "lognormal", "q": "lognormal"},
        priors=wide,
    )
    with pytest.warns(BayesmiNotice, match=r"in \d+ of 40 draws 'y' is beyond what a number can hold"):
        tree = model.prior_predictive(draws=40, seed=1, progress=False)
    drawn = tree["prior_predictive"]["y"].values
    assert np.isnan(drawn).any()
    assert (drawn[~np.isnan(drawn)] >= 0.0).all()
