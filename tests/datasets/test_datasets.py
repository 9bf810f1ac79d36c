"""Data sets by name: content, dtypes, checksums and what is said when they are not there."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from bayesmi import datasets
from bayesmi.datasets.catalogue import CATALOGUE
from bayesmi.errors import DataError

SHIPPED = [name for name, entry in CATALOGUE.items() if entry.ships]
OTHERS = [name for name, entry in CATALOGUE.items() if not entry.ships]
FOLDER = Path(datasets.__file__).parent / "data"


def test_four_data_sets_ship_each_with_its_licence():
    assert SHIPPED == ["popmis", "nhanes", "nhanes2", "sleepstudy"]
    assert {p.stem for p in FOLDER.glob("*.csv")} == set(SHIPPED)
    for name in SHIPPED:
        text = (FOLDER / f"{name}.license").read_text()
        assert "SPDX-License-Identifier: GPL-2.0-or-later" in text
        assert "R package" in text
    assert "GNU GENERAL PUBLIC LICENSE" in (FOLDER / "GPL-2.0.license").read_text()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_data_load(name, monkeypatch):
    monkeypatch.delenv("BAYESMI_DATA", raising=False)
    entry = CATALOGUE[name]
    data = datasets.load(name)
    assert data.shape == (entry.rows, entry.columns)
    assert hashlib.sha256((FOLDER / entry.file).read_bytes()).hexdigest() == entry.sha256


def test_popmis_is_the_published_one():
    data = datasets.load("popmis")
    assert data["popular"].isna().sum() == 848
    assert data["school"].nunique() == 100
    assert data["popular"].mean() == pytest.approx(data["popular"].dropna().mean())
    assert data["sex"].dtype == "int64"


def test_nhanes2_has_unordered_categories():
    data = datasets.load("nhanes2")
    assert data["age"].dtype == pd.CategoricalDtype(["20-39", "40-59", "60-99"], ordered=False)
    assert data["hyp"].dtype == pd.CategoricalDtype(["no", "yes"], ordered=False)
    assert data.isna().sum().to_dict() == {"age": 0, "bmi": 9, "hyp": 8, "chl": 10}


@pytest.mark.parametrize("name", OTHERS)
def test_other_data_load_from_the_folder(name, shared_data, monkeypatch):
    monkeypatch.setenv("BAYESMI_DATA", str(shared_data))
    entry = CATALOGUE[name]
    data = datasets.load(name)
    assert data.shape == (entry.rows, entry.columns)
    for column in entry.levels:
        assert isinstance(data[column].dtype, pd.CategoricalDtype)
        assert data[column].cat.ordered == (column in entry.ordered)
    for column in entry.booleans:
        assert data[column].dtype == "bool"
        assert 0 < data[column].sum() < len(data)


def test_missing_counts_are_those_of_the_sources(shared_data, monkeypatch):
    monkeypatch.setenv("BAYESMI_DATA", str(shared_data))
    assert datasets.load("impact")["pupil"].isna().sum() == 1184
    assert datasets.load("boys").isna().sum().to_dict() == {
        "age": 0, "hgt": 20, "wgt": 4, "bmi": 21, "hc": 46, "gen": 503, "phb": 503, "tv": 522, "reg": 3,
    }  # fmt: skip
    assert datasets.load("randhie")["lnmeddol"].isna().sum() == 1293
    assert datasets.load("titanic3")["cabin"].isna().sum() == 1014


def test_without_the_folder_the_origin_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("BAYESMI_DATA", raising=False)
    with pytest.raises(DataError, match=r"'boys' does not ship .* R package mice 3.15.0.*BAYESMI_DATA"):
        datasets.load("boys")
    monkeypatch.setenv("BAYESMI_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"boys.csv is not in .*R package mice"):
        datasets.load("boys")


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("BAYESMI_DATA", str(tmp_path))
    (tmp_path / "boys.csv").write_text("age\n1\n")
    with pytest.raises(DataError, match="not the 'boys' that is expected"):
        datasets.load("boys")


def test_unknown_names_are_refused():
    with pytest.raises(DataError, match="did you mean 'popmis'"):
        datasets.load("popmiss")


def test_every_data_set_is_described_in_one_line():
    assert datasets.names() == list(CATALOGUE)
    for name in datasets.names():
        line = datasets.describe(name)
        assert line.startswith(f"{name}: ")
        assert "licence" in line
        assert "\n" not in line
