"""Rubin and Barnard–Rubin: published digits, R's numbers, limits, and what must not change the answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmi.pool import pool, pool_scalar
from bayesmi.pool.rubin import barnard_rubin, combine, rubin

# the multilevel tutorial's table: popular ~ texp + sex + (1 | school) on popmis, m = 5, dfcom = 1995
POPMIS = {
    "Intercept": {
        "ubar": 0.0284760238,
        "b": 0.003461284,
        "df": 216.1756,
        "riv": 0.1458610,
        "lam": 0.1272938,
        "fmi": 0.1352573,
    },
    "texp": {
        "ubar": 0.0001140591,
        "b": 2.273382e-5,
        "df": 100.6502,
        "riv": 0.2391794,
        "lam": 0.1930144,
        "fmi": 0.2085857,
    },
    "sex": {
        "ubar": 0.0009628869,
        "b": 0.0004946825,
        "df": 26.9008,
        "riv": 0.6164992,
        "lam": 0.3813792,
        "fmi": 0.4227574,
    },
}


@pytest.mark.parametrize("term", POPMIS)
def test_published_popmis_table_to_every_printed_digit(term):
    row = POPMIS[term]
    ours = combine(5, 0.0, row["ubar"], row["b"], 1995)
    assert f"{ours.df:.4f}" == f"{row['df']:.4f}"
    for name, value in (("riv", ours.riv), ("lam", ours.lambda_), ("fmi", ours.fmi)):
        # the printed ubar and b are rounded themselves: a unit in the seventh digit
        assert float(value) == pytest.approx(row[name], abs=1.0e-7)


def test_published_total_variance():
    assert f"{combine(5, 0.0, 0.0284760238, 0.003461284).t:.10f}" == "0.0326295646"


@pytest.mark.parametrize(
    ("term", "df", "fmi"),
    [("Intercept", 246.857, ".134"), ("texp", 107.369, ".208"), ("sex", 27.501, ".422")],
)
def test_mitml_df_without_dfcom(term, df, fmi):
    row = POPMIS[term]
    ours = combine(5, 0.0, row["ubar"], row["b"])
    assert f"{ours.df:.3f}" == f"{df:.3f}"
    assert f"{ours.fmi:.3f}"[1:] == fmi


Q, U = [1.2, 0.7, 1.9, 1.1, 0.4], [0.31, 0.27, 0.35, 0.30, 0.29]


@pytest.mark.parametrize(
    ("case", "q", "u", "dfcom"),
    [
        ("scalar_nInf", Q, U, math.inf),
        ("scalar_n12", Q, U, 10),
        ("scalar_n200", Q, U, 198),
        ("scalar_m2", Q[:2], U[:2], 29),
    ],
)
def test_scalars_as_mice(golden, case, q, u, dfcom):
    expected, row = golden("rubin")[case], pool_scalar(q, u, dfcom).table.iloc[0]
    names = {"qbar": "estimate", "ubar": "ubar", "b": "b", "t": "t", "df": "df", "r": "riv", "fmi": "fmi"}
    for theirs, ours in names.items():
        assert row[ours] == pytest.approx(expected[theirs], rel=1e-10)


def test_synthetic_data_as_mice(golden):
    expected, row = golden("rubin")["synthetic"], pool_scalar(Q, U, rule="reiter2003").table.iloc[0]
    for theirs, ours in {
        "qbar": "estimate",
        "ubar": "ubar",
        "b": "b",
        "t": "t",
        "df": "df",
        "r": "riv",
    }.items():
        assert row[ours] == pytest.approx(expected[theirs], rel=1e-10)
    assert math.isnan(row["fmi"])
    assert math.isnan(row["lambda"])


@pytest.mark.parametrize("dfcom", [1.0, 10.0, 1995.0])
def test_no_between_variance_leaves_the_complete_data_df(dfcom):
    row = pool_scalar([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], dfcom).table.iloc[0]
    assert row["df"] == pytest.approx(dfcom * (dfcom + 1) / (dfcom + 3), rel=1e-14)
    assert (row["b"], row["riv"], row["lambda"], row["t"]) == (0.0, 0.0, 0.0, 0.5)
    assert row["fmi"] == pytest.approx(2 / (row["df"] + 3), rel=1e-14)


def test_no_between_variance_and_no_dfcom_is_the_normal_test():
    row = pool_scalar([1.0, 1.0], [0.25, 0.25]).table.iloc[0]
    assert row["df"] == math.inf
    assert row["conf.high"] == pytest.approx(1.0 + 1.959963984540054 * 0.5, rel=1e-12)
    assert row["p.value"] == pytest.approx(0.04550026389635842, rel=1e-12)
    assert row["fmi"] == 0.0


def test_two_data_sets_by_hand():
    row = pool_scalar([1.0, 2.0], [1.0, 3.0]).table.iloc[0]
    # b = 1/2, ubar = 2, t = 2.75, lambda = .75/2.75, df = 1/lambda^2
    assert row["t"] == pytest.approx(2.75, rel=1e-14)
    assert row["df"] == pytest.approx((2.75 / 0.75) ** 2, rel=1e-14)


def test_a_large_dfcom_tends_to_none():
    assert barnard_rubin(5, 0.3, 1e12) == pytest.approx(float(barnard_rubin(5, 0.3, math.inf)), rel=1e-9)
    assert np.isfinite(barnard_rubin(5, 0.0, 1e100))


def test_each_term_has_its_own_dfcom():
    pairs = [({"a": 1.0 + i, "b": 1.0 + i}, np.eye(2)) for i in range(4)]
    table = pool(pairs, dfcom={"b": 1000, "a": 10}).table
    assert table.loc["a", "dfcom"] == 10
    assert table.loc["a", "df"] == pytest.approx(float(rubin([1.0, 2, 3, 4], [1.0] * 4, 10).df))
    assert table.loc["b", "df"] > table.loc["a", "df"]


numbers = st.floats(-100, 100).map(lambda x: round(x, 4))
scalars = st.integers(2, 12).flatmap(
    lambda m: st.tuples(
        st.lists(numbers, min_size=m, max_size=m), st.lists(st.floats(0.01, 50), min_size=m, max_size=m)
    )
)
dfs = st.one_of(st.just(math.inf), st.floats(1, 1e5))


@given(scalars, dfs, st.randoms(use_true_random=False))
def test_order_of_data_sets_does_not_matter(sets, dfcom, random):
    q, u = sets
    order = list(range(len(q)))
    random.shuffle(order)
    one, other = (
        pool_scalar(q, u, dfcom).table,
        pool_scalar([q[i] for i in order], [u[i] for i in order], dfcom).table,
    )
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@given(scalars, dfs, st.floats(0.01, 100), st.floats(-10, 10))
def test_change_of_units_carries_through(sets, dfcom, scale, shift):
    q, u = np.array(sets[0]), np.array(sets[1])
    one, other = (
        pool_scalar(q, u, dfcom).table.iloc[0],
        pool_scalar(shift + scale * q, scale**2 * u, dfcom).table.iloc[0],
    )
    assert other["estimate"] == pytest.approx(shift + scale * one["estimate"], rel=1e-9, abs=1e-9)
    assert other["std.error"] == pytest.approx(scale * one["std.error"], rel=1e-7)
    for name in ("riv", "lambda", "fmi"):
        assert other[name] == pytest.approx(one[name], rel=1e-5, abs=1e-12)
    if one["lambda"] > 1e-8:
        assert other["df"] == pytest.approx(one["df"], rel=1e-5)


@given(scalars, dfs)
def test_bounds(sets, dfcom):
    row = pool_scalar(*sets, dfcom).table.iloc[0]
    assert row["t"] >= row["ubar"]
    assert 0 <= row["lambda"] < 1
    assert row["lambda"] <= row["fmi"] + 1e-12
    assert row["df"] <= dfcom
    assert row["df"] <= float(barnard_rubin(len(sets[0]), row["lambda"])) * (1 + 1e-12)
    assert row["conf.low"] <= row["estimate"] <= row["conf.high"]
    assert 0 <= row["p.value"] <= 1


@given(scalars)
def test_agrees_with_the_formulas_as_printed(sets):
    q, u = np.array(sets[0]), np.array(sets[1])
    m, nu_com = len(q), 57.0
    b, ubar = q.var(ddof=1), u.mean()
    r = (1 + 1 / m) * b / ubar
    if r < 1e-4:
        return
    lam = r / (1 + r)
    old, observed = (m - 1) * (1 + 1 / r) ** 2, (nu_com + 1) / (nu_com + 3) * nu_com * (1 - lam)
    row = pool_scalar(q, u, nu_com).table.iloc[0]
    nu = old * observed / (old + observed)
    assert row["df"] == pytest.approx(nu, rel=1e-9)
    assert row["fmi"] == pytest.approx((r + 2 / (nu + 3)) / (1 + r), rel=1e-9)
