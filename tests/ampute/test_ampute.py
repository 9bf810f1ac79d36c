"""ampute: its distribution against mice 3.15, its scores exactly, and what it refuses."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmi.ampute import ampute
from bayesmi.ampute.probabilities import by_odds, by_type, shift_of, sum_scores
from bayesmi.errors import BayesmiNotice, DataError

GOLDEN = Path(__file__).parents[1] / "golden" / "ampute"
TWO = [[1, 0, 1, 1], [1, 1, 0, 0]]
EQUAL = [[1, 0, 0, 1], [1, 1, 0, 0], [0, 1, 1, 0]]
CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "mcar": {"mech": "MCAR", "prop": 0.3},
    "mnar": {"mech": "MNAR", "prop": 0.4, "patterns": TWO},
    "left": {"prop": 0.3, "patterns": TWO, "freq": [0.7, 0.3], "type": "LEFT"},
    "mid": {"prop": 0.3, "patterns": TWO, "freq": [0.7, 0.3], "type": "MID"},
    "tail_right": {"prop": 0.6, "patterns": TWO, "freq": [0.7, 0.3], "type": ["TAIL", "RIGHT"]},
    "weights": {"patterns": TWO, "weights": [[3, 0, 1, 0], [-1, 2, 0, 0]]},
    "raw": {"patterns": TWO, "std": False},
    "odds": {"prop": 0.3, "patterns": TWO, "cont": False, "odds": [[1, 2, 3, 4], [3, 1, 1, np.nan]]},
    "cells": {"prop": 0.25, "patterns": EQUAL, "bycases": False},
    "complete": {"patterns": [*TWO, [1, 1, 1, 1]], "freq": [0.4, 0.4, 0.2]},
}
RUNS = 100


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "data.csv")


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "runs.csv").set_index(["case", "quantity"])


def quantities(table: pd.DataFrame, options: dict[str, Any], seed: int) -> dict[str, float]:
    """The same numbers as tests/golden/ampute.R takes from a run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        made = ampute(table, seed=seed, **options)
    gone = made.missing
    hit = gone.any(axis=1)
    z = stats.zscore(table.to_numpy(), ddof=1)
    found = {"rows": hit.mean(), "cells": gone.mean()}
    for k in range(1, len(made.patterns) + 1):
        of = hit & (made.cand == k)
        found[f"share{k}"] = of.mean()
        for j, name in enumerate(table):
            found[f"mean{k}{name}"] = z[of, j].mean()
            found[f"spread{k}{name}"] = (z[of, j] ** 2).mean()
    return found


@pytest.mark.parametrize("case", CASES)
def test_it_behaves_as_that_of_mice(case, table, runs):
    mine = pd.DataFrame([quantities(table, CASES[case], seed) for seed in range(RUNS)])
    wanted = runs.loc[case]
    assert set(mine) == set(wanted.index)
    error = np.sqrt(mine.var() / RUNS + wanted["sd"] ** 2 / 300)
    z = (mine.mean() - wanted["mean"]) / error
    assert z.abs().max() < 4.2, z.abs().idxmax()
    spread = mine.std() / wanted["sd"]
    assert spread.between(0.7, 1.4).all(), spread


def test_scores_are_those_of_mice(table):
    golden = pd.read_csv(GOLDEN / "scores.csv")
    weights = np.array([[3.0, 0, 1, 0], [-1, 2, 0, 0]])
    for suffix, std in (("", True), ("_raw", False)):
        for k in (1, 2):
            rows = golden["cand" + suffix] == k
            found = sum_scores(table[rows].to_numpy(), weights[k - 1], std)
            np.testing.assert_allclose(found, golden.loc[rows, "score" + suffix], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["RIGHT", "LEFT", "MID", "TAIL"])
