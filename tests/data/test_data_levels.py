"""Groupings, levels found and stated, and cells known from their cluster."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError


@pytest.fixture
def pupils():
    return pd.DataFrame(
        {
            "region": ["n", "n", "n", "n", "s", "s", "s", "s"],
            "school": [1, 1, 2, 2, 3, 3, 4, 4],
            "texp": [5.0, np.nan, 7.0, 7.0, 9.0, 9.0, np.nan, np.nan],
            "size": [4, 4, 4, 4, 6, 6, 6, 6],
            "const": [1] * 8,
            "sex": [0, 1, 0, 1, 1, 0, 1, 0],
            "y": np.arange(8.0),
        }
    )


def levels(frame):
    return {name: column.level for name, column in frame.columns.items()}


def test_the_coarsest_grouping_that_fits_is_the_level(pupils):
    frame = IncompleteFrame.from_table(pupils, groups=["school", "region"])
    assert levels(frame) == {
        "region": "region",
        "school": "school",
        "texp": "school",
        "size": "region",
        "const": "row",
        "sex": "row",
        "y": "row",
    }


def test_without_groups_everything_is_at_row_level(pupils):
    assert set(levels(IncompleteFrame.from_table(pupils)).values()) == {"row"}


def test_grouping_codes_labels_first_rows_and_sizes():
    data = pd.DataFrame({"g": ["b", "a", "c", "b", "b"], "y": [1.0, 2, 3, 4, 5]})
    g = IncompleteFrame.from_table(data, groups=["g"]).grouping("g")
    assert g.labels == ("a", "b", "c")
    assert g.codes.tolist() == [1, 0, 2, 1, 1]
    assert g.first_row.tolist() == [1, 0, 2]
    assert g.sizes.tolist() == [1, 3, 1]
    assert g.n_groups == 3


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_nested_groups_are_the_combinations_that_occur(make):
    data = make({"a": [2, 1, 1, 2, 2], "b": ["x", "x", "y", "x", "z"], "y": [1.0, 2, 3, 4, 5]})
    frame = IncompleteFrame.from_table(data, groups=["a", "a:b"])
    g = frame.grouping("a:b")
    assert g.labels == ("1:x", "1:y", "2:x", "2:z")
    assert g.codes.tolist() == [2, 0, 1, 2, 3]
    assert list(frame.groups) == ["a", "a:b"]


def test_nested_labels_that_hold_colons_stay_apart():
    data = pd.DataFrame({"a": ["x", "x:y"], "b": ["y:z", "z"], "v": [1.0, 2.5]})
    labels = IncompleteFrame.from_table(data, groups=["a:b"]).grouping("a:b").labels
    assert len(set(labels)) == 2


def test_level_within_nested_groups():
    data = pd.DataFrame(
        {"a": [1, 1, 1, 1, 2, 2], "b": [1, 1, 2, 2, 1, 1], "w": [3.0, 3.0, 4.0, 4.0, 5.0, 5.0]}
    )
    assert IncompleteFrame.from_table(data, groups=["a", "a:b"]).columns["w"].level == "a:b"


def test_one_row_clusters_give_row_level_and_a_notice():
    data = pd.DataFrame({"id": [1, 2, 3], "x": [1.0, 2.0, 5.0]})
    frame = IncompleteFrame.from_table(data, groups=["id"])
    assert frame.columns["x"].level == "row"
    assert frame.notices == (
        "grouping 'id': every group has one row, so groups and rows cannot be told apart",
    )
    data = pd.DataFrame({"id": [1, 2, 2], "x": [1.0, 2.0, 5.0]})
    assert IncompleteFrame.from_table(data, groups=["id"]).notices == (
        "grouping 'id': 1 of 2 groups have one row",
    )


def test_no_group_with_two_observed_values_is_no_evidence_for_a_level():
    data = pd.DataFrame({"g": [1, 1, 2, 2], "x": [3.0, None, None, 5.5]})
    assert IncompleteFrame.from_table(data, groups=["g"]).columns["x"].level == "row"
    frame = IncompleteFrame.from_table(data, groups=["g"], levels={"x": "g"})
    assert frame.columns["x"].level == "g"
    np.testing.assert_array_equal(frame.deduced["x"], [np.nan, 3.0, 5.5, np.nan])


def test_text_and_identifiers_have_levels_too():
    data = pd.DataFrame(
        {"g": [1, 1, 2, 2, 3, 3], "head": list("aabbcc"), "day": pd.to_datetime(["2020"] * 6)}
    )
    data["day"] += pd.to_timedelta(data["g"], unit="D")
    frame = IncompleteFrame.from_table(data, groups=["g"])
    assert frame.columns["head"].level == "g"
    assert frame.columns["day"].level == "g"


def test_cells_known_from_their_cluster(pupils):
    frame = IncompleteFrame.from_table(pupils, groups=["school"])
    assert list(frame.deduced) == ["texp"]
    expected = [np.nan, 5.0] + [np.nan] * 6
    np.testing.assert_array_equal(frame.deduced["texp"], expected)
    assert frame.columns["texp"].n_missing == 3
    assert frame.notices == (
        "column 'texp': 1 of 3 missing cells is known from other rows of the same 'school'",
    )
    assert not IncompleteFrame.from_table(pupils, groups=["school"], levels={"texp": "row"}).deduced


@pytest.mark.parametrize(("pairs", "doubtful"), [(1, True), (12, False)])
def test_a_level_that_few_values_speak_for_is_said_to_be_in_doubt(pairs, doubtful):
    value = np.tile([0.0, 1.0], 15)
    second = value.copy()
    second[pairs:] = np.nan
    data = pd.DataFrame({"pair": np.tile(np.arange(30), 2), "smokes": [*value, *second]})
    (line,) = IncompleteFrame.from_table(data, groups=["pair"]).notices
    assert "known from other rows of the same 'pair'" in line
    assert ("by chance with probability 0.50: say levels={'smokes': 'pair'}, or 'row'" in line) == doubtful
    (said,) = IncompleteFrame.from_table(data, groups=["pair"], levels={"smokes": "pair"}).notices
    assert "chance" not in said


def test_known_categories_are_codes():
    data = pd.DataFrame({"g": [1, 1, 1, 2, 2], "t": ["u", None, "u", "v", "v"]})
    frame = IncompleteFrame.from_table(data, groups=["g"])
    np.testing.assert_array_equal(frame.deduced["t"], [np.nan, 0.0, np.nan, np.nan, np.nan])


def test_stated_level_that_the_data_contradict_is_refused(pupils):
    with pytest.raises(
        DataError, match="'sex' cannot be at level 'school': within school 1 it is both 0 and 1"
    ):
        IncompleteFrame.from_table(pupils, groups=["school"], levels={"sex": "school"})
    pupils["t"] = ["a", "b"] * 4
    with pytest.raises(DataError, match="it is both 'a' and 'b'"):
        IncompleteFrame.from_table(pupils, groups=["school"], levels={"t": "school"})


def test_unknown_level_and_grouping_are_refused(pupils):
    with pytest.raises(DataError, match="did you mean 'school'"):
        IncompleteFrame.from_table(pupils, groups=["school"], levels={"texp": "scool"})
    with pytest.raises(DataError, match="grouping column 'schol' is not in the table: did you mean 'school'"):
        IncompleteFrame.from_table(pupils, groups=["schol"])
    with pytest.raises(DataError, match="'region' is no grouping of this table"):
        IncompleteFrame.from_table(pupils, groups=["school"]).grouping("region")


@pytest.mark.parametrize("group", ["school", "region:school"])
def test_missing_cluster_is_refused_with_column_and_rows(pupils, group):
    pupils = pupils.set_index(pd.Index([f"p{i}" for i in range(8)]))
    pupils["school"] = pupils["school"].astype("Int64")
    pupils.loc[["p2", "p5"], "school"] = pd.NA
    with pytest.raises(
        DataError, match="grouping column 'school' is missing in rows p2, p5: give every row its group"
    ):
        IncompleteFrame.from_table(pupils, groups=[group])


@pytest.mark.parametrize(
    "labels",
    [
        pd.Categorical(["z", "a", "z"], categories=["z", "unused", "a"]),
        np.array([2**60, 2**60 + 1, 2**60]),
        pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-02"]),
        [1, "a", 1],
        [True, False, True],
        [1.5, 0.5, 1.5],
    ],
)
def test_any_column_can_group(labels):
    data = pd.DataFrame({"g": labels, "y": [1.0, 2.0, 4.0]})
    g = IncompleteFrame.from_table(data, groups=["g"]).grouping("g")
    assert g.n_groups == 2
    assert g.codes[0] == g.codes[2] != g.codes[1]
    assert g.labels[g.codes[0]] == data["g"][0]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.String, pl.Categorical, pl.Float64])
def test_polars_groups(dtype):
    labels = pl.Series("g", ["2", "1", "3", "2"]).cast(dtype)
    g = IncompleteFrame.from_table(pl.DataFrame({"g": labels, "y": [1.0, 2, 3, 5]}), groups=["g"]).grouping(
        "g"
    )
    assert g.codes.tolist() == [1, 0, 2, 1]
    assert g.first_row.tolist() == [1, 0, 2]


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_text_is_no_group(pupils, blank):
    pupils = pupils.assign(school=[f"s{k}" for k in pupils["school"]])
    pupils.loc[[2, 5], "school"] = blank
    with pytest.raises(
        DataError, match="grouping column 'school' is missing in rows 2, 5: give every row its group"
    ):
        IncompleteFrame.from_table(pupils, groups=["school"])


def test_groups_that_may_be_none_or_the_same_are_said():
    data = pd.DataFrame({"g": ["NA", "NA", "s1", "S1 ", "s2", "s2"], "y": [1.0, 2, 4, 5, 7, 9]})
    notices = IncompleteFrame.from_table(data, groups=["g"]).notices
    assert any(
        line.startswith("grouping 'g': 'NA' is a group like the others; if it means that") for line in notices
    )
    assert any(
        line.startswith("grouping 'g': 'S1 ', 's1' differ in blanks or capitals only") for line in notices
    )
    clean = IncompleteFrame.from_table(
        data.assign(g=["a", "a", "b", "b", "c d", "c d"]), groups=["g"]
    ).notices
    assert not any("grouping" in line for line in clean)


def test_combinations_of_whole_floats_are_those_of_integers():
    data = pd.DataFrame({"a": [1, 1, 2, 2], "b": [1, 2, 1, 2], "y": [0.5, 1, 2, 3]})
    whole = IncompleteFrame.from_table(data, groups=["a:b"]).grouping("a:b")
    floats = IncompleteFrame.from_table(data.astype(float), groups=["a:b"]).grouping("a:b")
    assert whole.labels == floats.labels == ("1:1", "1:2", "2:1", "2:2")
    halves = IncompleteFrame.from_table(data.assign(a=[1.5, 1.5, 2, 2]), groups=["a:b"]).grouping("a:b")
    assert halves.labels == ("1.5:1", "1.5:2", "2:1", "2:2")


def test_one_wrong_cell_of_a_groups_variable_is_said():
    g = np.repeat(np.arange(30), 4)
    data = pd.DataFrame(
        {"g": g, "public": (np.arange(30) % 2)[g], "rare": np.zeros(120), "y": np.sin(np.arange(120))}
    )
    data.loc[[5, 50], "rare"] = 1.0
    quiet = IncompleteFrame.from_table(data, groups=["g"])
    assert quiet.columns["public"].level == "g"
    assert not any("differs within" in line for line in quiet.notices)
    data.loc[13, "public"] = 1 - data.loc[13, "public"]
    frame = IncompleteFrame.from_table(data, groups=["g"])
    assert frame.columns["public"].level == "row"
    assert [line for line in frame.notices if "differs within" in line] == [
        "column 'public' differs within 3 of 'g' and is constant within every other: it counts as a variable of rows; "
        "if it is one of 'g', correct it"
    ]
    stated = IncompleteFrame.from_table(data, groups=["g"], levels={"public": "row"})
    assert not any("differs within" in line for line in stated.notices)
