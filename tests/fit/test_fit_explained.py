"""R² of the analysis model and the say of its priors, by hand and as lme4 and theory have them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmi as bmi
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.fit.explained import explained_variance
from bayesmi.fit.prior_share import log_prior, prior_sensitivity

pytestmark = pytest.mark.xdist_group("explained")


@pytest.fixture(scope="module")
def fit() -> bmi.Fit:
    """Twenty groups, a slope of an incomplete covariate."""
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(20), 12)
    x, w = rng.normal(1.0, 1.0, 240), rng.normal(size=240)
    y = (
        1
        + 0.5 * x
        + 0.3 * w
        + rng.normal(0, 0.6, 20)[g]
        + rng.normal(0, 0.4, 20)[g] * x
        + rng.normal(size=240)
    )
    data = pd.DataFrame({"y": y, "x": np.where(rng.random(240) < 0.2, np.nan, x), "w": w, "g": g})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        return bmi.Model("y ~ x + w + (1 + x | g)", data).fit(
            seed=1, draws=300, tune=300, chains=2, progress=False
        )


def test_r_squared_is_that_of_completed_tables(fit):
    found = explained_variance(fit)
    own = fit.draws.factors["y"]
    tables = [fit.impute(40, despite_gate=True).complete(i) for i in range(1, 41)]
    chosen = range(0, 600, 37)
    by_hand = []
    for s in chosen:
        sigma = own.root("g")[s] @ own.root("g")[s].T
        fixed, groups = [], []
        for table in tables:
            z = np.column_stack([np.ones(240), table["x"]])
            fixed.append(np.var(table[["x", "w"]].to_numpy() @ own.coefficients[s]))
            groups.append(np.einsum("ni,ij,nj->n", z, sigma, z).mean())
        parts = np.mean(fixed), np.mean(groups), own.scales["sigma"][s] ** 2
        by_hand.append([parts[0] / sum(parts), (parts[0] + parts[1]) / sum(parts)])
    ours = np.column_stack([found["R2 (marginal)"], found["R2 (conditional)"]])[list(chosen)]
    np.testing.assert_allclose(ours, by_hand, rtol=0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary = fit.summary()
    assert summary.loc[["R2 (marginal)", "R2 (conditional)"], "kind"].tolist() == ["R²", "R²"]
    assert summary.loc["R2 (marginal)", "mean"] == pytest.approx(found["R2 (marginal)"].mean())


def quickly(*args, **kwargs) -> bmi.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bmi.Model(*args, **kwargs).fit(seed=1, draws=200, tune=200, chains=2, progress=False)


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    """Thirty patients; counts with an exposure, a slope of x."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(30), 10)
    x, log_time = rng.normal(size=300), np.log(rng.uniform(1, 4, 300))
    eta = -0.5 + 0.4 * x + log_time + rng.normal(0, 0.6, 30)[g] + rng.normal(0, 0.3, 30)[g] * x
    return pd.DataFrame({"y": rng.poisson(np.exp(eta)), "x": x, "log_time": log_time, "g": g})


