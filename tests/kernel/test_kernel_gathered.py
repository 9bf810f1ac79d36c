"""Rows gathered by pattern beside rows that are expanded: the same density as with every row by itself."""

import numpy as np
import pytest
from kernel_cases import every_shape, make_model, small_table

from bayesmi import Model
from bayesmi.build import build_sampled, gathered
from bayesmi.build.gathered import gather
from bayesmi.kernel import evaluate

SHAPES = [
    "integrate_and_sum",
    "integrate_order",
    "integrate_partly",
    "mixed_interaction",
    "mixed_groups",
    "several_discrete",
    "quadratic",
    "product_and_square",
    "grid_and_sum",
    "covariate_formula",
    "categories",
]
NAMES = every_shape()


def programs(model, monkeypatch):
    """The program with every row by itself, and with all rows gathered that may be."""
    plan = model.plan()
    out = []
    for few in (10**9, 1):
        monkeypatch.setattr(gathered, "_FEW", few)
        out.append(build_sampled(model, plan).program)
    return out


@pytest.mark.parametrize("name", NAMES)
def test_gathered_rows_change_nothing(name, monkeypatch):
    apart, together = programs(make_model(name), monkeypatch)
    rng = np.random.default_rng(1)
    for _ in range(3):
        x = apart.initial() + rng.normal(0.0, 0.5, apart.dimensions)
        value, gradient = evaluate(apart.buffer, x)
        own, own_gradient = evaluate(together.buffer, x)
        assert own == pytest.approx(value, rel=1e-11)
        np.testing.assert_allclose(own_gradient, gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.xdist_group("kernel_integrate_and_sum")
def test_only_rows_with_summed_cells_stay(monkeypatch):
    monkeypatch.setattr(gathered, "_FEW", 1)
    model = Model("y ~ x + x2 + b1 + z", small_table())
    tables = build_sampled(model).tables
    left, blocks = gather(model.factors, tables, model.plan())
    assert blocks
    for name in ("y", "x", "x2"):
        assert left.factors[name].n_plain == 0
        assert left.factors[name].n_rows == len(tables.factors[name].expanded)
    assert left.factors["b1"].n_rows == tables.factors["b1"].n_rows
    assert (left.integrals.expanded >= 0).all()
    assert len(left.integrals.sizes) < tables.integrals.n


@pytest.mark.xdist_group("kernel_integrate_and_sum")
def test_cost_of_a_gradient_does_not_grow_with_complete_rows():
    table = small_table()
    rng = np.random.default_rng(2)
    complete = table[["y", "x", "x2", "b1", "z"]].dropna()
    more = complete.iloc[rng.integers(0, len(complete), 4000)]
    more = more.assign(**{name: more[name] + rng.normal(size=4000) for name in ("y", "x", "x2", "z")})
    model = Model("y ~ x + x2 + b1 + z", small_table()[["y", "x", "x2", "b1", "z"]])
    with_more = Model(
        "y ~ x + x2 + b1 + z", type(table)(np.vstack([table[more.columns], more]), columns=more.columns)
    )
    left, _ = gather(with_more.factors, build_sampled(with_more).tables, with_more.plan())
    few, _ = gather(model.factors, build_sampled(model).tables, model.plan())
    for name in ("y", "x", "x2"):
        assert left.factors[name].n_rows <= few.factors[name].n_rows
