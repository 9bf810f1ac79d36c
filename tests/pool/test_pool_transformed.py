"""R squared and correlations against mice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesmi.errors import PoolError
from bayesmi.pool import pool_correlation, pool_r_squared, pool_survival


@pytest.mark.parametrize(("case", "inputs"), [("plain", "r.squared"), ("adjusted", "adj.r.squared")])
def test_r_squared_as_mice(golden, case, inputs):
    numbers = golden("transformed")
    ours = pool_r_squared(list(numbers[inputs].values()), 2000, adjusted=case == "adjusted")
    assert list(ours.index) == ["R^2" if case == "plain" else "adj R^2"]
    for key, value in numbers[case].items():
        assert ours[key].iloc[0] == pytest.approx(value, rel=1e-8)


def test_correlation_as_mice_on_fishers_scale(golden):
    numbers = golden("transformed")
    ours = pool_correlation(list(numbers["correlation"].values()), 2000).iloc[0]
    for key, column in {"r": "r", "df": "df", "fmi": "fmi", "low": "conf.low", "high": "conf.high"}.items():
        assert ours[column] == pytest.approx(numbers["pooled_correlation"][key], rel=1e-8)


def test_a_tiny_r_squared_has_no_negative_limit():
    row = pool_r_squared([0.001, 0.002], 30).iloc[0]
    assert row["lo 95"] == 0.0
    assert row["est"] > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pool_r_squared([0.5, 1.2], 30), "data set 2: R-squared is 1.2"),
        (lambda: pool_r_squared([0.5, -0.1], 30), "data set 2: R-squared is -0.1"),
        (lambda: pool_r_squared([0.5], 30), "at least two"),
        (lambda: pool_r_squared([0.5, 0.4], [30, 3]), "data set 2: n = 3"),
        (lambda: pool_correlation([0.5, -1.0], 30), "data set 2: the correlation is -1"),
        (lambda: pool_correlation([0.5], 30), "at least two"),
        (lambda: pool_correlation([0.5, 0.2], 2), "data set 1: n = 2"),
    ],
)
def test_refused(call, message):
    with pytest.raises(PoolError, match=message):
        call()


def test_correlations_with_the_limits_of_micombine_cor():
    one = pool_correlation([0.10, 0.45, 0.30], 50, reference="normal").iloc[0]
    assert one["p.value"] == pytest.approx(0.262, abs=5e-4)  # miceadds 3.16
    t = pool_correlation([0.10, 0.45, 0.30], 50).iloc[0]
    assert t["p.value"] == pytest.approx(0.323, abs=5e-4)
    assert one["std.error"] == t["std.error"]
    with pytest.raises(PoolError, match="reference='z'"):
        pool_correlation([0.1, 0.4], 50, reference="z")


def test_survival_of_tables_of_steps():
    curves = [
        pd.DataFrame({"time": [1.0, 2.0, 4.0], "survival": [0.9, s, 0.4], "std.error": [0.03, 0.05, 0.05]})
        for s in (0.7, 0.72, 0.71)
    ]
    found = pool_survival(curves, [0.5, 2, 3])
    at_event = pool_survival(curves, [2.0]).iloc[0]
    assert found.loc[0.5, "estimate"] == 1
    z = np.log(-np.log([0.7, 0.72, 0.71]))
    assert at_event["estimate"] == pytest.approx(np.exp(-np.exp(z.mean())))  # the step is taken at its time
    assert found.loc[3, "estimate"] == pytest.approx(at_event["estimate"])  # and held
    with pytest.raises(PoolError, match="beyond the end of follow-up"):
        pool_survival(curves, [5])
