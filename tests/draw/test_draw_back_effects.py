"""Group effects that were integrated out come back from their exact conditional."""

import numpy as np
import pytest
from kernel_cases import make_case
from scipy import stats

from bayesmi.draw import draw_back_effects
from bayesmi.fit.constrain import constrained, posterior_draws

DRAWS = 3000
SHAPES = [
    "random_intercept",
    "slope",
    "three_effects",
    "uncorrelated",
    "two_blocks",
    "slope_only",
    "offset",
    "crossed",
    "crossed_asked",
    "covariate_collapsed",
    "joint_intercepts",
    "joint_slopes",
    "joint_blocks",
    "joint_nested",
    "joint_nested_slopes",
    "joint_nested_complete",
    "joint_nested_links",
    "joint_crossed",
    "joint_crossed_centred",
    "joint_links",
    "latent_mean",
    "covariate_slope_sampled_outcome",
    "empty_group",
    "priors_2",
]
NAMES = [pytest.param(name, marks=pytest.mark.xdist_group(f"kernel_{name}")) for name in SHAPES]


def drawn_effects(case, x, seed=11):
    """Many draws of the effects that the plain model calls `case.collapsed`, all at one point: (S, effects)."""
    flat = np.tile(x, (DRAWS, 1))
    built = case.built
    draws = posterior_draws(built, constrained(built.program, flat), 1, DRAWS)
    draws = draw_back_effects(
        case.model.factors, built.plan, built.tables, draws, np.random.default_rng(seed)
    )
    parts = []
    for own in built.plan.effects:
        if own.treatment != "collapse":
            continue
        effects = draws.factors[own.variable].effects[own.grouping]
        for start, stop in case.model.factor(own.variable).effect(own.grouping).blocks:
            parts.append(effects[:, :, start:stop].reshape(DRAWS, -1))
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("name", NAMES)
def test_effects_follow_their_exact_conditional(name):
    case = make_case(name)
    x = case.point(4)
    natural, _ = case.natural(x)
    mean, precision, _ = case.conditional(natural)
    u = drawn_effects(case, x)
    n = u.shape[1]  # effects come first, cells that are integrated out with them after
    mean, covariance = mean[:n], np.linalg.inv(precision)[:n, :n]
    precision = np.linalg.inv(covariance)
    error = np.sqrt(np.diag(covariance) / DRAWS)
    assert np.abs((u.mean(axis=0) - mean) / error).max() < 4.5
    z = (u - mean) @ np.linalg.cholesky(precision)  # standard normal, independent
    assert stats.kstest(stats.norm.cdf(z).ravel(), "uniform").pvalue > 1e-3
    for column in z.T:
        assert stats.kstest(stats.norm.cdf(column), "uniform").pvalue > 1e-4
    correlation = np.cov(z.T) - np.eye(len(mean))
    assert np.abs(correlation).max() < 5 * np.sqrt(2 / DRAWS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.xdist_group(f"kernel_{n}"))
        for n in ("three_effects_centred", "three_effects_partly_centred", "slope_integrated_partly_centred")
    ],
)
def test_sampled_effects_are_those_of_the_density(name):
    case = make_case(name)
    x = case.point(4)
    natural, _ = case.natural(x)
    draws = posterior_draws(case.built, constrained(case.built.program, x[None, :]), 1, 1)
    (label,) = (key for key in natural if key.endswith("effects") and not key.startswith("x__"))
    np.testing.assert_allclose(draws.factors["y"].effects["a"][0], natural[label], rtol=1e-10)


def test_explicit_effects_are_left_alone():
    case = make_case("slope_centred")
    x = case.point(4)
    draws = posterior_draws(case.built, constrained(case.built.program, x[None, :]), 1, 1)
    after = draw_back_effects(
        case.model.factors, case.built.plan, case.built.tables, draws, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(after.factors["y"].effects["a"], draws.factors["y"].effects["a"])


def test_a_group_without_observed_rows_keeps_its_prior():
    case = make_case("empty_group")
    x = case.point(4)
    natural, _ = case.natural(x)
    rows = np.flatnonzero(case.model.table.groupings["a"].codes == 2)
    assert not np.isin(rows, np.flatnonzero(case.built.plan.active["y"])).any()
    own = [e for e in case.built.plan.effects if e.treatment == "collapse"]
    start = 0
    for effect in own:
        if effect.variable == "y":
            break
        start += effect.n_groups * effect.n_effects
    u = drawn_effects(case, x)[:, start + 2]
    assert stats.kstest(u / natural["1|a_sigma"], "norm").pvalue > 1e-3
