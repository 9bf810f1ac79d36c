"""One posterior whatever the road: collapsed or explicit effects, predicted or sampled cells, nutpie or PyMC."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model

FORMULA = "y ~ x + z + (1 + z | g)"


def grouped_table():
    """90 rows in 9 groups, x and y with holes."""
    rng = np.random.default_rng(12)
    n, groups = 90, 9
    g = np.repeat(np.arange(groups), n // groups)
    z = rng.normal(size=n)
    x = 1.0 + 0.5 * z + rng.normal(size=groups)[g] * 1.2 + rng.normal(size=n)
    b = (rng.random(n) < 1 / (1 + np.exp(-0.5 - x))).astype(float)
    y = 2.0 + 0.8 * x - 0.5 * z + rng.normal(size=groups)[g] + 0.4 * rng.normal(size=groups)[g] * z
    y = y + 0.7 * b + rng.normal(size=n)
    data = pd.DataFrame({"g": g, "z": z, "x": x, "y": y, "b": b})
    for name, share in (("x", 0.15), ("y", 0.15), ("b", 0.2)):
        data.loc[rng.random(n) < share, name] = np.nan
    return data


def fit(formula=FORMULA, data=None, draws=1000, **options):
    sampler = options.pop("sampler", "nutpie")
    seed = options.pop("seed", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(formula, grouped_table() if data is None else data, **options)
        return model.fit(seed=seed, draws=draws, tune=700, progress=False, sampler=sampler)


def summary(one):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return one.summary(all_models=True)


def assert_same_posterior(one, other):
    """Means within Monte Carlo error; log sds too, whose error is about sqrt(2 / ESS) for these skew posteriors."""
    a, b = summary(one), summary(other)
    assert list(a.index) == list(b.index)
    gap = (a["mean"] - b["mean"]).abs() / np.hypot(a["mcse_mean"], b["mcse_mean"])
    assert gap.max() < 4.0, gap.idxmax()
    ratio = np.log(a["sd"] / b["sd"]).abs() / np.sqrt(2 / a["ess_bulk"] + 2 / b["ess_bulk"])
    assert ratio.max() < 5.0, ratio.idxmax()


@pytest.fixture(scope="module")
def collapsed():
    made = fit()
    assert made.plan.effect("y", "g").treatment == "collapse"
    assert made.plan.effect("x", "g").treatment == "collapse"
    return made


@pytest.mark.xdist_group("fit_agreement")
@pytest.mark.parametrize("how", ["noncentred", "centred"])
def test_collapsed_and_explicit_effects(collapsed, how):
    explicit = fit(treatments={"1|g": how, "x__1|g": how}, draws=1500, seed=4)
    assert_same_posterior(collapsed, explicit)
    for name in ("1|g", "z|g"):
        one, other = collapsed.posterior[name], explicit.posterior[name]
        gap = one.mean(("chain", "draw")) - other.mean(("chain", "draw"))
        assert np.abs(gap / one.std(("chain", "draw"))).max() < 0.12  # about 1 000 effective draws
        assert np.abs(np.log(one.std(("chain", "draw")) / other.std(("chain", "draw")))).max() < 0.12


@pytest.mark.xdist_group("fit_agreement")
def test_predicted_and_sampled_outcomes(collapsed):
    sampled = fit(treatments={"y": "sample"}, seed=5)
    assert sampled.plan.units("y", "sample").size > 5
    assert_same_posterior(collapsed, sampled)
    one, other = collapsed.impute(300, despite_gate=True), sampled.impute(300, despite_gate=True)
    compare_imputations(one, other, ["x", "y"])


def compare_imputations(one, other, names):
    for name in names:
        a, b = one.draws_of(name), other.draws_of(name)
        noise = np.sqrt((a.var(1) + b.var(1) + 0.01) / a.shape[1])
        assert np.abs((a.mean(1) - b.mean(1)) / noise).max() < 4.5, name


@pytest.mark.xdist_group("fit_agreement")
def test_integrated_and_sampled_covariates(collapsed):
    integrated = fit(treatments={"x": "integrate"}, seed=6)
    assert integrated.plan.units("x", "integrate").size > 5
    assert_same_posterior(collapsed, integrated)
    one, other = collapsed.impute(300, despite_gate=True), integrated.impute(300, despite_gate=True)
    compare_imputations(one, other, ["x", "y"])


@pytest.mark.xdist_group("fit_samplers")
def test_nutpie_and_pymc():
    data = grouped_table().dropna(subset=["b"])
    one = fit("y ~ x + b + z", data, seed=7)
    other = fit("y ~ x + b + z", data, draws=400, sampler="pymc", seed=8)
    assert other.how == "PyMC NUTS"
    assert_same_posterior(one, other)
