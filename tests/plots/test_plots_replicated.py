"""Observed against replicated values: what is drawn is what was given."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmi import plots
from bayesmi.errors import DataError


def area(line):
    return np.trapezoid(line.get_ydata(), line.get_xdata())


def test_curves_are_densities_with_one_bandwidth():
    rng = np.random.default_rng(1)
    observed = np.round(rng.normal(5, 1.2, 800))  # heaped
    ax = plots.replicated(observed, rng.normal(5, 1.2, (200, 800)), name="score")
    lines = ax.get_lines()
    assert len(lines) == 41  # 40 replications at most, and the observed
    assert [area(line) for line in lines] == pytest.approx([1.0] * 41, abs=5e-3)
    shown = lines[-1]
    assert shown.get_label() == "observed (800)"
    mean = np.trapezoid(shown.get_xdata() * shown.get_ydata(), shown.get_xdata())
    assert mean == pytest.approx(observed.mean(), abs=0.05)
    heights = shown.get_ydata()
    assert (
        np.diff(np.sign(np.diff(heights[heights > 1e-6]))) != 0
    ).sum() == 1  # one peak: no waves from heaps


def test_bars_are_proportions():
    rng = np.random.default_rng(2)
    observed = (rng.random(100) < 0.3).astype(float)
    replications = (rng.random((50, 100)) < 0.3).astype(float)
    ax = plots.replicated(observed, replications, name="sex")
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([1 - observed.mean(), observed.mean()])
    dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert [len(line.get_ydata()) for line in dots] == [40, 40]
    chosen = np.unique(np.linspace(0, 49, 40).astype(int))
    assert dots[1].get_ydata() == pytest.approx(replications[chosen].mean(axis=1))
    assert dots[0].get_ydata() + dots[1].get_ydata() == pytest.approx(np.ones(40))


def test_binary_observed_under_a_gaussian_model_is_drawn_as_curves():
    rng = np.random.default_rng(3)
    ax = plots.replicated(np.array([0.0, 1.0, 1.0]), rng.normal(size=(5, 3)), name="x")
    assert not ax.patches
    assert len(ax.get_lines()) == 6


@pytest.mark.parametrize("shape", [(3,), (4, 2), (0, 3)])
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(DataError, match=r"'x'.*do not fit"):
        plots.replicated(np.ones(3), np.ones(shape), name="x")
