"""Cells between limits whose mass lies far from the limit too: drawn back as finely there as near it."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bayesmi import Model, Prior, censored

pytestmark = pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice")


def test_both_tops_of_a_cell_have_their_share():
    """y = .5 + x + .5 x² + e has two x for one y; only x < 1 is known."""
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(size=80), np.full(150, np.nan)])
    y = np.concatenate([0.5 + x[:80] + 0.5 * x[:80] ** 2 + rng.normal(size=80), np.full(150, 1.5)])
    data = pd.DataFrame({"x": x, "y": y, "limit": np.where(np.isnan(x), 1.0, np.nan)})
    known = {"Intercept": 0.5, "x": 1.0, "I(x ** 2)": 0.5, "x__Intercept": 0.0}
    priors = {name: Prior("Normal", value, 1e-3) for name, value in known.items()}
    priors |= {name: Prior("Gamma", 1e6, 1e6) for name in ("sigma", "x__sigma")}
    model = Model("y ~ x + I(x ** 2)", data, observations={"x": censored("x", below="limit")}, priors=priors)
    fit = model.fit(seed=1, draws=40, tune=100, chains=2, progress=False)
    imputed = fit.impute(40, despite_gate=True)
    drawn = np.concatenate([imputed.complete(i)["x"].to_numpy()[80:] for i in range(1, 41)])
    at = np.linspace(-8.0, 1.0, 20_001)
    density = norm.pdf(at) * norm.pdf(1.5, 0.5 + at + 0.5 * at**2)
    density /= density.sum()
    for low, high in ((-8.0, -2.5), (-2.5, -2.0), (-2.0, -1.0), (-1.0, 0.0), (0.0, 1.0)):
        share = ((drawn > low) & (drawn <= high)).mean()
        assert share == pytest.approx(density[(at > low) & (at <= high)].sum(), abs=0.015)
