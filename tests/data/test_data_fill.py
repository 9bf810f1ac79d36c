"""Completed tables: dtypes, index, column order, observed cells bit by bit."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError


def filled(series, cells, **options):
    data = pd.DataFrame(
        {"before": range(len(series)), "x": series, "after": list("ab" * len(series))[: len(series)]}
    )
    frame = IncompleteFrame.from_table(data, **options)
    out = frame.fill({"x": cells})
    assert list(out.columns) == list(data.columns)
    assert_frame_equal(out[["before", "after"]], data[["before", "after"]])
    kept = ~frame.columns["x"].missing
    pd.testing.assert_series_equal(out["x"][kept], data["x"][kept], check_dtype=False)
    assert_frame_equal(frame.original(), data)
    return out["x"]


@pytest.mark.parametrize(
    ("series", "cells", "dtype", "value"),
    [
        (pd.Series([1.5, None, 3.25, 9]), [2.125], "float64", 2.125),
        (pd.Series([1.5, None, 3.25, 9], dtype="float32"), [2.125], "float32", 2.125),
        (pd.Series([1.5, None, 3.25, 9], dtype="Float64"), [2.125], "Float64", 2.125),
        (pd.Series([1.5, None, 3.25, 9], dtype="Float32"), [2.125], "Float32", 2.125),
        (pd.Series([1.5, None, 3.25, 9], dtype="double[pyarrow]"), [2.125], "double[pyarrow]", 2.125),
        (pd.Series([1, None, 2], dtype="Int64"), [2.0], "Int64", 2),
        (pd.Series([1, None, 2, 5], dtype="Int64"), [2.5], "Float64", 2.5),
        (pd.Series([1, None, 2, 5], dtype="Int8"), [2.5], "Float64", 2.5),
        (pd.Series([1, None, 2], dtype="int64[pyarrow]"), [2.0], "int64[pyarrow]", 2),
        (pd.Series([1, None, 2, 5], dtype="int64[pyarrow]"), [2.5], "double[pyarrow]", 2.5),
        (pd.Series([True, None, False]), [1.0], "bool", True),
        (pd.Series([True, pd.NA, False], dtype="boolean"), [0.0], "boolean", False),
        (pd.Series([True, None, False], dtype="bool[pyarrow]"), [1.0], "bool[pyarrow]", True),
        (pd.Series(["a", None, "b"]), [1.0], "str", "b"),
        (pd.Series(["a", None, "b"], dtype="string"), [0.0], "string", "a"),
        (pd.Series(["a", None, "b"], dtype="string[pyarrow]"), [0.0], "string[pyarrow]", "a"),
        (pd.Series(["a", None, "b"], dtype=object), [1.0], "object", "b"),
        (pd.Series([1.5, None, 2, 4], dtype=object), [2.25], "object", 2.25),
    ],
)
def test_dtype_comes_back(series, cells, dtype, value):
    out = filled(series, cells)
    assert out.dtype == dtype
    assert out[1] == value
    assert type(out.array) is type(pd.Series([], dtype=dtype).array)


@pytest.mark.parametrize("ordered", [True, False])
def test_categories_and_their_order_come_back(ordered):
    dtype = pd.CategoricalDtype(["c", "empty", "a", "b"], ordered=ordered)
    out = filled(pd.Series(["b", None, "a", "c", None], dtype=dtype), [0, 2])
    assert out.dtype == dtype
    assert out.tolist() == ["b", "c", "a", "c", "b"]


def test_categories_that_are_no_text():
    out = filled(pd.Series([1, None, 3, 2]).astype("category"), [2])
    assert out.tolist() == [1.0, 3.0, 3.0, 2.0]
    cut = pd.cut(pd.Series([1.0, np.nan, 5.0, 9.0]), [0, 3, 6, 10])
    assert filled(cut, [1])[1] == pd.Interval(3, 6)


def test_levels_on_numbers_come_back_as_numbers():
    out = filled(pd.Series([10, None, 30, 20], dtype="Int64"), [2], kinds={"x": "ordinal"})
    assert out.dtype == "Int64"
    assert out[1] == 30
    out = filled(pd.Series([1.5, None, 3.0, 2.0]), [1], kinds={"x": "nominal"})
    assert out.tolist() == [1.5, 2.0, 3.0, 2.0]


def test_integer_dtype_stays_when_values_are_whole():
    data = pd.DataFrame({"x": pd.array([1, None, 5, 7], dtype="Int64")})
    frame = IncompleteFrame.from_table(data)
    assert frame.fill({"x": [3.0]}, integer_valued={"x"})["x"].dtype == "Int64"
    assert frame.fill({"x": [3.0]})["x"].dtype == "Float64"
    with pytest.raises(DataError, match=r"'x' cannot take the value 2\.5"):
        frame.fill({"x": [2.5]}, integer_valued={"x"})
    assert frame.dtype_notices(["x"]) == (
        "column 'x' is Int64 and comes back as Float64: its imputations are not whole numbers",
    )
    assert frame.dtype_notices(["x"], ["x"]) == ()


def test_integers_that_do_not_fit_are_refused():
    frame = IncompleteFrame.from_table(pd.DataFrame({"x": pd.array([1, None, 5], dtype="UInt8")}))
    with pytest.raises(DataError, match="cannot take the value 300: it takes 1 or 5"):
        frame.fill({"x": [300.0]})
    frame = IncompleteFrame.from_table(pd.DataFrame({"x": pd.array([1, None, 5, 7], dtype="UInt8")}))
    with pytest.raises(DataError, match="UInt8, which cannot hold 300"):
        frame.fill({"x": [300.0]}, integer_valued=["x"])
    frame = IncompleteFrame.from_table(pd.DataFrame({"x": pd.Series([1, None, 5.5, 7], dtype="float16")}))
    with pytest.raises(DataError, match="float16, which cannot hold 1000000"):
        frame.fill({"x": [1e6]})


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"z": [1.0]}, "'z', which is not in the table"),
        ({"y": [1.0, 2.0]}, "'y' has 1 missing cells, got values of shape"),
        ({"y": [np.nan]}, "'y' cannot take the value nan"),
        ({"y": [np.inf]}, "'y' cannot take the value inf"),
        ({"s": [2.0]}, "'s' cannot take the value 2: it takes codes 0 to 1 of 'a', 'b'"),
        ({"s": [0.5]}, "'s' cannot take the value 0.5"),
        ({"b": [0.5]}, "'b' cannot take the value 0.5: it takes 1 or 2"),
        ({"d": [0.5]}, "identifiers are not imputed"),
    ],
)
def test_impossible_cells_are_refused(cells, message):
    data = pd.DataFrame(
        {
            "y": [1.5, None, 3, 4],
            "s": ["a", None, "b", "b"],
            "b": [1, None, 2, 2],
            "d": pd.to_datetime(["2020-01-01", None, None, None]),
        }
    )
    with pytest.raises(DataError, match=message):
        IncompleteFrame.from_table(data).fill(cells)


def test_columns_not_named_stay_incomplete_and_untouched():
    data = pd.DataFrame({"y": [1.5, None, 3, 4], "z": [None, 2.0, 5.0, 6.0]}, index=["c", "a", "b", "d"])
    out = IncompleteFrame.from_table(data).fill({"y": [2.5]})
    assert out.loc["a", "y"] == 2.5
    assert out["z"].isna().tolist() == [True, False, False, False]
    assert np.shares_memory(out["z"].to_numpy(), data["z"].to_numpy())
    assert data["y"].isna().sum() == 1


def test_absent_cells_come_back_missing():
    data = pd.DataFrame({"a": [0, 1, 1, 0], "b": [None, True, None, None], "t": [None, "u", None, None]})
    data["t"] = ["w", "u", None, "u"]
    frame = IncompleteFrame.from_table(data, not_applicable={"b": "a == 0"})
    out = frame.fill({"b": [1.0], "t": [0.0]})
    assert out["b"].dtype == object
    assert out["b"].isna().tolist() == [True, False, False, True]
    assert out["b"][2] is True


def test_repeated_index_labels_are_kept():
    data = pd.DataFrame({"y": [1.5, None, 3.0, 4.0]}, index=[7, 7, 7, 7])
    out = IncompleteFrame.from_table(data).fill({"y": [2.0]})
    assert out.index.tolist() == [7, 7, 7, 7]
    assert out["y"].tolist() == [1.5, 2.0, 3.0, 4.0]


def test_later_changes_to_the_users_table_do_not_reach_the_frame():
    data = pd.DataFrame({"y": [1.5, None, 3.0, 4.0]})
    frame = IncompleteFrame.from_table(data)
    data.loc[0, "y"] = 99.0
    assert frame.columns["y"].values[0] == 1.5
    assert frame.fill({"y": [2.0]})["y"][0] == 1.5


def test_frame_can_be_sent_to_another_process():
    data = pd.DataFrame({"g": [1, 1, 2, 2], "y": [1.5, None, 3.0, 4.0]})
    frame = IncompleteFrame.from_table(data, groups=["g"])
    again = pickle.loads(pickle.dumps(frame))
    assert repr(again) == repr(frame)
    assert_frame_equal(again.fill({"y": [2.0]}), frame.fill({"y": [2.0]}))


POLARS = [
    pl.Series("x", [1.5, None, float("nan"), 2.0]),
    pl.Series("x", [1.5, None, 2.5, 2.0], dtype=pl.Float32),
    pl.Series("x", [1, None, 2, 2]),
    pl.Series("x", [1, None, 2, 2], dtype=pl.UInt8),
    pl.Series("x", [True, None, False, True]),
    pl.Series("x", ["a", None, "b", "a"]),
    pl.Series("x", ["a", None, "b", "a"], dtype=pl.Categorical),
    pl.Series("x", ["a", None, "b", "a"], dtype=pl.Enum(["b", "never", "a"])),
]


@pytest.mark.parametrize("series", POLARS, ids=lambda s: str(s.dtype))
def test_polars_schema_comes_back(series):
    table = pl.DataFrame({"k": [datetime.date(2020, 1, 1)] * 4, "x": series, "z": [1, 2, 3, 4]})
    frame = IncompleteFrame.from_table(table)
    column = frame.columns["x"]
    value = 1.0 if column.support is None else column.support[1]
    out = frame.fill({"x": np.full(column.n_missing, value)})
    assert isinstance(out, pl.DataFrame)
    assert out.schema == table.schema
    assert out["x"].null_count() == 0
    kept = pl.Series(~column.missing)
    assert out["x"].filter(kept).equals(table["x"].filter(kept))
    assert out.drop("x").equals(table.drop("x"))
    assert frame.original().equals(table)


def test_polars_integers_become_float_only_when_they_must():
    frame = IncompleteFrame.from_table(pl.DataFrame({"x": [1, None, 2, 5]}))
    assert frame.fill({"x": [2.5]}).schema == {"x": pl.Float64}
    assert frame.fill({"x": [2.0]}, integer_valued=["x"]).schema == {"x": pl.Int64}
    assert "Int64 and comes back as Float64" in frame.dtype_notices(["x"])[0]


DTYPES = [
    "float64",
    "float32",
    "Float64",
    "Int64",
    "UInt16",
    "boolean",
    "str",
    "string",
    "object",
    "category",
]


@st.composite
def tables(draw):
    """A table of one to four columns of random dtypes with random holes."""
    n = draw(st.integers(3, 12))
    columns = {}
    for j in range(draw(st.integers(1, 4))):
        dtype = draw(st.sampled_from(DTYPES))
        if dtype in ("str", "string", "object", "category"):
            values = st.sampled_from(["u", "v", "wé", ""])
        elif dtype == "boolean":
            values = st.booleans()
        elif dtype in ("Int64", "UInt16"):
            values = st.integers(0, 1000)
        else:
            values = st.floats(-(2.0**90), 2.0**90, width=32, allow_subnormal=False)
        cells = draw(st.lists(st.one_of(st.none(), values), min_size=n, max_size=n))
        columns[f"c{j}"] = pd.Series(cells, dtype=object).astype(dtype)
    index = draw(st.sampled_from([None, "text", "repeated"]))
    data = pd.DataFrame(columns)
    if index is not None:
        data.index = [f"r{i}" for i in range(n)] if index == "text" else [0] * n
    return data


def possible_cells(column, rng):
    """Random values that a column can take."""
    n = column.n_missing
    if column.categories is not None:
        return rng.integers(0, max(len(column.categories), 1), n).astype(float)
    if column.support is not None:
        return rng.choice(column.support, n)
    return rng.normal(size=n)


def fill_at_random(frame):
    rng = np.random.default_rng(1)
    can = {
        name: possible_cells(c, rng)
        for name, c in frame.columns.items()
        if c.kind != "identifier" and c.n_observed
    }
    return can, frame.fill(can)


@settings(max_examples=150, deadline=None)
@given(tables())
def test_any_pandas_table_comes_back(data):
    before = data.copy(deep=True)
    frame = IncompleteFrame.from_table(data)
    can, out = fill_at_random(frame)
    assert_frame_equal(data, before)
    assert list(out.columns) == list(data.columns)
    assert out.index.equals(data.index)
    for name, column in frame.columns.items():
        kept = ~column.missing
        same = out[name].array[kept]
        assert [*same] == [*data[name].array[kept]]
        if name not in can:
            assert out[name].dtype == data[name].dtype
            continue
        assert out[name].notna().all()
        widened = data[name].dtype.name in ("Int64", "UInt16") and column.support is None and column.n_missing
        assert out[name].dtype == ("Float64" if widened else data[name].dtype)
        assert bool(frame.dtype_notices([name])) == bool(widened)


@settings(max_examples=100, deadline=None)
@given(tables())
def test_any_polars_table_comes_back(data):
    plain = data.reset_index(drop=True)
    table = pl.DataFrame(
        {
            name: pl.Series(name, plain[name].to_numpy(dtype=object, na_value=None).tolist(), strict=False)
            for name in plain.columns
        }
    )
    frame = IncompleteFrame.from_table(table)
    can, out = fill_at_random(frame)
    assert out.columns == table.columns
    for name, column in frame.columns.items():
        kept = pl.Series(~column.missing)
        if name in can:
            assert out[name].null_count() == 0
            widened = table.schema[name].is_integer() and column.support is None and column.n_missing
            assert out.schema[name] == (pl.Float64 if widened else table.schema[name])
        assert out[name].filter(kept).to_list() == table[name].filter(kept).to_list()


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_cells_are_filled_in_row_order(make):
    data = make({"t": ["u", None, "v", None, "w", None], "y": [None, 1.5, None, 2.5, 3.5, None]})
    out = IncompleteFrame.from_table(data, kinds={"t": "nominal"}).fill({"t": [2, 0, 1], "y": [10, 20, 30]})
    assert list(out["t"]) == ["u", "w", "v", "u", "w", "v"]
    assert list(out["y"]) == [10, 1.5, 20, 2.5, 3.5, 30]
