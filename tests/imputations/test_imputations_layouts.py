"""complete() against tables that mice wrote (tests/golden/complete.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiNotice, DataError
from bayesmi.imputations import Imputations, StoredDraws

GOLDEN = Path(__file__).parents[1] / "golden" / "complete"


def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv", index_col=0, keep_default_na=False, na_values=["NA"])


@pytest.fixture
def small() -> Imputations:
    frame = IncompleteFrame.from_table(golden("data"))
    codes = {"a": 0.0, "b": 1.0}
    cells = {
        "score": golden("cells_score").to_numpy(float).T,
        "group": golden("cells_group").map(codes.__getitem__).to_numpy(float).T,
    }
    return Imputations(frame, StoredDraws(cells, ((0, 1), (0, 2), (0, 3))))


def plain(table: pd.DataFrame) -> list[list[object]]:
    return [[None if pd.isna(v) else v for v in row] for row in table.itertuples(index=False)]


@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("stacked", "stacked"),
        ("broad", "broad"),
        ("repeated", "repeated"),
        (2, "two"),
        ([3, 1], "three_one"),
        (0, "zero"),
    ],
)
def test_cells_and_columns_lie_as_mice_lays_them(small, action, name, include):
    wanted = golden(f"{name}_include" if include and name != "zero" else name)
    got = small.complete(action, include=include)
    assert list(got.columns) == list(wanted.columns)
    assert plain(got) == plain(wanted)


@pytest.mark.parametrize("include", [False, True])
def test_long_form_holds_what_mice_holds_and_row_names_as_id(small, include):
    wanted = golden("long_include" if include else "long")
    got = small.complete("long", include=include, order="first")
    assert list(got.columns) == list(wanted.columns)
    labels = np.array(["r1", "r2", "r3", "r4", "r5"])
    assert got[".id"].tolist() == labels[wanted[".id"].to_numpy() - 1].tolist()  # 3.15 wrote positions
    assert plain(got.drop(columns=".id")) == plain(wanted.drop(columns=".id"))
    last = small.complete("long", include=include)
    assert list(last.columns) == ["score", "group", "known", ".imp", ".id"]
    pd.testing.assert_frame_equal(last[list(got.columns)], got)
    assert last.index.equals(pd.RangeIndex(len(last)))


def test_single_broad_and_repeated_tables_keep_the_index(small):
    for action in (0, 1, "broad", "repeated"):
        assert small.complete(action).index.tolist() == ["r1", "r2", "r3", "r4", "r5"]


def test_all_is_a_dict_by_imputation_number(small):
    assert list(small.complete("all")) == [1, 2, 3]
    tables = small.complete("all", include=True)
    assert list(tables) == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(tables[0], golden("data"))
    pd.testing.assert_frame_equal(tables[2], small.complete(2))


def test_cells_are_as_imp_in_mice(small):
    for name in ("score", "group"):
        wanted = golden(f"cells_{name}")
        got = small.cells(name)
        assert got.index.tolist() == wanted.index.tolist()
        assert got.columns.tolist() == [1, 2, 3]
        assert plain(got) == plain(wanted)
    assert small.cells("known").shape == (0, 3)


def test_dtypes_survive_every_layout(imputed, table):
    with pytest.warns(BayesmiNotice):
        done = imputed.complete(1)
    wanted = {**table.dtypes.to_dict(), "whole": "Float64"}
    assert done.dtypes.astype(str).to_dict() == {name: str(dtype) for name, dtype in wanted.items()}
    for action in ("long", "stacked"):
        got = imputed.complete(action, include=True)
        assert got[list(table)].dtypes.astype(str).to_dict() == {n: str(d) for n, d in wanted.items()}
    assert str(imputed.complete("broad")["group.2"].dtype) == "category"


def test_observed_cells_are_bit_identical(imputed, table):
    for done in imputed:
        for name in table:
            seen = table[name].notna()
            before, after = table[name][seen], done[name][seen]
            if name == "whole":
                after = after.astype("Int64")
            pd.testing.assert_series_equal(before, after, check_exact=True)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (4, r"complete\(4\): there are 3 imputations, 1 … 3"),
        (-1, r"complete\(-1\): there are 3"),
        ("wide", r"complete\('wide'\): choose 0 … 3, or one of all, long, stacked, broad, repeated"),
        (1.5, r"complete\(1\.5\): choose"),
        (True, r"complete\(True\): choose"),
        ([], r"complete\(\[\]\): choose"),
        (None, r"complete\(None\): choose"),
    ],
)
def test_no_such_action(small, action, message):
    with pytest.raises(DataError, match=message):
        small.complete(action)


def test_order_and_reserved_names_are_checked(small):
    with pytest.raises(DataError, match="order='middle'"):
        small.complete("long", order="middle")
    frame = IncompleteFrame.from_table(pd.DataFrame({".id": [1.0, np.nan, 3.0, 4.5]}))
    clash = Imputations(frame, StoredDraws({".id": np.array([[2.5]])}, ((0, 0),)))
    with pytest.raises(DataError, match=r"column '\.id' is in the data.*rename it"):
        clash.complete("long")


def test_multiindex_rows_are_joined_in_id():
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1), ("b", 2)])
    frame = IncompleteFrame.from_table(pd.DataFrame({"x": [1.5, np.nan, 2.5, 3.5]}, index=index))
    imputed = Imputations(frame, StoredDraws({"x": np.array([[2.0]])}, ((0, 0),)))
    assert imputed.complete("long")[".id"].tolist() == ["a:1", "a:2", "b:1", "b:2"]


def test_polars_tables_come_back_as_polars():
    pl = pytest.importorskip("polars")
    table = pl.DataFrame(
        {"x": [1.5, None, 2.5, 3.5], "k": [1, None, 4, 6], "w": ["u", None, "v", "u"], "full": [1, 2, 3, 4]}
    )
    draws = StoredDraws(
        {"x": np.array([[9.0], [8.0]]), "k": np.array([[0.5], [1.5]]), "w": np.array([[1.0], [0.0]])},
        ((0, 0), (1, 0)),
    )
    imputed = Imputations(IncompleteFrame.from_table(table), draws)
    with pytest.warns(BayesmiNotice, match="comes back as"):
        long = imputed.complete("long", include=True)
    assert isinstance(long, pl.DataFrame)
    assert long.columns == ["x", "k", "w", "full", ".imp", ".id"]
    assert long["x"].to_list() == [1.5, None, 2.5, 3.5, 1.5, 9.0, 2.5, 3.5, 1.5, 8.0, 2.5, 3.5]
    assert long["k"].to_list()[:8] == [1, None, 4, 6, 1, 0.5, 4, 6]
    assert long[".imp"].to_list() == [0] * 4 + [1] * 4 + [2] * 4
    assert long[".id"].to_list() == [0, 1, 2, 3] * 3
    assert imputed.complete("repeated").columns == [
        "x.1",
        "x.2",
        "k.1",
        "k.2",
        "w.1",
        "w.2",
        "full.1",
        "full.2",
    ]
    assert imputed.complete("stacked").height == 8
    assert imputed.cells("w").to_numpy().tolist() == [["v", "u"]]
