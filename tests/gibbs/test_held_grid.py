"""Where in its interval a held cell lies: drawn from the exact conditional given parameters and the unit's other held cells."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from bayesmi import Model
from bayesmi.build import build_sampled
from bayesmi.draw.held_grid import place_held
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.fit.grids import check_grids
from bayesmi.fit.refine import refined_plan
from bayesmi.gibbs.sweep import Sweep
from bayesmi.plan import make_plan

DRAWS = 300


def test_values_follow_the_conditional_given_the_other_held_cells():
    rng = np.random.default_rng(7)
    n = 50
    z, b = rng.normal(size=(2, n))
    a = np.exp(0.3 * z + 0.4 * rng.normal(size=n))
    y = 1.0 + np.log(a) * b + 0.8 * b**2 + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "a": a, "b": b, "z": z})
    data.loc[[4, 9, 21], ["a", "b"]] = np.nan
    data.loc[30, "a"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Model(
            "y ~ np.log(a) * b + I(b ** 2)",
            data,
            families={"a": "lognormal"},
            formulas={"a": "~ z", "b": "~ z"},
            treatments={"a": "gibbs", "b": "gibbs"},
        )
        plan = model.plan()
        sweep = Sweep(build_sampled(model, plan))
    assert list(plan.held_grids) == [f.variable for f in model.factors if f.variable in "ab"]
    first, second = plan.held_grids  # in the order in which they are placed
    state = sweep.cells.start_at(model.factors, model.table, rng)
    draw = sweep.draws(_start(sweep))
    draw = replace(draw, cells=sweep.cells.cells(state[None]))
    found = {name: [] for name in (first, second)}
    for seed in range(DRAWS):
        placed = place_held(model.factors, model.table, plan, draw, np.random.default_rng(seed))
        for name, own in found.items():
            own.append(placed.cells[name][0])
    p_values = []
    for i, unit in enumerate(plan.units(first, "gibbs")):
        if unit == 30:
            continue
        other = {second: draw.cells[second][0][list(plan.units(second, "gibbs")).index(unit)]}
        drawn = np.array(found[first])[:, i]
        p_values.append(stats.kstest(drawn, _conditional(model, draw, data, int(unit), first, other)).pvalue)
    for i, unit in enumerate(plan.units(second, "gibbs")):
        place = list(plan.units(first, "gibbs")).index(unit) if unit in plan.units(first, "gibbs") else None
        drawn, beside = np.array(found[second])[:, i], {}
        for one, value in enumerate(drawn):  # each given its own draw of the first
            if place is not None:
                beside = {first: found[first][one][place]}
            drawn[one] = _conditional(model, draw, data, int(unit), second, beside)(value)
        p_values.append(stats.kstest(drawn, "uniform").pvalue)
    assert len(p_values) == 7
    assert min(p_values) > 1e-3
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


def test_refined_grids_beyond_the_budget_hold_cells_that_the_draws_do_not_have(monkeypatch):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 60))
    data = pd.DataFrame({"y": a + a**2 + b - b**2 + rng.normal(size=60), "a": a, "b": b})
    data.loc[:5, ["a", "b"]] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Model("y ~ a + I(a ** 2) + b + I(b ** 2)", data)
    coarse = make_plan(model, finer={"a": 0.3, "b": 0.3})
    assert not coarse.holds
    built = build_sampled(model, coarse)
    point = built.program.initial()
    at = posterior_draws(built, constrained(built.program, point[None]), 1, 1)
    accuracy = check_grids(model, coarse, built.tables, at)
    assert not all(one.holds for one in accuracy)
    monkeypatch.setattr("bayesmi.plan.plan._BUDGET", coarse.n_expanded)
    monkeypatch.setattr("bayesmi.plan.held._COMFORTABLE", coarse.n_expanded)
    plan = refined_plan(model, coarse, at, accuracy)
    assert plan.holds
    assert (plan.finer, plan.wider) != (coarse.finer, coarse.wider)


def _start(sweep):
    program = sweep._built.program
    return program.initial() + 0.2 * np.random.default_rng(1).normal(size=program.dimensions)


def _conditional(model, draw, data, unit, name, other):
    """The distribution function of one cell given parameters and the other, by quadrature of densities written out."""
    row = data.loc[unit].to_dict() | other
    line = np.linspace(-9.0, 9.0, 20_001) if name == "b" else np.exp(np.linspace(-7.0, 7.0, 20_001))
    row[name] = line
    of = {f.variable: draw.factors[f.variable] for f in model.factors}

    def mean(variable, columns):
        own = of[variable]
        centers = model.factor(variable).centers
        return own.intercept[0] + sum(
            slope * (column - center)
            for slope, column, center in zip(own.coefficients[0], columns, centers, strict=True)
        )

    log_a, b = np.log(row["a"]), row["b"]
    names = model.factor("y").column_names
    columns = {"log(a)": log_a, "np.log(a)": log_a, "b": b, "I(b ** 2)": b**2}
    of_y = mean("y", [columns.get(one, log_a * b) for one in names])
    log_density = stats.norm.logpdf(row["y"], of_y, of["y"].scales["sigma"][0])
    log_density = log_density + stats.norm.logpdf(log_a, mean("a", [row["z"]]), of["a"].scales["sigma"][0])
    log_density = log_density + stats.norm.logpdf(b, mean("b", [row["z"]]), of["b"].scales["sigma"][0])
    steps = np.log(line) if name == "a" else line  # of a on the scale of its logarithm: no Jacobian
    density = np.exp(log_density - log_density.max())
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(steps))])
    return lambda value: np.interp(value, line, cumulative / cumulative[-1])
