"""delta = 0 is missing at random to the last digits, and delta_model at known parameters is what it says."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Delta, Model, Prior
from bayesmi.build import build_sampled
from bayesmi.draw.likelihood_ratio import delta_log_ratio
from bayesmi.errors import FitError
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.plan import grid

pytestmark = [
    pytest.mark.xdist_group("delta_engine"),
    pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice"),
]


def table(n=120):
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(n // 10), 10)
    z, v = rng.normal(size=n), rng.normal(size=n // 10)[g]
    x = 0.5 * z + rng.normal(size=n)
    w = 0.5 * x + rng.normal(size=n)
    b = (rng.random(n) < 0.5).astype(float)
    nom = rng.choice(["u", "v", "w"], n)
    y = x + 0.3 * w + b + z + v + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x": x, "w": w, "b": b, "nom": nom, "z": z, "v": v, "g": g})
    for name, k in (("x", 30), ("w", 25), ("b", 20), ("nom", 15), ("y", 12)):
        data.loc[rng.choice(n, k, replace=False), name] = np.nan
    data.loc[g < 2, "v"] = np.nan
    return data


def model(formula, mechanisms, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, table(), mechanisms=mechanisms, **options)


FORMULA = "y ~ x + w + b + nom + z + v + (1 | g)"
ZERO = {
    "x": Delta(0, kind="model"),
    "b": Delta(0, kind="model"),
    "nom": Delta({"v": 0}, kind="model"),
    "v": Delta(0, kind="model"),
}


@pytest.mark.parametrize(
    "mechanisms",
    [ZERO, {"x": Delta(0), "y": Delta(0)}, {"x": Delta(-5)}, {"x": Delta(-5, kind="after"), "w": Delta(3)}],
    ids=["model", "conditional", "conditional_shifted", "after_shifted"],
)
def test_the_density_is_that_of_missing_at_random(mechanisms):
    at_random, own = (build_sampled(m, m.plan()) for m in (model(FORMULA, {}), model(FORMULA, mechanisms)))
    assert [p.name for p in at_random.program.parameters] == [p.name for p in own.program.parameters]
    rng = np.random.default_rng(1)
    for _ in range(5):
        point = at_random.program.initial() + 0.5 * rng.normal(size=at_random.program.dimensions)
        (one, g1), (other, g2) = at_random.log_density(point), own.log_density(point)
        assert abs(one - other) < 1e-10
        np.testing.assert_allclose(g1, g2, atol=1e-9)


@pytest.fixture(scope="module")
def fits():
    options = {"seed": 3, "draws": 100, "tune": 150, "progress": False}
    formula = "y ~ x + w + b + z"
    cases = {"mar": {}, "zero": {"x": Delta(0, kind="model")}, "fixed": {"x": Delta(-1.0, kind="model")}}
    cases["prior"] = {"x": Delta(Prior("Normal", 0, 1), kind="model")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return {name: model(formula, own).fit(**options) for name, own in cases.items()}


def test_the_same_seed_gives_the_same_imputations_at_zero(fits):
    one, other = (fits[name].impute(3, despite_gate=True).complete("long") for name in ("mar", "zero"))
    pd.testing.assert_frame_equal(one, other)


def test_the_likelihood_ratio_is_the_difference_of_the_densities(monkeypatch):
    """Cells summed and integrated out by draw/, against the compiled kernel with the same parameters."""
    # at points far from the posterior: a window that is shifted with its cell would leave out another tail
    monkeypatch.setattr(grid, "own_windows", lambda *_: None)
    for formula, mechanisms in (
        ("y ~ x + w + z", {"x": Delta("-1 + z", kind="model")}),
        (
            "y ~ x * b + nom + z",
            {"x": Delta(0.7, kind="model"), "nom": Delta({"w": 1.0, "u": -0.3}, kind="model")},
        ),
        ("y ~ x + I(x**2) + b", {"x": Delta(0.5, kind="model"), "b": Delta(-1, kind="model")}),
    ):
        own, zero = model(formula, mechanisms), model(formula, {})
        plan, plan_zero = own.plan(), zero.plan()
        built, built_zero = build_sampled(own, plan), build_sampled(zero, plan_zero)
        rng = np.random.default_rng(2)
        points = built.program.initial() + 0.3 * rng.normal(size=(6, built.program.dimensions))
        draws = posterior_draws(built, constrained(built.program, points), 1, len(points))
        expected = [built.log_density(p)[0] - built_zero.log_density(p)[0] for p in points]
        np.testing.assert_allclose(delta_log_ratio(own, plan, draws), expected, atol=1e-8)


def test_observed_children_speak_about_delta(fits):
    found = fits["prior"].deltas()
    row = found.loc[("x", "")]
    assert row["prior"] == "Normal(mu=0, sigma=1)"
    assert row["sd"] < 0.7  # narrower than the prior
    assert row["2.5%"] < 0 < row["97.5%"]  # the data are missing at random
    fixed = fits["fixed"].deltas().loc[("x", "")]
    assert fixed["prior"] == "fixed at -1"
    assert fixed["log_likelihood"] < 0
    assert "x__delta" in fits["prior"].posterior
    assert "x__delta" in fits["prior"].summary(all_models=True).index
    with pytest.raises(FitError, match="no variable of this model has a delta_model"):
        fits["mar"].deltas()


def test_a_delta_model_says_what_it_came_to(fits):
    found = fits["fixed"].impute(20, despite_gate=True).realised_difference().loc[("x", "")]
    assert found["delta"] == "delta_model"
    assert -1.0 < found["difference"] < -0.3  # outcomes pull the shifted values back
    assert found["per_unit"] == pytest.approx(-found["difference"])


def test_a_delta_model_of_an_outcome_shifts_it_by_delta_and_nothing_else():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        options = {"seed": 5, "draws": 100, "tune": 100, "progress": False}
        data = table()[["y", "z"]]
        one = Model("y ~ z", data).fit(**options).impute(5, despite_gate=True)
        shifted = {"y": Delta(-2.0, kind="model")}
        other = Model("y ~ z", data, mechanisms=shifted).fit(**options).impute(5, despite_gate=True)
    np.testing.assert_allclose(other.draws_of("y"), one.draws_of("y") - 2.0, atol=1e-9)


@pytest.fixture(scope="module")
def clustered():
    formula = "y ~ x + w + v + z + (1 + x | g)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        sampled = {"x": "sample", "w": "sample"}
        return model(formula, {}, treatments=sampled).fit(seed=3, draws=60, tune=200, progress=False)


def changes(fit, mechanisms, i=0):
    """Completed columns without and with deltas, over all rows."""
    from dataclasses import replace

    from bayesmi.draw.shifted import full_columns
    from bayesmi.model.remade import with_mechanisms

    own = replace(fit, model=with_mechanisms(fit.model, mechanisms)).impute(4, despite_gate=True)
    at_random = fit.impute(4, despite_gate=True)
    return (full_columns(fit.model.table, one._cells_of(i)) for one in (at_random, own))


def test_a_value_of_a_group_moves_its_group_only(clustered):
    before, after = changes(clustered, {"v": Delta(2.0)})
    data = table()
    rows = data["v"].isna().to_numpy()
    np.testing.assert_allclose(after["v"][rows] - before["v"][rows], 2.0, atol=1e-12)
    for name in ("x", "w", "y"):
        other = ~rows
        np.testing.assert_array_equal(after[name][other], before[name][other])
        missing = rows & data[name].isna().to_numpy()
        if missing.any():
            assert (after[name][missing] != before[name][missing]).all()


def test_cells_that_nuts_sampled_are_drawn_anew_beside_a_shifted_one(clustered):
    """w beside a shifted x of its row, whose slope varies over groups: its mean moves as by hand, over many draws."""
    assert clustered.plan.units("x", "sample").size
    data = table()
    both = (data["x"].isna() & data["w"].isna() & ~data["v"].isna()).to_numpy()
    assert both.any()
    found = []
    for i in range(4):
        before, after = changes(clustered, {"x": Delta(1.0)}, i)
        x_rows = data["x"].isna().to_numpy()
        np.testing.assert_allclose(after["x"][x_rows] - before["x"][x_rows], 1.0, atol=1e-12)
        touched = x_rows | np.isin(data["g"], data["g"][data["v"].isna() & data["x"].isna()])
        np.testing.assert_array_equal(after["w"][~touched], before["w"][~touched])
        found.append(after["w"][both] - before["w"][both])
    assert np.std(found) > 0


def test_amounts_that_differ_within_a_group_are_refused_for_its_value():
    with pytest.raises(ValueError, match="differs within a g"):
        model("y ~ v + z + (1 | g)", {"v": Delta("z", kind="model")})


def test_squares_and_offsets_with_incomplete_columns():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        fit = model("y ~ x + I(x**2) + w", {}).fit(seed=3, draws=50, tune=100, progress=False)
    before, after = changes(fit, {"x": Delta(-1.0), "w": Delta(0.5)})
    for name, delta in (("x", -1.0),):
        rows = table()[name].isna().to_numpy()
        alone = rows & ~table()["w"].isna().to_numpy()
        np.testing.assert_allclose(after[name][alone] - before[name][alone], delta, atol=1e-12)
    assert np.isfinite(after["w"]).all()


def test_a_fit_prints_what_became_of_its_delta(fits):
    text = repr(fits["prior"])
    assert "delta_model of x: prior Normal(mu=0, sigma=1), posterior" in text
    assert "against missing at random" in text
    assert "delta_model of x: fixed at -1" in repr(fits["fixed"])
    assert "delta_model" not in repr(fits["mar"])


def test_what_would_undo_or_misread_a_delta_is_refused(fits):
    from dataclasses import replace

    from bayesmi import overimpute, pmm
    from bayesmi.model.remade import with_mechanisms

    shifted = with_mechanisms(fits["mar"].model, {"x": Delta(-1.0)})
    with pytest.raises(ValueError, match="would undo the shift"):
        pmm(replace(fits["mar"], model=shifted), m=2, despite_gate=True)
    with pytest.raises(ValueError, match="observed cells do not follow"):
        overimpute(shifted, "x")
    found = replace(fits["mar"], model=shifted).impute(2, despite_gate=True).realised_difference(by="g")
    assert len(found) > 3
    np.testing.assert_allclose(found["difference"], -1.0, atol=1e-9)
