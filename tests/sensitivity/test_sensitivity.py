"""Sensitivity over grids: against refits by brute force on the same seeds, reweighted against sampled anew."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from bayesmi import BayesmiNotice, Delta, Model, Prior
from bayesmi.errors import GateError, ModelError, NotSupportedError
from bayesmi.sensitivity.grid import DeltaGrid
from bayesmi.sensitivity.importance import bridge, bridged, pareto_limit, smoothed
from bayesmi.sensitivity.point import ImputedAnswer, Point, PosteriorAnswer
from bayesmi.sensitivity.sensitivity import Sensitivity

pytestmark = [
    pytest.mark.xdist_group("sensitivity"),
    pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice"),
]
FIT = {"seed": 11, "draws": 150, "tune": 200, "progress": False}
OPTIONS = {"m": 8, "despite_gate": True, "progress": False}


def trial():
    rng = np.random.default_rng(8)
    n = 140
    treat = np.tile([0.0, 1.0], n // 2)
    base = rng.normal(size=n)
    y = 0.9 * treat + 0.6 * base + rng.normal(size=n)
    data = pd.DataFrame(
        {"y": y, "treat": treat, "base": base, "arm": np.where(treat == 1, "active", "control")}
    )
    data.loc[rng.choice(n, 40, replace=False), "y"] = np.nan
    data.loc[rng.choice(n, 20, replace=False), "base"] = np.nan
    return data


def fitted(**options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model("y ~ treat + base", trial(), **options).fit(**FIT)


def ancova(data):
    return smf.ols("y ~ treat + base", data).fit()


@pytest.fixture(scope="module")
def fit():
    return fitted()


ACTIVE = {"y": Delta({"active": 1.0}, by="arm")}


@pytest.fixture(scope="module")
def tipping(fit):
    return fit.tipping_point("treat", {"y": (-4, 0)}, like=ACTIVE, analysis=ancova, **OPTIONS)


def test_the_tipping_point_agrees_with_brute_force_refits(tipping):
    assert -4 < tipping.value < 0
    p = {}
    for delta in (tipping.value - 0.02, tipping.value + 0.02):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesmiNotice)
            model = Model("y ~ treat + base", trial(), mechanisms={"y": Delta({"active": delta}, by="arm")})
            pooled = model.fit(**FIT).impute(8, despite_gate=True).analyze(ancova, progress=False).pool()
        p[delta] = pooled.table.loc["treat", "p.value"]
    below, above = p.values()
    assert below > 0.05 > above
    assert abs(below - 0.05) < 0.01
    assert abs(above - 0.05) < 0.01


def test_every_point_is_the_refit_to_the_digit(fit):
    found = fit.sensitivity({"y": [-2.0, 0.0]}, like=ACTIVE, analysis=ancova, **OPTIONS)
    mechanisms = {"y": Delta({"active": -2.0}, by="arm")}
    refit = fitted(mechanisms=mechanisms).impute(8, despite_gate=True).analyze(ancova, progress=False).pool()
    np.testing.assert_allclose(found.at(-2.0)["estimate"], refit.table["estimate"], atol=1e-12)
    np.testing.assert_allclose(found.at(-2.0)["std.error"], refit.table["std.error"], atol=1e-12)
    at_random = fit.impute(8, despite_gate=True).analyze(ancova, progress=False).pool()
    np.testing.assert_allclose(found.at(0.0)["conf.low"], at_random.table["conf.low"], atol=1e-12)


def test_what_the_tipping_point_says(tipping):
    assert 0 < tipping.mcse < 1
    assert tipping.estimate["p.value"] == pytest.approx(0.05, abs=0.005)
    assert "Monte Carlo error" in repr(tipping)
    assert float(tipping) == tipping.value
    # another criterion on the same points: the estimate halves
    half = tipping.sensitivity.at(0.0).loc["treat", "estimate"] / 2
    other = tipping.sensitivity.tipping_point("treat", criterion=half)
    assert other.estimate["estimate"] == pytest.approx(half, abs=0.01)
    same = tipping.sensitivity.tipping_point("treat", criterion="p")
    assert same.value == pytest.approx(tipping.value, abs=0.01)


def test_its_monte_carlo_error_is_that_of_other_imputations(fit, tipping):
    others = [
        fit.tipping_point(
            "treat",
            {"y": [-4, -2, -1, 0]},
            like=ACTIVE,
            analysis=ancova,
            seed=seed,
            tolerance=0.05,
            **OPTIONS,
        )
        for seed in range(100, 108)
    ]
    spread = np.std([one.value for one in others], ddof=1)
    errors = [one.mcse for one in others]
    assert 0.35 < np.mean(errors) / spread < 2.9  # the sd of eight is within these bounds of the truth


def test_nothing_turns(fit):
    found = fit.tipping_point("treat", {"y": [-0.1, 0.0]}, analysis=ancova, criterion=99.0, **OPTIONS)
    assert np.isnan(found.value)
    assert repr(found).startswith("No tipping point")


def test_the_table_is_tidy(fit):
    found = fit.sensitivity({"y": [-1, 0, 1]}, **OPTIONS)
    assert list(found.table.columns[:3]) == ["delta_y", "term", "estimate"]
    assert len(found.table) == 9
    own = found.table[found.table["delta_y"] == -1.0]
    np.testing.assert_allclose(own["realised_y"], -1.0, atol=1e-12)
    assert found.realised.loc[(1.0, "y", ""), "per_unit"] == pytest.approx(1.0)
    assert "a unit of delta of y: delta_conditional: shifted by 1" in repr(found)


def test_workers_do_not_matter(fit):
    one, two = (fit.sensitivity({"y": [-1, 0]}, kind="after", n_jobs=n, **OPTIONS) for n in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)


def test_two_deltas_have_a_line(fit):
    found = fit.sensitivity(
        {"y": [-3, 0], "base": [-1, 0, 1]}, like={"y": ACTIVE["y"], "base": Delta(1.0)}, **OPTIONS
    )
    assert len(found.points) == 6
    line = found.tipping_line("treat")
    assert list(line.columns) == ["delta_y", "delta_base"]
    assert len(line)
    assert line["delta_y"].between(-3, 0).all()
    with pytest.raises(ModelError, match="tipping_line"):
        found.tipping_point("treat")


def test_reweighted_draws_agree_with_refits(fit):
    options = {"kind": "model", "refit": {"tune": 200}, **OPTIONS}
    one = fit.sensitivity({"base": [-0.4, 0.0, 0.4]}, **options)
    two = fit.sensitivity({"base": [-0.4, 0.0, 0.4]}, reweight=False, **options)
    assert [p.how for p in one.points] == ["reweighted", "draws", "reweighted"]
    assert [p.how for p in two.points] == ["refitted", "draws", "refitted"]
    assert all(p.pareto_k < pareto_limit(600) for p in one.points)
    for k in (0, 2):
        a, b = one.points[k].answer.table(), two.points[k].answer.table()
        error = np.hypot(a["mcse"], b["mcse"])
        assert (np.abs(a["estimate"] - b["estimate"]) < 5 * error).all()
        assert one.points[k].log_likelihood == pytest.approx(two.points[k].log_likelihood, abs=0.25)
    np.testing.assert_allclose(
        one.at(0.0)["estimate"], fit.summary().loc[list(one.terms), "mean"], atol=1e-10
    )
    assert one.points[1].realised["difference"].iloc[0] == 0.0


def test_a_delta_model_with_an_analysis_pools_imputations(fit):
    found = fit.sensitivity({"base": [0.0, 0.3]}, kind="model", analysis="y ~ treat + base", **OPTIONS)
    assert all(isinstance(point.answer, ImputedAnswer) for point in found.points)
    at_random = fit.impute(8, despite_gate=True).analyze(ancova, progress=False).pool()
    np.testing.assert_allclose(found.at(0.0)["estimate"], at_random.table["estimate"], atol=1e-12)


@pytest.mark.parametrize(
    ("delta", "options", "match"),
    [
        ({}, {}, "mapping by variable"),
        ({"treat": [0]}, {}, "does not impute"),
        ({"y": ["a"]}, {}, "list of numbers"),
        ({"y": [0], "base": [0], "treat": [0]}, {}, "one or two"),
        ({"y": [0]}, {"like": {"base": Delta(1)}}, "which delta= does not"),
        ({"y": [0]}, {"like": {"y": Delta(1, kind="after")}, "kind": "model"}, "leave one out"),
        ({"y": [0]}, {"like": {"y": Delta(Prior("Normal", 0, 1))}}, "no multiples"),
        ({"y": [0], "base": [0]}, {"like": {"y": Delta(1, kind="after"), "base": Delta(1)}}, "same kind"),
        ({"y": [0]}, {"analysis": 3}, "function of a completed table"),
        ({"y": [0]}, {"m": 1}, "2 or more"),
        ({"y": [0]}, {"n_jobs": 0}, "number of processes"),
    ],
)
def test_what_is_refused(fit, delta, options, match):
    with pytest.raises(ValueError, match=match):
        fit.sensitivity(delta, **{**OPTIONS, **options})


class Wave:
    """An answer whose margin turns at -3, 1 and 4; in its replicates a little further on."""

    terms = ("x",)

    def __init__(self, value):
        self.value = value

    def table(self):
        columns = ("estimate", "std.error", "conf.low", "conf.high", "p.value", "mcse")
        return pd.DataFrame({name: [0.0] for name in columns}, index=pd.Index(["x"], name="term"))

    def margin(self, term, target, alpha):
        return (self.value + 3) * (self.value - 1) * (self.value - 4)

    def replicated_margins(self, term, target, alpha, seed):
        d, value = np.array([-0.01, 0.0, 0.01]), self.value
        return (value + 3 + 20 * d) * (value - 1 - d) * (value - 4 - 40 * d)

    def spread(self, roots):
        return float(np.std(roots))


def test_of_several_tipping_points_the_one_nearest_to_missing_at_random_is_told():
    realised = pd.DataFrame(
        {"difference": [0.0], "cells": [1]},
        index=pd.MultiIndex.from_tuples([("y", "")], names=["variable", "group"]),
    )

    def point(values):
        return Point(tuple(values), Wave(values[0]), realised, "imputations")

    grid = DeltaGrid({"y": Delta(1)}, {"y": tuple(np.linspace(-5.0, 5.0, 9))})
    found = Sensitivity(grid, tuple(point(p) for p in grid.points), point, 2, 1).tipping_point(
        "x", tolerance=0.001
    )
    assert found.value == pytest.approx(1.0, abs=0.002)
    assert found.mcse == pytest.approx(0.008, rel=0.3)  # sd of -.01, 0, .01
    np.testing.assert_allclose(found.values, [-3, 1, 4], atol=0.3)  # others as the grid has them


@pytest.mark.parametrize("given", [5, (1, 1), [0.0]])
def test_a_tipping_point_needs_a_range(fit, given):
    with pytest.raises(ModelError, match=r"lies between two values of delta_conditional of y: give a range"):
        fit.tipping_point("treat", {"y": given}, **OPTIONS)


def test_the_gate_is_heard(fit):
    if fit.gate.passed:
        pytest.skip("this short fit passed its checks")
    with pytest.raises(GateError):
        fit.sensitivity({"y": [0.0]})


def test_an_analysis_that_statsmodels_does_not_have_is_asked_for():
    data = trial().assign(grade=pd.cut(trial()["y"], [-9, 0, 1, 9], labels=["a", "b", "c"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        fit = Model("grade ~ treat", data).fit(seed=1, draws=50, tune=50, progress=False)
    with pytest.raises(NotSupportedError, match="analysis=lambda data"):
        fit.sensitivity({"grade": [0.0]}, **OPTIONS)


def test_bridge_sampling_finds_a_known_ratio():
    """Unnormalised Gaussians exp(-x²/2) and exp(-(x-1)²/(2·.8²)): the log ratio of their integrals is log .8."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=200_000), rng.normal(1.0, 0.8, size=200_000)

    def ratio(x):
        return -0.5 * ((x - 1) / 0.8) ** 2 + 0.5 * x**2

    assert bridge(ratio(first), ratio(second)) == pytest.approx(np.log(0.8), abs=0.01)  # sd .003
    many = [
        bridged(ratio(a), ratio(b))
        for a, b in zip(first.reshape(200, -1), second.reshape(200, -1), strict=True)
    ]
    assert np.mean([error for _, error in many]) == pytest.approx(
        np.std([value for value, _ in many]), rel=0.2
    )
    own = smoothed(ratio(first))
    assert own.weights.sum() == pytest.approx(1.0)
    assert own.weights @ first == pytest.approx(1.0, abs=0.05)
    assert smoothed(0.5 * first**2 * (1 - 1 / 9)).holds is False  # three times as wide: k = 8/9
    assert smoothed(-1e6 * (first - 2.0) ** 2).holds is False  # bounded, and all weight on few draws


def test_weighted_quantiles_and_blocks():
    rng = np.random.default_rng(1)
    values = rng.normal(2.0, 1.0, (4000, 1))
    answer = PosteriorAnswer(("x",), values, np.full(4000, 1 / 4000))
    table = answer.table().loc["x"]
    assert table["conf.low"] == pytest.approx(np.quantile(values, 0.025), abs=0.01)
    assert table["mcse"] == pytest.approx(1 / np.sqrt(4000), rel=0.5)
    assert answer.margin("x", None, 0.05) == pytest.approx(table["conf.low"] / table["std.error"], abs=1e-9)
    assert answer.margin("x", 1.5, 0.05) == pytest.approx(values.mean() - 1.5)
    assert table["p.value"] == pytest.approx(2 * (values < 0).mean())  # two-sided
    assert 0.02 < table["p.value"] < 0.07