@pytest.mark.parametrize("prop", [0.02, 0.3, 0.5, 0.95])
def test_normal_scores_meet_the_proportion(kind, prop):
    scores = stats.norm.ppf((np.arange(20_001) + 0.5) / 20_001)
    p = by_type(scores, kind, prop)
    assert p.mean() == pytest.approx(prop, abs=1e-3)
    order = {"RIGHT": scores, "LEFT": -scores, "TAIL": np.abs(scores), "MID": -np.abs(scores)}[kind]
    assert stats.spearmanr(p, order).statistic == pytest.approx(1, abs=1e-6)
    if kind == "RIGHT":
        np.testing.assert_allclose(np.log(p / (1 - p)), scores + shift_of(kind, prop), rtol=1e-8)


def test_odds_hold_between_the_quantile_groups():
    scores = np.linspace(-2, 2, 400)
    p = by_odds(scores, np.array([1.0, 2.0, 3.0, 4.0]), 0.4, 1)
    assert sorted(set(np.round(p, 10))) == [0.16, 0.32, 0.48, 0.64]
    assert p.mean() == pytest.approx(0.4)
    with pytest.raises(DataError, match="too few distinct values for 4 groups"):
        by_odds(np.array([0.0, 0, 0, 1, 1, 1]), np.array([1.0, 2, 3, 4]), 0.4, 1)


