"""md.pattern, against R's printed tables."""

import numpy as np
import pandas as pd
import polars as pl

from bayesmi.data import IncompleteFrame, patterns
from bayesmi.datasets import load


def test_nhanes_as_mice_prints_it():
    table = patterns(load("nhanes"))
    assert list(table.columns) == ["age", "hyp", "bmi", "chl", ""]
    assert list(table.index) == [13, 3, 1, 1, 7, ""]
    assert table.to_numpy().tolist() == [
        [1, 1, 1, 1, 0],
        [1, 1, 1, 0, 1],
        [1, 1, 0, 1, 1],
        [1, 0, 0, 1, 2],
        [1, 0, 0, 0, 3],
        [0, 8, 9, 10, 27],
    ]
    assert set(table.dtypes.astype(str)) == {"int64"}


def test_a_polars_table_and_a_frame_give_the_same():
    data = load("nhanes2")
    expected = patterns(data)
    pd.testing.assert_frame_equal(patterns(IncompleteFrame.from_table(data)), expected)
    pd.testing.assert_frame_equal(patterns(pl.from_pandas(data)), expected)


def test_complete_table_has_one_pattern():
    table = patterns(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
    assert table.to_numpy().tolist() == [[1, 1, 0], [0, 0, 0]]
    assert list(table.index) == [2, ""]


def test_tables_that_no_model_takes_have_patterns_too():
    assert len(patterns(pd.DataFrame({"a": [np.inf, None]}))) == 3


def test_absent_cells_are_neither_missing_nor_observed():
    data = pd.DataFrame({"a": [0, 1, 1], "b": [np.nan, np.nan, 1.0]})
    table = patterns(IncompleteFrame.from_table(data, not_applicable={"b": "a == 0"}))
    assert list(table.index) == [1, 1, 1, ""]
    assert table["b"].isna().tolist() == [False, False, True, False]
    assert table[""].tolist() == [0, 1, 0, 1]


def test_counts_agree_with_brute_force_on_many_columns():
    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.normal(size=(300, 45)), columns=[f"v{j}" for j in range(45)])
    data = data.mask(rng.random(data.shape) < 0.03)
    table = patterns(data)
    expected = data.isna().value_counts()
    assert sorted(table.index[:-1]) == sorted(expected.tolist())
    assert sum(table.index[:-1]) == 300
    assert table.iloc[-1, -1] == data.isna().to_numpy().sum()
    seen = ["".join(map(str, 1 - row)) for row in table.iloc[:-1, :-1].to_numpy()]
    assert seen == sorted(seen)
