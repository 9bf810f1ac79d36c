"""Tables that cannot be used, each refused in one line."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError

TWICE = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["a", "b", "a"])
SPARSE = pd.DataFrame({"x": pd.arrays.SparseArray([0, 0, 1])})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (TWICE, "column names occur more than once: 'a'"),
        (pd.DataFrame(), "the table is empty: 0 rows, 0 columns"),
        (pd.DataFrame({"a": []}), "the table is empty: 0 rows, 1 column"),
        (pd.DataFrame(index=[1, 2]), "the table is empty: 2 rows, 0 columns"),
        (pl.DataFrame(), "the table is empty"),
        (pd.DataFrame(np.eye(2)), r"column name 0 is not a string: rename .*astype\(str\)"),
        (pd.DataFrame(np.eye(2), columns=[("a", "b"), ("a", "c")]), "has several levels"),
        (
            pd.DataFrame({"x": [1.0, np.inf, -np.inf]}, index=list("pqr")),
            "'x' holds infinite values in rows q, r",
        ),
        (pd.DataFrame({"x": [1.0, np.inf]}, index=[4, 4]), "infinite values in row position 1"),
        (pl.DataFrame({"x": [1.0, float("inf")]}), "'x' holds infinite values in row 1"),
        (SPARSE, "'x' is sparse"),
        ("data.csv", r"read it first, bmi.read_csv\('data.csv'\)"),
        ({"x": [1]}, "data is a dict: give a pandas or polars DataFrame"),
        (pl.DataFrame({"x": [1]}).lazy(), "call .collect"),
    ],
)
def test_refused_in_one_line(data, message):
    with pytest.raises(DataError, match=message) as caught:
        IncompleteFrame.from_table(data)
    assert "\n" not in str(caught.value)


def test_many_rows_are_cut_short():
    data = pd.DataFrame({"x": [np.inf] * 20 + [1.0]})
    with pytest.raises(DataError, match=r"in rows 0, 1, 2, 3, 4 and 15 more: "):
        IncompleteFrame.from_table(data)


def test_infinite_identifiers_are_carried_along():
    data = pd.DataFrame({"x": [1.0, np.inf]})
    assert IncompleteFrame.from_table(data, kinds={"x": "identifier"}).columns["x"].kind == "identifier"
