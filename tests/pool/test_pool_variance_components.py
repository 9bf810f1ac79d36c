"""Variance components: the plain mean, an interval only where every fit is interior."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmi.errors import PoolError
from bayesmi.pool import pool, pool_scalar
from bayesmi.pool.variance_components import pool_variance_components


def fit(tau2=0.4, error=0.1, singular=False, covariance=-0.1):
    rows = {
        "Intercept~~Intercept|g": (tau2, error, "log", singular),
        "Intercept~~x|g": (covariance, 0.2, "identity", singular),
        "Residual~~Residual": (0.5, 0.02, "log", False),
        "ICC|g": (tau2 / (tau2 + 0.5), 0.05, "logit", singular),
    }
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["estimate", "std.error", "scale", "singular"]
    )
    return table.rename_axis("term")


def test_plain_mean_and_interval_on_the_log_scale():
    values = [0.3, 0.4, 0.6]
    row = pool_variance_components([fit(v) for v in values]).loc["Intercept~~Intercept|g"]
    assert row["estimate"] == pytest.approx(np.mean(values), rel=1e-14)
    expected = pool_scalar(np.log(values), (0.1 / np.array(values)) ** 2).table.iloc[0]
    assert np.log(row["conf.low"]) == pytest.approx(expected["conf.low"], rel=1e-12)
    assert np.log(row["conf.high"]) == pytest.approx(expected["conf.high"], rel=1e-12)
    assert row["mcse"] == pytest.approx(np.std(values, ddof=1) / np.sqrt(3))
    assert row["reason"] == ""


def test_intraclass_correlation_on_the_logit_scale():
    icc = np.array([0.3 / 0.8, 0.4 / 0.9, 0.6 / 1.1])
    row = pool_variance_components([fit(v) for v in (0.3, 0.4, 0.6)]).loc["ICC|g"]
    expected = pool_scalar(np.log(icc / (1 - icc)), (0.05 / (icc * (1 - icc))) ** 2).table.iloc[0]
    assert np.log(row["conf.low"] / (1 - row["conf.low"])) == pytest.approx(expected["conf.low"], rel=1e-12)
    assert 0 < row["conf.low"] < row["estimate"] < row["conf.high"] < 1


def test_a_covariance_may_be_negative():
    row = pool_variance_components([fit(covariance=c) for c in (-0.1, 0.1, 0.0)]).loc["Intercept~~x|g"]
    expected = pool_scalar([-0.1, 0.1, 0.0], [0.04] * 3).table.iloc[0]
    assert row["conf.low"] == pytest.approx(expected["conf.low"])
    assert row["scale"] == "identity"


def test_one_singular_fit_takes_the_interval_away_and_says_so():
    table = pool_variance_components([fit(), fit(1e-12, np.nan, singular=True), fit()])
    row = table.loc["Intercept~~Intercept|g"]
    assert np.isnan(row["conf.low"])
    assert np.isnan(row["conf.high"])
    assert row["reason"] == "no interval: 1 of 3 fits singular"
    assert row["estimate"] == pytest.approx((0.4 + 1e-12 + 0.4) / 3)
    assert table.loc["Residual~~Residual", "reason"] == ""
    assert np.isfinite(table.loc["Residual~~Residual", "conf.low"])


def test_no_standard_error_is_said():
    table = pool_variance_components([fit(), fit(error=np.nan), fit(error=np.nan)])
    assert table.loc["Intercept~~Intercept|g", "reason"] == "no interval: no standard error in 2 of 3 fits"


def test_fits_with_other_components_are_refused():
    with pytest.raises(PoolError, match=r"data set 2: variance component 'ICC\|g'"):
        pool_variance_components([fit(), fit().drop("ICC|g")])


def test_shown_with_the_pooled_table():
    pooled = pool(
        [({"x": 1.0}, [[1.0]]), ({"x": 2.0}, [[1.0]])], variance_components=[fit(), fit(singular=True)]
    )
    assert "no interval: 1 of 2 fits singular" in repr(pooled)
    assert "Residual~~Residual" in pooled._repr_html_()
    assert len(pool([({"x": 1.0}, [[1.0]]), ({"x": 2.0}, [[1.0]])]).variance_components) == 0


def test_synthetic_data_have_their_own_total_variance():
    values = (0.30, 0.36, 0.45)
    row = pool_variance_components([fit(v) for v in values], "reiter2003").loc["Intercept~~Intercept|g"]
    own = [fit(v).loc["Intercept~~Intercept|g"] for v in values]
    z = np.log(values)
    ubar = np.mean([(one["std.error"] / one["estimate"]) ** 2 for one in own])
    b = z.var(ddof=1)
    half = stats.t.ppf(0.975, 2 * (1 + 3 * ubar / b) ** 2) * np.sqrt(ubar + b / 3)
    assert row["conf.low"] == pytest.approx(np.exp(z.mean() - half))
