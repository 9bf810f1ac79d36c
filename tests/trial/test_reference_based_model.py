"""The trial that is built agrees with models/reference_based.py: densities, means, covariances, jump to reference."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmi as bmi
from bayesmi import BayesmiNotice
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.trial.conditional import Moments, conditional, group_patients
from bayesmi.trial.design import baseline_values
from bayesmi.trial.regressions import read_regressions
from models import reference_based

pytestmark = pytest.mark.xdist_group("trial_reference_based")


@pytest.fixture(scope="module")
def wide():
    data, truth = reference_based.simulate(np.random.default_rng(3), n=90)
    assert truth["cell__y_2"].size
    assert data["y_2"].isna().sum() > truth["cell__y_2"].size
    return data, truth


@pytest.fixture(scope="module")
def trial(wide):
    data = wide[0].assign(id=range(90), arm=np.where(wide[0]["arm"] == 1, "active", "control"))
    long = data.melt(["id", "arm", "x"], var_name="visit", value_name="y")
    long["visit"] = long["visit"].str[2:].astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return bmi.trial.TrialModel(
            "y ~ arm + x",
            long,
            subject="id",
            visit="visit",
            arm="arm",
            reference="control",
            events="dropout",
            strategy="J2R",
        )


def draws_of(model, parameters):
    """Posterior draws that hold one set of parameters."""
    factors = {}
    for factor in model.factors:
        own = [parameters[factor.prefix + name.replace("[active]", "")] for name in factor.column_names]
        prefix = factor.prefix
        scales = {"sigma": np.array([float(parameters[f"{prefix}sigma"])])}
        factors[factor.variable] = FactorDraws(
            np.array([float(parameters[f"{prefix}Intercept"])]),
            np.array([own], dtype=float),
            scales,
            {},
            {},
            {},
        )
    return PosteriorDraws(1, 1, factors, {})


def test_likelihood_of_the_product_is_that_of_the_visits(wide):
    """In the latent visit the product is Gaussian: integrated over a grid it is the density of what was seen."""
    data, truth = wide
    hole = np.flatnonzero(data["y_2"].isna() & data["y_3"].notna())
    terms, slopes, sds = reference_based.pieces(truth, data["arm"].to_numpy(), data["x"].to_numpy())
    y = data[["y_1", "y_2", "y_3"]].to_numpy()
    grid = np.linspace(-12, 12, 4001)
    total = 0.0
    for i in range(90):
        at = np.repeat(y[i][None], len(grid), axis=0)
        if i in hole:
            at[:, 1] = grid
        logs = np.zeros(len(grid))
        for j in range(3):
            if np.isfinite(y[i, j]) or (i in hole and j == 1):
                logs += stats.norm.logpdf(at[:, j], terms[i, j] + at[:, :j] @ slopes[j, :j], sds[j])
        total += np.log(np.exp(logs).sum() * (grid[1] - grid[0])) if i in hole else logs[0]
    assert total == pytest.approx(reference_based.marginal_logp(data, truth), abs=1e-8)


def test_the_plain_model_is_the_hand_written_one(wide, trial):
    ours, theirs = trial.models[0].to_pymc(), reference_based.build(wide[0])
    transforms = {"LogTransform": np.log, "NoneType": lambda value: value}

    def density(model):
        terms = model.compile_logp(jacobian=False, mode="FAST_COMPILE")

        def at(values):
            point = {}
            for rv in model.free_RVs:
                name = rv.name.replace("arm[active]", "arm")
                value = np.reshape(values[name], tuple(rv.shape.eval()))
                kind = type(model.rvs_to_transforms[rv]).__name__
                point[model.rvs_to_values[rv].name] = transforms[kind](value)
            return float(terms(point))

        return at

    ours_at, theirs_at = density(ours), density(theirs)
    names = {rv.name: tuple(rv.shape.eval()) for rv in theirs.free_RVs}
    renamed = {
        "y_1": "y_1",
        **{rv.name: rv.name for rv in ours.free_RVs},
    }
    assert {name.replace("arm[active]", "arm") for name in renamed} - {"y_1"} == set(names)
    rng = np.random.default_rng(1)
    gaps = []
    for _ in range(4):
        values = {
            name: np.exp(rng.normal(0, 0.3, shape)) if name.endswith("sigma") else rng.normal(0, 0.5, shape)
            for name, shape in names.items()
        }
        gaps.append(ours_at(values) - theirs_at(values))
    np.testing.assert_allclose(gaps, 0.0, atol=1e-7)


def test_moments_and_jump_to_reference_are_those_written_by_hand(wide, trial):
    data, truth = wide
    model = trial.models[0]
    regressions = read_regressions(model, draws_of(model, truth), trial.data.columns)
    _, values = baseline_values(trial.data)
    own = regressions.means(values, 90)
    control = regressions.means({**values, "arm": np.zeros(90)}, 90)
    mean, cov = reference_based.moments(truth, data["arm"].to_numpy(), data["x"].to_numpy())
    np.testing.assert_allclose(own[0], mean, rtol=1e-10)
    np.testing.assert_allclose(regressions.covariance()[0], cov, rtol=1e-10)
    covariance = np.repeat(regressions.covariance()[:, None], 2, axis=1)
    by_hand = reference_based.jump_to_reference(data, truth)
    groups = group_patients(trial.data.observed, trial.events, trial.data.arm_of, trial.data.reference)
    seen = 0
    for group in groups:
        got, spread = conditional(group, Moments(own, control, covariance), trial.data.values)
        for k, i in enumerate(group.patients):
            visits, expected, its = by_hand[i]
            np.testing.assert_array_equal(visits, group.missing)
            np.testing.assert_allclose(got[0, k], expected, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(spread[0], its, rtol=1e-9, atol=1e-12)
            seen += 1
    assert seen == data.isna().any(axis=1).sum()


def test_simulation_matches_the_moments():
    complete, truth = reference_based.simulate(np.random.default_rng(5), n=60_000)
    y = complete["y_1"]
    mean, cov = reference_based.moments(truth, complete["arm"].to_numpy(), complete["x"].to_numpy())
    assert (y - mean[:, 0]).mean() == pytest.approx(0, abs=0.02)
    assert (y - mean[:, 0]).var() == pytest.approx(cov[0, 0], rel=0.03)
    assert isinstance(complete, pd.DataFrame)
