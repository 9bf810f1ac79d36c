"""Units into whose rows cells enter alike are integrated together: the same density as with every unit by itself."""

import numpy as np
import pandas as pd
import pytest
from kernel_cases import every_shape, make_model, small_table

from bayesmi import Model
from bayesmi.build import build_sampled, gathered, unit_classes
from bayesmi.build.unit_classes import unit_classes as classes_of
from bayesmi.kernel import evaluate

SHAPES = every_shape()


def both_ways(model, monkeypatch):
    """The program with every unit by itself, and with all units in classes that may be; no row is gathered by pattern."""
    plan = model.plan()
    monkeypatch.setattr(gathered, "_FEW", 10**9)
    out = []
    for few in (10**9, 1):
        monkeypatch.setattr(unit_classes, "_FEW", few)
        out.append(build_sampled(model, plan).program)
    return out


def assert_same_density(alone, together, spread=0.5):
    rng = np.random.default_rng(1)
    for _ in range(3):
        x = alone.initial() + rng.normal(0.0, spread, alone.dimensions)
        value, gradient = evaluate(alone.buffer, x)
        own, own_gradient = evaluate(together.buffer, x)
        assert own == pytest.approx(value, rel=1e-11)
        np.testing.assert_allclose(own_gradient, gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", SHAPES)
def test_classes_of_units_change_nothing(name, monkeypatch):
    assert_same_density(*both_ways(make_model(name), monkeypatch))


def many_rows(n=3000):
    """More units than a tile, with every combination of three variables missing."""
    rng = np.random.default_rng(7)
    z = rng.normal(size=n)
    b = (rng.random(n) < 0.5).astype(float)
    x = 0.5 * z + 0.4 * b + rng.normal(size=n)
    v = 0.3 * x - 0.2 * b + rng.normal(size=n)
    y = 1.0 + x - v + b + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x": x, "v": v, "b": b, "z": z})
    return data.mask(rng.random(data.shape) < [0.0, 0.4, 0.4, 0.6, 0.0])


@pytest.mark.xdist_group("kernel_alike")
@pytest.mark.parametrize("formula", ["y ~ x + v + b + z", "y ~ x * b + v + z"])
def test_more_units_than_a_tile(formula, monkeypatch):
    model = Model(formula, many_rows())
    tables = build_sampled(model).tables
    largest = max(len(one.units) for one in classes_of(model.factors, tables))
    assert largest > 256
    assert_same_density(*both_ways(model, monkeypatch), spread=0.2)


@pytest.mark.xdist_group("kernel_alike")
def test_classes_hold_each_eligible_unit_once():
    model = Model("y ~ x * b + v + z", many_rows())
    tables = build_sampled(model).tables
    classes = classes_of(model.factors, tables)
    units = np.concatenate([one.units for one in classes])
    assert len(np.unique(units)) == len(units) == tables.integrals.n
    for one in classes:
        for name, rows in one.rows.items():
            assert (tables.factors[name].integral_unit[rows] == one.units).all()


@pytest.mark.xdist_group("kernel_alike")
@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x:z + b1",  # the weight of x is z, another in each row
        "y ~ x + b1 + (x | a)",  # x enters through effects of its group
        ("y ~ x + b1", "sigma ~ z"),
    ],
)
def test_units_that_differ_stay_alone(formula, monkeypatch):
    monkeypatch.setattr(unit_classes, "_FEW", 1)
    model = Model(formula, small_table(), treatments={"x": "integrate"})
    tables = build_sampled(model).tables
    assert tables.integrals.n
    assert all(len(one.units) < 3 for one in classes_of(model.factors, tables))
