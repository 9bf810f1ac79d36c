"""Observed cells held out, imputed and drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import bayesmi as bmi
from bayesmi import plots
from bayesmi.errors import DataError
from bayesmi.overimpute import Overimputation

QUICK = {"draws": 700, "tune": 300, "progress": False}
pytestmark = pytest.mark.xdist_group("overimputation")


def blank():
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(1)
    n = 120
    x = rng.normal(size=n)
    table = pd.DataFrame(
        {"x": x, "y": 2 * x + rng.normal(size=n), "b": (rng.random(n) < 1 / (1 + np.exp(-2 * x))) * 1.0}
    )
    table.loc[:9, "y"] = np.nan
    table.loc[20:29, "b"] = np.nan
    return bmi.Model("y ~ x + b", table)


@pytest.fixture(scope="module")
def numbers(model):
    return bmi.overimpute(model, "y", folds=2, cells=80, m=100, seed=3, **QUICK)


def test_intervals_hold_what_was_held_out(model, numbers):
    table = numbers.table
    assert len(table) == 80
    assert numbers.draws.shape == (100, 80)
    assert table["fold"].value_counts().to_dict() == {1: 40, 2: 40}
    np.testing.assert_array_equal(table["observed"], model.frame.original().loc[table.index, "y"])
    assert not set(table.index) & set(range(10))  # missing cells are not observed ones
    assert 0.86 <= numbers.coverage <= 1.0
    error = table["mean"] - table["observed"]
    assert error.std() == pytest.approx(
        1.0, abs=0.25
    )  # the residual, and no less: the cell itself was not seen
    assert np.corrcoef(table["mean"], table["observed"])[0, 1] > 0.7
    assert "80 observed cells held out" in repr(numbers)


def test_it_repeats(model, numbers):
    again = bmi.overimpute(model, "y", folds=2, cells=80, m=100, seed=3, **QUICK)
    pd.testing.assert_frame_equal(again.table, numbers.table)


def test_binary_cells(model):
    found = bmi.overimpute(model, "b", folds=2, m=60, seed=4, **QUICK)
    assert found.levels == (0.0, 1.0)
    assert len(found.table) == 110
    assert found.coverage > 0.65
    ax = plots.overimputation(found, blank())
    dots = next(line for line in ax.lines if line.get_label() == "1")
    assert ax.get_xlabel() == "imputed probability of b = 1"
    chance, hit = (found.draws == 1).mean(axis=0), found.table["observed"].to_numpy() == 1
    group = np.minimum((chance * 10).astype(int), 9)
    np.testing.assert_allclose(dots.get_ydata(), [hit[group == k].mean() for k in np.unique(group)])
    np.testing.assert_allclose(dots.get_xdata(), [chance[group == k].mean() for k in np.unique(group)])


def test_plot_of_numbers(numbers):
    ax = plots.overimputation(numbers, blank())
    table = numbers.table
    drawn = {}
    for line in ax.lines:
        if line.get_label().split(" ")[0] in ("inside", "outside"):
            drawn[line.get_label().split(" ")[0]] = np.column_stack(line.get_data())
    for name, part in (("inside", table[table["inside"]]), ("outside", table[~table["inside"]])):
        if len(part):
            np.testing.assert_array_equal(drawn[name], part[["observed", "median"]])
    segments = np.concatenate([np.array(c.get_segments()) for c in ax.collections])
    assert len(segments) == 80
    assert sorted(segments[:, 0, 1]) == sorted(table["low"])
    assert f"({100 * numbers.coverage:.0f} %) inside their 95 % interval" in ax.get_title(loc="left")


def test_refused(model):
    with pytest.raises(DataError, match="'x' is not imputed by this model"):
        bmi.overimpute(model, "x", seed=1)
    with pytest.raises(DataError, match="cells=500: column 'y' has 110"):
        bmi.overimpute(model, "y", cells=500, seed=1)
    with pytest.raises(DataError, match="folds=1"):
        bmi.overimpute(model, "y", folds=1, seed=1)


def test_categories_have_a_marker_each():
    draws = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 1.0]])
    table = pd.DataFrame(
        {"observed": ["a", "b", "c"], "fold": 1, "probability": [1, 1, 0.5], "right": [True, True, False]}
    )
    ax = plots.overimputation(Overimputation("g", table, draws, ("a", "b", "c"), 0.95, 1), blank())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "c"]
