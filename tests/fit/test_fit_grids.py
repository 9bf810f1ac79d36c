"""Grids are checked at the posterior: one that is too coarse or too short is seen, refined and sampled again."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiNotice, Model
from bayesmi.build import build_sampled
from bayesmi.build.tables import make_tables
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.errors import NotSupportedError
from bayesmi.fit.grids import GridAccuracy, check_grids
from bayesmi.fit.refine import next_grids, refine, refined_plan
from bayesmi.plan import make_plan

pytestmark = pytest.mark.xdist_group("fit_grids")
S = 40


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return function(*args, **kwargs)


def table(n=80, noise=0.3):
    rng = np.random.default_rng(3)
    x = rng.normal(size=n)
    data = pd.DataFrame({"y": x**2 + noise * rng.normal(size=n), "x": x, "w": rng.poisson(np.exp(0.2 * x))})
    data["w"] = data["w"].astype(float)
    data.loc[:7, "x"] = np.nan
    data.loc[10:14, "w"] = np.nan
    return data


@pytest.fixture(scope="module")
def model():
    return quiet(Model, "y ~ x + I(x ** 2)", table())


def draws(slope=1.0, sigma=0.3, spread=1.0):
    """Draws around the truth of `table`."""
    rng = np.random.default_rng(1)

    def near(*values):
        return np.array(values) * (1 + 0.02 * rng.normal(size=(S, len(values))))

    y = FactorDraws(near(0.05)[:, 0], near(0.02, slope), {"sigma": near(sigma)[:, 0]}, {}, {}, {})
    x = FactorDraws(near(0.05)[:, 0], np.zeros((S, 0)), {"sigma": near(spread)[:, 0]}, {}, {}, {})
    return PosteriorDraws(1, S, {"y": y, "x": x}, {})


def checked(model, plan, at):
    return check_grids(model, plan, make_tables(model.factors, model.table, plan), at)


def next_after(plan, accuracy):
    return next_grids(plan.finer, plan.wider, accuracy)


def refined(model, at, plan, attempts=6):
    """Refine until the check holds; returns the plan and how often."""
    for attempt in range(attempts):
        accuracy = checked(model, plan, at)
        if all(one.holds for one in accuracy):
            return plan, attempt
        finer, wider = next_after(plan, accuracy)
        assert (finer, wider) != (dict(plan.finer), dict(plan.wider))
        plan = make_plan(model, finer=finer, wider=wider)
    raise AssertionError("never held")


def log_marginal(model, plan, at):
    """Log of the sum over the cells of every row, (S, rows) with cells."""
    from bayesmi.draw import unit_log_weights
    from bayesmi.draw.weights import add_upwards

    tables = make_tables(model.factors, model.table, plan)
    weights = add_upwards(tables.expansion, unit_log_weights(model.factors, tables, at)[0].copy())
    out = []
    for block in tables.expansion.blocks:
        part = weights[:, block.entries].reshape(at.n, block.n_units, block.n_combinations)
        top = part.max(axis=2)
        out.append(top + np.log(np.exp(part - top[:, :, None]).sum(axis=2)))
    return np.concatenate(out, axis=1)


def test_a_grid_that_is_too_coarse_is_seen_and_refined_until_it_holds(model):
    at = draws()
    coarse = make_plan(model, finer={"x": 0.4})
    (one,) = checked(model, coarse, at)
    assert one.variable == "x"
    assert not one.holds
    assert one.error > 1e-4
    finer, wider = next_after(coarse, (one,))
    assert finer["x"] > 0.4
    assert "x" not in wider
    plan, attempts = refined(model, at, coarse)
    assert 1 <= attempts <= 3
    assert plan.grids["x"].values.shape[1] > coarse.grids["x"].values.shape[1]


def test_a_grid_is_refined_at_the_same_draws_until_it_holds(model):
    at = draws()
    coarse = make_plan(model, finer={"x": 0.2})
    plan = refined_plan(model, coarse, at, checked(model, coarse, at))
    assert all(one.holds for one in checked(model, plan, at))


def test_what_is_called_accurate_is(model):
    at = draws()
    plan, _ = refined(model, at, make_plan(model, finer={"x": 0.4}))
    exact = log_marginal(model, make_plan(model, finer={"x": 2.0}, wider={"x": 2.0}), at)
    np.testing.assert_allclose(log_marginal(model, plan, at), exact, atol=3e-6)
    # and what is not is off by about what it says
    coarse = make_plan(model, finer={"x": 0.5})
    (one,) = checked(model, coarse, at)
    worst = np.abs(np.expm1(log_marginal(model, coarse, at) - exact)).max()
    assert not one.holds
    assert one.error / 30 < worst < one.error * 30


def test_errors_are_measured_where_densities_are_not_gaussian():
    """The error of a grid is that of its sums; for a gamma variable it falls more slowly than for Gaussian ones."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=60)
    data = pd.DataFrame({"z": z, "g": rng.gamma(1.5, np.exp(0.3 * z))})
    data["y"] = 0.6 * data["g"] + 0.5 * rng.normal(size=60)
    data.loc[:9, "g"] = np.nan
    model = quiet(Model, "y ~ g + z", data, families={"g": "gamma"})

    def near(*values):
        return np.array(values) * (1 + 0.02 * rng.normal(size=(S, len(values))))

    y = FactorDraws(near(0.9)[:, 0], near(0.6, 0.05), {"sigma": near(0.5)[:, 0]}, {}, {}, {})
    g = FactorDraws(near(0.4)[:, 0], near(0.3), {"alpha": near(1.5)[:, 0]}, {}, {}, {})
    at = PosteriorDraws(1, S, {"y": y, "g": g}, {})
    exact = log_marginal(model, make_plan(model, finer={"g": 3.0}, wider={"g": 2.0}), at)
    seen = []
    for finer in (0.6, 0.8, 1.0, 1.4):
        plan = make_plan(model, finer={"g": finer}, wider={"g": 2.0})
        (one,) = checked(model, plan, at)
        worst = np.abs(np.expm1(log_marginal(model, plan, at) - exact)).max()
        assert 0.4 * worst < one.error < 2.5 * worst
        seen.append(one.error)
    assert seen[0] > 100 * seen[-1] > 0


