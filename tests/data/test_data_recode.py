"""Recoding when asked, with a report."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmi.data import recode_missing
from bayesmi.errors import BayesmiNotice, DataError


def recode(data, codes):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        out = recode_missing(data, codes)
    assert all(w.category is BayesmiNotice for w in said)
    assert all(w.filename == __file__ for w in said)
    return out, [str(w.message) for w in said]


@pytest.mark.parametrize(
    ("series", "codes", "dtype", "n", "line"),
    [
        (pd.Series([1, -9, 5]), [-9], "float64", 1, "-9 set to missing in 1 cell; int64 became float64"),
        (pd.Series([2**60, -9, 5]), [-9], "Int64", 1, "-9 set to missing in 1 cell; int64 became Int64"),
        (pd.Series([1.5, -9, -9]), [-9], "float64", 2, "-9 set to missing in 2 cells"),
        (pd.Series([1, -9, None], dtype="Int64"), [-9], "Int64", 2, "-9 set to missing in 1 cell"),
        (
            pd.Series(["a", "NA", "?"]),
            ["NA", "?"],
            "str",
            2,
            "'NA' set to missing in 1 cell, '?' set to missing in 1 cell",
        ),
        (pd.Series(["a", "NA", "?"], dtype="string"), ["NA"], "string", 1, "'NA' set to missing in 1 cell"),
        (pd.Series(["a", "NA", -9], dtype=object), ["NA", -9], "object", 2, None),
        (
            pd.Series([True, False, True]),
            [False],
            "boolean",
            1,
            "False set to missing in 1 cell; bool became boolean",
        ),
        (pd.Series([1, -9, 5]), ["-9"], "int64", 0, "no cell equals '-9'"),
        (pd.Series(["1", "-9"]), [-9, "-9"], "str", 1, "'-9' set to missing in 1 cell, no cell equals -9"),
        (pd.Series([1, 0, 5]), [True], "int64", 0, "no cell equals True"),
    ],
)
def test_pandas(series, codes, dtype, n, line):
    data = pd.DataFrame({"x": series, "other": range(len(series))})
    before = data.copy()
    out, said = recode(data, {"x": codes})
    assert out["x"].dtype == dtype
    assert out["x"].isna().sum() == n
    kept = out["x"].notna()
    assert out["x"][kept].tolist() == data["x"][kept].tolist()
    if line is not None:
        assert said == [f"column 'x': {line}"]
    pd.testing.assert_frame_equal(data, before)
    pd.testing.assert_series_equal(out["other"], data["other"])


def test_a_recoded_category_leaves_the_dtype():
    data = pd.DataFrame({"x": pd.Categorical(["a", "?", "b"], ["b", "?", "a", "z"], ordered=True)})
    out, said = recode(data, {"x": ["?"]})
    assert out["x"].dtype == pd.CategoricalDtype(["b", "a", "z"], ordered=True)
    assert out["x"].isna().tolist() == [False, True, False]
    assert said == ["column 'x': '?' set to missing in 1 cell"]


def test_star_is_for_every_column_not_named():
    data = pd.DataFrame({"a": [1, -9, 3], "b": [-9, 2, 3], "c": ["u", "?", "v"], "d": [5, 6, 7]})
    out, said = recode(data, {"*": [-9, "?"], "b": [2]})
    assert out.isna().sum().to_dict() == {"a": 1, "b": 1, "c": 1, "d": 0}
    assert out["d"].dtype == "int64"
    assert [line.split(":")[0] for line in said] == ["column 'a'", "column 'b'", "column 'c'"]
    _, said = recode(data, {"*": [-77]})
    assert said == ["no column holds -77: nothing recoded"]


@pytest.mark.parametrize(
    ("series", "codes"),
    [
        (pl.Series("x", [1, -9, None]), [-9]),
        (pl.Series("x", [1.5, -9.0, None]), [-9]),
        (pl.Series("x", ["a", "?", None]), ["?"]),
        (pl.Series("x", ["a", "?", None], dtype=pl.Categorical), ["?"]),
        (pl.Series("x", ["a", "?", None], dtype=pl.Enum(["a", "?"])), ["?"]),
    ],
)
def test_polars(series, codes):
    table = pl.DataFrame([series])
    out, said = recode(table, {"x": [*codes, "never"]})
    assert out.schema == table.schema
    assert out["x"].is_null().to_list() == [False, True, True]
    assert table["x"].null_count() == 1
    assert said == [f"column 'x': {codes[0]!r} set to missing in 1 cell, no cell equals 'never'"]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ({"aeg": [-9]}, "cannot recode 'aeg', which is not in the table: did you mean 'age'"),
        ({"age": "NA"}, r"must be a list: \{'age': \['NA'\]\}"),
        ({"age": -9}, "must be a list"),
        ({"age": []}, "are empty"),
    ],
)
def test_impossible_codes_are_refused(codes, message):
    with pytest.raises(DataError, match=message):
        recode_missing(pd.DataFrame({"age": [1, np.nan]}), codes)


def test_true_is_not_one():
    data = pd.DataFrame({"x": pd.Series([True, 1, 1.0, "1"], dtype=object)})
    out, said = recode(data, {"x": [1]})
    assert out["x"].isna().tolist() == [False, True, True, False]
    assert said == ["column 'x': 1 set to missing in 2 cells"]
