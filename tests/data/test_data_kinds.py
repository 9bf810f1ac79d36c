"""Kinds and codings found from dtype and values, and overridden."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmi.data import IncompleteFrame, Kind
from bayesmi.errors import DataError


def read(values, **options):
    return IncompleteFrame.from_table(pd.DataFrame({"x": values}), **options).columns["x"]


FOUND = [
    ([0.5, 1.25, 3.0, None], Kind.CONTINUOUS),
    ([1, 2, 3, 4], Kind.CONTINUOUS),
    ([0.0, 1.0, None, 1.0], Kind.BINARY),
    ([1, 2, 2, 1], Kind.BINARY),
    ([7, 7, 7, 7], Kind.CONTINUOUS),
    ([True, False, True, True], Kind.BINARY),
    ([True, None, False, True], Kind.BINARY),
    ([True, None, None, True], Kind.BINARY),
    (pd.array([1, None, 2, 1], dtype="Int64"), Kind.BINARY),
    (pd.array([1.5, None, 2, 1], dtype="Float32"), Kind.CONTINUOUS),
    (pd.array([True, None, True, True], dtype="boolean"), Kind.BINARY),
    (pd.array([1, None, 2, 5], dtype="int64[pyarrow]"), Kind.CONTINUOUS),
    (pd.array(["a", None, "b", "b"], dtype="string"), Kind.BINARY),
    (pd.array(["a", None, "b", "b"], dtype="string[pyarrow]"), Kind.BINARY),
    (["a", "b", "c", "a"], Kind.NOMINAL),
    (["a", "b", "c", "d"], Kind.IDENTIFIER),
    (["a", "b", None, None], Kind.BINARY),
    (pd.Categorical(["a", "b", "c", "d"]), Kind.NOMINAL),
    (pd.Categorical(["a", "b", "a", None]), Kind.BINARY),
    (pd.Categorical(["a", "b", "c", None], ordered=True), Kind.ORDINAL),
    (pd.to_datetime(["2020-01-01", None, "2020-01-02", "2020-01-02"]), Kind.IDENTIFIER),
    ([datetime.date(2020, 1, 1), None, None, None], Kind.IDENTIFIER),
    ([1, "a", None, 2.5], Kind.IDENTIFIER),
    ([[1], [2], None, [3]], Kind.IDENTIFIER),
    ([2**60, 2**60 + 1, 5, 7], Kind.IDENTIFIER),
    ([None, None, None, np.nan], Kind.CONTINUOUS),
    (pd.Series([None] * 4, dtype="str"), Kind.NOMINAL),
]


@pytest.mark.parametrize(("values", "kind"), FOUND)
def test_kind_is_found(values, kind):
    column = read(values)
    assert column.kind is kind
    assert column.missing.tolist() == pd.isna(pd.Series(values)).tolist()


def test_binary_numbers_enter_as_numbers_with_their_support():
    column = read([1.0, 2.0, None])
    assert column.is_numeric
    assert column.support == (1.0, 2.0)
    assert column.categories is None
    np.testing.assert_array_equal(column.values, [1.0, 2.0, np.nan])


def test_booleans_enter_as_zero_and_one():
    column = read([True, None, False])
    assert column.is_numeric
    assert column.support == (0.0, 1.0)
    np.testing.assert_array_equal(column.values, [1.0, np.nan, 0.0])


def test_text_is_coded_by_sorted_labels():
    column = read(["b", None, "a", "c", "a"])
    assert not column.is_numeric
    assert column.categories == ("a", "b", "c")
    np.testing.assert_array_equal(column.values, [1, np.nan, 0, 2, 0])


def test_categories_keep_their_order_and_lose_empty_levels():
    dtype = pd.CategoricalDtype(["low", "never", "mid", "high"], ordered=True)
    frame = IncompleteFrame.from_table(
        pd.DataFrame({"x": pd.Series(["high", "low", None, "mid"], dtype=dtype)})
    )
    column = frame.columns["x"]
    assert column.categories == ("low", "mid", "high")
    np.testing.assert_array_equal(column.values, [2, 0, np.nan, 1])
    assert frame.notices == (
        "column 'x': level never occurs ('never'): left out of the coding, kept in the dtype",
    )
    assert frame.fill({"x": [1]})["x"].dtype == dtype


def test_levels_of_numbers_are_codes_with_plain_labels():
    column = read([3.0, None, 1.0, 2.5], kinds={"x": "ordinal"})
    assert column.categories == (1, 2.5, 3)
    assert column.kind is Kind.ORDINAL
    np.testing.assert_array_equal(column.values, [2, np.nan, 0, 1])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 2, 1], "continuous"),
        ([0, 3, 2, 1], "count"),
        ([1, 2, 3, 1], "nominal"),
        ([1, 2, 3, 1], "identifier"),
        (["a", "b", "c", "d"], "nominal"),
        (["a", "b", "a", "b"], "nominal"),
        (["a", "b", "c", "c"], "identifier"),
        (pd.Categorical(["a", "b", "c", None], ordered=True), "nominal"),
    ],
)
def test_kind_is_overridden(values, kind):
    assert read(values, kinds={"x": kind}).kind == kind


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (["a", "b", "c"], "continuous", "cannot be continuous: it holds labels"),
        (["a", "b", "c"], "count", "cannot be count"),
        (["a", "b", "c"], "binary", "exactly two observed levels, it has 3"),
        (["a", "b", "c"], "ordinal", "ordered=True"),
        ([1, 2, 3], "binary", "exactly two distinct observed values, it has 3"),
        ([1, 2.5, 3], "count", "it holds 2.5"),
        ([1, -2, 3], "count", "it holds -2"),
        ([True, False, None], "continuous", "it holds booleans"),
        (pd.to_datetime(["2020-01-01"] * 3), "continuous", "holds dates or times"),
        ([1, 2, 3], "continous", "did you mean 'continuous'"),
    ],
)
def test_impossible_kinds_are_refused(values, kind, message):
    with pytest.raises(DataError, match=message) as caught:
        read(values, kinds={"x": kind})
    assert "\n" not in str(caught.value)
    assert "'x'" in str(caught.value)


def test_unknown_column_in_kinds_is_refused():
    with pytest.raises(DataError, match="did you mean 'popular'"):
        IncompleteFrame.from_table(pd.DataFrame({"popular": [1.0]}), kinds={"populr": "count"})


def test_polars_dtypes():
    table = pl.DataFrame(
        {
            "i": [1, 2, None, 1],
            "f": [0.5, float("nan"), None, 1.0],
            "b": [True, None, False, True],
            "s": ["x", "y", None, "y"],
            "d": [datetime.date(2020, 1, 1), None, None, None],
            "c": pl.Series(["u", "v", None, "w"], dtype=pl.Categorical),
            "e": pl.Series(["lo", "hi", None, "mid"], dtype=pl.Enum(["lo", "mid", "none", "hi"])),
        }
    )
    frame = IncompleteFrame.from_table(table)
    kinds = {name: c.kind.value for name, c in frame.columns.items()}
    assert kinds == {
        "i": "binary",
        "f": "binary",
        "b": "binary",
        "s": "binary",
        "d": "identifier",
        "c": "nominal",
        "e": "nominal",
    }
    assert frame.columns["f"].missing.tolist() == [False, True, True, False]
    assert frame.columns["e"].categories == ("lo", "mid", "hi")
    assert any("'f': NaN in 1 cell" in line for line in frame.notices)
    assert IncompleteFrame.from_table(table, kinds={"e": "ordinal"}).columns["e"].kind is Kind.ORDINAL


def test_dates_and_objects_are_accepted_with_one_notice_each():
    data = pd.DataFrame(
        {"y": [1.0, 2.5], "day": pd.to_datetime(["2020-01-01", "2020-01-02"]), "o": [[1], {}]}
    )
    notices = IncompleteFrame.from_table(data).notices
    assert len(notices) == 2
    assert "'day' holds dates or times" in notices[0]
    assert "'o' mixes or nests types" in notices[1]
    assert not IncompleteFrame.from_table(data, kinds={"day": "identifier", "o": "identifier"}).notices


def test_arrays_of_a_column_are_read_only():
    column = read([1.0, None, 2.5])
    for array in (column.values, column.missing, column.absent):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_repr_is_a_short_table():
    data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [3, 3, 5, 5], "y": [1.0, None, 2.5, 4.0]})
    lines = repr(IncompleteFrame.from_table(data, groups=["school"])).splitlines()
    assert lines[0] == "IncompleteFrame: 4 rows, 3 columns, 2 missing-data patterns"
    assert lines[1].split() == ["column", "kind", "level", "observed", "missing"]
    assert lines[4].split() == ["y", "continuous", "3", "1"]
    assert lines[-1] == "groups: school (2)"
    assert IncompleteFrame.from_table(data).columns["y"].observed.sum() == 3
