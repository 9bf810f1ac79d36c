"""Cells on a grid come back from their exact conditional: draws against distribution functions computed apart."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from kernel_cases import make_case, small_table
from scipy import integrate, stats
from scipy.special import logsumexp

from bayesmi import BayesmiNotice, Model
from bayesmi.build import build_sampled
from bayesmi.draw import complete_cells, draw_back_effects
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.plan import make_plan
from bayesmi.plan.grid import constrain, unconstrain

DRAWS = 400


def model_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


def factor_draws(intercept, coefficients, sigma=None):
    scales = {} if sigma is None else {"sigma": np.array([sigma])}
    return FactorDraws(np.array([intercept]), np.array([coefficients], dtype=float), scales, {}, {}, {})


def drawn(model, plan, draw, n=DRAWS, seed=5):
    """Cells of n draws at the same parameters, by variable and row of the table."""
    built = build_sampled(model, plan)
    rng = np.random.default_rng(seed)
    parts = [complete_cells(model.factors, model.table, plan, built.tables, draw, rng) for _ in range(n)]
    return {
        name: pd.DataFrame(
            np.array([cells[name] for cells in parts]),
            columns=np.flatnonzero(model.table.column(name).missing),
        )
        for name in parts[0]
    }


def distribution(axis, log_density):
    """Distribution function on an axis from a log density that is known up to a constant."""
    density = np.exp(log_density - log_density.max())
    total = integrate.cumulative_simpson(density, x=axis, initial=0.0)
    return total / total[-1]


def uniform(values):
    """Whether probability integral transforms are uniform, in the middle and at the ends."""
    values = np.asarray(values)
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    normal = stats.norm.ppf(np.clip(values, 1e-12, 1 - 1e-12))
    assert abs(normal.mean()) < 4.5 / np.sqrt(len(values))
    assert abs(normal.var() - 1) < 5 * np.sqrt(2 / len(values))


ONE_CELL = [
    "quadratic",
    "spline",
    "grid_asked",
    "lognormal_covariate",
    "lognormal_in_logit",
    "product_of_two",
    "grid_and_sum",
    "cluster_square",
]
LONG = ("grid_and_sum",)  # a minute: run with the calibration studies


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            n, marks=[pytest.mark.xdist_group(f"kernel_{n}")] + [pytest.mark.calibration] * (n in LONG)
        )
        for n in ONE_CELL
    ],
)
def test_cells_on_a_grid_follow_the_conditional_of_the_plain_model(name):
    case = make_case(name)
    x = case.point(8, sd=0.3)
    natural, _ = case.natural(x)
    built, model = case.built, case.model
    draw = posterior_draws(built, constrained(built.program, x[None, :]), 1, 1)
    draw = draw_back_effects(model.factors, built.plan, built.tables, draw, np.random.default_rng(1))
    cells = drawn(model, built.plan, draw)
    for label, place, unit in case.gridded[:2]:
        variable = label.removeprefix("cell__")
        factor = model.factor(variable)
        grid = built.plan.grids[variable].values[0]
        points = np.linspace(*unconstrain(grid[[0, -1]], factor.family.support), 121)
        values, jacobian = constrain(points, factor.family.support)
        logs = []
        for value in values:
            moved = {key: np.array(own) for key, own in natural.items()}
            moved[label][place] = value
            logs.append(case._summed(moved))
        below = distribution(points, np.array(logs) + jacobian)
        row = int(model.table.rows_of_level(factor.level)[unit])
        z = unconstrain(cells[variable][row].to_numpy(), factor.family.support)
        uniform(np.interp(z, points, below))


def two_peaks():
    """y = x² with little noise: a missing x is about +2 or -2, the first more likely."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    data = pd.DataFrame({"y": x**2 + 0.3 * rng.normal(size=60), "x": x})
    data.loc[[0, 7], "x"] = np.nan
    data.loc[0, "y"], data.loc[7, "y"] = 4.0, 0.05
    return data


@pytest.mark.parametrize("finer", [1.0, 2.0])
def test_a_cell_with_two_peaks_visits_both(finer):
    data = two_peaks()
    model = model_of("y ~ x + I(x ** 2)", data)
    plan = make_plan(model, finer={"x": finer})
    draw = PosteriorDraws(
        1, 1, {"y": factor_draws(0.1, [0.15, 0.9], 0.35), "x": factor_draws(0.2, [], 1.1)}, {}
    )
    cells = drawn(model, plan, draw, n=2000)["x"]
    axis = np.linspace(-8, 8, 8001)
    for row in (0, 7):
        mean = 0.1 + 0.15 * axis + 0.9 * axis**2
        logs = stats.norm.logpdf(data["y"][row], mean, 0.35) + stats.norm.logpdf(axis, 0.2, 1.1)
        below = distribution(axis, logs)
        uniform(np.interp(cells[row], axis, below))
    positive = float(1 - np.interp(0.0, axis, distribution(
        axis,
        stats.norm.logpdf(4.0, 0.1 + 0.15 * axis + 0.9 * axis**2, 0.35) + stats.norm.logpdf(axis, 0.2, 1.1),
    )))  # fmt: skip
    assert 0.6 < positive < 0.95
    assert stats.binomtest(int((cells[0] > 0).sum()), 2000, positive).pvalue > 1e-3
    assert (np.abs(cells[0]) > 1.0).all()  # nothing in the valley between