@pytest.mark.parametrize("family", ["poisson", "negativebinomial"])
def test_counts_have_a_residual_variance_on_the_log_scale(visits, family):
    found = quickly("y ~ x + offset(log_time) + (1 + x | g)", visits, family=family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary = found.summary()
    own, shares = found.draws.factors["y"], explained_variance(found)
    z = np.column_stack([np.ones(300), visits["x"]])
    by_hand, means = [], []
    for s in range(0, 400, 29):
        sigma = own.root("g")[s] @ own.root("g")[s].T
        fixed = np.var(visits["x"]) * own.coefficients[s, 0] ** 2
        groups = np.einsum("ni,ij,nj->n", z, sigma, z).mean()
        mean = np.exp(own.intercept[s] + own.coefficients[s, 0] * visits["x"].mean() + (fixed + groups) / 2)
        mean *= np.exp(visits["log_time"]).mean()
        means.append(mean)
        extra = 1 / own.scales["alpha"][s] if family == "negativebinomial" else 0.0
        residual = np.log(1 + 1 / mean + extra)
        whole = fixed + groups + residual
        by_hand.append([fixed / whole, (fixed + groups) / whole, sigma[0, 0] / (sigma[0, 0] + residual)])
    names = ["R2 (marginal)", "R2 (conditional)", "ICC|g"]
    ours = np.column_stack([shares[name][::29] for name in names])
    np.testing.assert_allclose(ours, by_hand, rtol=1e-10)
    assert summary.loc[names, "kind"].tolist() == ["R²", "R²", "ICC"]
    assert summary.loc["ICC|g", "mean"] == pytest.approx(shares["ICC|g"].mean())
    assert abs(np.log(np.median(means) / visits["y"].mean())) < 0.3


def test_the_icc_of_counts_is_that_of_describe(visits):
    found = quickly("y ~ 1 + (1 | g)", visits, kinds={"y": "count"})
    latent = bmi.describe(found.model).clusters.loc["y", "icc_latent"]
    assert np.median(explained_variance(found)["ICC|g"]) == pytest.approx(latent, abs=0.05)


def test_no_r_squared_where_the_residual_variance_is_not_one_number(visits):
    zeros = quickly("y ~ x + (1 | g)", visits, family="zeroinflatedpoisson")
    assert explained_variance(zeros) == {}
    scale = quickly(("y ~ x + (1 | g)", "alpha ~ x"), visits, family="negativebinomial")
    assert explained_variance(scale) == {}


def test_log_prior_is_the_sum_of_its_densities(fit):
    total = np.zeros(600)
    for factor in fit.model.factors:
        own, priors = fit.draws.factors[factor.variable], factor.priors
        total += stats.norm(*priors.intercept.parameters.values()).logpdf(own.centred_intercept(factor))
        for j, prior in enumerate(priors.coefficients[: factor.design.n_columns]):
            total += stats.norm(*prior.parameters.values()).logpdf(own.coefficients[:, j])
        p = priors.scales["sigma"].parameters
        total += np.log(2.0) + stats.t(p["nu"], 0, p["sigma"]).logpdf(own.scales["sigma"])
        for grouping, sds in own.sds.items():
            for j, prior in enumerate(priors.group_sds[grouping]):
                total += stats.halfnorm(scale=prior.parameters["sigma"]).logpdf(sds[:, j])
        for grouping, eta in priors.correlations.items():
            total += (eta - 1.0) * np.log(1.0 - own.correlations[grouping][:, 0, 1] ** 2)
    np.testing.assert_allclose(log_prior(fit.model.factors, fit.draws), total, rtol=1e-9)


def test_a_prior_that_decides_is_seen_and_one_that_does_not_is_not(fit):
    """Normal mean, known posterior: one prior as strong as the data, one a thousandth of it."""
    factor = next(one for one in fit.model.factors if one.variable == "y")
    rng = np.random.default_rng(2)
    found = {}
    for name, ratio in (("strong", 1.0), ("weak", 1e-3)):
        theta = rng.normal(1.0, 1.0, 4000)  # posterior; the prior N(0, 1 / ratio)
        blank = {"scales": {"sigma": np.ones(4000)}, "sds": {}, "correlations": {}, "effects": {}}
        prior = bmi.Prior("Normal", 0.0, (1.0 / ratio) ** 0.5)
        flat = bmi.Prior("Flat")
        from dataclasses import replace

        one = replace(
            factor,
            priors=replace(
                factor.priors,
                intercept=flat,
                coefficients=(prior, flat),
                scales={},
                group_sds={},
                correlations={},
            ),
        )
        draws = FactorDraws(np.zeros(4000), np.column_stack([theta, np.zeros(4000)]), **blank)
        post = PosteriorDraws(4, 1000, {"y": draws}, {})
        found[name] = prior_sensitivity([one], post, np.column_stack([theta, np.zeros(4000)]))
    assert found["strong"][0] > 0.2
    assert found["weak"][0] < 0.01
    assert found["strong"][1] == 0.0


def test_few_groups_leave_their_sd_to_the_prior():
    pupils = bmi.datasets.load("popmis").dropna(subset=["popular"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        six = bmi.Model(
            "popular ~ sex + (1 | school)", pupils[pupils["school"] <= 6][["popular", "sex", "school"]]
        )
        summary = six.fit(seed=1, progress=False).summary()
    assert summary.loc["1|school_sigma", "prior_sensitivity"] > 0.05
    assert summary.loc["sex", "prior_sensitivity"] < 0.02
