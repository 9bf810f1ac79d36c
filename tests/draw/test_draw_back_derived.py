"""Cells that an observed derived value ties together: drawn from their exact conditional, and true to it in every data set."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import logsumexp

from bayesmi import BayesmiNotice, Model
from bayesmi.build import build_sampled
from bayesmi.draw import complete_cells
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.plan import make_plan

DRAWS = 400
pytestmark = pytest.mark.xdist_group("derived_draws")


def model_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


def factor_draws(intercept, coefficients, sigma=None, **scales):
    scales = {name: np.array([value]) for name, value in scales.items()}
    if sigma is not None:
        scales["sigma"] = np.array([sigma])
    own = None if intercept is None else np.array([intercept])
    return FactorDraws(own, np.array([coefficients], dtype=float), scales, {}, {}, {})


def drawn(model, parameters, n=DRAWS, plan=None):
    """Cells of n draws at the same parameters: variable -> (n, rows)."""
    plan = plan or make_plan(model)
    built = build_sampled(model, plan)
    draw = PosteriorDraws(1, 1, parameters, {})
    rng = np.random.default_rng(5)
    parts = [
        complete_cells(model.factors, model.table, plan, built.tables, draw, rng, model.derived)
        for _ in range(n)
    ]
    out = {}
    for name in parts[0]:
        rows = np.flatnonzero(model.table.column(name).missing)
        out[name] = pd.DataFrame(np.array([cells[name] for cells in parts]), columns=rows)
    return out


def uniform(values):
    values = np.asarray(values)
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    normal = stats.norm.ppf(np.clip(values, 1e-12, 1 - 1e-12))
    assert abs(normal.mean()) < 4.5 / np.sqrt(len(values))
    assert abs(normal.var() - 1) < 5 * np.sqrt(2 / len(values))


def distribution(axis, log_density):
    density = np.exp(log_density - np.nanmax(log_density))
    total = integrate.cumulative_simpson(density, x=axis, initial=0.0)
    return total / total[-1]


def three(n=40, seed=1):
    rng = np.random.default_rng(seed)
    a = rng.normal(1.0, 1.0, n)
    b = 0.5 * a + rng.normal(size=n)
    c = -0.3 * b + rng.normal(size=n)
    data = pd.DataFrame({"a": a, "b": b, "c": c, "total": a + b - 2 * c})
    data["y"] = 1 + a - 0.5 * b + 0.7 * c + rng.normal(size=n)
    return data


def test_linear_parts_follow_the_conditional_gaussian():
    data = three()
    data.loc[[3], ["a", "b"]] = np.nan
    data.loc[[8], ["a", "b", "c"]] = np.nan
    model = model_of("y ~ a + b + c", data, derived={"total": "a + b - 2 * c"})
    assert model.order == ("c", "a", "b")
    p = {
        "y": factor_draws(0.8, [1.1, -0.4, 0.6], 0.9),
        "c": factor_draws(0.1, [], 1.2),
        "a": factor_draws(1.0, [0.2], 1.1),
        "b": factor_draws(0.1, [0.3, 0.5], 0.8),  # given c, a
    }
    cells = drawn(model, p)
    # (c, a, b, y) as an affine map of four independent errors
    means, root = np.zeros(4), np.zeros((4, 4))
    for k, (mean, slopes, sd) in enumerate(
        [(0.1, [], 1.2), (1.0, [0.2], 1.1), (0.1, [0.3, 0.5], 0.8), (0.8, [0.6, 1.1, -0.4], 0.9)]
    ):
        means[k] = mean + sum(s * means[j] for j, s in enumerate(slopes))
        root[k] = sum((s * root[j] for j, s in enumerate(slopes)), start=np.zeros(4))
        root[k, k] = sd
    whole = root @ root.T
    see = np.array([[-2.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])  # the total, y
    for row, more in ((3, np.array([[1.0, 0, 0, 0]])), (8, np.zeros((0, 4)))):
        matrix = np.vstack([see, more])
        seen = np.array([data["total"][row], data["y"][row], *([data["c"][row]] if row == 3 else [])])
        gain = whole @ matrix.T @ np.linalg.inv(matrix @ whole @ matrix.T)
        mean = means + gain @ (seen - matrix @ means)
        cov = whole - gain @ matrix @ whole
        for j, name in enumerate(["c", "a", "b"]):
            if cov[j, j] > 1e-9:
                uniform(stats.norm.cdf(cells[name][row], mean[j], np.sqrt(cov[j, j])))
        corr = np.corrcoef(cells["a"][row], cells["b"][row])[0, 1]
        assert corr == pytest.approx(cov[1, 2] / np.sqrt(cov[1, 1] * cov[2, 2]), abs=0.08)
        c = cells["c"][row] if row == 8 else data["c"][row]
        np.testing.assert_allclose(cells["a"][row] + cells["b"][row] - 2 * c, data["total"][row], rtol=1e-12)


def test_items_keep_the_combinations_that_give_the_total():
    rng = np.random.default_rng(2)
    items = rng.integers(1, 5, (60, 3)).astype(float)
    data = pd.DataFrame(items, columns=["i1", "i2", "i3"]).assign(total=items.sum(axis=1))
    data["y"] = items @ [0.5, -0.3, 0.2] + rng.normal(size=60)
    data.loc[5, ["i1", "i2", "i3"]] = np.nan
    data.loc[5, "total"] = 7.0
    data.loc[9, ["i1", "i3"]] = np.nan
    data.loc[11, ["i2", "total"]] = np.nan
    model = model_of(
        "y ~ total",
        data,
        derived={"total": "i1 + i2 + i3"},
        kinds=dict.fromkeys(["i1", "i2", "i3"], "ordinal"),
    )
    first, second, third = model.order
    thresholds = np.array([[-1.0, 0.2, 1.1]])
    p = {
        "y": factor_draws(0.3, [0.4], 0.8),
        first: FactorDraws(None, np.zeros((1, 0)), {"threshold": thresholds}, {}, {}, {}),
        second: FactorDraws(None, np.array([[0.3, 0.6, 0.9]]), {"threshold": thresholds - 0.3}, {}, {}, {}),
        third: FactorDraws(
            None, np.array([[0.2, -0.1, 0.5, 0.4, 0.0, -0.6]]), {"threshold": thresholds + 0.2}, {}, {}, {}
        ),
    }
    cells = drawn(model, p, n=3000)

    def ordinal(code, eta, cuts):
        cdf = 1 / (1 + np.exp(-(np.append(cuts, np.inf) - eta)))
        return float(np.log(np.diff(np.concatenate([[0.0], cdf]))[code]))

    def log_density(values, y):
        one, two, three_ = (int(values[name] - 1) for name in (first, second, third))
        slopes = (
            np.concatenate([[0.0], [0.3, 0.6, 0.9]]),
            np.array([0, 0.2, -0.1, 0.5]),
            np.array([0, 0.4, 0.0, -0.6]),
        )
        return (
            ordinal(one, 0.0, thresholds[0])
            + ordinal(two, slopes[0][one], thresholds[0] - 0.3)
            + ordinal(three_, slopes[1][one] + slopes[2][two], thresholds[0] + 0.2)
            + stats.norm.logpdf(y, 0.3 + 0.4 * sum(values.values()), 0.8)
        )

    for row in (5, 9):
        missing = [name for name in ("i1", "i2", "i3") if np.isnan(data[name][row])]
        known = {name: data[name][row] for name in ("i1", "i2", "i3") if name not in missing}
        logs = {}
        for combination in itertools.product(range(1, 5), repeat=len(missing)):
            values = known | dict(zip(missing, map(float, combination), strict=True))
            if sum(values.values()) == data["total"][row]:
                logs[combination] = log_density(values, data["y"][row])
        found = np.column_stack([cells[name][row] for name in missing]) + 1.0  # codes
        np.testing.assert_array_equal(found.sum(axis=1) + sum(known.values()), data["total"][row])
        weights = np.array(list(logs.values()))
        expected = np.exp(weights - logsumexp(weights)) * len(found)
        counts = np.array([np.all(found == combination, axis=1).sum() for combination in logs])
        assert counts.sum() == len(found)
        large = expected > 5
        statistic = ((counts - expected)[large] ** 2 / expected[large]).sum()
        assert stats.chi2.sf(statistic, max(1, large.sum() - 1)) > 1e-3
    # where the total is missing too it is computed
    np.testing.assert_array_equal(cells["total"][11], cells["i2"][11] + 1.0 + data["i1"][11] + data["i3"][11])


def ratio_data(n=50, seed=4):
    rng = np.random.default_rng(seed)
    height = rng.normal(1.7, 0.1, n)
    weight = np.exp(np.log(22 * height**2) + 0.15 * rng.normal(size=n))
    data = pd.DataFrame({"height": height, "weight": weight, "bmi": weight / height**2})
    data["y"] = 1 + 0.03 * weight + rng.normal(size=n)
    return data


@pytest.mark.parametrize("finer", [1.0, pytest.param(2.5, marks=pytest.mark.calibration)])
def test_a_nonlinear_pair_follows_the_level_set_with_its_jacobian(finer):
    data = ratio_data()
    data.loc[[2, 7], ["height", "weight"]] = np.nan
    model = model_of(
        "y ~ weight + height", data, derived={"bmi": "weight / height**2"}, families={"weight": "lognormal"}
    )
    assert set(model.order) == {"height", "weight"}
    plan = make_plan(model, finer={"height": finer})
    assert plan.units("height", "grid").tolist() == [2, 7]
    assert plan.units("weight", "solve").tolist() == [2, 7]
    given = {"height": ["weight"], "weight": ["height"]}[model.order[1]]
    assert given == ["height"]
    p = {
        "y": factor_draws(0.5, [0.04, 0.3], 1.0),
        "height": factor_draws(1.72, [], 0.11),
        "weight": factor_draws(2.6, [0.9], 0.2),
    }
    cells = drawn(model, p, plan=plan)
    axis = np.linspace(1.0, 2.5, 6001)
    for row in (2, 7):
        d, y = data["bmi"][row], data["y"][row]
        w = d * axis**2
        logs = (
            stats.norm.logpdf(axis, 1.72, 0.11)
            + stats.lognorm.logpdf(w, 0.2, scale=np.exp(2.6 + 0.9 * axis))
            + stats.norm.logpdf(y, 0.5 + 0.04 * w + 0.3 * axis, 1.0)
            + 2 * np.log(axis)  # d weight / d bmi
        )
        uniform(np.interp(cells["height"][row], axis, distribution(axis, logs)))
        np.testing.assert_allclose(cells["weight"][row] / cells["height"][row] ** 2, d, rtol=1e-12)


def test_a_part_is_solved_in_some_rows_and_on_a_grid_in_earlier_ones():
    data = ratio_data()
    data.loc[2, ["weight", "bmi"]] = np.nan
    data.loc[7, ["height", "weight"]] = np.nan
    model = model_of(
        "y ~ weight + height", data, derived={"bmi": "weight / height**2"}, families={"weight": "lognormal"}
    )
    plan = make_plan(model, finer={"height": 2.5})
    assert plan.units("weight", "grid").tolist() == [2]
    assert plan.units("weight", "solve").tolist() == [7]
    p = {
        "y": factor_draws(0.5, [0.04, 0.3], 1.0),
        "height": factor_draws(1.72, [], 0.11),
        "weight": factor_draws(2.6, [0.9], 0.2),
    }
    cells = drawn(model, p, plan=plan)
    axis = np.linspace(20.0, 200.0, 6001)
    logs = stats.lognorm.logpdf(axis, 0.2, scale=np.exp(2.6 + 0.9 * data["height"][2]))
    logs += stats.norm.logpdf(data["y"][2], 0.5 + 0.04 * axis + 0.3 * data["height"][2], 1.0)
    uniform(np.interp(cells["weight"][2], axis, distribution(axis, logs)))
    np.testing.assert_allclose(cells["weight"][7] / cells["height"][7] ** 2, data["bmi"][7], rtol=1e-12)


def test_two_positive_parts_of_a_sum_stay_between_their_limits():
    rng = np.random.default_rng(8)
    u, v = np.exp(0.5 * rng.normal(size=(2, 60)))
    data = pd.DataFrame({"u": u, "v": v, "whole": u + v, "y": u - v + rng.normal(size=60)})
    data.loc[[1, 6], ["u", "v"]] = np.nan
    model = model_of(
        "y ~ u + v",
        data,
        derived={"whole": "u + v"},
        families={"u": "exponential", "v": "lognormal"},
        order=["u", "v"],
    )
    p = {
        "y": factor_draws(0.1, [0.9, -1.1], 1.0),
        "u": factor_draws(0.1, []),
        "v": factor_draws(0.0, [0.1], 0.5),
    }
    cells = drawn(model, p)
    for row in (1, 6):
        d = data["whole"][row]
        axis = np.linspace(1e-9, d - 1e-9, 20001)
        logs = (
            stats.expon.logpdf(axis, scale=np.exp(0.1))
            + stats.lognorm.logpdf(d - axis, 0.5, scale=np.exp(0.1 * axis))
            + stats.norm.logpdf(data["y"][row], 0.1 + 0.9 * axis - 1.1 * (d - axis), 1.0)
        )
        found = cells["u"][row]
        assert found.between(0, d, inclusive="neither").all()
        uniform(np.interp(found, axis, distribution(axis, logs)))
        np.testing.assert_allclose(found + cells["v"][row], d, rtol=1e-12)


def test_a_binary_and_a_gaussian_part_follow_their_mixture():
    rng = np.random.default_rng(9)
    k = (rng.random(60) < 0.4).astype(float)
    x = 0.5 * k + rng.normal(size=60)
    data = pd.DataFrame({"k": k, "x": x, "m": x + 1.5 * k, "y": x + k + rng.normal(size=60)})
    data.loc[[0, 3], ["k", "x"]] = np.nan
    model = model_of("y ~ k + x", data, derived={"m": "x + 1.5 * k"})
    p = {
        "y": factor_draws(0.1, [0.8, 1.1], 1.0),
        "k": factor_draws(-0.4, []),
        "x": factor_draws(0.1, [0.4], 1.0),
    }
    cells = drawn(model, p, n=3000)
    for row in (0, 3):
        logs = []
        for value in (0.0, 1.0):
            rest = data["m"][row] - 1.5 * value
            logs.append(
                stats.bernoulli.logpmf(value, 1 / (1 + np.exp(0.4)))
                + stats.norm.logpdf(rest, 0.1 + 0.4 * value, 1.0)
                + stats.norm.logpdf(data["y"][row], 0.1 + 0.8 * value + 1.1 * rest, 1.0)
            )
        share = np.exp(logs[1] - logsumexp(logs))
        assert stats.binomtest(int(cells["k"][row].sum()), 3000, share).pvalue > 1e-3
        np.testing.assert_allclose(cells["x"][row] + 1.5 * cells["k"][row], data["m"][row], rtol=1e-12)


def test_two_parts_on_a_grid_and_a_third_solved_follow_their_joint_conditional():
    data = three(seed=6)
    data["total"] = data["a"] + data["b"] + data["c"]
    data["y"] = (data["y"] > data["y"].mean()).astype(float)
    data.loc[[4], ["a", "b", "c"]] = np.nan
    model = model_of("y ~ a + b + c", data, derived={"total": "a + b + c"}, order=["a", "b", "c"])
    plan = make_plan(model, finer={"a": 1.5, "b": 1.5})
    assert plan.units("a", "grid").tolist() == plan.units("b", "grid").tolist() == [4]
    p = {
        "y": factor_draws(0.2, [1.0, -0.8, 0.5]),
        "a": factor_draws(1.0, [], 1.1),
        "b": factor_draws(0.1, [0.5], 0.9),
        "c": factor_draws(0.0, [0.1, -0.3], 1.0),
    }
    cells = drawn(model, p, plan=plan, n=700)
    axis = np.linspace(-7, 9, 801)
    a, b = axis[:, None], axis[None, :]
    c = data["total"][4] - a - b
    eta = 0.2 + a - 0.8 * b + 0.5 * c
    logs = (
        stats.norm.logpdf(a, 1.0, 1.1)
        + stats.norm.logpdf(b, 0.1 + 0.5 * a, 0.9)
        + stats.norm.logpdf(c, 0.1 * a - 0.3 * b, 1.0)
        - np.log1p(np.exp(-eta if data["y"][4] == 1 else eta))
    )
    uniform(np.interp(cells["a"][4], axis, distribution(axis, logsumexp(logs, axis=1))))
    uniform(np.interp(cells["b"][4], axis, distribution(axis, logsumexp(logs, axis=0))))
    np.testing.assert_allclose(cells["a"][4] + cells["b"][4] + cells["c"][4], data["total"][4], rtol=1e-12)


def test_a_part_of_a_group_and_one_of_its_rows():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(12), 4)
    birth = rng.normal(1950, 5, 12)[person]
    year = birth + 50 + rng.normal(0, 3, 48)
    data = pd.DataFrame({"person": person, "birth": birth, "year": year, "age": year - birth})
    data["y"] = 0.1 * (data["age"] - 50) + 0.05 * (birth - 1950) + rng.normal(size=48)
    data.loc[person == 5, "birth"] = np.nan
    data.loc[person == 5, "year"] = np.nan
    data.loc[person == 7, "birth"] = np.nan  # follows from age and year in any of its rows
    data.loc[np.flatnonzero(person == 7)[1:], "age"] = np.nan
    model = model_of(
        "y ~ birth + year + (1 | person)", data, derived={"age": "year - birth"}, levels="pooled"
    )
    np.testing.assert_allclose(model.table.values["birth"][person == 7], birth[person == 7], rtol=1e-9)
    plan = make_plan(model)
    assert plan.units("birth", "grid").tolist() == [5]
    assert plan.units("year", "solve").tolist() == np.flatnonzero(person == 5).tolist()
    p = {
        "y": FactorDraws(
            np.array([-6.0]), np.array([[0.02, -0.015]]), {"sigma": np.array([1.0])},
            {"person": np.array([[0.5]])}, {"person": np.ones((1, 1, 1))}, {"person": np.zeros((1, 12, 1))},
        ),
        "birth": factor_draws(1949.0, [], 5.0),
        "year": FactorDraws(
            np.array([60.0]), np.array([[0.995]]), {"sigma": np.array([3.0])},
            {"person": np.array([[1.0]])}, {"person": np.ones((1, 1, 1))}, {"person": np.zeros((1, 12, 1))},
        ),
    }  # fmt: skip
    cells = drawn(model, p, plan=plan, n=700)
    rows = np.flatnonzero(person == 5)
    axis = np.linspace(1900, 2000, 4001)
    logs = stats.norm.logpdf(axis, 1949.0, 5.0)
    for row in rows:
        own = data["age"][row] + axis
        logs = logs + stats.norm.logpdf(own, 60.0 + 0.995 * axis, 3.0)
        logs = logs + stats.norm.logpdf(data["y"][row], -6.0 + 0.02 * axis - 0.015 * own, 1.0)
    uniform(np.interp(cells["birth"][rows[0]], axis, distribution(axis, logs)))
    for row in rows:
        np.testing.assert_array_equal(cells["birth"][row], cells["birth"][rows[0]])
        np.testing.assert_allclose(cells["year"][row] - cells["birth"][row], data["age"][row], rtol=1e-10)
