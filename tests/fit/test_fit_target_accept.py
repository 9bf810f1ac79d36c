"""target_accept: what the steps are adapted to, by default nearer to 1 where group effects are sampled."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import FitError, GateError
from bayesmi.fit.gate import Gate, refusal


def fitted(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bmi.Model(formula, data).fit(seed=1, draws=100, tune=300, chains=2, progress=False, **options)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(12), 8)
    x = rng.normal(size=len(g))
    y = 0.5 * x + rng.normal(size=12)[g] + rng.normal(size=len(g))
    return pd.DataFrame({"g": g, "x": x, "y": y, "b": (y > 0) * 1.0})


def step(fit):
    return float(np.asarray(fit.tree["sample_stats"]["step_size"]).mean())


@pytest.mark.xdist_group("target_accept")
def test_steps_are_smaller_nearer_to_one_and_where_effects_are_sampled(data):
    usual, small = (fitted("y ~ x", data, target_accept=rate) for rate in (0.8, 0.97))
    assert step(small) < 0.8 * step(usual)
    assert step(fitted("y ~ x", data)) == step(usual)
    grouped = "b ~ x + (1 | g)"
    assert step(fitted(grouped, data)) == step(fitted(grouped, data, target_accept=0.9))
    collapsed = "y ~ x + (1 | g)"
    assert step(fitted(collapsed, data)) == step(fitted(collapsed, data, target_accept=0.8))


@pytest.mark.parametrize("rate", [0.0, 1.0, -1, "high", True, float("nan")])
def test_what_is_no_rate_is_refused(data, rate):
    with pytest.raises(FitError, match="target_accept must be a number between 0 and 1"):
        fitted("y ~ x", data, target_accept=rate)


def test_divergences_are_refused_with_smaller_steps_as_advice():
    found = Gate(False, ("3 divergent transitions",), 1.0, 900.0, 800.0, "x", 3, 4, 10)
    error = refusal(found)
    assert isinstance(error, GateError)
    assert "target_accept=0.95" in str(error)
