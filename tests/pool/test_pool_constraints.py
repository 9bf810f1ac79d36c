"""Functions of the estimates: values and derivatives, and nothing that is not arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmi.errors import PoolError
from bayesmi.pool import pool
from bayesmi.pool.expressions import Dual, parse_expression

TERMS = ("a", "b", "a:b", "C(g)[T.x]")


def value_at(text, point):
    expression = parse_expression(text, TERMS)
    basis = np.eye(len(TERMS))
    return expression({name: Dual(point[j], basis[j]) for j, name in enumerate(TERMS)})


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("a - b", lambda a, b, c, d: a - b),
        ("a - b = 1.5", lambda a, b, c, d: a - b - 1.5),
        ("a == b", lambda a, b, c, d: a - b),
        ("2 * `a:b` / (1 + b)", lambda a, b, c, d: 2 * c / (1 + b)),
        ("exp(a) * log(b) - `C(g)[T.x]`", lambda a, b, c, d: np.exp(a) * np.log(b) - d),
        ("-a ** 2 + b ** a", lambda a, b, c, d: -(a**2) + b**a),
        (
            "sqrt(b) + abs(-a) + tanh(a) + atanh(a) + logit(a) + expit(b) - +a",
            lambda a, b, c, d: (
                np.sqrt(b)
                + abs(-a)
                + np.tanh(a)
                + np.arctanh(a)
                + np.log(a / (1 - a))
                + 1 / (1 + np.exp(-b))
                - a
            ),
        ),
        ("a ** 0 + b", lambda a, b, c, d: 1 + b),
    ],
)
def test_value_and_derivative(text, function):
    point = np.array([0.3, 1.7, -0.4, 0.9])
    found = value_at(text, point)
    assert found.value == pytest.approx(function(*point), rel=1e-13)
    step = 1e-6 * np.eye(4)
    numerical = [(function(*(point + s)) - function(*(point - s))) / 2e-6 for s in step]
    np.testing.assert_allclose(found.gradient, numerical, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a - z", "names 'z'"),
        ("a - `a.b`", "names 'a.b'"),
        ("a +", "cannot be read"),
        ("", "cannot be read"),
        ("1 = 2", "names no term"),
        ("a = b = 1", "more than one '='"),
        ("__import__('os').system('x') + a", "not arithmetic|not known"),
        ("a.real", "not arithmetic"),
        ("[a for a in b]", "not arithmetic|names"),
        ("a if b else a", "not arithmetic"),
        ("sin(a)", "function 'sin' is not known"),
        ("log(a, b)", "one argument"),
        ("a and b", "not arithmetic"),
        ("a + 'x'", "not arithmetic"),
        ("a + True", "not arithmetic"),
        ("a < b", "not arithmetic"),
        pytest.param("-" * 100_000 + "a", "nested too deeply", id="minus"),
    ],
)
def test_refused(text, message):
    with pytest.raises(PoolError, match=message):
        parse_expression(text, TERMS)


def pairs(m=6):
    rng = np.random.default_rng(2)
    out = []
    for _ in range(m):
        root = rng.normal(size=(2, 6))
        out.append(({"a": rng.normal(1, 0.1), "b": rng.normal(2, 0.1)}, root @ root.T / 10))
    return out


def test_a_linear_function_is_pooled_as_if_it_were_an_estimate():
    analyses = pairs()
    direct = pool([({"d": q["a"] - q["b"]}, [[u[0, 0] + u[1, 1] - 2 * u[0, 1]]]) for q, u in analyses], 30)
    ours = pool(analyses, {"a": 30, "b": 80}).transform({"d": "a - b"})
    np.testing.assert_allclose(ours.table, direct.table, rtol=1e-12)


def test_a_transform_depends_on_covariances_only_where_it_must():
    analyses = pairs()
    unknown = [(q, np.where(np.eye(2, dtype=bool), u, np.nan)) for q, u in analyses]
    one = pool(unknown).transform({"e": "exp(a)"}).table
    np.testing.assert_allclose(one, pool(analyses).transform({"e": "exp(a)"}).table, rtol=1e-12)
    with pytest.raises(PoolError, match="only standard errors"):
        pool(unknown).transform({"e": "a * b"})


def test_no_value_or_no_slope_is_said():
    with pytest.raises(PoolError, match="data set 1: 'log\\(-a\\)' has no finite value"):
        pool(pairs()).transform({"log(-a)": "log(-a)"})
    with pytest.raises(PoolError, match="slope zero"):
        pool(pairs()).transform({"zero": "a - a"})
    with pytest.raises(PoolError, match="no constraint given"):
        pool(pairs()).constraints()


def test_a_term_may_have_the_name_of_a_placeholder():
    pooled = pool([({"term__0": 1.0 + i, "b": 2.0 * i}, np.eye(2)) for i in range(3)])
    found = pooled.transform({"sum": "`b` + term__0"}).table.loc["sum", "estimate"]
    assert found == pytest.approx(4.0)  # not twice b
    with pytest.raises(PoolError, match="not arithmetic"):
        pooled.transform({"huge": "b * 1" + "0" * 400})


def test_a_sum_of_many_terms_is_read():
    function = parse_expression(" + ".join(["a", "b"] * 1000), ["a", "b"])
    found = function({"a": Dual(2.0, np.array([1.0, 0.0])), "b": Dual(-1.0, np.array([0.0, 1.0]))})
    assert found.value == 1000.0
    np.testing.assert_array_equal(found.gradient, [1000.0, 1000.0])
