"""D1 to D4 and statistics: arithmetic against mitml, and identities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmi.errors import PoolError
from bayesmi.pool import Estimates, FTest, d1, d2, d3, d4, pool, pool_chi_square, pool_f
from bayesmi.pool.d1 import large_sample_df, reiter_df


def pairs(m=6, k=3, seed=3):
    rng = np.random.default_rng(seed)
    names = ["a", "b", "c"][:k]
    out = []
    for _ in range(m):
        root = rng.normal(size=(k, k + 4))
        out.append((dict(zip(names, rng.normal(0.5, 0.4, size=k), strict=True)), root @ root.T / 10))
    return out


def test_d2_as_mitml(golden):
    expected = golden("tests_of_several")["chisquare"]
    ours = pool_chi_square([8.2, 11.9, 6.4, 9.7, 14.1], df=3)
    assert (ours.statistic, ours.df2, ours.riv) == pytest.approx(
        (expected["F"], expected["v"], expected["r"]), rel=1e-12
    )
    same = pool_f(np.array([8.2, 11.9, 6.4, 9.7, 14.1]) / 3, df1=3)
    assert same.statistic == pytest.approx(ours.statistic, rel=1e-12)


@pytest.mark.parametrize("ariv", ["default", "positive", "robust"])
def test_d4_arithmetic_as_mitml(golden, ariv):
    numbers = golden("tests_of_several")
    full, null = (list(numbers[f"loglik_{name}"].values()) for name in ("full", "null"))
    stacked = numbers["loglik_stacked"]
    ours = d4(full, null, stacked["full"], stacked["null"], 2, n_parameters=5, ariv=ariv)
    check(ours, numbers[f"D4_{ariv}"])


def check(ours: FTest, expected: dict[str, float], rel: float = 1e-8):
    row = ours.table.iloc[0]
    for name in ("F.value", "df1", "df2", "RIV"):
        assert row[name] == pytest.approx(expected[name], rel=rel), name
    assert row["P(>F)"] == pytest.approx(expected["P(>F)"], rel=1e-5)


def test_one_parameter_is_the_square_of_the_t_test():
    pooled = pool(pairs())
    one = pooled.test("b")
    assert one.statistic == pytest.approx(pooled.table.loc["b", "statistic"] ** 2, rel=1e-12)
    assert one.riv == pytest.approx(pooled.table.loc["b", "riv"], rel=1e-12)


@given(st.integers(0, 10_000))
def test_d1_and_d2_do_not_depend_on_units_or_order(seed):
    rng = np.random.default_rng(seed)
    analyses = pairs(seed=seed)
    mix = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    q = np.array([list(one.values()) for one, _ in analyses])
    order = rng.permutation(len(analyses))
    mixed = [(dict(zip("abc", mix @ q[i], strict=True)), mix @ analyses[i][1] @ mix.T) for i in order]
    for method in ("D1", "D2"):
        one, other = pool(analyses).test(method=method), pool(mixed).test(method=method)
        np.testing.assert_allclose([one.statistic, one.riv], [other.statistic, other.riv], rtol=1e-6)


def test_no_between_variance_is_the_complete_data_test():
    analyses = [pairs()[0]] * 4
    chi2 = np.array(list(analyses[0][0].values()))
    chi2 = float(chi2 @ np.linalg.solve(analyses[0][1], chi2))
    for method in ("D1", "D2"):
        ours = pool(analyses).test(method=method)
        assert ours.statistic == pytest.approx(chi2 / 3, rel=1e-10)
        assert ours.riv == pytest.approx(0.0, abs=1e-20)
    assert d2([chi2] * 4, 3).df2 == math.inf
    assert d2([chi2] * 4, 3).p_value == pytest.approx(pool(analyses).test().p_value, rel=1e-6)
    # Reiter's df at r = 0 are dfcom (dfcom + 1)/(dfcom + 3)
    assert reiter_df(3, 6, 0.0, 40.0) == pytest.approx(40 * 41 / 43, rel=1e-12)


def test_reiter_tends_to_the_large_sample_df():
    assert reiter_df(3, 6, 0.4, 1e9) == pytest.approx(large_sample_df(3, 6, 0.4), rel=0.1)
    assert reiter_df(3, 6, 0.4, 50.0) < reiter_df(3, 6, 0.4, 500.0) < reiter_df(3, 6, 0.4, 5000.0)


def test_where_reiter_has_no_df_the_note_says_what_is_used():
    small = d1(pool(pairs(m=3, k=2)).estimates.select(["a", "b"]), 20.0)
    assert "Barnard and Rubin" in small.notes[0]
    assert 0 < small.df2 < 20 * 21 / 23
    few = pool(pairs(), 4).test()
    assert "Barnard and Rubin" in few.notes[0]
    differing = pool(pairs(), {"a": 30, "b": 300, "c": 50}).test(["b", "c"])
    assert "smallest, 50" in differing.notes[0]


@pytest.mark.parametrize(("k", "m", "dfcom"), [(4, 2, 20.0), (2, 3, 10.0), (10, 20, 5.0), (1, 3, 30.0)])
def test_df_without_reiter_are_never_those_of_more_data(k, m, dfcom):
    rng = np.random.default_rng(1)
    near = Estimates(
        tuple("abcdefghij"[:k]), 0.8 + 0.05 * rng.normal(size=(m, k)), np.array([0.3 * np.eye(k)] * m)
    )
    ours = d1(near, dfcom)
    assert ours.df2 < dfcom
    if k == 1:
        alone = pool(list(zip(near.values, near.covariances, strict=True)), dfcom)
        assert ours.df2 == pytest.approx(float(alone.table["df"].iloc[0]))


def test_d3_and_d4_by_hand():
    # k = 2, m = 4: t = 6
    own, at = [10.0, 12.0, 9.0, 11.0], [9.0, 10.5, 8.0, 9.5]
    ours = d3(own, at, 2)
    r = 5 / (2 * 3) * (10.5 - 9.25)
    assert ours.riv == pytest.approx(r)
    assert ours.statistic == pytest.approx(9.25 / (2 * (1 + r)))
    assert ours.df2 == pytest.approx(4 + 2 * (1 + (1 - 2 / 6) / r) ** 2)
    other = d4([-100.0, -101.0], [-105.0, -107.0], -203.0, -213.5, 1)
    dbar, dhat = 11.0, 10.5
    assert other.riv == pytest.approx(3 * (dbar - dhat))
    assert other.statistic == pytest.approx(dhat / (1 + other.riv))
    assert other.df2 == pytest.approx((1 + 1 / other.riv) ** 2)


def test_negative_increase_is_noted_and_can_be_cut():
    ours = d3([5.0, 6.0], [6.0, 7.0], 1)
    assert ours.riv < 0
    assert "negative" in ours.notes[0]
    cut = d3([5.0, 6.0], [6.0, 7.0], 1, ariv="positive")
    assert (cut.riv, cut.df2) == (0.0, math.inf)
    assert d4([-100.0, -101.0], [-105.0, -107.0], -202.0, -215.5, 1, ariv="positive").riv == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: d2([1.0, -2.0], 1), "data set 2: the test statistic is -2"),
        (lambda: d2([1.0], 1), "at least two"),
        (lambda: d2([1.0, 2.0], 0), "df=0"),
        (lambda: d3([1.0, 2.0], [1.0], 1), "one deviance difference per data set"),
        (lambda: d3([1.0, math.nan], [1.0, 1.0], 1), "data set 2: the log-likelihood is not finite"),
        (lambda: d4([1.0, 2.0], [1.0, 2.0], 1.0, 1.0, 1, ariv="robust"), "n_parameters"),
        (lambda: d4([1.0, 2.0], [1.0, 2.0], math.nan, 1.0, 1), "stacked data is not finite"),
        (lambda: d4([1.0, 2.0], [1.0, 2.0], 1.0, 1.0, 1, ariv="plain"), "'plain' is not known"),
        (lambda: pool(pairs()).test("z"), "no term 'z'"),
        (lambda: pool(pairs()).test(["a", "a"]), "named twice"),
        (lambda: pool(pairs()).test([]), "no term named"),
        (lambda: pool(pairs()).test(method="D3"), "Analyses.compare"),
        (lambda: pool(pairs()).constraints("a - b", "2 * a - 2 * b"), "singular"),
    ],
)
def test_refused(call, message):
    with pytest.raises(PoolError, match=message):
        call()


def test_repr():
    assert repr(pool(pairs()).test(["a", "c"])).startswith("D1: F(2, ")


@pytest.mark.parametrize("ariv", ["robust", "psitive"])
def test_d3_refuses_an_ariv_it_does_not_have(ariv):
    with pytest.raises(PoolError, match="not known for D3"):
        d3([5.0, 6.0, 7.0], [4.0, 5.0, 6.0], 1, ariv=ariv)
