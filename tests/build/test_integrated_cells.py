"""Integrated cells: log f(y, x_mis | theta) - log f(x_mis | y, theta) is the integrated density, for any x_mis."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.build import build_sampled
from bayesmi.draw import unit_log_weights
from bayesmi.draw.integrals import draw_units, unit_moments
from bayesmi.fit.constrain import constrained, posterior_draws

pytestmark = pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")


def table(seed: int = 0, n: int = 120, missing_y: float = 0.1) -> pd.DataFrame:
    """Two Gaussian and one binary incomplete covariate, groups, everything missing at random."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(12), n // 12)
    z = rng.normal(size=n)
    b = (rng.random(n) < 0.4).astype(float)
    x1 = 1 + 0.5 * z - 0.4 * b + rng.normal(size=12)[g] * 0.5 + rng.normal(size=n)
    x2 = 0.3 * x1 + 0.6 * z + rng.normal(size=n) * 2
    y = 1 + 0.5 * x1 - 0.3 * x2 + 0.8 * b + 0.2 * x1 * z + rng.normal(size=12)[g] + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x1": x1, "x2": x2, "b": b, "z": z, "g": g})
    for name, share in {"y": missing_y, "x1": 0.25, "x2": 0.25, "b": 0.2}.items():
        data.loc[rng.random(n) < share, name] = np.nan
    return data


SHAPES = {
    "two Gaussian": ("y ~ x1 + x2 + z", ["b", "g"]),
    "interaction with a complete variable": ("y ~ x1 * z + center(x2)", ["b", "g"]),
    "with a summed binary": ("y ~ x1 + x2 + b + b:x1 + z", ["g"]),
    "in groups": ("y ~ x1 + x2 + z + (1 + z | g)", ["b"]),
    "in groups with a summed binary": ("y ~ x1 + x2 + b + z + (1 | g)", []),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_joint_minus_conditional_is_the_integrated_density(shape: str) -> None:
    formula, without = SHAPES[shape]
    data = table(missing_y=0.0).drop(
        columns=without
    )  # asked to be sampled, barren cells would be latents too
    cells = {"x1": "sample", "x2": "sample"}
    effects = {}
    if "|" in formula:
        # the same group effects explicit in both
        effects = {f"{prefix}1|g": "noncentred" for prefix in ("", "x1__", "x2__")}
    inside = build_sampled(
        bmi.Model(formula, data, treatments={"x1": "integrate", "x2": "integrate", **effects})
    )
    outside = build_sampled(bmi.Model(formula, data, treatments={**cells, **effects}))
    assert inside.tables.integrals.n > 10
    model = inside.model
    rng = np.random.default_rng(3)
    for _ in range(5):
        x = inside.program.initial() + 0.4 * rng.normal(size=inside.program.dimensions)
        draws = posterior_draws(inside, constrained(inside.program, x[None]), 1, 1)
        # any values of the cells will do; some that are plausible keep the numbers small
        raw = {p.name: x[p.start : p.start + p.size] for p in inside.program.parameters}
        full = outside.program.initial()
        for p in outside.program.parameters:
            full[p.start : p.start + p.size] = raw.get(p.name, rng.normal(size=p.size))
        values = {
            name: model.factor(name).location + model.factor(name).spread * full[p.start : p.start + p.size]
            for name in ("x1", "x2")
            for p in outside.program.parameters
            if p.name == f"cell::{name}"
        }
        got = inside.log_density(x)[0]
        joint, conditional = _joint_and_conditional(inside, outside, draws, full, values)
        assert got == pytest.approx(joint - conditional, rel=1e-9, abs=1e-8)


def _joint_and_conditional(inside, outside, draws, full, values):
    """Log density with the cells as latents, and log f(cells | y, theta) with the binary cells summed out too."""
    integrals = inside.tables.integrals
    log_weights, moments = unit_log_weights(inside.model.factors, inside.tables, draws)
    rows = integrals.rows[moments.units]
    x = np.zeros(moments.mean.shape[1:])
    for name in integrals.names:
        place = integrals.place[name][rows]
        mine = place >= 0
        # cell numbers of the sampled model count all its informative cells; these are the same cells
        index = outside.tables.cell_position[name][rows[mine]]
        x[mine, place[mine]] = values[name][index]
    deviation = x - moments.mean[0]
    q = integrals.sizes[moments.units]
    beyond = np.arange(integrals.most) >= q[:, None]
    deviation[beyond] = 0.0
    quadratic = np.einsum("ui,uij,uj->u", deviation, moments.precision[0], deviation)
    density = 0.5 * np.linalg.slogdet(moments.precision[0])[1] - 0.5 * q * np.log(2 * np.pi) - 0.5 * quadratic
    plain = integrals.expanded[moments.units] < 0
    conditional = density[plain].sum()
    # an expanded row is a mixture over its combinations, weighted by their posterior probabilities
    expansion = inside.tables.expansion
    by_row = {}
    for unit, e in zip(np.flatnonzero(~plain), integrals.expanded[moments.units][~plain], strict=True):
        by_row.setdefault(expansion.rows[e], []).append((log_weights[0, e], density[unit]))
    for pairs in by_row.values():
        weights, terms = np.array(pairs).T
        conditional += np.logaddexp.reduce(weights + terms) - np.logaddexp.reduce(weights)
    return outside.log_density(full)[0], conditional


def test_gradient() -> None:
    built = build_sampled(
        bmi.Model(
            "y ~ x1 + x2 + b + b:x1 + z + (1 | g)", table(), treatments={"x1": "integrate", "x2": "integrate"}
        )
    )
    rng = np.random.default_rng(4)
    x = built.program.initial() + 0.3 * rng.normal(size=built.program.dimensions)
    gradient = built.log_density(x)[1]
    step = 1e-6
    numeric = np.array(
        [
            (built.log_density(x + step * e)[0] - built.log_density(x - step * e)[0]) / (2 * step)
            for e in np.eye(len(x))
        ]
    )
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-5)