def test_two_gridded_cells_of_a_row_follow_their_joint_conditional():
    rng = np.random.default_rng(2)
    x = rng.normal(size=40)
    v = 0.4 * x + rng.normal(size=40)
    data = pd.DataFrame({"y": 0.5 * x + x**2 - v**2 + 0.8 * rng.normal(size=40), "x": x, "v": v})
    data.loc[[4, 9], ["x", "v"]] = np.nan
    data.loc[5, "x"] = np.nan
    model = model_of("y ~ x + I(x ** 2) + I(v ** 2)", data)
    plan = make_plan(model, finer={"x": 1.5, "v": 1.5})
    assert list(plan.units("x", "grid")) == [4, 5, 9]
    assert list(plan.units("v", "grid")) == [4, 9]
    assert model.order == ("v", "x")
    p = {
        "y": factor_draws(0.2, [0.6, 0.7, -0.8], 0.9),
        "v": factor_draws(-0.1, [], 1.2),
        "x": factor_draws(0.1, [0.5], 0.9),
    }
    cells = drawn(model, plan, PosteriorDraws(1, 1, p, {}), n=700)
    axis = np.linspace(-7, 7, 1201)
    a, b = axis[:, None], axis[None, :]  # v, x
    for row in (4, 9):
        logs = (
            stats.norm.logpdf(data["y"][row], 0.2 + 0.6 * b + 0.7 * b**2 - 0.8 * a**2, 0.9)
            + stats.norm.logpdf(a, -0.1, 1.2)
            + stats.norm.logpdf(b, 0.1 + 0.5 * a, 0.9)
        )
        uniform(np.interp(cells["v"][row], axis, distribution(axis, logsumexp(logs, axis=1))))
        # x given the drawn v
        transformed = []
        for v_drawn, x_drawn in zip(cells["v"][row][:600], cells["x"][row][:600], strict=True):
            given = (
                stats.norm.logpdf(
                    data["y"][row], 0.2 + 0.6 * axis + 0.7 * axis**2 - 0.8 * v_drawn**2, 0.9
                )
                + stats.norm.logpdf(axis, 0.1 + 0.5 * v_drawn, 0.9)
            )  # fmt: skip
            transformed.append(np.interp(x_drawn, axis, distribution(axis, given)))
        uniform(transformed)


def test_a_binary_cell_of_a_cluster_and_the_cells_of_its_rows_follow_their_joint_conditional():
    case = make_case("cluster_binary_and_rows")
    x = case.point(8, sd=0.3)
    natural, _ = case.natural(x)
    built, model = case.built, case.model
    draw = posterior_draws(built, constrained(built.program, x[None, :]), 1, 1)
    draw = draw_back_effects(model.factors, built.plan, built.tables, draw, np.random.default_rng(1))
    cells = drawn(model, built.plan, draw, n=1500)
    rows = np.flatnonzero(small_table()["a"] == 2)
    # flag of group 2, and the cells of b1 and nom in its rows, by brute force over all their values
    places = [("cell__flag", 0)]
    columns = [cells["flag"][rows[0]].to_numpy()]
    for variable in ("b1", "nom"):
        units = built.plan.units(variable, "enumerate")
        for position in np.flatnonzero(np.isin(units, rows)):
            places.append((f"cell__{variable}", int(position)))
            columns.append(cells[variable][units[position]].to_numpy())
    assert len(places) >= 2
    levels = [model.factor(name.removeprefix("cell__")).levels for name, _ in places]
    codes = np.column_stack(
        [np.searchsorted(own, column) for own, column in zip(levels, columns, strict=True)]
    )
    combinations = list(itertools.product(*(range(len(own)) for own in levels)))
    logs = []
    for combination in combinations:
        moved = {key: np.array(value) for key, value in natural.items()}
        for (name, place), value in zip(places, combination, strict=True):
            moved[name][place] = value
        logs.append(case._integrated(moved))
    expected = np.exp(np.array(logs) - logsumexp(logs)) * len(codes)
    counts = np.array([np.all(codes == combination, axis=1).sum() for combination in combinations])
    assert counts.sum() == len(codes)
    large = expected > 5
    statistic = ((counts - expected)[large] ** 2 / expected[large]).sum()
    assert stats.chi2.sf(statistic, max(1, large.sum() - 1)) > 1e-3
    for other in rows:
        np.testing.assert_array_equal(cells["flag"][other], cells["flag"][rows[0]])


def test_counts_are_drawn_by_their_weights():
    case = make_case("count_covariate")
    x = case.point(8, sd=0.3)
    natural, _ = case.natural(x)
    built, model = case.built, case.model
    draw = posterior_draws(built, constrained(built.program, x[None, :]), 1, 1)
    cells = drawn(model, built.plan, draw, n=1500)["times"]
    units = built.plan.units("times", "enumerate")
    for place, row in enumerate(units):
        logs = []
        values = np.arange(40)
        for value in values:
            moved = {key: np.array(own) for key, own in natural.items()}
            moved["cell__times"][place] = value
            logs.append(case._integrated(moved))
        expected = np.exp(np.array(logs) - logsumexp(logs)) * len(cells)
        counts = np.bincount(cells[row].astype(int), minlength=40)[:40]
        large = expected > 5
        statistic = ((counts - expected)[large] ** 2 / expected[large]).sum()
        assert stats.chi2.sf(statistic, max(1, large.sum() - 1)) > 1e-3
