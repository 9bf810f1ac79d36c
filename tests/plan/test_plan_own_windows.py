"""Cells on a grid around what their own model predicts: fewer points, the same density."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from bayesmi import BayesmiNotice, Delta, Model, SelfMasking
from bayesmi.build import build_sampled
from bayesmi.plan import grid as grid_module
from bayesmi.plan import make_plan


def table(n=400, seed=1):
    rng = np.random.default_rng(seed)
    age = rng.uniform(0, 20, n)
    group = rng.integers(0, 20, n)
    effect = rng.normal(size=20)
    height = np.exp(4.0 + 0.06 * age + 0.05 * rng.normal(size=n))
    weight = np.exp(-6.5 + 2.0 * np.log(height) + 0.1 * rng.normal(size=n))
    x = 1.5 * age + effect[group] + rng.normal(size=n)
    sex = (rng.random(n) < 0.5).astype(float)
    u = 0.5 * x + 3.0 * sex + rng.normal(size=n)
    y = 40.0 + 0.2 * age + 20.0 * weight / height + rng.normal(size=n)
    v = 0.1 * (x - 15.0) ** 2 + 0.5 * u + rng.normal(size=20)[group] + rng.normal(size=n)
    data = pd.DataFrame(
        {"age": age, "group": group, "height": height, "weight": weight, "x": x, "sex": sex, "u": u}
    )
    data["y"], data["v"] = y, v
    for name in ("height", "weight", "x", "sex", "u"):
        data.loc[rng.random(n) < 0.2, name] = np.nan
    return data


SHAPES = {
    "squared": ("v ~ x + I(x**2) + age", {}),
    # the adaptive geometry is that of a plan: coordinates would not mean the same in both
    "squared_random_intercept": (
        "v ~ x + I(x**2) + age + (1 | group)",
        {"treatments": {"1|group": "noncentred", "x__1|group": "noncentred"}},
    ),
    "ratio": (
        "y ~ age + I(weight / height)",
        {
            "families": {"height": "lognormal", "weight": "lognormal"},
            "formulas": {"height": "~ age", "weight": "~ np.log(height)"},
            "order": ["height", "weight"],
        },
    ),
    "missing_predictors": (
        "v ~ x + I(x**2) + u + I(u**2) + sex",
        {"formulas": {"x": "~ age", "sex": "~ 1", "u": "~ x + sex"}, "order": ["x", "sex", "u"]},
    ),
}


def model_of(shape, data=None, **more):
    formula, options = SHAPES[shape]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, table() if data is None else data, **options, **more)


def without_windows(monkeypatch, model, **options):
    with monkeypatch.context() as patch:
        patch.setattr(grid_module, "own_windows", lambda *_: None)
        return make_plan(model, **options)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_density_is_that_of_the_whole_line(shape, monkeypatch):
    model = model_of(shape)
    plan, whole = make_plan(model), without_windows(monkeypatch, model)
    assert (
        max(own.values.shape[1] / whole.grids[name].values.shape[1] for name, own in plan.grids.items()) < 0.8
    )
    # both fine enough that only the ends can make a difference
    finer = dict.fromkeys(plan.grids, 2.0)
    built = build_sampled(model, make_plan(model, finer=finer))
    reference = build_sampled(model, without_windows(monkeypatch, model, finer=finer))
    start = built.program.initial()
    best = optimize.minimize(
        lambda x: tuple(-part for part in built.log_density(x)), start, jac=True, method="BFGS", options={"maxiter": 200}
    ).x  # fmt: skip
    spread = np.sqrt(np.diag(np.linalg.inv(-hessian(built, best))))
    rng = np.random.default_rng(2)
    for _ in range(5):
        # three times as far out as the posterior
        x = best + 3.0 * spread * rng.normal(size=len(best)) / np.sqrt(len(best))
        value, gradient = built.log_density(x)
        expected, its_gradient = reference.log_density(x)
        assert value == pytest.approx(expected, rel=1e-10)
        np.testing.assert_allclose(gradient, its_gradient, rtol=1e-7, atol=1e-7)


def hessian(built, x, h=1e-4):
    rows = [
        (built.log_density(x + h * one)[1] - built.log_density(x - h * one)[1]) / (2 * h)
        for one in np.eye(len(x))
    ]
    return 0.5 * (np.array(rows) + np.array(rows).T)


def test_a_window_lies_around_the_prediction_and_widens_with_what_predicts_it(monkeypatch):
    data = table()
    plan = make_plan(model_of("missing_predictors", data))
    units = next(group.units for group in plan.cells if (group.variable, group.treatment) == ("u", "grid"))
    grid = plan.grids["u"]
    centre, width = grid.values[:, [0, -1]].mean(axis=1), np.ptp(grid.values, axis=1)
    x_missing, sex_missing = data["x"].isna().to_numpy()[units], data["sex"].isna().to_numpy()[units]
    plain = ~x_missing & ~sex_missing
    expected = (0.5 * data["x"] + 3.0 * data["sex"]).to_numpy()[units]
    assert np.abs(centre - expected)[plain].max() < 0.7
    np.testing.assert_allclose(width[plain], 16.0, rtol=0.2)  # 8 residual sds to either side
    assert width[x_missing].min() > width[plain].max()
    assert (
        width[sex_missing & ~x_missing] - width[plain].mean()
    ).min() > 2.5  # either of two levels, 3 apart
    whole = without_windows(monkeypatch, model_of("missing_predictors", data)).grids["u"]
    assert grid.values.shape[1] < whole.values.shape[1]


def test_cells_have_as_many_points_as_they_need():
    model = model_of("ratio")
    grid = make_plan(model).grids["weight"]
    assert grid.counts is not None
    assert grid.counts.min() < 0.8 * grid.counts.max() == 0.8 * grid.values.shape[1]
    assert len(np.unique(grid.counts)) < 20
    last = np.take_along_axis(grid.values, grid.counts[:, None] - 1, axis=1)
    assert (grid.values[:, -1:] == last).all()  # filling
    assert f"grid of weight: {grid.counts.min()} to {grid.counts.max()} points" in repr(make_plan(model))
    expansion = build_sampled(model).tables.expansion
    units = make_plan(model).units("weight", "grid")
    number = np.searchsorted(units, expansion.rows)
    on = expansion.choice["weight"] >= 0
    assert (expansion.choice["weight"][on] < grid.counts[number[on]]).all()
    np.testing.assert_array_equal(
        expansion.values["weight"][on], grid.values[number[on], expansion.choice["weight"][on]]
    )


def test_a_wider_grid_is_wider_and_a_finer_one_finer():
    model = model_of("squared")
    first = make_plan(model).grids["x"]
    wider = make_plan(model, wider={"x": 1.5}).grids["x"]
    finer = make_plan(model, finer={"x": 2.0}).grids["x"]
    assert (wider.values[:, 0] < first.values[:, 0]).all()
    assert (wider.values[:, -1] > first.values[:, -1]).all()
    # numbers of points are rounded up to a few sizes
    np.testing.assert_allclose(finer.spacing, first.spacing / 2.0, rtol=0.2)
    np.testing.assert_allclose(wider.spacing, first.spacing, rtol=0.2)


@pytest.mark.parametrize(
    ("shape", "more"),
    [
        ("squared", {"mechanisms": {"x": SelfMasking("~ age")}}),
        ("squared", {"families": {"x": "student"}}),
        ("squared_random_intercept", {"formulas": {"x": "~ age + (1 + age | group)"}}),
        ("few", {}),
    ],
)
def test_the_whole_line_is_looked_at_where_the_complete_rows_do_not_say_it(shape, more, monkeypatch):
    if shape == "few":
        model = model_of("squared", table().iloc[:45].reset_index(drop=True))
    else:
        model = model_of(shape, **more)
    plan, whole = make_plan(model), without_windows(monkeypatch, model)
    np.testing.assert_array_equal(plan.grids["x"].values, whole.grids["x"].values)


def test_a_known_shift_moves_the_window_with_its_cell():
    first, zero, shifted = (
        make_plan(model_of("squared", mechanisms=given)).grids["x"]
        for given in ({}, {"x": Delta(0.0, kind="model")}, {"x": Delta(1.5, kind="model")})
    )
    np.testing.assert_array_equal(zero.values, first.values)
    np.testing.assert_array_equal(zero.log_weights, first.log_weights)
    moved = shifted.values[:, 0] - first.values[:, 0]
    assert np.isclose(moved, 1.5).mean() > 0.7  # others begin where the common grid does
    assert ((moved > -1e-9) & (moved < 1.5 + 1e-9)).all()
