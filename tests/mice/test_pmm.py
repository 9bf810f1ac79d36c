"""Predictive mean matching: predictions against the conditional written by hand, and what comes out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmi as bmi
from bayesmi.errors import ModelError
from bayesmi.mice.predict import Predictor, expected_cells, posterior_mean

pytestmark = [
    pytest.mark.xdist_group("pmm"),
    pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice"),
]


def simulate(n: int = 400, groups: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(groups), n // groups)
    u = rng.normal(0, 0.8, groups)[g]
    z = rng.normal(size=n)
    x = np.round(2 + 0.6 * z + rng.normal(size=n) + 0.3 * u)
    b = (rng.random(n) < 1 / (1 + np.exp(-0.5 * x + 1))).astype(float)
    y = np.round(1 + x - 0.5 * z + b + u + rng.normal(size=n), 1)
    data = pd.DataFrame({"g": g, "z": z, "x": x, "b": b, "y": y})
    data.loc[rng.random(n) < 0.25, "x"] = np.nan
    data.loc[rng.random(n) < 0.15, "b"] = np.nan
    data.loc[rng.random(n) < 0.25, "y"] = np.nan
    return data


@pytest.fixture(scope="module")
def fit():
    model = bmi.Model(
        "y ~ x + z + b + (1 | g)",
        simulate(),
        formulas={"x": "~ z + (1 | g)", "b": "~ x + z"},
        order=["x", "b"],
    )
    return model.fit(seed=1, draws=300, tune=300, progress=False)


def by_hand(fit, draw, values, i: int) -> float:
    """E(x_i | the rest of its row) by a fine grid of the product of the three conditionals."""
    model, table = fit.model, fit.model.table
    grid = np.linspace(-6, 10, 4001)
    g = table.groupings["g"].codes[i]

    def part(name, columns):
        own = draw.factors[name]
        names = list(model.factor(name).column_names)
        slope = dict(zip(names, own.coefficients[0], strict=True))
        eta = own.intercept[0] + sum(slope[k] * v for k, v in columns.items())
        return eta + (own.effects["g"][0, g, 0] if "g" in own.effects else 0.0)

    z, b, y = (values[name][i] for name in ("z", "b", "y"))
    log = stats.norm.logpdf(grid, part("x", {"z": z}), draw.factors["x"].scales["sigma"][0])
    p = 1 / (1 + np.exp(-part("b", {"x": grid, "z": z})))
    if fit.plan.active["b"][i]:
        log = log + np.log(p if b == 1 else 1 - p)
    if fit.plan.active["y"][i]:
        mean = part("y", {"x": grid, "z": z, "b": b})
        log = log + stats.norm.logpdf(y, mean, draw.factors["y"].scales["sigma"][0])
    weight = np.exp(log - log.max())
    return float((weight * grid).sum() / weight.sum())


def test_expected_cell_is_the_mean_of_its_conditional(fit):
    draw = fit.draws.take(np.array([17]))
    values = {name: column.copy() for name, column in fit.model.table.values.items()}
    for name, filled in fit.impute(1, despite_gate=True)._draws.cells(0).items():
        values[name][fit.model.table.frame.columns[name].missing] = filled
    got = expected_cells(Predictor(fit.model, draw), "x", values, fit.plan.active)
    rows = range(0, 400, 23)
    assert got[list(rows)] == pytest.approx([by_hand(fit, draw, values, i) for i in rows], abs=2e-3)


def test_posterior_mean_is_one_draw(fit):
    mean = posterior_mean(fit.draws)
    assert mean.n == 1
    assert mean.factors["y"].coefficients[0] == pytest.approx(
        fit.draws.factors["y"].coefficients.mean(axis=0)
    )


def test_matched_values_were_observed(fit):
    imputed = bmi.pmm(fit, m=10, despite_gate=True)
    data = fit.model.frame.original()
    for name in ("x", "y"):
        assert np.isin(imputed.cells(name), data[name].dropna()).all()
    assert set(np.unique(imputed.cells("b"))) <= {0.0, 1.0}
    assert imputed.method["x"] == "2l.pmm"
    assert not np.array_equal(imputed.cells("x")[1], imputed.cells("x")[2])
    # and they follow the model: close to its own draws on average, and in their relation to the rest
    plain = fit.impute(10, despite_gate=True)
    for name in ("x", "y"):
        a, b = imputed.cells(name).mean(axis=1), plain.cells(name).mean(axis=1)
        assert np.corrcoef(a, b)[0, 1] > 0.8
        assert abs((a - b).mean()) < 0.2


def test_each_matched_value_feeds_the_next_prediction(fit):
    # y is predicted from the matched x: with one donor it is the observed y whose prediction is nearest
    imputed = bmi.pmm(fit, m=2, donors=1, matchtype=2, despite_gate=True)
    drawn, table = imputed._draws, fit.model.table
    cells = drawn.cells(1)
    values = {name: column.copy() for name, column in table.values.items()}
    for name, filled in cells.items():
        values[name][table.frame.columns[name].missing] = filled
    draw = Predictor(fit.model, drawn.chosen.take(np.array([1])))
    score = draw.eta(fit.model.factor("y"), values)
    holes = table.unknown["y"]
    y = table.values["y"]
    for row, value in zip(np.flatnonzero(holes), cells["y"], strict=True):
        distance = np.abs(score[~holes] - score[row])
        assert value in y[~holes][distance == distance.min()]


def test_repeats_with_its_seed_in_any_order(fit):
    a, b = bmi.pmm(fit, m=3, seed=5, despite_gate=True), bmi.pmm(fit, m=3, seed=5, despite_gate=True)
    b.complete(3)
    pd.testing.assert_frame_equal(a.complete(2), b.complete(2))


def test_new_rows_are_matched_to_rows_of_the_fit(fit):
    new = simulate(40, 4).assign(g=lambda d: d["g"] + 18)  # two groups of the fit, two new ones
    new[["x", "y"]] += 0.001
    imputed = bmi.pmm(fit, m=3, newdata=new, despite_gate=True)
    data = fit.model.frame.original()
    for name in ("x", "y"):
        assert np.isin(imputed.cells(name), data[name].dropna()).all()
    assert not imputed.complete(2).isna().any(axis=None)
    pd.testing.assert_frame_equal(
        imputed.complete(2), bmi.pmm(fit, m=3, newdata=new, despite_gate=True).complete(2)
    )
    # with one donor a cell has the value of the donor with the nearest prediction, made by the same draw
    one = bmi.pmm(fit, m=2, newdata=new, donors=1, matchtype=2, despite_gate=True)._draws
    own, theirs = one.base.with_new(1, one.new)
    _, part, draw = one.new.drawn(1)
    scores = []
    for table, cells, at in (
        (fit.model.table, own, Predictor(fit.model, one.base.chosen.take(np.array([1])))),
        (part.table, theirs, Predictor(part, draw)),
    ):
        values = {name: column.copy() for name, column in table.values.items()}
        for name, filled in cells.items():
            values[name][table.frame.columns[name].missing] = filled
        scores.append(at.eta(fit.model.factor("y"), values))
    known = ~fit.model.table.unknown["y"]
    holes = np.flatnonzero(part.table.unknown["y"])
    for row, value in zip(holes, theirs["y"], strict=True):
        distance = np.abs(scores[0][known] - scores[1][row])
        assert value in fit.model.table.values["y"][known][distance == distance.min()]


def test_integer_columns_stay_integers():
    data = simulate(200, 10).drop(columns="b")
    data["x"] = data["x"].astype("Int64")
    fit = bmi.Model("y ~ x + z", data).fit(seed=2, draws=200, tune=200, progress=False)
    done = bmi.pmm(fit, m=2, despite_gate=True).complete(1)
    assert str(done["x"].dtype) == "Int64"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"variables": ["b"]}, "already"),
        ({"variables": ["z"]}, "does not impute"),
        ({"donors": 0}, "donors"),
        ({"matchtype": 3}, "matchtype"),
    ],
)
def test_wrong_arguments_are_named(fit, options, words):
    with pytest.raises(ModelError, match=words):
        bmi.pmm(fit, m=2, despite_gate=True, **options)


def test_gaussian_cells_in_closed_form_at_both_levels():
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(20), 10)
    w = rng.normal(size=20)[g]
    x = rng.normal(size=200) + 0.3 * w
    y = 1 + x + w + rng.normal(0, 0.5, 20)[g] + rng.normal(size=200)
    data = pd.DataFrame({"g": g, "w": w, "x": x, "y": y})
    data.loc[data["g"].isin([3, 8]), "w"] = np.nan
    data.loc[rng.random(200) < 0.2, "x"] = np.nan
    data.loc[rng.random(200) < 0.2, "y"] = np.nan
    formulas = {"w": "~ 1", "x": "~ w + (1 | g)"}
    fit = bmi.Model("y ~ w + x + (1 | g)", data, formulas=formulas).fit(
        seed=3, draws=200, tune=200, progress=False
    )
    draw, table = fit.draws.take(np.array([40])), fit.model.table
    values = {name: column.copy() for name, column in table.values.items()}
    for name in ("w", "x", "y"):
        values[name][table.frame.columns[name].missing] = fit.impute(1, despite_gate=True).draws_of(name)[
            :, 0
        ]
    fw, fx, fy = (draw.factors[name] for name in "wxy")
    sw, sx, sy = (factor.scales["sigma"][0] for factor in (fw, fx, fy))
    bw, bx = fy.coefficients[0]
    ux, uy = fx.effects["g"][0, :, 0][g], fy.effects["g"][0, :, 0][g]
    says = fit.plan.active["y"]  # a missing outcome says nothing
    eta_x = fx.intercept[0] + fx.coefficients[0, 0] * values["w"] + ux
    rest = values["y"] - fy.intercept[0] - bw * values["w"] - uy
    precision = 1 / sx**2 + says * bx**2 / sy**2
    expected = (eta_x / sx**2 + says * bx * rest / sy**2) / precision
    predictor = Predictor(fit.model, draw)
    assert expected_cells(predictor, "x", values, fit.plan.active) == pytest.approx(expected)

    # a cluster's value meets all rows of the cluster, in the models of x and of y
    rest_x = values["x"] - fx.intercept[0] - ux
    rest_y = values["y"] - fy.intercept[0] - bx * values["x"] - uy
    says_x = fit.plan.active["x"]
    weighted = says_x * fx.coefficients[0, 0] * rest_x / sx**2 + says * bw * rest_y / sy**2
    weight = says_x * fx.coefficients[0, 0] ** 2 / sx**2 + says * bw**2 / sy**2
    numerator = fw.intercept[0] / sw**2 + np.bincount(g, weighted)
    denominator = 1 / sw**2 + np.bincount(g, weight)
    got = expected_cells(predictor, "w", values, fit.plan.active)
    assert got == pytest.approx(numerator / denominator)
    one = bmi.pmm(fit, m=2, despite_gate=True).complete(1)
    assert (one.groupby("g")["w"].nunique() == 1).all()
    assert np.isin(one["w"], data["w"].dropna()).all()


@pytest.mark.xdist_group("pmm_nominal")
def test_a_predictor_of_categories_and_of_a_derived_variable_is_matched():
    rng = np.random.default_rng(4)
    n = 150
    height = rng.normal(1.7, 0.1, n)
    weight = 70 + 60 * (height - 1.7) + rng.normal(0, 8, n)
    bmi_ = weight / height**2
    kind = np.array(["u", "v", "w"])[
        np.clip(np.round((bmi_ - 24) / 4 + rng.normal(0, 0.7, n)) + 1, 0, 2).astype(int)
    ]
    data = pd.DataFrame({"kind": kind, "weight": weight, "height": height})
    data.loc[rng.random(n) < 0.2, "weight"] = np.nan
    fit = bmi.Model("kind ~ bmi", data, derived={"bmi": "weight / height**2"}).fit(
        seed=1, draws=150, tune=200, progress=False
    )
    one = bmi.pmm(fit, m=2, despite_gate=True).complete(2)
    assert np.isin(one["weight"], data["weight"].dropna()).all()
    np.testing.assert_allclose(one["bmi"], one["weight"] / one["height"] ** 2, rtol=1e-12)
