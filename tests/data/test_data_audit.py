"""What the audit names, and what it leaves alone."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmi.data import audit
from bayesmi.datasets import load
from bayesmi.errors import DataError


def issues(data):
    table = audit(data).table
    assert list(table.columns) == ["column", "issue", "values", "count", "suggestion"]
    return {
        (row.column, row.issue): (row.values_, row.count_)
        for row in table.rename(columns={"values": "values_", "count": "count_"}).itertuples()
    }


def sentinel(values):
    found = audit(pd.DataFrame({"x": values})).table
    found = found[found["issue"].str.contains("stands out")]
    return [] if found.empty else found["values"].iloc[0].split(", ")


@pytest.mark.parametrize("word", ["NA", "na", "nan", "NaN", "null", "None", "", " ", ".", "?", "-", "N/A"])
def test_words_that_look_missing(word):
    values = ["yes", "no", "no", word, word]
    found = issues(pd.DataFrame({"x": values}))
    assert found["x", "text looks like a missing code"] == (repr(word), 2)
    assert issues(pl.DataFrame({"x": values})) == found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([31, 45, 28, 52, -99], ["-99"]),
        ([31, 45, 28, 52, -9, -9], ["-9"]),
        ([31, 45, 28, 52, 99], ["99"]),
        ([3.5, 4.5, 2.8, 5.2, 999.0], ["999"]),
        ([1, 2, 3, 4, 5, 98, 99], ["98", "99"]),
        ([1, 2, 3, 4, -8, -9, 5], ["-9", "-8"]),
        ([30, 45, 28, 52, -1], ["-1"]),
        ([0, 1, 0, 1, 9, 9], ["9"]),
        ([1, 2, 3, 4, 5, 8, 9, 9, 8], ["8", "9"]),
        ([0, 10_000, 25_000, 40_000, -9], ["-9"]),
        ([95, 96, 97, 98, 99, 100], []),
        ([95, 96, 97, 98, 99], []),
        ([1, 2, 3, 99, 200, 300], []),
        ([-8, -5, -1, 0, 3, 8], []),
        ([-1, 0, 1, 0, 1], []),
        ([0, 1, 2, 3, 4, 5, 8], []),
        ([0, 3, 6, 9, 9, 12], []),
        ([-1, 1, -1, 1], []),
        ([99, 99], []),
        (list(range(1, 100)), []),
    ],
)
def test_numbers_that_stand_out(values, expected):
    assert sentinel(values) == expected
    assert sentinel([*values, None]) == expected


def test_marks_for_missing_that_differ():
    found = issues(pd.DataFrame({"x": pd.Series(["a", None, np.nan, pd.NA, "b"], dtype=object)}))
    assert found["x", "several marks for missing"] == ("NA and NaN and None", 3)
    found = issues(pl.DataFrame({"x": [1.5, None, float("nan")]}))
    assert found["x", "several marks for missing"] == ("NaN and null", 2)
    assert issues(pd.DataFrame({"x": ["a", None, "b"]})) == {}


def test_dtypes_widened_by_missing_values():
    data = pd.DataFrame(
        {"b": [True, None, False], "i": [1.0, np.nan, 5.0], "f": [1.5, np.nan, 2.0], "k": [1, 2, 3]}
    )
    assert set(issues(data)) == {
        ("b", "booleans stored as object through missing values"),
        ("i", "whole numbers stored as float through missing values"),
    }


def test_numbers_stored_as_text():
    data = pd.DataFrame(
        {
            "x": ["1.5", "2", "?"],
            "c": ["1,5", "2,25", "3"],
            "key": ["006", "007", "010"],
            "t": ["a", "1", "2"],
        }
    )
    found = issues(data)
    assert ("x", "numbers stored as text") in found
    assert ("c", "numbers stored as text with decimal commas") in found
    assert not any(column in ("key", "t") for column, _ in found)


def test_spellings_spaces_infinite_and_empty_columns():
    data = pd.DataFrame({"a": ["yes", "Yes ", "no"], "b": [np.inf, 1.5, 2], "c": [None, None, None]})
    found = issues(data)
    assert ("a", "levels differ only by case or spaces") in found
    assert ("a", "spaces around text") in found
    assert ("b", "infinite value") in found
    assert ("c", "no observed value") in found


def test_clean_tables_are_clean():
    for name in ("sleepstudy", "nhanes2", "popmis"):
        assert not [i for _, i in issues(load(name)) if "looks like" in i or "stands out" in i]
    assert str(audit(load("sleepstudy"))) == "Audit of 180 rows, 3 columns: nothing suspicious"


def test_text_is_readable_and_nothing_is_changed():
    data = pd.DataFrame({"age": [31, 45, 28, -99], "smoker": ["yes", "?", "no", "no"]})
    before = data.copy()
    text = str(audit(data))
    assert "2 to look at (nothing was changed)" in text
    assert "bmi.recode_missing(df, {'age': [-99]})" in text
    assert "the other values run from 28 to 45" in text
    assert len(audit(data)) == 2
    pd.testing.assert_frame_equal(data, before)


def test_categories_that_pandas_swallows(shared_data):
    found = issues(shared_data / "impact_incomplete.csv")
    assert found["pupil", "category swallowed by pandas.read_csv"] == ("'None'", 2029)
    table = audit(shared_data / "impact_incomplete.csv").table
    assert "pandas.read_csv would count 3213 missing" in table["suggestion"].iloc[0]


def test_share_social_class_99(shared_data):
    assert issues(shared_data / "share.csv")["scpar", "number stands out like a missing code"] == ("99", 441)


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        audit(tmp_path / "none.csv")