def test_drawn_back_cells_follow_their_conditional() -> None:
    built = build_sampled(bmi.Model("y ~ x1 + x2 + z", table().drop(columns=["b", "g"])))
    x = np.tile(built.program.initial(), (4000, 1))
    draws = posterior_draws(built, constrained(built.program, x), 1, 4000)
    moments = unit_moments(built.model.factors, built.tables.factors, built.tables.integrals, draws)
    drawn = draw_units(moments, np.random.default_rng(5))
    covariance = np.linalg.inv(moments.precision[0])
    np.testing.assert_allclose(drawn.mean(0), moments.mean[0], atol=5 * np.sqrt(covariance.max() / 4000))
    for unit in range(0, drawn.shape[1], 7):
        got = np.atleast_2d(np.cov(drawn[:, unit].T))
        np.testing.assert_allclose(got, covariance[unit], atol=0.12 * covariance[unit].max())


@pytest.mark.xdist_group("integrated")
def test_integrated_and_sampled_cells_give_the_same_posterior() -> None:
    data = table(1, 240).drop(columns=["g"])
    formula = "y ~ x1 + x2 + b + z"
    one = bmi.Model(formula, data).fit(seed=1, draws=1000, progress=False)
    two = bmi.Model(formula, data, treatments={"x1": "sample", "x2": "sample"}).fit(
        seed=2, draws=1000, progress=False
    )
    assert {group.treatment for group in one.plan.cells} >= {"integrate", "enumerate", "predict"}
    assert one.gate.passed
    # R² has a Monte Carlo error of its own, of the tables that its predictors are completed in
    a, b = (fit.summary(all_models=True).query("kind != 'R²'") for fit in (one, two))
    gap = (a["mean"] - b["mean"]).abs() / np.sqrt(a["mcse_mean"] ** 2 + b["mcse_mean"] ** 2)
    assert gap.max() < 4.5
    assert ((a["sd"] / b["sd"]).between(0.85, 1.18)).all()
    shares = [fit.summary().loc["R2 (marginal)"] for fit in (one, two)]
    assert abs(shares[0]["mean"] - shares[1]["mean"]) < 0.15 * shares[0]["sd"]
    first, second = one.impute(200), two.impute(200)
    for name in ("x1", "x2", "b"):
        difference = first.draws_of(name).mean(1) - second.draws_of(name).mean(1)
        noise = np.sqrt(first.draws_of(name).var(1) + second.draws_of(name).var(1) + 0.02) / np.sqrt(200)
        assert np.abs(difference / noise).max() < 5


@pytest.mark.parametrize(
    "formula", ["y ~ x1 + x2 + z", "y ~ 0 + x1 + z", "y ~ center(x1) + I(2 * x2 + 1) + z"]
)
def test_cross_products_of_patterns_give_the_density_of_the_rows(
    formula: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = table(n=240).drop(columns=["b", "g"])
    quick = build_sampled(bmi.Model(formula, data, treatments={"x1": "integrate"}))
    monkeypatch.setattr("bayesmi.build.write_program.has_patterns", lambda *_: False)
    for module in ("gathered", "unit_classes"):
        monkeypatch.setattr(f"bayesmi.build.{module}._FEW", 10**9)
    slow = build_sampled(bmi.Model(formula, data, treatments={"x1": "integrate"}))
    assert len(quick.program.buffer) < len(slow.program.buffer)
    rng = np.random.default_rng(7)
    for _ in range(5):
        x = slow.program.initial() + 0.5 * rng.normal(size=slow.program.dimensions)
        one, two = quick.log_density(x), slow.log_density(x)
        assert one[0] == pytest.approx(two[0], rel=1e-11)
        np.testing.assert_allclose(one[1], two[1], rtol=1e-8, atol=1e-8)
