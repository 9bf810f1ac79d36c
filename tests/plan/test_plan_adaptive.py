"""What the rows of a group say: the numbers that adaptive effects are sampled by."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from bayesmi import Model
from bayesmi.errors import ModelError
from bayesmi.plan.adaptive import groups_say

GROUPS, ROWS = 6, 4000
LEVELS = np.array([-1.0, -0.4, 0.0, 0.3, 0.8, 1.2])


def draws(family, rng):
    """Rows with the linear predictor LEVELS[g]."""
    eta = np.repeat(LEVELS, ROWS)
    error = rng.logistic(size=eta.size)
    match family:
        case "gaussian":
            return eta + 2.0 * rng.normal(size=eta.size)
        case "lognormal":
            return np.exp(eta + 2.0 * rng.normal(size=eta.size))
        case "bernoulli":
            return (error < eta).astype(float)
        case "probit":
            return (rng.normal(size=eta.size) < eta).astype(float)
        case "poisson":
            return rng.poisson(np.exp(eta)).astype(float)
        case "gamma":
            return rng.gamma(3.0, np.exp(eta) / 3.0)
        case "beta":
            return np.clip(rng.beta(8 * expit(eta), 8 * expit(-eta)), 1e-6, 1 - 1e-6)
        case "ordinal":
            return np.searchsorted([-0.5, 0.7], eta + error).astype(float)
        case "ordinalprobit":
            return np.searchsorted([-0.5, 0.7], eta + rng.normal(size=eta.size)).astype(float)


@pytest.mark.parametrize(
    ("family", "variance"),  # of the estimate in one group, rows times
    [
        ("gaussian", lambda eta: 4.0),
        ("lognormal", lambda eta: 4.0),
        ("bernoulli", lambda eta: 1 / (expit(eta) * expit(-eta))),
        ("probit", lambda eta: norm.cdf(eta) * norm.sf(eta) / norm.pdf(eta) ** 2),
        ("poisson", lambda eta: np.exp(-eta)),
        ("gamma", lambda eta: 1 / 3),
        ("beta", lambda eta: 1 / (9 * expit(eta) * expit(-eta))),
        ("ordinal", None),
        ("ordinalprobit", None),
    ],
)
def test_groups_say_where_their_linear_predictor_is(family, variance):
    y = draws(family, np.random.default_rng(3))
    data = pd.DataFrame({"y": y, "g": np.repeat(np.arange(GROUPS), ROWS)})
    ordered = {"kinds": {"y": "ordinal"}} if family.startswith("ordinal") else {}
    model = Model("y ~ 1 + (1 | g)", data, family=family, **ordered)
    factor = model.factor("y")
    ((said, information),) = groups_say(factor, factor.effects[0], model.table)
    at = said + factor.location
    if family.startswith("ordinal"):  # over minus the first threshold
        at = at - at.mean() + LEVELS.mean()
    error = np.abs(at - LEVELS)
    assert (error < 5 / np.sqrt(information) + 0.06).all()
    if variance is None:
        assert (information > 0.1 * ROWS).all()
        assert (information < (1.0 if family == "ordinalprobit" else 0.34) * ROWS).all()
    else:
        expected = ROWS / variance(LEVELS)
        np.testing.assert_allclose(information, expected, rtol=0.15)


def test_levels_of_nominal_values_against_the_first():
    rng = np.random.default_rng(4)
    y = rng.choice(["a", "b", "c"], p=[0.5, 0.3, 0.2], size=GROUPS * ROWS)
    data = pd.DataFrame({"y": y, "g": np.repeat(np.arange(GROUPS), ROWS)})
    model = Model("y ~ 1 + (1 | g)", data)
    factor = model.factor("y")
    (b, own), (c, other) = groups_say(factor, factor.effects[0], model.table)
    np.testing.assert_allclose(b, np.log(0.3 / 0.5), atol=0.15)
    np.testing.assert_allclose(c, np.log(0.2 / 0.5), atol=0.15)
    np.testing.assert_allclose(own, ROWS / (1 / 0.3 + 1 / 0.5), rtol=0.1)
    np.testing.assert_allclose(other, ROWS / (1 / 0.2 + 1 / 0.5), rtol=0.1)


def test_a_group_without_values_says_nothing():
    y = np.random.default_rng(5).normal(size=GROUPS * 20)
    y[:20] = np.nan
    data = pd.DataFrame({"y": y, "g": np.repeat(np.arange(GROUPS), 20)})
    model = Model("y ~ 1 + (1 | g)", data, treatments={"1|g": "adaptive"})
    factor = model.factor("y")
    ((_, information),) = groups_say(factor, factor.effects[0], model.table)
    assert information[0] == 0.0
    assert (information[1:] > 0).all()


def test_many_groups_are_not_adaptive():
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"y": (rng.random(600) < 0.5).astype(float), "g": np.repeat(np.arange(60), 10)})
    assert Model("y ~ 1 + (1 | g)", data).plan().effect("y", "g").treatment != "adaptive"
    with pytest.raises(ModelError, match=r"'1.g'.*up to 50 groups"):
        Model("y ~ 1 + (1 | g)", data, treatments={"1|g": "adaptive"}).plan()
    slopes = data.assign(g=data["g"] % 10, x=rng.normal(size=600))
    with pytest.raises(ModelError, match=r"only intercepts"):
        Model("y ~ x + (1 + x | g)", slopes, treatments={"1|g": "adaptive"}).plan()
