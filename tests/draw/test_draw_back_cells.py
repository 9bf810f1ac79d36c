"""Summed cells come back by their exact weights; predicted cells have the right mean and variance."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from kernel_cases import make_case, small_table
from scipy import stats
from scipy.special import expit

from bayesmi import BayesmiNotice, Model
from bayesmi.build import build_sampled
from bayesmi.draw import complete_cells, draw_back_effects, unit_log_weights
from bayesmi.fit.constrain import constrained, posterior_draws

DRAWS = 400
SUMMED = [
    "logistic_binary",
    "logistic_text",
    "one_two",
    "mixed_groups",
    "mixed_interaction",
    "mixed_order",
    "cluster_and_row",
    "slope_on_incomplete_interaction",
    "slope_on_binary",
    "covariate_formula",
    "enumerated_outcome",
    "no_intercept_rows",
    "integrate_and_sum",
    "integrate_in_groups",
]
NAMES = [pytest.param(name, marks=pytest.mark.xdist_group(f"kernel_{name}")) for name in SUMMED]


def explicit(case, x):
    """One draw with all effects, and the plain model's values at the same point."""
    built = case.built
    draws = posterior_draws(built, constrained(built.program, x[None, :]), 1, 1)
    draws = draw_back_effects(case.model.factors, built.plan, built.tables, draws, np.random.default_rng(1))
    return draws, case.natural(x)[0]


def conditional_of_row(case, natural, row):
    """P(combination of the row's cells | everything else), by the plain model; cells by plan order."""
    places = []
    for name in case.summed:
        (position,) = np.nonzero(case.built.plan.units(name.removeprefix("cell__"), "enumerate") == row)
        places += [(name, int(p)) for p in position]
    combinations = list(itertools.product((0, 1), repeat=len(places)))
    logs = []
    for combination in combinations:
        point = {name: np.array(value) for name, value in natural.items()}
        for (name, p), value in zip(places, combination, strict=True):
            point[name] = point[name].copy()
            point[name][p] = value
        logs.append(case._integrated(point))
    weights = np.exp(np.array(logs) - max(logs))
    names = [name.removeprefix("cell__") for name, _ in places]
    return names, combinations, weights / weights.sum()


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_summed_cells_are_the_conditional_of_the_plain_model(name):
    case = make_case(name)
    draws, natural = explicit(case, case.point(2))
    tables = case.built.tables
    log_weights = unit_log_weights(case.model.factors, tables, draws)[0][0]
    rows = np.unique(tables.expansion.rows)
    assert rows.size
    for row in rows:
        names, combinations, expected = conditional_of_row(case, natural, row)
        places = np.flatnonzero(tables.expansion.rows == row)
        weights = np.exp(log_weights[places] - log_weights[places].max())
        weights /= weights.sum()
        assert len(places) == len(combinations)
        for place, weight in zip(places, weights, strict=True):
            codes = tuple(
                int(tables.expansion.values[v][place] == case.model.table.levels_of(v)[1]) for v in names
            )
            assert weight == pytest.approx(expected[combinations.index(codes)], rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.xdist_group(f"kernel_{n}")) for n in ("mixed_groups", "one_two")],
)
def test_summed_cells_are_drawn_by_their_weights(name):
    case = make_case(name)
    draws, natural = explicit(case, case.point(2))
    built, table = case.built, case.model.table
    drawn: dict[str, list[np.ndarray]] = {}
    rng = np.random.default_rng(3)
    for _ in range(DRAWS):
        cells = complete_cells(case.model.factors, table, built.plan, built.tables, draws, rng)
        for variable, values in cells.items():
            drawn.setdefault(variable, []).append(values)
    for row in np.unique(built.tables.expansion.rows):
        names, combinations, expected = conditional_of_row(case, natural, row)
        codes = []
        for variable in names:
            position = np.flatnonzero(table.column(variable).missing).tolist().index(row)
            values = np.array(drawn[variable])[:, position]
            low, high = table.levels_of(variable)
            assert set(np.unique(values)) <= {low, high}
            codes.append((values == high).astype(int))
        counts = np.array([np.all(c == np.array(codes).T, axis=1).sum() for c in combinations])
        seen = expected * DRAWS > 4
        rest = [counts[~seen].sum()], [expected[~seen].sum() * DRAWS]
        observed = np.concatenate([counts[seen], rest[0]])
        wanted = np.concatenate([expected[seen] * DRAWS, rest[1]])
        keep = wanted > 1
        statistic = ((observed[keep] - wanted[keep]) ** 2 / wanted[keep]).sum()
        assert stats.chi2.sf(statistic, max(1, keep.sum() - 1)) > 1e-3


