"""`bayesmi demo`, quick: every file is there, and holds what its name says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesmi.cli.demo import run_demo
from bayesmi.demo.figures import FIGURES
from bayesmi.demo.published import published
from bayesmi.errors import DataError

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "new" / "bayesmi-demo"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder / "pooled.csv").write_text("of an earlier run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAYESMI_QUICK", "1")
        run_demo(folder, seed=1)
    return folder


def test_leaves_its_files_and_no_others(left):
    names = {path.name for path in left.iterdir()}
    assert names == {*FIGURES, "imputed.parquet", "summary.csv", "pooled.csv", "notes.txt"}
    assert (left / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_figures_show_something(left, name):
    from matplotlib.image import imread

    picture = imread(left / name)
    assert min(picture.shape[:2]) > 250
    drawn = (picture[:, :, :3] < 0.95).any(axis=2)
    assert drawn.mean() > 0.01
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert np.ptp(rows) > 0.8 * picture.shape[0]  # spread over the picture, nothing squeezed into a corner
    assert np.ptp(columns) > 0.8 * picture.shape[1]


def test_tables_agree_with_each_other_and_with_complete_cases(left):
    pooled = pd.read_csv(left / "pooled.csv", index_col="term")
    summary = pd.read_csv(left / "summary.csv", index_col="term")
    reml = pd.Series({"Intercept": 3.592, "texp": 0.0916, "sex": 0.866})
    for term, target in reml.items():
        error = 3 * np.sqrt(pooled.loc[term, "b"] / 5) + 0.1 * pooled.loc[term, "std.error"]
        assert abs(pooled.loc[term, "estimate"] - target) < error
        assert abs(summary.loc[term, "mean"] - target) < 0.15 * summary.loc[term, "sd"]
    assert summary.loc["ICC|school", "mean"] == pytest.approx(0.497, abs=0.02)


def test_completed_data_sets_are_whole(left):
    long = pd.read_parquet(left / "imputed.parquet")
    assert sorted(long[".imp"].unique()) == list(range(6))
    assert long.loc[long[".imp"] > 0].notna().all(axis=None)
    assert long.loc[long[".imp"] == 0, "popular"].isna().sum() == 848


def test_published_numbers_are_those_printed():
    table = published()
    assert table.loc["sex", "std.error"] == pytest.approx(0.039, abs=5e-4)  # mitml's table: .181, .012, .039
    assert table.loc["Intercept", "std.error"] == pytest.approx(0.181, abs=5e-4)
    assert table.loc["ICC|school", "estimate"] == pytest.approx(0.470 / (0.470 + 0.462), abs=1e-3)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match=r"'.*taken' is a file: name a folder"):
        run_demo(tmp_path / "taken", seed=1)
