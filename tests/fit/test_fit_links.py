"""Group effects as predictors in another variable's model: sampled without divergences however weak they are."""

import numpy as np
import pandas as pd
import pytest

from bayesmi import Model
from bayesmi.fit.summary import summarize


def table(seed: int, tau: float) -> pd.DataFrame:
    """10 groups of 15 rows; x and a binary b with holes; y and b vary between groups with sd tau."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(10), 15)
    x = 0.4 * rng.normal(size=10)[g] + rng.normal(size=150)
    b = (rng.random(150) < 1 / (1 + np.exp(-0.5 * x - tau * rng.normal(size=10)[g]))).astype(float)
    y = 1 + 0.5 * x + 0.7 * b + tau * rng.normal(size=10)[g] + rng.normal(size=150)
    b[rng.random(150) < 0.25] = np.nan
    x[rng.random(150) < 0.2] = np.nan
    return pd.DataFrame({"y": y, "x": x, "b": b, "g": g})


@pytest.fixture(scope="module", params=[0.1, 0.6])
def fit(request):
    return Model("y ~ x + b + (1 | g)", table(200, request.param)).fit(seed=1, progress=False)


@pytest.mark.xdist_group("fit_links")
def test_no_divergences_and_enough_draws(fit):
    assert fit.gate.divergences == 0
    summary = summarize(fit.model, fit.draws, analysis_only=False)
    link = summary.loc["x__between(b|g)"]
    assert link["ess_bulk"] > 400
    assert link["r_hat"] < 1.01


@pytest.mark.xdist_group("fit_links")
def test_the_coefficient_keeps_its_prior_where_the_groups_hardly_vary(fit):
    """The draws are of lambda, not of what NUTS sees: conditional on small group sds its spread is the prior's."""
    posterior = fit.posterior.to_dataset()
    sd = posterior["b__1|g_sigma"].values.ravel()
    coefficient = posterior["x__between(b|g)"].values.ravel()
    factor = fit.model.factor("x")
    prior_sd = factor.priors.coefficients[-1].parameters["sigma"]
    weak = sd < np.quantile(sd, 0.1)
    strong = sd > np.quantile(sd, 0.9)
    assert coefficient[strong].std() < coefficient[weak].std() < 1.15 * prior_sd
