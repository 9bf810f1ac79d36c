"""Probabilities of intervals and draws from inside: beside SciPy's distributions, in numpy and in the kernel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bayesmi.families import REGISTRY, get_family
from bayesmi.families.interval import can_be_limited, draw_between, kernel_ends, log_probability
from bayesmi.kernel.families import CODES, prepare
from bayesmi.kernel.intervals import interval_probability

ETA = 0.4


def skewed(sigma, alpha):
    delta = math.sqrt(2 / math.pi) * alpha / math.sqrt(1 + alpha**2)
    omega = sigma / math.sqrt(1 - delta**2)
    return stats.skewnorm(alpha, ETA - omega * delta, omega)


CASES = [
    ("gaussian", {"sigma": 1.3}, stats.norm(ETA, 1.3)),
    ("lognormal", {"sigma": 0.7}, stats.lognorm(0.7, scale=math.exp(ETA))),
    ("bounded(0, inf)", {"sigma": 0.7}, stats.lognorm(0.7, scale=math.exp(ETA))),
    ("student", {"sigma": 1.3, "nu": 3.7}, stats.t(3.7, ETA, 1.3)),
    ("gamma", {"alpha": 2.3}, stats.gamma(2.3, scale=math.exp(ETA) / 2.3)),
    ("gamma", {"alpha": 0.3}, stats.gamma(0.3, scale=math.exp(ETA) / 0.3)),
    ("exponential", {}, stats.expon(scale=math.exp(ETA))),
    ("weibull", {"alpha": 1.7}, stats.weibull_min(1.7, scale=math.exp(ETA) / math.gamma(1 + 1 / 1.7))),
    ("beta", {"kappa": 5.0}, stats.beta(5 / (1 + math.exp(-ETA)), 5 / (1 + math.exp(ETA)))),
    ("beta", {"kappa": 1.1}, stats.beta(1.1 / (1 + math.exp(-ETA)), 1.1 / (1 + math.exp(ETA)))),
    ("skewnormal", {"sigma": 1.3, "alpha": 3.0}, skewed(1.3, 3.0)),
    ("skewnormal", {"sigma": 1.3, "alpha": -0.4}, skewed(1.3, -0.4)),
    ("truncated(0, 10)", {"sigma": 1.3}, stats.truncnorm(-ETA / 1.3, (10 - ETA) / 1.3, ETA, 1.3)),
]
IDS = [f"{name}-{number}" for number, (name, _, _) in enumerate(CASES)]


def in_kernel(name, lower, upper, eta, scales):
    family = get_family(name)
    code, own = CODES.index(family.form), [scales[p.name] for p in family.parameters]
    numbers = np.zeros(12)
    numbers[: len(own)] = own
    numbers[len(own) : len(own) + len(family.constants)] = family.constants
    if family.form not in ("gaussian", "truncated"):
        prepare(code, numbers, len(own))
    low, high = kernel_ends(family, np.array([lower]), np.array([upper]))
    return interval_probability(code, float(low[0]), float(high[0]), eta, numbers, len(own))


def intervals(family, dist):
    """Both tails, far out in them, a narrow interval and a wide one; with the log probability by SciPy."""
    low = family.support[0]
    for p in (0.2, 0.02 if family.name == "beta" else 1e-6):
        yield -np.inf, dist.ppf(p), math.log(p)
        yield dist.isf(p), np.inf, math.log(p)
    for p, q in ((0.3, 0.31), (0.05, 0.95)):
        a, b = dist.ppf(p), dist.ppf(q)
        yield a, b, math.log(dist.cdf(b) - dist.cdf(a))
    if low == 0.0:
        yield 0.0, dist.ppf(0.4), dist.logcdf(dist.ppf(0.4))


def slope(at, h):
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_probabilities_are_scipys_and_derivatives_are_theirs(case):
    name, scales, dist = case
    family = get_family(name)
    for lower, upper, expected in intervals(family, dist):
        value, d_eta, *d_own = in_kernel(name, lower, upper, ETA, scales)
        assert value == pytest.approx(expected, abs=2e-9)
        found = log_probability(family, np.array([lower]), np.array([upper]), np.array([ETA]), scales)
        assert found[0] == pytest.approx(expected, abs=2e-9)
        numeric = slope(lambda h, a=lower, b=upper: in_kernel(name, a, b, ETA + h, scales)[0], 1e-3)
        assert d_eta == pytest.approx(numeric, rel=1e-6, abs=1e-6)
        for parameter, found_slope in zip(family.parameters, d_own, strict=False):
            own = parameter.name

            def moved(h, a=lower, b=upper, own=own):
                return in_kernel(name, a, b, ETA, {**scales, own: scales[own] + h})[0]

            assert found_slope == pytest.approx(slope(moved, 1e-3 * scales[own]), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_draws_lie_inside_and_follow_the_distribution(case):
    name, scales, dist = case
    family, n = get_family(name), 1000
    for lower, upper, _ in intervals(family, dist):
        y = draw_between(
            family, np.random.default_rng(1), np.full(n, lower), np.full(n, upper), np.full(n, ETA), scales
        )
        assert (y > lower).all()
        assert (y < upper).all()
        below, above = dist.cdf(lower), dist.cdf(upper)
        if below < 0.5:
            share = (dist.cdf(y) - below) / (above - below)
        else:
            share = 1 - (dist.sf(y) - dist.sf(upper)) / (dist.sf(lower) - dist.sf(upper))
        assert stats.kstest(share, "uniform").pvalue > 1e-4


def test_limits_ten_and_forty_sds_out_keep_their_digits():
    for z in (10.0, 40.0):
        expected = stats.norm.logsf(z)
        assert in_kernel("gaussian", ETA + z, np.inf, ETA, {"sigma": 1.0})[0] == pytest.approx(
            expected, rel=1e-10
        )
        assert in_kernel("gaussian", -np.inf, ETA - z, ETA, {"sigma": 1.0})[0] == pytest.approx(
            expected, rel=1e-10
        )
        family = get_family("gaussian")
        for lower, upper in ((ETA + z, np.inf), (-np.inf, ETA - z)):
            found = log_probability(
                family, np.array([lower]), np.array([upper]), np.array([ETA]), {"sigma": 1.0}
            )
            assert found[0] == pytest.approx(expected, rel=1e-10)
            y = draw_between(
                family,
                np.random.default_rng(2),
                np.full(500, lower),
                np.full(500, upper),
                np.full(500, ETA),
                {"sigma": 1.0},
            )
            assert np.isfinite(y).all()
            assert np.abs(y - ETA).mean() - z == pytest.approx(1 / z, rel=0.2)  # the tail's exponential


def test_every_continuous_family_can_be_limited():
    assert all(can_be_limited(family) for family in REGISTRY.values() if not family.is_discrete)
