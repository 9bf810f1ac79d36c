"""What pool() takes and what it refuses, in one line that names the data set."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesmi.errors import PoolError
from bayesmi.pool import pool, pool_scalar


def pairs(m=3, k=2, names=("a", "b")):
    rng = np.random.default_rng(1)
    out = []
    for _ in range(m):
        root = rng.normal(size=(k, k + 2))
        out.append(
            (
                pd.Series(rng.normal(size=k), index=list(names)),
                pd.DataFrame(root @ root.T, index=list(names), columns=list(names)),
            )
        )
    return out


def test_every_form_gives_the_same():
    labelled = pairs()
    expected = pool(labelled).table
    forms = [
        [(q.to_dict(), u) for q, u in labelled],
        [(q, u.to_numpy()) for q, u in labelled],
        [(q.to_numpy(), u) for q, u in labelled],
        [[q.iloc[::-1], u] if i else (q, u) for i, (q, u) in enumerate(labelled)],
        [(q, u.iloc[::-1]) for q, u in labelled],
        [(q, u.iloc[:, ::-1]) for q, u in labelled],
        (pair for pair in labelled),
    ]
    for form in forms:
        pd.testing.assert_frame_equal(pool(form).table, expected, rtol=1e-13)
    plain = pool([(q.tolist(), u.to_numpy().tolist()) for q, u in labelled]).table
    assert list(plain.index) == ["Parameter.1", "Parameter.2"]
    np.testing.assert_allclose(plain, expected, rtol=1e-13)


def replaced(i, estimates=None, covariance=None):
    out = pairs()
    q, u = out[i]
    out[i] = (q if estimates is None else estimates, u if covariance is None else covariance)
    return out


EYE = np.eye(2)
CASES = {
    "one data set": (pairs(1), "at least two"),
    "none": ([], "at least two"),
    "not pairs": ([1.0, 2.0], r"data set 1: expected \(estimates, covariance\)"),
    "a frame": (pd.DataFrame({"a": [1.0]}), "must be a list"),
    "a mapping": ({"a": 1}, "must be a list"),
    "missing estimate": (
        replaced(1, pd.Series([1.0, np.nan], index=["a", "b"])),
        "data set 2: the estimate of 'b' is nan",
    ),
    "infinite estimate": (
        replaced(2, pd.Series([np.inf, 1.0], index=["a", "b"])),
        "data set 3: the estimate of 'a' is inf",
    ),
    "missing variance": (
        replaced(1, covariance=np.diag([1.0, np.nan])),
        "data set 2: the variance of 'b' is nan",
    ),
    "negative variance": (
        replaced(1, covariance=np.diag([-1.0, 1.0])),
        "data set 2: the variance of 'a' is -1",
    ),
    "zero variance": (replaced(0, covariance=np.diag([0.0, 1.0])), "data set 1: the variance of 'a' is 0"),
    "missing covariance": (
        replaced(0, covariance=np.array([[1.0, np.nan], [0.1, 1.0]])),
        "data set 1: the covariance of 'a' and 'b'",
    ),
    "unknown here only": (
        replaced(1, covariance=np.array([[1.0, np.nan], [np.nan, 1.0]])),
        "data set 2 lacks covariances",
    ),
    "asymmetric": (
        replaced(2, covariance=np.array([[1.0, 0.2], [0.3, 1.0]])),
        "data set 3: the covariance is not symmetric",
    ),
    "no covariance matrix": (
        replaced(2, covariance=np.array([[1.0, 2.0], [2.0, 1.0]])),
        "data set 3: .* not positive semi-definite",
    ),
    "a vector of errors": (
        replaced(1, covariance=np.array([0.1, 0.2])),
        r"data set 2: .*numpy.diag\(standard_errors\*\*2\)",
    ),
    "a series of errors": (
        replaced(1, covariance=pd.Series([0.1, 0.2])),
        "data set 2: a Series is no covariance matrix",
    ),
    "wrong shape": (replaced(1, covariance=np.eye(3)), r"data set 2: 2 estimates need a 2 x 2 .* \(3, 3\)"),
    "lacks a term": (
        replaced(2, pd.Series([1.0], index=["a"]), np.eye(1)),
        "data set 3: the estimates lack the term 'b'",
    ),
    "a term too many": (
        replaced(1, pd.Series([1.0, 1, 1], index=["a", "b", "c"]), np.eye(3)),
        "data set 2: .* term 'c' too many",
    ),
    "another name": (replaced(1, pd.Series([1.0, 1], index=["a", "z"]), EYE), "data set 2: .* 'b'"),
    "names only once": (replaced(1, np.ones(2), EYE), "data set 2: the estimates have no names"),
    "twice the same": (
        replaced(1, pd.Series([1.0, 1], index=["a", "a"]), EYE),
        "data set 2: two estimates are named 'a'",
    ),
    "text": (
        replaced(1, pd.Series(["x", "y"], index=["a", "b"]), EYE),
        "data set 2: the estimates must be numbers",
    ),
    "complex": (replaced(1, {"a": 1j, "b": 1.0}, EYE), "data set 2: the estimates must be numbers"),
    "a matrix of estimates": (
        replaced(1, np.ones((2, 2)), EYE),
        "data set 2: the estimates must be a vector",
    ),
    "covariance of others": (
        replaced(1, covariance=pd.DataFrame(EYE, index=["a", "z"], columns=["a", "z"])),
        "data set 2: the covariance lack",
    ),
    "rows are not columns": (
        replaced(1, covariance=pd.DataFrame(EYE, index=["a", "b"], columns=["a", "z"])),
        "data set 2: the columns",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_line(case):
    analyses, message = CASES[case]
    with pytest.raises(PoolError, match=message) as caught:
        pool(analyses)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("dfcom", "message"),
    [
        ({"a": 5}, "dfcom has no df for 'b'"),
        ({"a": 5, "b": 6, "c": 7}, "dfcom names 'c'"),
        ([1, 2, 3], "3 values for 2 terms"),
        (0, "dfcom of 'a' is 0"),
        (float("nan"), "dfcom of 'a' is nan"),
        ({"a": 3, "b": -1}, "dfcom of 'b' is -1"),
        ("residual", "not a number"),
        (object(), "must be a number"),
    ],
)
def test_bad_dfcom(dfcom, message):
    with pytest.raises(PoolError, match=message):
        pool(pairs(), dfcom)


def test_forms_of_dfcom_agree():
    expected = pool(pairs(), {"a": 5, "b": 9}).table
    for form in ([5, 9], np.array([5, 9]), pd.Series({"b": 9, "a": 5}), {"b": 9.0, "a": 5}):
        pd.testing.assert_frame_equal(pool(pairs(), form).table, expected)


def test_only_variances_are_known():
    unknown = [(q, u.where(np.eye(2, dtype=bool))) for q, u in pairs()]
    pd.testing.assert_frame_equal(pool(unknown).table, pool(pairs()).table)
    with pytest.raises(PoolError, match="only standard errors are known"):
        pool(unknown).test(["a", "b"])
    assert pool(unknown).test("a").df1 == 1


def test_unknown_rule_and_lengths():
    with pytest.raises(PoolError, match="rule 'bayes'"):
        pool(pairs(), rule="bayes")
    with pytest.raises(PoolError, match="two vectors"):
        pool_scalar([1.0, 2.0], [1.0])
    with pytest.raises(PoolError, match="variance components for 3"):
        pool(pairs(), variance_components=[pd.DataFrame()])


def test_input_is_not_changed():
    given = pairs()
    before = [(q.copy(), u.copy()) for q, u in given]
    pool(given)
    for (q, u), (q0, u0) in zip(given, before, strict=True):
        pd.testing.assert_series_equal(q, q0)
        pd.testing.assert_frame_equal(u, u0)
