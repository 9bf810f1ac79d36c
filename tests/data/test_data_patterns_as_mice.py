"""Patterns as mice 3.15's md.pattern has them, row by row; and those of the SHARE article."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.data import patterns

TESTS = Path(__file__).resolve().parents[1]
GOLDEN = TESTS / "golden" / "patterns"
DATA = Path(os.environ.get("BAYESMI_SHARED", TESTS.parents[1] / "shared")) / "data"


def same_as_mice(data: pd.DataFrame, name: str) -> None:
    expected = pd.read_csv(GOLDEN / f"{name}.csv", keep_default_na=False, dtype=str)
    found = patterns(data)
    assert [str(label) for label in found.index] == expected["rows"].tolist()
    assert list(found.columns) == [*expected.columns[1:-1], ""]
    assert found.astype(str).to_numpy().tolist() == expected.iloc[:, 1:].to_numpy().tolist()


def test_nhanes():
    same_as_mice(bmi.datasets.load("nhanes"), "nhanes")


def test_ties_are_ordered_as_in_mice():
    same_as_mice(pd.read_csv(GOLDEN / "ties_data.csv"), "ties")


@pytest.mark.skipif(not (DATA / "boys.csv").is_file(), reason="the shared data folder is absent")
def test_boys():
    data = pd.read_csv(DATA / "boys.csv")
    same_as_mice(data[["age", "hgt", "wgt", "bmi", "hc", "gen", "phb", "tv", "reg"]], "boys")


@pytest.mark.skipif(not (DATA / "share.csv").is_file(), reason="the shared data folder is absent")
def test_share_article():
    trial = pd.read_csv(DATA / "share.csv")[["school", "arm", "sex", "scpar", "kscore"]]
    found = patterns(trial)
    assert list(found.index) == [5399, 321, 102, 32, ""]
    assert found.iloc[-1].tolist() == [0, 0, 0, 134, 353, 487]
    assert found[["scpar", "kscore"]].iloc[:4].to_numpy().tolist() == [[1, 1], [1, 0], [0, 1], [0, 0]]
    groups = bmi.missing_by_group(trial, "arm", "kscore").loc["kscore"]
    assert groups["rows"].to_dict() == {0: 2987, 1: 2867}
    means = trial.groupby("arm")["kscore"].mean().round(3)
    assert means.tolist() == [4.155, 4.77]
    assert (trial["scpar"] == 99).any()  # "not coded" stays a value until somebody says otherwise


def test_it_prints_as_mice():
    lines = repr(bmi.md_pattern(bmi.datasets.load("nhanes"))).splitlines()
    printed = [line.split() for line in lines]
    assert printed == [
        ["age", "hyp", "bmi", "chl"],
        ["13", "1", "1", "1", "1", "0"],
        ["3", "1", "1", "1", "0", "1"],
        ["1", "1", "1", "0", "1", "1"],
        ["1", "1", "0", "0", "1", "2"],
        ["7", "1", "0", "0", "0", "3"],
        ["0", "8", "9", "10", "27"],
    ]
