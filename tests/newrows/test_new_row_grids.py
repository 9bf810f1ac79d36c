"""Grids of new rows that cannot be refined any further: the draws are made and are said to be rough."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model


def test_where_finer_points_are_beyond_what_is_supported_the_grid_before_stays():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 80))
    data = pd.DataFrame({"y": a + a**2 + b - b**2 + 0.3 * rng.normal(size=80), "a": a, "b": b})
    data.loc[:1, "a"] = np.nan
    data.loc[5:6, "b"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Model("y ~ a + I(a ** 2) + b + I(b ** 2)", data)
        fit = model.fit(draws=40, tune=60, chains=2, seed=1, progress=False, cores=1)
    new = pd.DataFrame({"y": [400.0, -300.0], "a": [np.nan] * 2, "b": [np.nan] * 2})
    with pytest.warns(BayesmiNotice, match="draws of 'a' in new rows are rough"):
        imputed = fit.impute(2, despite_gate=True, newdata=new)
    assert not imputed.complete(1).isna().any().any()
