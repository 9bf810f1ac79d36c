"""Predictive mean matching of a variable with a selection model, from the fit that does not match."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Heckman, Model
from bayesmi.mice.pmm import pmm

pytestmark = pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice")


def fitted(data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model("y ~ x", data, mechanisms={"y": Heckman("~ x + w", **options)})
        return model.fit(seed=3, draws=60, tune=100, progress=False)


@pytest.mark.xdist_group("pmm_selected")
def test_a_selected_variable_is_matched_given_that_it_is_not_selected():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(2, 150))
    e = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=150)
    y = np.where(0.3 + w + e[:, 1] > 0, 1 + 0.5 * x + e[:, 0], np.nan)
    data = pd.DataFrame({"y": y, "x": x, "w": w})
    matched = pmm(fitted(data), 3, despite_gate=True)
    wanted = fitted(data, matching=True).impute(3, despite_gate=True)
    for i in range(1, 4):
        np.testing.assert_array_equal(matched.complete(i)["y"], wanted.complete(i)["y"])
    assert np.isin(matched.complete(1)["y"], y[np.isfinite(y)]).all()