def test_a_grid_that_is_too_short_is_seen_and_widened_until_it_holds(model):
    at = draws(slope=0.01, sigma=3.0, spread=1.6)  # cells far wider than what was observed
    (one,) = checked(model, make_plan(model), at)
    assert one.edge > 1e-8
    assert not one.holds
    finer, wider = next_after(make_plan(model), (one,))
    assert 1.15 <= wider["x"] <= 2.5
    assert "x" not in finer
    plan, _ = refined(model, at, make_plan(model))
    assert plan.wider["x"] > 1
    widest = log_marginal(model, make_plan(model, wider={"x": plan.wider["x"] * 1.6}), at)
    np.testing.assert_allclose(log_marginal(model, plan, at), widest, atol=1e-6)


def test_a_range_of_counts_that_is_too_short_is_seen():
    model = quiet(Model, "y ~ w", table(), kinds={"w": "count"})
    rng = np.random.default_rng(1)
    y = FactorDraws(rng.normal(0, 0.1, S), np.full((S, 1), 0.01), {"sigma": np.full(S, 1.0)}, {}, {}, {})
    at = PosteriorDraws(
        1, S, {"y": y, "w": FactorDraws(np.full(S, 0.2), np.zeros((S, 0)), {}, {}, {}, {})}, {}
    )
    (one,) = checked(model, make_plan(model), at)
    assert one.holds
    assert one.error == 0.0
    assert "sum over counts" in str(one)
    short = make_plan(model, wider={"w": 0.3})
    (one,) = checked(model, short, at)
    assert not one.holds
    plan, _ = refined(model, at, short)
    assert plan.grids["w"].values.shape[1] > short.grids["w"].values.shape[1]


def test_how_much_finer_follows_from_what_was_seen(model):
    plan = make_plan(model)
    little = next_after(plan, (GridAccuracy("x", 30, 1e-5, 0.0),))[0]["x"]
    much = next_after(plan, (GridAccuracy("x", 30, 0.1, 0.0),))[0]["x"]
    assert 1.15 <= little < much <= 4.0
    assert next_after(plan, (GridAccuracy("x", 30, 1e-9, 1e-12),)) == ({}, {})


def test_where_a_finer_grid_is_refused_the_last_one_stays(model, monkeypatch):
    at = draws()
    coarse = make_plan(model, finer={"x": 0.2})
    monkeypatch.setattr("bayesmi.plan.grid.MOST_POINTS", coarse.grids["x"].values.shape[1])
    plan = refined_plan(model, coarse, at, checked(model, coarse, at))
    assert plan is coarse


def looked_at(error, edge=0.0):
    return (GridAccuracy("x", 30, error, edge),)


def test_a_step_that_is_refused_is_taken_in_part():
    def again(finer, wider):
        if finer["x"] > 2.0:
            raise NotSupportedError("too many points")
        return finer["x"], looked_at(1e-5)

    laid, _ = refine(1.0, looked_at(0.1), {}, {}, again)
    assert 1.2 < laid <= 2.0