def predicted(case, draws, n=DRAWS, seed=5):
    rng = np.random.default_rng(seed)
    built, model = case.built, case.model
    parts = [
        complete_cells(model.factors, model.table, built.plan, built.tables, draws, rng) for _ in range(n)
    ]
    return {
        name: pd.DataFrame(
            np.array([cells[name] for cells in parts]),
            columns=np.flatnonzero(model.table.column(name).missing),
        )
        for name in parts[0]
    }


def close(values, mean, sd):
    """Mean, variance and shape of normal draws."""
    assert abs(values.mean() - mean) < 4.5 * sd / np.sqrt(len(values))
    assert abs(values.var() / sd**2 - 1) < 5 * np.sqrt(2 / len(values))
    assert stats.kstest((values - mean) / sd, "norm").pvalue > 1e-3


@pytest.mark.xdist_group("kernel_linear_x")
def test_predicted_outcomes_have_mean_and_variance_of_the_model():
    case = make_case("linear_x")
    x = case.point(6)
    p, _ = case.natural(x)
    draws, _ = explicit(case, x)
    drawn = predicted(case, draws)
    data = small_table()
    for row in (0, 11, 23):  # predictors observed
        mean = p["Intercept"] + p["x"] * data["x"][row] + p["z"] * data["z"][row]
        close(drawn["y"][row], mean, p["sigma"])
    x_mean = p["x__Intercept"] + p["x__z"] * data["z"][20]
    close(drawn["x"][20], x_mean, p["x__sigma"])  # outcome missing too: from its own model
    y_sd = np.hypot(p["sigma"], p["x"] * p["x__sigma"])
    close(drawn["y"][20], p["Intercept"] + p["x"] * x_mean + p["z"] * data["z"][20], y_sd)
    within = drawn["y"][20] - p["Intercept"] - p["x"] * drawn["x"][20] - p["z"] * data["z"][20]
    close(within, 0.0, p["sigma"])  # the outcome belongs to the drawn predictor


@pytest.mark.xdist_group("kernel_linear_x_sampled")
def test_sampled_cells_are_those_of_the_draw():
    case = make_case("linear_x_sampled")
    x = case.point(6)
    p, _ = case.natural(x)
    draws, _ = explicit(case, x)
    drawn = predicted(case, draws, n=3)
    sampled = list(case.built.plan.units("x", "sample"))
    np.testing.assert_array_equal(drawn["x"][sampled], np.tile(p["cell__x"], (3, 1)))


