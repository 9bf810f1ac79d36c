"""Maxima of the likelihood beside survival::survreg and AER::tobit (tests/golden/censored.R), and a density by hand."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import gammaln

from bayesmi import BayesmiNotice, Model, Prior, censored, rounded, truncated
from bayesmi.build import build_sampled
from bayesmi.fit.constrain import constrained, posterior_draws
from models import censored as reference

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
LIMITS = censored("y", between=("lower", "upper"))
FLAT = {"Intercept": Prior("Flat"), "x": Prior("Flat"), "z": Prior("Flat")}


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(*args, **options)


def maximum(model, fixed=()):
    """Largest log likelihood of a model with flat priors, and the draw there; `fixed` are (parameter, unconstrained value)."""
    built = build_sampled(model)
    program = built.program
    logs = [p.start for p in program.parameters if p.transform == "log"]
    held = {
        p.start: value for p in program.parameters for name, value in fixed if p.name.endswith(f"::{name}")
    }

    def negative(x):
        x = x.copy()
        x[list(held)] = list(held.values())
        value, gradient = built.log_density(x)
        gradient[logs] -= 1.0  # Jacobians
        gradient[list(held)] = 0.0
        return -(value - x[logs].sum()), -gradient

    best = minimize(
        negative, program.initial(), jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000}
    )
    x = best.x.copy()
    x[list(held)] = list(held.values())
    draws = posterior_draws(built, constrained(program, x[None]), 1, 1)
    return -best.fun, draws.factors[model.response], model


def coefficients(found, model):
    own = found.centred_intercept(model.analysis)[0] - model.analysis.centers @ found.coefficients[0]
    return np.concatenate([[own], found.coefficients[0]])


@pytest.fixture(scope="module")
def golden():
    table = pd.read_csv(GOLDEN / "censored.csv")
    return {case: own.set_index("term")["estimate"] for case, own in table.groupby("case")}


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(GOLDEN / "censored_data.csv")


def test_three_limits_are_the_tobit_estimate(data, golden):
    flat = FLAT | {"sigma": Prior("HalfFlat")}
    value, found, model = maximum(quiet("y ~ x + z", data, observations={"y": LIMITS}, priors=flat))
    want = golden["tobit"]
    np.testing.assert_allclose(coefficients(found, model), want[["(Intercept)", "x", "z"]], atol=5e-5)
    assert found.scales["sigma"][0] == pytest.approx(want["scale"], abs=5e-5)
    assert value == pytest.approx(want["loglik"], abs=1e-6)


def test_student_errors(data, golden):
    flat = FLAT | {"sigma": Prior("HalfFlat"), "nu": Prior("HalfFlat")}
    model = quiet("y ~ x + z", data, observations={"y": LIMITS}, priors=flat, family="student")
    value, found, model = maximum(model, fixed=[("nu", np.log(5.0))])
    want = golden["t5"]
    np.testing.assert_allclose(coefficients(found, model), want[["(Intercept)", "x", "z"]], atol=5e-5)
    assert value == pytest.approx(want["loglik"], abs=1e-6)


def test_lognormal_limits(data, golden):
    columns = {name: np.exp(data[name]) for name in ("y", "lower", "upper")}
    flat = FLAT | {"sigma": Prior("HalfFlat")}
    model = quiet(
        "y ~ x + z", data.assign(**columns), observations={"y": LIMITS}, priors=flat, family="lognormal"
    )
    value, found, model = maximum(model)
    want = golden["lognormal"]
    np.testing.assert_allclose(coefficients(found, model), want[["(Intercept)", "x", "z"]], atol=5e-5)
    assert value == pytest.approx(want["loglik"], abs=1e-6)


def test_survival_times(data, golden):
    observations = {"time": censored("time", event="died")}
    model = quiet("time ~ x + z", data, observations=observations, priors=FLAT, family="exponential")
    value, found, model = maximum(model)
    want = golden["exponential"]
    np.testing.assert_allclose(coefficients(found, model), want[["(Intercept)", "x", "z"]], atol=5e-5)
    assert value == pytest.approx(want["loglik"], abs=1e-6)
    flat = FLAT | {"alpha": Prior("HalfFlat")}
    model = quiet("time ~ x + z", data, observations=observations, priors=flat, family="weibull")
    value, found, model = maximum(model)
    want, alpha = golden["weibull"], found.scales["alpha"][0]
    assert 1 / alpha == pytest.approx(want["scale"], abs=5e-5)
    log_scale = coefficients(found, model) - np.array(
        [gammaln(1 + 1 / alpha), 0, 0]
    )  # the mean is what is modelled
    np.testing.assert_allclose(log_scale, want[["(Intercept)", "x", "z"]], atol=5e-5)
    assert value == pytest.approx(want["loglik"], abs=1e-6)


def test_affairs():
    """Fair (1978), as AER::tobit has it: a recorded zero is a limit."""
    data = pd.read_csv(GOLDEN / "affairs.csv")
    names = [name for name in data if name != "affairs"]
    flat = dict.fromkeys(["Intercept", *names], Prior("Flat")) | {"sigma": Prior("HalfFlat")}
    observations = {"affairs": censored("affairs", below=0)}
    model = quiet(f"affairs ~ {' + '.join(names)}", data, observations=observations, priors=flat)
    value, found, model = maximum(model)
    want = pd.read_csv(GOLDEN / "censored.csv").query("case == 'affairs'").set_index("term")["estimate"]
    np.testing.assert_allclose(coefficients(found, model), want[["(Intercept)", *names]], atol=5e-4)
    assert value == pytest.approx(want["loglik"], abs=1e-6)


def test_truncation_is_scipys(data):
    y = data["y"].fillna(1.0)
    kept = data.assign(y=y)[y > 0.4]
    flat = FLAT | {"sigma": Prior("HalfFlat")}
    value, found, model = maximum(
        quiet("y ~ x + z", kept, observations={"y": truncated("y", below=0.4)}, priors=flat)
    )
    beta, sigma = coefficients(found, model), found.scales["sigma"][0]

    def log_likelihood(b, s):
        eta = b[0] + kept[["x", "z"]].to_numpy() @ b[1:]
        return stats.truncnorm.logpdf(kept["y"], (0.4 - eta) / s, np.inf, eta, s).sum()

    assert value == pytest.approx(log_likelihood(beta, sigma), abs=1e-8)
    best = minimize(lambda p: -log_likelihood(p[:3], np.exp(p[3])), [1, 0.5, -0.5, 0.0], method="BFGS")
    np.testing.assert_allclose(beta, best.x[:3], atol=2e-4)


def test_no_limits_are_missing_at_random(data):
    """Rows of which nothing is known: the density of a model without observations, to 1e-10."""
    nothing = data.assign(lower=np.nan, upper=np.nan)
    plain = build_sampled(quiet("y ~ x + z", data))
    with_limits = build_sampled(quiet("y ~ x + z", nothing, observations={"y": LIMITS}))
    far = nothing.assign(bound=np.where(nothing["y"].isna(), -1e9, np.nan))
    beyond = build_sampled(quiet("y ~ x + z", far, observations={"y": censored("y", above="bound")}))
    x = plain.program.initial() + 0.3
    value, gradient = plain.log_density(x)
    for other in (with_limits, beyond):
        again, its_gradient = other.log_density(x)
        assert again == pytest.approx(value, rel=1e-10)
        np.testing.assert_allclose(its_gradient, gradient, rtol=1e-8, atol=1e-8)


def test_rounding_is_an_interval(data):
    table = data.assign(y=data["y"].round(1)).dropna(subset="y")
    as_rounded = build_sampled(quiet("y ~ x", table, observations={"y": rounded("y", to=0.1)}))
    ends = table.assign(lower=table["y"] - 0.05, upper=table["y"] + 0.05, y=np.nan)
    as_interval = build_sampled(quiet("y ~ x", ends, observations={"y": LIMITS}))
    x = as_rounded.program.initial() + 0.2
    assert as_rounded.log_density(x)[0] == pytest.approx(as_interval.log_density(x)[0], rel=1e-9)


def test_the_hand_written_model():
    data, truth = reference.simulate(np.random.default_rng(3), n=400)
    open_ = data.replace([np.inf, -np.inf], np.nan)
    model = quiet("y ~ x", open_, observations={"y": LIMITS}, priors={
        "Intercept": Prior("Flat"), "x": Prior("Flat"), "sigma": Prior("HalfFlat")
    })  # fmt: skip
    value, found, model = maximum(model)
    beta = coefficients(found, model)
    there = {"Intercept": beta[0], "x": beta[1], "sigma": found.scales["sigma"][0]}
    assert value == pytest.approx(reference.marginal_logp(data, there), abs=1e-8)
    assert beta[1] == pytest.approx(truth["x"], abs=0.2)


def test_posterior_slopes_are_near_the_tobit_estimate(data, golden):
    model = quiet("y ~ x + z", data, observations={"y": LIMITS})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        fit = model.fit(seed=1, draws=600, tune=400, progress=False)
    table = pd.read_csv(GOLDEN / "censored.csv").query("case == 'tobit'").set_index("term")
    for name in ("x", "z"):
        mean = float(np.asarray(fit.posterior[name]).mean())
        assert abs(mean - table.loc[name, "estimate"]) < 0.1 * table.loc[name, "se"]
    imputed = fit.impute(m=3, seed=1)
    blank = data["y"].isna()
    drawn = imputed.complete(2)["y"]
    assert (drawn[blank] > data["lower"][blank].fillna(-np.inf)).all()
    assert (drawn[blank] < data["upper"][blank].fillna(np.inf)).all()
