"""CSV, Parquet, save and load."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile

import numpy as np
import pandas as pd
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations, StoredDraws, archive, export
from bayesmi.imputations.atomic import atomic_path

pytestmark = pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")


def same(a: Imputations, b: Imputations) -> None:
    assert len(a) == len(b)
    for x, y in zip(
        a.complete("all", include=True).values(), b.complete("all", include=True).values(), strict=True
    ):
        pd.testing.assert_frame_equal(x, y, check_exact=True)


def test_csv_is_the_long_form(imputed, tmp_path):
    imputed.to_csv(tmp_path / "out.csv")
    got = pd.read_csv(tmp_path / "out.csv")
    wanted = imputed.complete("long", include=True)
    assert list(got.columns) == list(wanted.columns)
    assert got["score"].tolist()[5:] == wanted["score"].tolist()[5:]  # shortest text that reads back exactly
    assert got[".id"].tolist() == ["r1", "r2", "r3", "r4", "r5"] * 4
    assert got["group"].isna().sum() == 2
    imputed.to_csv(tmp_path / "first.csv", include=False, order="first")
    first = pd.read_csv(tmp_path / "first.csv")
    assert list(first.columns)[:2] == [".imp", ".id"]
    assert first[".imp"].unique().tolist() == [1, 2, 3]


def test_parquet_keeps_dtypes(imputed, tmp_path):
    imputed.to_parquet(tmp_path / "out.parquet")
    got = pd.read_parquet(tmp_path / "out.parquet")
    wanted = imputed.complete("long", include=True)
    pd.testing.assert_frame_equal(got, wanted, check_exact=True)


def test_polars_files(tmp_path):
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"x": [1.5, None, 2.5, 3.5], "k": [1, None, 4, 6], "w": ["u", None, "v", "u"]})
    draws = StoredDraws({"x": np.array([[9.0]]), "k": np.array([[0.5]]), "w": np.array([[1.0]])}, ((0, 0),))
    imputed = Imputations(IncompleteFrame.from_table(table), draws)
    imputed.to_parquet(tmp_path / "o.parquet")
    assert pl.read_parquet(tmp_path / "o.parquet").equals(
        imputed.complete("long", include=True), null_equal=True
    )
    imputed.to_csv(tmp_path / "o.csv")
    assert pl.read_csv(tmp_path / "o.csv", null_values="NA")["w"].to_list() == [
        "u",
        None,
        "v",
        "u",
        "u",
        "v",
        "v",
        "u",
    ]
    imputed.save(tmp_path / "o.bmi")
    again = Imputations.load(tmp_path / "o.bmi")
    assert again.complete("long", include=True).equals(
        imputed.complete("long", include=True), null_equal=True
    )


def test_row_labels_that_would_read_back_as_missing_are_refused(tmp_path):
    table = pd.DataFrame({"x": [1.5, np.nan, 2.5, 3.5]}, index=["NA", "DE", "FR", "BE"])
    imputed = Imputations(IncompleteFrame.from_table(table), StoredDraws({"x": np.array([[9.0]])}, ((0, 0),)))
    with pytest.raises(DataError, match="the row labels have the text value 'NA'"):
        imputed.to_csv(tmp_path / "out.csv")
    imputed.to_csv(tmp_path / "out.csv", na="")
    assert (
        pd.read_csv(tmp_path / "out.csv", keep_default_na=False)[".id"].tolist()
        == ["NA", "DE", "FR", "BE"] * 2
    )


@pytest.mark.parametrize("method", ["to_csv", "to_parquet", "save"])
def test_existing_files_are_replaced_on_purpose_only(imputed, tmp_path, method):
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(DataError, match=r"'.*out' exists already.*force=True"):
        getattr(imputed, method)(path)
    assert path.read_text() == "mine"
    getattr(imputed, method)(path, force=True)
    assert path.read_bytes() != b"mine"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    with pytest.raises(DataError, match=r"folder .*nowhere' does not exist"):
        getattr(imputed, method)(tmp_path / "nowhere" / "out")
    with pytest.raises(DataError, match="is a folder"):
        getattr(imputed, method)(tmp_path, force=True)


@pytest.mark.parametrize("method", ["to_csv", "to_parquet", "save"])
def test_an_interrupted_write_leaves_nothing(imputed, tmp_path, method, monkeypatch):
    def broken(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(KeyboardInterrupt):
        getattr(imputed, method)(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_atomic_path_respects_a_file_that_came_meanwhile(tmp_path):
    path = tmp_path / "x"

    def write():
        with atomic_path(path) as temporary:
            temporary.write_text("new")
            path.write_text("theirs")

    with pytest.raises(DataError, match="exists already"):
        write()
    assert path.read_text() == "theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_text_that_reads_as_missing_is_refused_in_csv(tmp_path):
    frame = IncompleteFrame.from_table(pd.DataFrame({"c": ["NA", None, "u", "NA"]}))
    imputed = Imputations(frame, StoredDraws({"c": np.array([[0.0]])}, ((0, 0),)))
    with pytest.raises(DataError, match=r"column 'c' has the text value 'NA'.*na=''"):
        imputed.to_csv(tmp_path / "o.csv")
    imputed.to_csv(tmp_path / "o.csv", na="")
    text = pd.read_csv(tmp_path / "o.csv", keep_default_na=False)["c"].tolist()
    assert text == ["NA", "", "u", "NA", "NA", "NA", "u", "NA"]


def test_save_and_load_give_the_same_back(imputed, tmp_path):
    imputed.save(tmp_path / "x.bmi")
    again = Imputations.load(tmp_path / "x.bmi")
    same(imputed, again)
    pd.testing.assert_frame_equal(imputed.origin, again.origin)
    for fact in ("formula", "families", "seed", "integer_valued", "gate", "names"):
        assert getattr(again, fact) == getattr(imputed, fact)
    assert repr(again) == repr(imputed)


def test_equal_content_gives_equal_files(imputed, tmp_path):
    imputed.save(tmp_path / "a")
    imputed.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as whole:
        assert {member.date_time for member in whole.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_kinds_levels_and_absent_cells_survive(tmp_path):
    table = pd.DataFrame(
        {
            "g": [1, 1, 2, 2, 3, 3, 4, 4],
            "z": [5.0, 5.0, np.nan, np.nan, 7.0, 7.0, 9.0, 9.0],
            "count": [1.0, np.nan, 4.0, 2.0, 0.0, np.nan, 1.0, 1.0],
            "hole": [np.nan, 2.5, np.nan, 1.5, 0.5, np.nan, 1.0, 1.0],
        }
    )
    frame = IncompleteFrame.from_table(
        table,
        kinds={"count": "count", "g": "identifier"},
        groups=["g"],
        levels={"count": "row"},
        where={"hole": np.arange(8) % 3 == 2},
    )
    draws = StoredDraws(
        {"z": np.full((1, 2), 6.0), "count": np.full((1, 2), 3.0), "hole": np.full((1, 2), 9.5)}, ((0, 4),)
    )
    imputed = Imputations(frame, draws, integer_valued={"count"})
    imputed.save(tmp_path / "x.bmi")
    again = Imputations.load(tmp_path / "x.bmi")
    same(imputed, again)
    for name, column in frame.columns.items():
        other = again.frame.columns[name]
        assert (other.kind, other.level, other.categories, other.support) == (
            column.kind,
            column.level,
            column.categories,
            column.support,
        )
        np.testing.assert_array_equal(other.missing, column.missing)
        np.testing.assert_array_equal(other.absent, column.absent)
    assert list(again.frame.groups) == ["g"]
    assert again.frame.columns["z"].level == "g"


def test_what_cannot_be_stored_is_named(tmp_path):
    table = pd.DataFrame({"x": [1.5, np.nan, 2.5, 3.5], "odd": [{1}, [2], 3 + 1j, "a"]})
    imputed = Imputations(IncompleteFrame.from_table(table), StoredDraws({"x": np.array([[1.0]])}, ((0, 0),)))
    with pytest.raises(DataError, match="column 'odd' cannot be stored without change"):
        imputed.save(tmp_path / "x.bmi")
    with pytest.raises(DataError, match="column 'odd' has no Parquet type"):
        imputed.to_parquet(tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_refused(imputed, tmp_path):
    path = tmp_path / "x.bmi"
    imputed.save(path)
    whole = path.read_bytes()
    for cut in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError, match="is damaged, cut off, or no file"):
            Imputations.load(path)
    with pytest.raises(DataError, match="does not exist"):
        Imputations.load(tmp_path / "none")
    with pytest.raises(DataError, match="cannot read"):
        Imputations.load(tmp_path)


def _rewrite(path, change):
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


def test_changed_members_newer_formats_and_other_zips_are_refused(imputed, tmp_path):
    path = tmp_path / "x.bmi"
    imputed.save(path)

    def newer(members):
        manifest = json.loads(members["manifest.json"])
        manifest["format_version"] = archive.FORMAT_VERSION + 1
        members["manifest.json"] = json.dumps(manifest).encode()

    def altered(members):
        members["cells.parquet"] += b"x"

    for change, message in ((altered, "checksum of cells.parquet"), (newer, "update bayesmi")):
        imputed.save(path, force=True)
        _rewrite(path, change)
        with pytest.raises(DataError, match=message):
            Imputations.load(path)
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("manifest.json", json.dumps({"format": "else"}))
    with pytest.raises(DataError, match="does not hold imputations"):
        Imputations.load(path)


@pytest.mark.r
def test_real_mice_reads_the_csv(imputed, tmp_path):
    if shutil.which("Rscript") is None:
        pytest.skip("no R")
    imputed.to_csv(tmp_path / "o.csv")
    script = (
        "suppressMessages(library(mice));"
        f"imp <- as.mids(read.csv('{tmp_path}/o.csv', stringsAsFactors = TRUE));"
        "cat(imp$m, sum(is.na(imp$data$score)), sprintf('%.17g', imp$imp$score[2, 3]), "
        "levels(imp$data$group))"
    )
    out = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True).stdout.split()
    assert out == ["3", "2", f"{imputed.cells('score').loc['r4', 3]:.17g}", "a", "b"]


def test_export_needs_no_second_copy_of_all_tables(imputed, tmp_path, monkeypatch):
    sizes = []
    original = export._part

    def spy(*args):
        part = original(*args)
        sizes.append(len(part))
        return part

    monkeypatch.setattr(export, "_part", spy)
    imputed.to_csv(tmp_path / "o.csv")
    assert sizes == [5, 5, 5, 5]


@pytest.mark.parametrize(
    "labels", [[3, 1, 2], [0.5, -1.0, 2.5], [True, False], ["b", "a"]], ids=["int", "float", "bool", "text"]
)
@pytest.mark.parametrize("ordered", [False, True])
def test_categories_of_any_plain_kind_are_saved(labels, ordered, tmp_path):
    values = pd.Categorical([labels[0], None, labels[1], labels[0]], categories=labels, ordered=ordered)
    table = pd.DataFrame({"c": values, "x": [1.5, 2.5, np.nan, 4.0]}, index=[7, 8, 9, 7])
    draws = StoredDraws({"c": np.array([[1.0]]), "x": np.array([[2.0]])}, ((0, 0),))
    imputed = Imputations(IncompleteFrame.from_table(table, kinds={"c": "nominal"}), draws)
    imputed.save(tmp_path / "x.bmi")
    same(imputed, Imputations.load(tmp_path / "x.bmi"))


def test_text_kept_as_objects_and_the_frequency_of_dates_are_saved(tmp_path):
    table = pd.DataFrame(
        {
            "sex": pd.Series(["m", None, "f", "m"], dtype=object),
            "note": pd.Series(list("abcd"), dtype=object),
            "flag": pd.Series([True, None, False, True], dtype=object),
        }
    ).set_axis(pd.date_range("2020-01-01", periods=4, name="day"), axis=0)
    draws = StoredDraws({"sex": np.array([[0.0]]), "flag": np.array([[1.0]])}, ((0, 0),))
    imputed = Imputations(IncompleteFrame.from_table(table), draws)
    imputed.save(tmp_path / "text.bmi")
    back = Imputations.load(tmp_path / "text.bmi")
    same(imputed, back)
    assert back.complete(1).index.freq == "D"


def test_dates_beside_ones_own_holidays_are_saved(tmp_path):
    days = pd.offsets.CustomBusinessDay(holidays=["2020-01-03"])
    index = pd.date_range("2020-01-01", periods=4, freq=days)
    table = pd.DataFrame({"x": [1.0, None, 2.0, 3.0]}, index=index)
    imputed = Imputations(IncompleteFrame.from_table(table), StoredDraws({"x": np.array([[0.0]])}, ((0, 0),)))
    imputed.save(tmp_path / "days.bmi")
    back = Imputations.load(tmp_path / "days.bmi").complete(1)
    assert back.index.tolist() == index.tolist()


def test_polars_lists_are_refused_in_a_csv_file(tmp_path):
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"x": [1.5, None, 2.5, 3.5], "things": [[1], [2, 3], [], [4]]})
    imputed = Imputations(IncompleteFrame.from_table(table), StoredDraws({"x": np.array([[9.0]])}, ((0, 0),)))
    with pytest.raises(DataError, match=r"column 'things' \(List\(Int64\)\) cannot stand in a CSV file"):
        imputed.to_csv(tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [3, None, 2.5])
def test_what_is_no_path_is_refused(path, imputed):
    for call in (imputed.save, imputed.to_csv, imputed.to_parquet, Imputations.load):
        with pytest.raises(DataError, match=f"a file is named by its path, not by {path}"):
            call(path)