def test_cells_are_not_held_for_more_than_has_to_be():
    """The first step holds, if not by the margin aimed at; the next would hold cells, at which these draws cannot look."""

    def again(finer, wider):
        return (finer["x"], looked_at(5e-7)) if finer["x"] < 2.5 else ("held", ())

    assert refine(1.0, looked_at(1e-3), {}, {}, again)[0] < 2.5
    assert refine(1.0, looked_at(0.5), {}, {}, again)[0] == "held"


def test_rows_below_a_groups_cell_are_no_error_of_its_grid():
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(16), 10)
    x = rng.normal(size=16)[g]
    data = pd.DataFrame({"y": x + x**2 + rng.normal(size=160), "x": x, "g": g})
    data.loc[data["g"] < 3, "x"] = np.nan
    own = quiet(Model, "y ~ x + I(x ** 2) + (1 | g)", data)
    fit = quiet(own.fit, seed=1, draws=60, tune=200, chains=2, progress=False)
    at = make_plan(own, finer={"x": 4.0})
    (one,) = checked(own, at, fit.draws)
    assert one.error < 1e-9
    (coarse,) = checked(own, make_plan(own, finer={"x": 0.4}), fit.draws)
    assert coarse.error > 1e-4


@pytest.fixture(scope="module")
def fit():
    """A square in a slope is not seen by the first grid, which looks at the fixed effects of complete cases."""
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(8), 12)
    x = rng.normal(size=96)
    slope = np.linspace(-4, 4, 8)[g]
    data = pd.DataFrame({"y": slope * x**2 + 0.3 * rng.normal(size=96), "x": x, "g": g})
    data.loc[::12, "x"] = np.nan
    model = quiet(Model, "y ~ 1 + (I(x ** 2) | g)", data)
    return quiet(model.fit, seed=1, draws=80, tune=200, chains=2, progress=False)


def test_a_fit_refines_its_grid_and_says_so(fit):
    assert fit.plan.finer["x"] > 1 or fit.plan.wider["x"] > 1
    first = make_plan(fit.model).grids["x"].values.shape[1]
    assert fit.plan.grids["x"].values.shape[1] > first
    assert len(fit.gate.grids) == 1
    assert fit.gate.grids[0].startswith(
        f"x: {fit.plan.grids['x'].values.shape[1]} points, grid error at most"
    )
    assert not any("grid of x" in line for line in fit.gate.failures)
    assert all(one.holds for one in checked(fit.model, fit.plan, fit.draws))
    assert f"{fit.plan.grids['x'].values.shape[1]} points" in repr(fit.plan)


def test_a_fit_with_a_refined_grid_comes_back_from_its_file(fit, tmp_path):
    fit.save(tmp_path / "x.bmi")
    again = quiet(bmi.load, tmp_path / "x.bmi")
    assert again.plan.finer == fit.plan.finer
    assert again.plan.wider == fit.plan.wider
    np.testing.assert_array_equal(again.plan.grids["x"].values, fit.plan.grids["x"].values)
    assert again.gate == fit.gate
    one, two = (quiet(f.impute, 2, despite_gate=True) for f in (fit, again))
    pd.testing.assert_frame_equal(quiet(one.complete, "long"), quiet(two.complete, "long"))


def test_a_grid_that_never_holds_fails_the_gate(fit):
    from bayesmi.fit.gate import judge
    from bayesmi.fit.names import to_dataset

    built = build_sampled(fit.model, fit.plan)
    bad = (GridAccuracy("x", 30, 0.2, 0.0),)
    gate = judge(
        fit.model, fit.plan, built.tables, fit.draws, to_dataset(fit.draws, fit.model, fit.plan), {}, bad
    )
    assert not gate.passed
    assert any("grid of x: 30 points, grid error at most 2e-01" in line for line in gate.failures)


def test_a_long_fit_corrects_its_grids_at_a_short_attempt(monkeypatch):
    from bayesmi.fit import attempt

    lengths, sample = [], attempt.sample

    def noted(built, length, **options):
        lengths.append((length.tune, length.draws, length.chains))
        return sample(built, length, **options)

    monkeypatch.setattr(attempt, "sample", noted)
    rng = np.random.default_rng(4)
    x = rng.normal(size=96)
    data = pd.DataFrame({"y": x + x**2 + 0.3 * rng.normal(size=96), "x": x})
    data.loc[::12, "x"] = np.nan
    own = quiet(Model, "y ~ x + I(x ** 2)", data)
    long = quiet(own.fit, seed=1, tune=1200, draws=200, chains=2, progress=False)
    assert lengths == [(300, 50, 2), (1200, 200, 2)]
    assert all(one.holds for one in checked(own, long.plan, long.draws))
    lengths.clear()
    quiet(own.fit, seed=1, tune=200, draws=50, chains=2, progress=False)
    assert (300, 50, 2) not in lengths
