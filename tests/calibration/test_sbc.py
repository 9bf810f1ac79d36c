"""Simulation-based calibration; a day on one core: `uv run pytest tests/calibration/test_sbc.py -m calibration -n 0 --timeout 0`.

`uv run python -m benchmarks.sbc` runs the same study, keeps what is done, and writes benchmarks/results/sbc.
The tests of its own parts run with the others.
"""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmi.families import REGISTRY, WITH_BOUNDS
from benchmarks.resumable import run_missing
from benchmarks.sbc.parameters import draw_correlation
from benchmarks.sbc.replicate import M, one_replicate, rank
from benchmarks.sbc.report import judge
from benchmarks.sbc.shapes import SHAPES
from benchmarks.sbc.uniformity import Ecdf, pit_of_ranks, uniformity_p
from benchmarks.sbc.variables import PARAMETERS, draw_variable

TREATMENTS = {"predict", "enumerate", "gibbs", "integrate", "grid", "sample", "collapse"}


def test_the_shapes_cover_families_and_treatments():
    families = {family for shape in SHAPES.values() for family in shape.families}
    assert families == set(REGISTRY) | set(WITH_BOUNDS) == set(PARAMETERS)
    incomplete = {v.family for shape in SHAPES.values() for v in shape.variables if v.missing}
    assert incomplete == families, "each family has a shape in which its own cells are missing"
    assert {t for shape in SHAPES.values() for t in shape.treatments} >= TREATMENTS


@pytest.mark.calibration
def test_the_band_holds_uniform_ranks_and_not_others():
    rng = np.random.default_rng(3)
    p = [uniformity_p(pit_of_ranks(rng.integers(M + 1, size=200), M)) for _ in range(100)]
    assert stats.kstest(p, "uniform").pvalue > 0.001
    shifted, narrow = np.clip(rng.beta(1.4, 1.0, 300), 0, 1), rng.beta(0.6, 0.6, 300)
    for wrong in (shifted, narrow):
        assert uniformity_p(wrong) < 0.01
        assert not Ecdf(wrong).is_inside


def test_ties_are_broken_at_random():
    rng = np.random.default_rng(4)
    ranks = [rank(np.repeat([0.0, 1.0], [40, 59]), 1.0, rng) for _ in range(500)]
    assert min(ranks) == 40
    assert max(ranks) == M


def test_correlations_are_those_of_lkj():
    """Each correlation of an LKJ(eta) matrix of q variables is 2 Beta(a, a) - 1 with a = eta - 1 + q / 2."""
    rng = np.random.default_rng(5)
    drawn = np.array([draw_correlation(2.0, 3, rng)[np.tril_indices(3, -1)] for _ in range(2000)])
    for column in drawn.T:
        assert stats.kstest((column + 1) / 2, stats.beta(2.5, 2.5).cdf).pvalue > 0.001


@pytest.mark.parametrize("family", sorted({**REGISTRY, **WITH_BOUNDS}))
def test_draws_are_those_of_the_family(family):
    """Two independent writings of one distribution, the study's and the package's."""
    n = 4000
    scales = {"sigma": 0.8, "nu": 5.0, "alpha": 1.7, "kappa": 6.0, "zi": 0.3, "hu": 0.4}
    scales["threshold"] = np.array([-0.7, 0.9])
    eta = np.linspace(-0.5, 1.2, n)
    bounds = (0.0, 4.0)
    ours = WITH_BOUNDS[family](*bounds) if family in WITH_BOUNDS else REGISTRY[family]
    both = np.column_stack([eta, -eta]) if ours.has_equations else eta
    one = draw_variable(family, np.random.default_rng(6), both, scales, trials=np.full(n, 4), bounds=bounds)
    own = {p.name: scales[p.name] for p in ours.parameters} | {"trials": np.full(n, 4.0)}
    other = ours.draw(np.random.default_rng(7), [eta, -eta] if ours.has_equations else eta, own)
    for part in (slice(0, n // 2), slice(n // 2, n)):
        if ours.is_discrete:
            table = pd.crosstab(np.r_[one[part], other[part]], np.repeat([0, 1], n // 2))
            table = table[table.sum(axis=1) >= 10]
            assert stats.chi2_contingency(table).pvalue > 0.001
        else:
            assert stats.ks_2samp(one[part], other[part]).pvalue > 0.001


@pytest.mark.xdist_group("sbc")
@pytest.mark.calibration
def test_a_replicate_repeats_and_is_run_once(tmp_path):
    path = tmp_path / "collapse.csv"
    shape = SHAPES["collapse"]
    one = functools.partial(one_replicate, shape)
    first = run_missing(path, shape.design, 1, one)
    calls = []
    run_missing(path, shape.design, 1, lambda r: calls.append(r) or one(r))
    assert calls == []
    again = one(0)
    assert {k: v for k, v in again.items() if k != "seconds"} == {
        k: v for k, v in first.iloc[0].items() if k not in ("seconds", "design")
    }
    assert run_missing(path, "another", 0, one).empty


@pytest.mark.calibration
@pytest.mark.parametrize("name", list(SHAPES))
def test_ranks_are_uniform(name, tmp_path):
    shape = SHAPES[name]
    runs = run_missing(tmp_path / "runs.csv", shape.design, 200, functools.partial(one_replicate, shape))
    table = judge(runs)
    assert table["p"].min() * len(table) > 0.01, table.sort_values("p").head(5).to_string()
