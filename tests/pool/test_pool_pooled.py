"""The Pooled object: its table, matrices, Monte Carlo errors, recommendation and looks."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import bayesmi.pool
from bayesmi.errors import NotSupportedError
from bayesmi.pool import Pooled, pool
from bayesmi.pool.rubin import combine

COLUMNS = [
    "estimate", "ubar", "b", "t", "dfcom", "df", "riv", "lambda", "fmi",
    "std.error", "statistic", "p.value", "conf.low", "conf.high",
]  # fmt: skip


def pairs(m=8, k=3, seed=1):
    rng = np.random.default_rng(seed)
    names = ["Intercept", "x", "x:z"][:k]
    out = []
    for _ in range(m):
        root = rng.normal(size=(k, k + 3))
        out.append(
            (
                pd.Series(rng.normal(size=k), index=names),
                pd.DataFrame(root @ root.T, index=names, columns=names),
            )
        )
    return out


def test_table_has_the_columns_of_mice():
    table = pool(pairs(), 50).table
    assert list(table.columns) == COLUMNS
    assert table.index.name == "term"
    assert list(table.index) == ["Intercept", "x", "x:z"]
    assert all(dtype.kind == "f" for dtype in table.dtypes)


def test_matrices():
    analyses = pairs()
    pooled = pool(analyses)
    within = sum(u for _, u in analyses) / 8
    between = pd.DataFrame([q for q, _ in analyses]).cov()
    np.testing.assert_allclose(pooled.within, within, rtol=1e-12)
    np.testing.assert_allclose(pooled.between, between, rtol=1e-12)
    np.testing.assert_allclose(pooled.covariance, within + (1 + 1 / 8) * between, rtol=1e-12)
    for name, column in (("covariance", "t"), ("within", "ubar"), ("between", "b")):
        np.testing.assert_allclose(np.diag(getattr(pooled, name)), pooled.table[column], rtol=1e-12)
    synthetic = pool(analyses, rule="reiter2003")
    np.testing.assert_allclose(np.diag(synthetic.covariance), synthetic.table["t"], rtol=1e-12)
    assert list(pooled.covariance.columns) == list(pooled.covariance.index) == ["Intercept", "x", "x:z"]


def test_frozen_and_not_changed_through_its_tables():
    pooled = pool(pairs())
    with pytest.raises(dataclasses.FrozenInstanceError):
        pooled.rule = "reiter2003"
    table = pooled.table
    table.loc["x", "estimate"] = 99.0
    assert pooled.table.loc["x", "estimate"] != 99.0
    with pytest.raises(ValueError, match="read-only"):
        pooled.estimates.values[0, 0] = 1.0


def test_synthetic_data_have_no_test_for_missing_data():
    pooled = pool([({"x": 1.0 + i / 2}, [[1.0]]) for i in range(3)], rule="reiter2003")
    for test in (pooled.test, lambda: pooled.constraints("x = 0")):
        with pytest.raises(NotSupportedError, match="are for missing data"):
            test()
    doubled = pooled.transform({"double": "2 * x"}).table.loc["double"]
    assert doubled["statistic"] == pytest.approx(pooled.table.loc["x", "statistic"])


@pytest.mark.parametrize(("rule", "dfcom"), [("rubin1987", 30), ("rubin1987", None), ("reiter2003", None)])
def test_monte_carlo_error_is_the_jackknife(rule, dfcom):
    analyses = pairs(m=6)
    error = pool(analyses, dfcom, rule=rule).monte_carlo
    left_out = [pool(analyses[:i] + analyses[i + 1 :], dfcom, rule=rule).table for i in range(6)]
    for column in COLUMNS:
        if column == "dfcom":
            continue
        values = np.array([table[column] for table in left_out])
        expected = np.sqrt(5 / 6 * ((values - values.mean(axis=0)) ** 2).sum(axis=0))
        np.testing.assert_allclose(error[column], expected, rtol=1e-8, err_msg=column)


def test_monte_carlo_error_of_the_estimate():
    pooled = pool(pairs(m=8))
    np.testing.assert_allclose(pooled.monte_carlo["estimate"], np.sqrt(pooled.table["b"] / 8), rtol=1e-12)


def test_monte_carlo_error_at_the_limits():
    two = pool(pairs(m=2)).monte_carlo
    assert two["estimate"].notna().all()
    assert two["std.error"].isna().all()
    same = pool([({"x": 1.0}, [[1.0]])] * 4).monte_carlo
    assert (same == 0).all().all()


def test_monte_carlo_error_is_what_repetition_shows():
    # simulated: m = 10 imputations drawn 4 000 times around a truth, the spread of the pooled numbers
    rng = np.random.default_rng(5)
    estimates, jackknife = [], []
    for _ in range(400):
        q = rng.normal(0.0, 0.7, size=10)
        pooled = pool([({"x": one}, [[1.0]]) for one in q], 100)
        estimates.append(pooled.table.loc["x", ["estimate", "std.error"]].to_numpy(dtype=float))
        jackknife.append(pooled.monte_carlo.loc["x", ["estimate", "std.error"]].to_numpy(dtype=float))
    spread = np.std(estimates, axis=0)
    typical = np.sqrt(np.mean(np.square(jackknife), axis=0))
    np.testing.assert_allclose(typical, spread, rtol=0.15)


def test_recommended_m():
    # b/(ubar + b) = .2: 99 * .2 = 19.8, so 20 for the estimate
    table = pool([({"x": q}, [[0.8]]) for q in _with_variance(0.2, 400)]).recommendation.table
    assert table.loc["x", "estimate"] == 20
    # the limit holds: with that m the error is a tenth of the standard error or less, with one fewer it is not
    for m, holds in ((20, True), (19, False)):
        ours = combine(m, 0.0, 0.8, 0.2)
        assert bool(np.sqrt(ours.b / m) <= 0.1 * np.sqrt(ours.t)) is holds


def test_recommended_m_by_the_quadratic_rule():
    # von Hippel's worked example: fmi .2 to .5 and a 5 % coefficient of variation ask for 1 + (fmi/.05)^2/2
    pooled = pool([({"x": q}, [[0.7]]) for q in _with_variance(0.3, 4000)])
    row = pooled.recommendation.table.loc["x"]
    upper = 1 / (1 + np.exp(-(np.log(0.3 / 0.7) + 1.96 * np.sqrt(2 / 4000))))
    assert row["std.error"] == pytest.approx(1 + 0.5 * (upper / 0.05) ** 2, abs=1.5)
    assert pooled.recommended_m == row.max()
    assert pooled.recommendation.enough
    assert "of x" in str(pooled.recommendation)


def test_few_imputations_are_told_so():
    text = repr(pool(pairs(m=3)))
    assert "Recommended m = " in text
    assert "m = 3" in text


def _with_variance(b, m):
    q = np.random.default_rng(0).normal(size=m)
    return (q - q.mean()) / q.std(ddof=1) * np.sqrt(b)


def test_text_and_html():
    pooled = pool(
        [({"a<b": q, "y": -q}, np.eye(2)) for q in (1.0, 1.2, 0.9)], notices=["data set 2: did not converge"]
    )
    text, html = repr(pooled), pooled._repr_html_()
    assert "Barnard–Rubin" in text
    assert "−1.03" in text
    assert "1 remark on a single analysis (.notices): data set 2: did not converge" in text
    assert "a&lt;b" in html
    assert "a<b" not in html
    assert html.count("<tr>") == 3
    assert html.count("<table") == html.count("</table>") == 1
    small = repr(pool([({"x": 1e-4 * q}, [[1e-10]]) for q in (1.0, 1.01, 0.99)]))
    assert "0.000100" in small


def test_infinities_and_tiny_p_are_readable():
    text = repr(pool([({"x": 50.0}, [[1.0]])] * 3))
    assert "∞" in text
    assert "<.001" in text
    assert "nan" not in text


def test_summary():
    pooled = pool(pairs())
    assert list(pooled.summary().columns) == [
        "estimate",
        "std.error",
        "statistic",
        "df",
        "p.value",
        "conf.low",
        "conf.high",
        "fmi",
    ]
    pd.testing.assert_frame_equal(pooled.summary(), pooled.table[pooled.summary().columns])


def test_the_module_can_be_called():
    assert isinstance(bayesmi.pool(pairs()), Pooled)


def test_light_to_import_and_callable_by_its_public_name():
    code = (
        "import sys, bayesmi.pool; heavy = ('pymc', 'statsmodels', 'arviz', 'matplotlib', 'xarray', 'scipy.stats')\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "print(bayesmi.pool([({'x': 1.}, [[1.]]), ({'x': 3.}, [[1.]])], dfcom=9).table.estimate.x)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "2.0"]


def test_m_for_synthetic_data_is_that_of_their_own_rule():
    pairs = [({"x": value}, [[0.1]]) for value in (0.0, 1.0, 2.0)]  # b = 1, ubar = 0.1
    synthetic = pool(pairs, rule="reiter2003")
    assert synthetic.recommended_m == 990  # b/m is a hundredth of ubar + b/m
    assert "White" not in str(synthetic.recommendation)
    # the standard error alone: share of b/m times the relative spread of b, on m - 1 degrees of freedom
    m = int(synthetic.recommendation.table.loc["x", "std.error"])
    errors = [10 / n / (1 + 10 / n) * np.sqrt(0.5 / (n - 1)) for n in (m - 1, m)]
    assert errors[0] > 0.05 >= errors[1]
    assert pool(pairs).recommended_m < 1000


def test_the_module_is_called_and_holds_the_other_rules():
    import inspect

    import bayesmi as bmi

    pairs = [({"a": 1.0}, [[1.0]]), ({"a": 2.0}, [[1.0]])]
    assert bmi.pool(pairs).m == 2
    assert "dfcom" in inspect.signature(bmi.pool).parameters
    assert bmi.pool.d1 is not None
    assert bmi.pool.pool_r_squared([0.2, 0.3], 30).shape == (1, 5)
