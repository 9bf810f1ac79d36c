"""Pairs, flux, correlations, groups and quickpred against mice 3.15."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmi import datasets
from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.explore import (
    fico,
    flux,
    md_pairs,
    missing_by_group,
    pairwise_correlations,
    quickpred,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "explore"
SHARED = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))


def table() -> pd.DataFrame:
    data = pd.read_csv(GOLDEN / "table.csv")
    return data.assign(f=data["f"].astype("category"))


def boys() -> pd.DataFrame:
    if not (SHARED / "data").is_dir():
        pytest.skip("the shared data folder is absent")
    data = pd.read_csv(SHARED / "data" / "boys.csv")
    for name, levels in (
        ("gen", ["G1", "G2", "G3", "G4", "G5"]),
        ("phb", ["P1", "P2", "P3", "P4", "P5", "P6"]),
        ("reg", ["north", "east", "west", "south", "city"]),
    ):
        data[name] = pd.Categorical(data[name], categories=levels, ordered=name != "reg")
    return data


def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv", index_col=0)


QUICKPRED = {
    "nhanes_default": ("nhanes", {}),
    "nhanes_mincor": ("nhanes", {"mincor": 0.3, "include": "age"}),
    "nhanes_minpuc": ("nhanes", {"minpuc": 0.25, "exclude": "hyp"}),
    "nhanes_both": ("nhanes", {"mincor": 0.5, "include": ["age", "chl"], "exclude": ["age", "bmi"]}),
    "nhanes2_default": ("nhanes2", {}),
    "nhanes2_spearman": ("nhanes2", {"mincor": 0.2, "method": "spearman"}),
    "popmis_default": ("popmis", {}),
    "popmis_exclude": ("popmis", {"exclude": ["pupil", "school"]}),
    "table_default": ("table", {}),
    "table_mincor": ("table", {"mincor": 0.25}),
    "table_vector": (
        "table",
        {"mincor": [0.1, 0.2, 0.3, 0.4, 0.5, 0.1], "minpuc": [0, 0.2, 0.4, 0.5, 0.6, 0.8]},
    ),
    "table_matrix": ("table", {"mincor": (np.arange(36).reshape(6, 6).T + 1) / 60}),
    "table_spearman": ("table", {"mincor": 0.25, "method": "spearman"}),
    "table_kendall": ("table", {"mincor": 0.25, "method": "kendall"}),
    "boys_default": ("boys", {}),
    "boys_mincor": ("boys", {"mincor": 0.4, "minpuc": 0.3}),
}


@pytest.mark.parametrize("case", QUICKPRED)
def test_quickpred_is_that_of_mice(case):
    name, options = QUICKPRED[case]
    data = {"table": table, "boys": boys}[name]() if name in ("table", "boys") else datasets.load(name)
    pd.testing.assert_frame_equal(quickpred(data, **options), golden(f"quickpred_{case}"))


def test_quickpred_takes_thresholds_by_name():
    by_name = quickpred(table(), mincor={"d": 0.4}, minpuc={"e": 0.6})
    by_place = quickpred(table(), mincor=[0.1, 0.1, 0.1, 0.4, 0.1, 0.1], minpuc=[0, 0, 0, 0, 0.6, 0])
    pd.testing.assert_frame_equal(by_name, by_place)
    thresholds = pd.DataFrame((np.arange(36).reshape(6, 6).T + 1) / 60, list("abcdef"), list("abcdef"))
    shuffled = thresholds.loc[list("fedcba"), list("badcfe")]
    pd.testing.assert_frame_equal(quickpred(table(), mincor=shuffled), golden("quickpred_table_matrix"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"include": "ag"}, "did you mean 'age'"),
        ({"exclude": ["hyper"]}, "no column 'hyper'"),
        ({"mincor": [0.1, 0.2]}, r"shape \(2,\)"),
        ({"mincor": {"chol": 0.1}}, "'chol'"),
        ({"minpuc": "much"}, "must be a number"),
        ({"method": "pearsn"}, "did you mean 'pearson'"),
        ({"mincor": pd.DataFrame({"age": [1.0]})}, "not the columns of the data"),
    ],
)
def test_quickpred_refuses_by_name(options, words):
    with pytest.raises(DataError, match=words):
        quickpred(datasets.load("nhanes"), **options)


@pytest.mark.parametrize("part", ["rr", "rm", "mr", "mm"])
def test_pairs_are_those_of_mice(part):
    found = getattr(md_pairs(datasets.load("nhanes")), part)
    pd.testing.assert_frame_equal(found, golden(f"pairs_{part}"))


def test_pairs_leave_out_cells_that_do_not_apply():
    data = pd.DataFrame(
        {"sex": ["f", "m", "f", "m"], "births": [1.5, None, None, None], "age": [30.5, 40, None, 50]}
    )
    frame = IncompleteFrame.from_table(data, not_applicable={"births": "sex == 'm'"})
    pairs = md_pairs(frame)
    assert pairs.mm.loc["births", "births"] == 1
    assert pairs.mm.loc["births", "age"] == 1
    assert sum(getattr(pairs, part).loc["births", "age"] for part in ("rr", "rm", "mr", "mm")) == 2
    assert np.isnan(pairs.usable.loc["sex", "age"])
    assert "row observed, column missing" in repr(pairs)
    with pytest.raises(DataError, match="only 'age'"):
        md_pairs(data[["age"]])


def test_flux_and_fico_read_the_table_itself():
    wanted = pd.read_csv(GOLDEN / "fico.csv", index_col=0)["fico"].to_numpy()
    found = np.concatenate([fico(datasets.load("nhanes")), fico(table())])
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    golden_flux = pd.read_csv(GOLDEN.parent / "flux" / "nhanes.csv", index_col=0)
    pd.testing.assert_frame_equal(flux(datasets.load("nhanes")), golden_flux, rtol=1e-12)


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_correlations_are_pairwise(method):
    data = table().drop(columns="f")
    found = pairwise_correlations(data, method)
    pd.testing.assert_frame_equal(found.values, data.corr(method), rtol=1e-12)
    if method == "kendall":
        pd.testing.assert_frame_equal(found.values, golden("kendall").iloc[:5, :5], rtol=1e-10)
    assert found.pairs.loc["b", "c"] == (data["b"].notna() & data["c"].notna()).sum()
    gone = data["b"].isna().astype(float)
    assert found.missing.loc["b", "a"] == pytest.approx(gone.corr(data["a"], method), rel=1e-12)
    assert np.isnan(found.missing.loc["b", "b"])


def test_correlations_leave_out_and_say_so():
    found = pairwise_correlations(datasets.load("nhanes2"))
    assert list(found.values) == ["bmi", "hyp", "chl"]
    assert found.notes == ("left out, their values have no order: age",)
    assert "age" in repr(found)
    with pytest.raises(DataError, match="need two"):
        pairwise_correlations(pd.DataFrame({"a": ["x", "y", "z"], "b": [1.0, 2.0, 3.5]}))


def test_titanic_ages_are_missing_by_sex_and_class():
    if not (SHARED / "data").is_dir():
        pytest.skip("the shared data folder is absent")
    data = pd.read_csv(SHARED / "data" / "titanic3.csv")
    found = missing_by_group(data, ["sex", "pclass"], "age").loc["age"]
    assert found["missing"].loc["female"].tolist() == [11, 3, 64]
    assert found["missing"].loc["male"].tolist() == [28, 13, 144]
    assert found["rows"].sum() == 1309
    assert found["share_of_missing"].sum() == pytest.approx(1)
    assert found.loc[("male", 3), "share"] == pytest.approx(144 / 493)


def test_rows_without_a_group_are_a_group():
    data = pd.DataFrame({"g": ["a", None, "a", "b"], "y": [1.5, None, None, 2.5], "z": [1.5, 2, 3, 4.0]})
    found = missing_by_group(data, "g")
    assert list(found.index.get_level_values("variable").unique()) == ["y"]
    assert found["rows"].tolist() == [2, 1, 1]
    assert found["missing"].tolist() == [1, 0, 1]
    assert found.index.get_level_values("g").isna().sum() == 1
    with pytest.raises(DataError, match="no column has a missing cell"):
        missing_by_group(data[["z", "g"]].assign(g="x"), "g")
    with pytest.raises(DataError, match="no column 'h'"):
        missing_by_group(data, "h")


def test_polars_tables_are_read_too():
    pl = pytest.importorskip("polars")
    nhanes = datasets.load("nhanes")
    found = quickpred(pl.from_pandas(nhanes), mincor=0.3, include="age")
    pd.testing.assert_frame_equal(found, golden("quickpred_nhanes_mincor"))
    by = missing_by_group(pl.from_pandas(nhanes), "age", "chl")
    assert by["missing"].sum() == 10


def test_pairs_of_a_long_table_are_exact_counts():
    rng = np.random.default_rng(1)
    mask = rng.random((50_000, 10)) < 0.1
    table = pd.DataFrame(np.where(mask, np.nan, 1.5), columns=[f"x{j}" for j in range(10)])
    pairs = md_pairs(table)
    assert pairs.mm.loc["x0", "x1"] == (mask[:, 0] & mask[:, 1]).sum()
    assert pairs.rm.loc["x0", "x1"] == (~mask[:, 0] & mask[:, 1]).sum()
    assert all((part.dtypes == np.int64).all() for part in (pairs.rr, pairs.rm, pairs.mr, pairs.mm))
