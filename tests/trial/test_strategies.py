"""Strategies and delta templates: the unit numbers of the literature, and what the covariances must satisfy."""

import numpy as np
import pytest

from bayesmi.errors import ModelError
from bayesmi.trial.conditional import Moments, conditional, draw_missing, fill_means, group_patients
from bayesmi.trial.delta import scheduled
from bayesmi.trial.events import Events
from bayesmi.trial.strategies import (
    STRATEGIES,
    get_strategy,
    register_strategy,
    spliced_covariance,
    strategy_name,
)

OWN, REF = np.array([1.0, 3.0, 5.0]), np.array([2.0, 6.0, 10.0])


def covariance(seed, size=3):
    a = np.random.default_rng(seed).normal(size=(size, size + 2))
    return a @ a.T


@pytest.mark.parametrize(
    ("name", "first", "expected"),
    [
        ("MAR", 1, (1, 3, 5)),
        ("J2R", 1, (1, 6, 10)),
        ("CIR", 1, (1, 5, 9)),
        ("LMCF", 1, (1, 1, 1)),
        ("CR", 1, (2, 6, 10)),
        ("LMCF", 2, (1, 3, 3)),
        ("CIR", 2, (1, 3, 7)),
        *[(name, 0, (2, 6, 10)) for name in ("J2R", "CIR", "CR")],
        *[(name, 3, (1, 3, 5)) for name in ("J2R", "CIR", "LMCF")],
    ],
)
def test_means(name, first, expected):
    mean, _ = STRATEGIES[name](OWN, REF, covariance(1), covariance(2), first)
    assert mean.tolist() == list(expected)


@pytest.mark.parametrize("name", ["J2R", "CIR"])
def test_the_covariance_before_the_event_is_the_own_and_the_regression_after_it_the_reference_arms(name):
    own, ref = covariance(1, 5), covariance(2, 5)
    _, cov = STRATEGIES[name](np.zeros(5), np.ones(5), own, ref, 2)
    np.testing.assert_allclose(cov, cov.T)
    np.testing.assert_allclose(cov[:2, :2], own[:2, :2])
    slope = ref[2:, :2] @ np.linalg.inv(ref[:2, :2])
    np.testing.assert_allclose(cov[2:, :2] @ np.linalg.inv(cov[:2, :2]), slope)
    residual = ref[2:, 2:] - slope @ ref[:2, 2:]
    np.testing.assert_allclose(cov[2:, 2:] - slope @ cov[:2, 2:], residual)
    np.testing.assert_allclose(spliced_covariance(own, ref, 0), ref)
    np.testing.assert_allclose(spliced_covariance(own, ref, 5), own)
    np.testing.assert_allclose(spliced_covariance(own, own.copy(), 2), own)


def test_strategies_work_on_draws_and_patients_at_once():
    mu_own, mu_ref = np.random.default_rng(3).normal(size=(2, 4, 7, 3))
    own, ref = np.array([covariance(k) for k in range(4)]), np.array([covariance(k) for k in range(10, 14)])
    for name, strategy in STRATEGIES.items():
        if name not in ("MAR", "J2R", "CIR", "CR", "LMCF"):
            continue
        mean, cov = strategy(mu_own, mu_ref, own, ref, 1)
        one, its = strategy(mu_own[2, 5], mu_ref[2, 5], own[2], ref[2], 1)
        np.testing.assert_allclose(mean[2, 5], one)
        np.testing.assert_allclose(cov[2], its)


def test_own_strategies(monkeypatch):
    monkeypatch.setattr("bayesmi.trial.strategies.STRATEGIES", STRATEGIES.copy())

    def half_way(mu_own, mu_ref, cov_own, cov_ref, first):
        mu = mu_own.copy()
        mu[..., first:] = (mu_own[..., first:] + mu_ref[..., first:]) / 2
        return mu, cov_own

    register_strategy("half way", half_way)
    mean, _ = get_strategy("half way")(OWN, REF, covariance(1), covariance(2), 1)
    assert mean.tolist() == [1, 4.5, 7.5]
    with pytest.raises(ModelError, match="already"):
        register_strategy("half way", half_way)
    with pytest.raises(ModelError, match="returned a mean of shape"):
        register_strategy("short", lambda a, b, c, d, first: (a[..., :1], c))
    with pytest.raises(ModelError, match="must return"):
        register_strategy("bare", lambda a, b, c, d, first: a)