INTEGRATED = [
    "linear_x",
    "integrate_two",
    "integrate_and_sample",
    "integrate_order",
    "integrate_and_sum",
    "slope_integrated_partly_centred",
]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.xdist_group(f"kernel_{n}")) for n in INTEGRATED]
)
def test_integrated_cells_follow_their_exact_conditional_given_the_summed_ones(name):
    case = make_case(name)
    assert not case.collapsed
    x = case.point(8, sd=0.3)
    draws, natural = explicit(case, x)
    drawn = predicted(case, draws)
    table, plan = case.model.table, case.built.plan
    cells = [g for g in plan.cells if g.treatment == "integrate"]
    values = np.column_stack([drawn[g.variable][list(g.units)].to_numpy() for g in cells])
    combinations = np.zeros((DRAWS, 0), dtype=int)
    for label in case.summed:
        variable = label.removeprefix("cell__")
        own = drawn[variable][list(plan.units(variable, "enumerate"))].to_numpy()
        combinations = np.column_stack([combinations, (own == table.levels_of(variable)[1]).astype(int)])
    z = np.empty_like(values)
    sizes = np.cumsum([len(natural[label]) for label in case.summed])[:-1]
    for combination in np.unique(combinations, axis=0):
        point = dict(natural)
        if case.summed:
            point |= dict(zip(case.summed, np.split(combination, sizes), strict=True))
        mean, precision, _ = case.conditional(point)
        rows = np.all(combinations == combination, axis=1)
        z[rows] = (values[rows] - mean) @ np.linalg.cholesky(precision)
    assert stats.kstest(stats.norm.cdf(z).ravel(), "uniform").pvalue > 1e-3
    assert np.abs(z.mean(axis=0)).max() < 4.5 / np.sqrt(DRAWS)
    assert np.abs(np.cov(z.T) - np.eye(z.shape[1])).max() < 5 * np.sqrt(2 / DRAWS)


@pytest.mark.xdist_group("kernel_slope")
def test_predicted_outcomes_hold_the_group_effects_of_their_draw():
    case = make_case("slope")
    x = case.point(6)
    p, _ = case.natural(x)
    built = case.built
    draws = posterior_draws(built, constrained(built.program, x[None, :]), 1, 1)
    draws = draw_back_effects(case.model.factors, built.plan, built.tables, draws, np.random.default_rng(1))
    u = draws.factors["y"].effects["a"][0]
    drawn = predicted(case, draws)["y"]
    data = small_table()
    for row in (0, 11, 20, 23):
        group, z = data["a"][row], data["z"][row]
        mean = p["Intercept"] + p["z"] * z + p["w"] * data["w"][row] + u[group, 0] + u[group, 1] * z
        close(drawn[row], mean, p["sigma"])


@pytest.mark.xdist_group("kernel_one_two")
def test_a_predicted_binary_cell_has_its_probability_and_its_own_numbers():
    case = make_case("one_two")
    x = case.point(6)
    p, _ = case.natural(x)
    draws, _ = explicit(case, x)
    drawn = predicted(case, draws)["one_two"][11]
    probability = expit(p["one_two__Intercept"] + p["one_two__z"] * small_table()["z"][11])
    assert set(drawn) == {1.0, 2.0}
    assert stats.binomtest(int((drawn == 2.0).sum()), DRAWS, float(probability)).pvalue > 1e-3


def test_a_predicted_cluster_cell_is_one_value_a_cluster():
    data = small_table()
    data.loc[data["a"] == 1, "y"] = np.nan  # v is missing there too: nothing observed depends on it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model("y ~ z + v + (1 | a)", data)
    built = build_sampled(model)
    assert list(built.plan.units("v", "predict")) == [1]
    x = built.program.initial()
    draws = posterior_draws(built, constrained(built.program, x[None, :]), 1, 1)
    rng = np.random.default_rng(1)
    draws = draw_back_effects(model.factors, built.plan, built.tables, draws, rng)
    values = []
    for _ in range(300):
        cells = complete_cells(model.factors, model.table, built.plan, built.tables, draws, rng)
        assert np.ptp(cells["v"]) == 0.0
        assert len(cells["v"]) == 6
        values.append(cells["v"][0])
    own = draws.factors["v"]
    parents = dict(zip(model.factor("v").column_names, own.coefficients[0], strict=True))
    assert set(parents) == {"between(z)"}
    mean = own.intercept[0] + parents["between(z)"] * data.loc[data["a"] == 1, "z"].mean()
    close(np.array(values), mean, own.scales["sigma"][0])