def test_a_seed_repeats_and_another_does_not(table):
    first, again, other = (ampute(table, seed=s).amp for s in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first.isna().equals(other.isna())
    drawn = ampute(table)
    pd.testing.assert_frame_equal(ampute(table, seed=drawn.seed).amp, drawn.amp)


def test_patterns_by_name_and_what_is_kept(table):
    made = ampute(table, patterns=[["y"], ["z", "w"]], seed=1)
    np.testing.assert_array_equal(made.patterns, TWO)
    gone = made.amp.isna()
    assert (gone["z"] == gone["w"]).all()
    assert not gone["x"].any()
    assert not (gone["y"] & gone["z"]).any()
    pd.testing.assert_frame_equal(made.amp.fillna(table), table)
    pd.testing.assert_frame_equal(made.data, table)
    assert made.weights.to_numpy().tolist() == [[1, 0, 1, 1], [1, 1, 0, 0]]
    assert made.summary["incomplete"].sum() == gone.any(axis=1).sum()
    assert "intended 50.0%" in repr(made)
    by_column = ampute(table, patterns=pd.DataFrame(TWO, columns=list(table))[["w", "y", "x", "z"]], seed=1)
    pd.testing.assert_frame_equal(by_column.amp, made.amp)
    flat = ampute(table, patterns=[1, 0, 1, 1, 1, 1, 0, 0], seed=1)
    pd.testing.assert_frame_equal(flat.amp, made.amp)


def test_the_proportion_of_cells_is_met_with_patterns_of_different_size(table):
    cells = [ampute(table, 0.2, TWO, [0.8, 0.2], bycases=False, seed=s).missing.mean() for s in range(40)]
    assert np.mean(cells) == pytest.approx(0.2, abs=0.006)


def test_percentages_none_and_all(table):
    assert ampute(table, 30, seed=1).prop == pytest.approx(0.3)
    assert not ampute(table, 0.0, seed=1).missing.any()
    assert ampute(table, 1.0, seed=1).missing.any(axis=1).all()


def test_dtypes_stay():
    data = pd.DataFrame(
        {
            "count": np.arange(60),
            "yes": np.arange(60) % 3 == 0,
            "kind": pd.Categorical(list("abc") * 20, categories=["c", "b", "a"]),
            "word": ["u", "v"] * 30,
            "when": pd.date_range("2020-01-01", periods=60),
            "wide": pd.array(range(60), dtype="Int64"),
        }
    )
    made = ampute(data, 0.9, mech="MCAR", seed=2)
    assert made.amp["count"].dtype == np.float64
    assert made.amp["yes"].dtype == "boolean"
    for name in ("kind", "word", "when", "wide"):
        assert made.amp[name].dtype == data[name].dtype, name
        assert made.amp[name].isna().any()
    assert data.notna().all().all()
    with pytest.warns(BayesmiNotice) as said:
        ampute(data, 0.5, seed=2)
    lines = [str(one.message) for one in said]
    assert any("identifiers" in line and "'when'" in line for line in lines)
    assert any("'kind'" in line for line in lines)


def test_polars_comes_back_as_polars(table):
    pl = pytest.importorskip("polars")
    made = ampute(pl.from_pandas(table), patterns=TWO, seed=1)
    assert isinstance(made.amp, pl.DataFrame)
    wanted = ampute(table, patterns=TWO, seed=1).missing
    np.testing.assert_array_equal(np.column_stack([made.amp[c].is_null() for c in made.amp.columns]), wanted)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"patterns": TWO, "weights": [[1, 1, 0, 0], [1, 0, 0, 0]]}, "weight on 'y', which it makes missing"),
        ({"patterns": TWO, "freq": [2, 1]}, "adds up to 3"),
        ({"patterns": [*TWO, [1, 1, 1, 1]], "freq": [0.4, 0.4, 0.2]}, "becomes 0.4"),
        ({"patterns": TWO, "freq": [1, 0]}, "pattern 2 has no candidates"),
        (
            {"patterns": TWO, "weights": [[0, 0, 0, 0], [1, 0, 0, 0]]},
            "pattern 1: all candidates have the same score",
        ),
        ({"prop": 0.9, "odds": [1, 9]}, "more than all rows of a group"),
    ],
)
def test_what_is_accepted_is_remarked_on(options, words, table):
    with pytest.warns(BayesmiNotice, match=words):
        made = ampute(table, seed=1, **options)
    assert any(words in line for line in made.notices)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prop": 101}, "prop = 101"),
        ({"prop": -0.1}, "prop = -0.1"),
        ({"mech": "MARR"}, "did you mean 'MAR'"),
        ({"patterns": [[1, 0, 2, 1]]}, "holds 2 in pattern 1"),
        ({"patterns": [[1, 0, 1]]}, r"shape \(1, 3\)"),
        ({"patterns": [["u"]]}, "no column of the table"),
        ({"patterns": [[1, 1, 1, 1]]}, "every pattern is complete"),
        ({"patterns": [[0, 0, 0, 0]]}, "use MCAR or MNAR"),
        ({"patterns": TWO, "freq": [1, 1, 1]}, "each of the 2 patterns"),
        ({"patterns": TWO, "freq": [-1, 2]}, "from 0 up"),
        ({"patterns": TWO, "weights": [[1, 0, 0, 0]]}, "1 rows for 2 patterns"),
        ({"mech": "MCAR", "weights": [[1, 0, 0, 0]]}, "depends on nothing"),
        ({"mech": "MCAR", "type": "LEFT"}, "leave them out"),
        ({"type": "RIHGT"}, "did you mean 'RIGHT'"),
        ({"patterns": TWO, "type": ["LEFT", "MID", "TAIL"]}, "3 entries for 2 patterns"),
        ({"cont": True, "odds": [1, 2]}, "leave out one"),
        ({"odds": [1, 2], "type": "LEFT"}, "leave out one"),
        ({"odds": [-1, 2]}, "from 0 up"),
        ({"prop": 0.5, "bycases": False, "patterns": TWO}, "cannot be missing"),
    ],
)
def test_what_does_not_fit_is_refused(options, words, table):
    with pytest.raises(DataError, match=words):
        ampute(table, seed=1, **options)


def test_incomplete_tables_are_refused_by_name(table):
    with pytest.raises(DataError, match="'y' has missing values already, in row 7"):
        ampute(table.mask((table.index == 7)[:, None] & (table.columns == "y")))
    with pytest.raises(DataError, match="at least two columns"):
        ampute(table[["x"]])


def test_whole_numbers_that_floats_cannot_tell_apart_stay_whole():
    table = pd.DataFrame(
        {"big": 2**53 + np.arange(40, dtype=np.int64), "small": np.arange(40), "x": np.arange(40.0)}
    )
    made = ampute(table, patterns=[["big", "small"]], seed=1).amp
    assert str(made["big"].dtype) == "Int64"
    assert made["small"].dtype == float
    seen = made["big"].notna()
    assert made["big"][seen].tolist() == table["big"][seen].tolist()
