"""Successes out of trials of which only limits are known: sums over the numbers between them, and draws from these."""

import numpy as np
import pandas as pd
import pytest
from hand_fit import hand_fit
from scipy import stats
from scipy.special import expit

from bayesmi import censored
from bayesmi.draw.cells import complete_cells
from bayesmi.errors import ModelError

LIMITS = {"y": censored("y", between=("low", "high"))}


def simulate(n=32):
    rng = np.random.default_rng(2)
    x, trials = rng.normal(size=n), rng.integers(3, 12, n).astype(float)
    y = rng.binomial(trials.astype(int), expit(0.3 * x)).astype(float)
    side = np.arange(n) % 4  # both limits, from below, from above, none
    data = pd.DataFrame({"y": np.where(side < 3, np.nan, y), "x": x, "trials": trials})
    return data.assign(
        low=np.where((side == 0) | (side == 1), np.maximum(y - 1.5, 0.0), np.nan),
        high=np.where((side == 0) | (side == 2), y + 1.0, np.nan),
    )


def test_rows_and_draws_are_those_of_the_sum():
    data = simulate()
    fit = hand_fit("y | trials(trials) ~ x", data, observations=LIMITS)
    found = fit.log_likelihood("joint", progress=False)
    own = fit.draws.factors["y"]
    eta = own.intercept[:, None] + own.coefficients[:, [0]] * data["x"].to_numpy()
    k = np.arange(12.0)
    low, high = (data[name].fillna(end).to_numpy()[:, None] for name, end in (("low", 0), ("high", 12)))
    low, high = (np.where(data[["y"]].notna(), data[["y"]], end) for end in (low, high))
    p = stats.binom.pmf(k, data[["trials"]].to_numpy(), expit(eta)[..., None]) * ((k >= low) & (k <= high))
    np.testing.assert_allclose(found.values[0], np.log(p.sum(axis=-1)), rtol=1e-10, atol=1e-12)

    model, draw, rng = fit.model, fit.draws.take(np.array([0])), np.random.default_rng(1)
    drawn = [
        complete_cells(model.factors, model.table, fit.plan, fit.tables, draw, rng)["y"] for _ in range(600)
    ]
    blank = data["y"].isna().to_numpy()
    share = np.stack([(np.array(drawn) == level).mean(axis=0) for level in k], axis=1)
    expected = p[0, blank] / p[0, blank].sum(axis=1, keepdims=True)
    assert (share[expected == 0] == 0).all()
    assert np.abs(share - expected).max() < 5 * 0.5 / np.sqrt(600)


def test_a_lower_limit_beyond_the_trials_is_refused():
    data = simulate()
    data.loc[1, "low"] = 30.0
    with pytest.raises(ModelError, match="the lower limit of row 1 is larger than the number of trials"):
        hand_fit("y | trials(trials) ~ x", data, observations=LIMITS)
