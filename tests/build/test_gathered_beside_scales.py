"""Rows gathered by pattern beside rows with scales of their own: the density is that of all rows one by one."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model, measured
from bayesmi.build import build_sampled, gathered


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ t + z", {"observations": {"t": measured("x", sd="se")}}),
        ("y ~ t + w + b", {"observations": {"t": measured("x", sd="se")}}),
        (("y ~ w + t + z", "sigma ~ z"), {"observations": {"t": measured("x", sd=0.5)}}),
        (("y ~ w + z + b", "sigma ~ b"), {}),
        ("y ~ w + z", {"formulas": {"w": ("sigma ~ z",)}}),
    ],
)
def test_gathered_rows_have_the_density_of_all_rows(formula, options, monkeypatch):
    rng = np.random.default_rng(6)
    n = 240
    z = rng.normal(size=n)
    w = z + rng.normal(size=n)
    b = (rng.random(n) < 0.5).astype(float)
    x = z + rng.normal(size=n)
    data = pd.DataFrame({"z": z, "w": w, "b": b, "x": x, "se": rng.uniform(0.3, 1.0, n)})
    data["y"] = x + w + b + rng.normal(size=n)
    for name, share in (("w", 0.3), ("x", 0.4), ("b", 0.1), ("y", 0.1)):
        data.loc[rng.random(n) < share, name] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(formula, data, **options)
    some = build_sampled(model)
    monkeypatch.setattr(gathered, "_FEW", 10**9)
    none = build_sampled(model)
    start = some.program.initial()
    for seed in range(3):
        point = start + np.random.default_rng(seed).normal(0.0, 0.4, len(start))
        value, gradient = some.log_density(point)
        expected, slope = none.log_density(point)
        assert value == pytest.approx(expected, rel=1e-11)
        np.testing.assert_allclose(gradient, slope, rtol=1e-8, atol=1e-8 * np.abs(slope).max())