def test_names_of_strategies():
    assert strategy_name("JR") == "J2R"
    with pytest.raises(ModelError, match="did you mean 'J2R'"):
        strategy_name("J2")
    with pytest.raises(ModelError, match="register_strategy"):
        strategy_name(3)
    with pytest.raises(ModelError, match="no mean to carry forward"):
        STRATEGIES["LMCF"](OWN, REF, covariance(1), covariance(2), 0)


@pytest.mark.parametrize(
    ("delta", "dlag", "first", "expected"),
    [
        ((5, 6, 7, 8), (1, 2, 3, 4), 1, (0, 6, 20, 44)),
        ((5, 6, 7, 8), (1, 2, 3, 4), 2, (0, 0, 7, 23)),
        ((5, 5, 5, 5), (1, 0, 0, 0), 0, (5, 5, 5, 5)),
        ((5, 5, 5, 5), (1, 1, 1, 1), 4, (0, 0, 0, 0)),
    ],
)
def test_delta_of_visits_and_lags(delta, dlag, first, expected):
    assert scheduled(first, delta, dlag).tolist() == list(expected)


@pytest.fixture
def two_patients():
    """A hole before the event and a drop-out, in the active arm; one without outcomes in the reference arm."""
    y = np.array([[1.0, np.nan, 2.0, np.nan], [0.5, 1.0, np.nan, np.nan], [np.nan] * 4])
    events = Events(np.array([3, 2, 0]), ("J2R", "CIR", "CR"))
    rng = np.random.default_rng(4)
    cov = np.array([[covariance(1, 4), covariance(2, 4)]])
    return y, events, np.array([1, 1, 0]), np.array([0, 0]), Moments(*rng.normal(size=(2, 1, 3, 4)), cov)


def test_conditional_moments_are_those_of_the_joint_normal(two_patients):
    y, events, arm, reference, moments = two_patients
    groups = {int(g.patients[0]): g for g in group_patients(np.isfinite(y), events, arm, reference)}
    assert groups[0].strategy == "J2R"
    assert groups[2].missing.tolist() == [0, 1, 2, 3]
    for i, group in groups.items():
        mean, cov = get_strategy(group.strategy)(
            moments.own[0, i],
            moments.ref[0, i],
            moments.covariance[0, arm[i]],
            moments.covariance[0, 0],
            int(events.first[i]),
        )
        o, m = group.observed, group.missing
        slope = cov[np.ix_(m, o)] @ np.linalg.inv(cov[np.ix_(o, o)])
        got, spread = conditional(group, moments, y)
        np.testing.assert_allclose(got[0, 0], mean[m] + slope @ (y[i, o] - mean[o]))
        np.testing.assert_allclose(spread[0], cov[np.ix_(m, m)] - slope @ cov[np.ix_(o, m)])


def test_draws_have_the_conditional_moments(two_patients):
    y, events, arm, reference, moments = two_patients
    groups = group_patients(np.isfinite(y), events, arm, reference)
    many = Moments(*(np.repeat(a, 20_000, axis=0) for a in (moments.own, moments.ref, moments.covariance)))
    noise = np.random.default_rng(5).standard_normal((20_000, 3, 4))
    filled = fill_means(groups, moments, y)[0]
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[np.isfinite(y)], y[np.isfinite(y)])
    for group, values in draw_missing(groups, many, y, noise):
        mean, cov = conditional(group, moments, y)
        tolerance = 4.5 * np.sqrt(np.diagonal(cov[0])) / np.sqrt(20_000)
        assert (np.abs(values[:, 0].mean(axis=0) - mean[0, 0]) < tolerance).all()
        np.testing.assert_allclose(np.cov(values[:, 0].T), cov[0], rtol=0.06, atol=0.06 * np.abs(cov).max())
