"""Ordered levels that hardly anyone has do not hold up the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesmi.families.ordinal import anchor_of
from bayesmi.fit import diagnostics
from bayesmi.model import Model

pytestmark = pytest.mark.xdist_group("rare_levels")


@pytest.fixture(scope="module")
def fit():
    """Scores from -4 to 5, as in SHARE: one row each at -4 and -3, most at the upper end."""
    rng = np.random.default_rng(1)
    school = np.repeat(np.arange(12), 60)
    latent = 0.3 * rng.normal(size=12)[school] + rng.logistic(size=720)
    cuts = [-4.5, -3.0, -2.0, -1.2, -0.5, 0.4, 1.6]
    score = np.searchsorted(cuts, latent).astype(float) - 2.0
    score[:2] = [-4.0, -3.0]
    data = pd.DataFrame({"y": score, "x": rng.normal(size=720), "school": school})
    model = Model("y ~ x + (1 | school)", data, kinds={"y": "ordinal"})
    return model.fit(seed=1, draws=300, tune=300, progress=False)


def test_the_anchor_is_the_threshold_nearest_to_half_and_half():
    assert anchor_of(np.array([-8.0, -7.0, -2.0, 0.3, 2.0])) == 3
    assert anchor_of(np.array([0.1, 3.0])) == 0


def test_rare_levels_are_sampled_like_others(fit):
    thresholds = fit.posterior["threshold"].to_numpy()
    assert (np.diff(thresholds, axis=-1) > 0).all()
    assert not fit.tree["sample_stats"]["diverging"].to_numpy().any()
    for j in range(thresholds.shape[-1]):
        assert diagnostics.ess_bulk(thresholds[None, :, :, j])[0] > 400, j
