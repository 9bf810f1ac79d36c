"""Held cells: the posterior is the one that sums have, beyond the budget the truth is found, and seeds repeat."""

import warnings
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from gibbs_tables import questionnaire

import bayesmi
from bayesmi import Model
from bayesmi.errors import NotSupportedError

OPTIONS = {"draws": 400, "tune": 200, "progress": False}


def model_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Model(formula, data, **options)


@cache
def grouped_table():
    """Pupils with a binary, a nominal and a continuous covariate, and schools with one of two kinds."""
    rng = np.random.default_rng(11)
    school = np.repeat(np.arange(24), 8)
    n = len(school)
    kind = (rng.random(24) < 0.5).astype(float)[school]
    b = (rng.random(n) < 1 / (1 + np.exp(-kind + 0.5))).astype(float)
    c = np.array(["u", "v", "w"], dtype=object)[rng.integers(0, 3, n)]
    x = 0.8 * b + rng.normal(size=n)
    y = 1.5 * b + (c == "v") - (c == "w") + x + kind + 0.7 * rng.normal(size=24)[school] + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "b": b, "c": c, "x": x, "kind": kind, "school": school})
    both = rng.random(n) < 0.3
    data.loc[both, ["b", "c"]] = np.nan
    data.loc[rng.random(n) < 0.15, "x"] = np.nan
    data.loc[rng.random(n) < 0.1, "y"] = np.nan
    data.loc[np.isin(school, [3, 8, 15, 20]), "kind"] = np.nan
    return data


@cache
def fitted(how):
    treatments = {} if how == "enumerate" else {"b": how, "c": how, "kind": how}
    model = model_of(
        "y ~ b + c + x + kind + (1 | school)", grouped_table(), kinds={"c": "nominal"}, treatments=treatments
    )
    return model.fit(seed=5, **OPTIONS | {"draws": 800})


@pytest.mark.xdist_group("gibbs_fit")
def test_same_posterior_as_sums():
    one, other = fitted("enumerate"), fitted("gibbs")
    assert one.how == "nutpie"
    assert other.how == "PyMC NUTS and block draws of held cells in turn"
    assert {g.variable for g in other.plan.cells if g.treatment == "gibbs"} == {"b", "c", "kind"}
    assert other.gate.r_hat < 1.05  # a school's kind moves slowly beside the school's sampled effect
    assert other.gate.divergences == 0
    a, b = (fit.summary(all_models=True) for fit in (one, other))
    noise = np.hypot(a["mcse_mean"], b["sd"] / np.sqrt(b["ess_bulk"]))
    assert np.abs((a["mean"] - b["mean"]) / noise).max() < 4.5
    assert np.abs(np.log(b["sd"] / a["sd"])).max() < 0.25
    assert b["ess_bulk"].min() > 150


@pytest.mark.xdist_group("gibbs_fit")
def test_same_imputations_as_sums():
    completed = [
        list(fitted(how).impute(200, despite_gate=True).complete("all").values())
        for how in ("enumerate", "gibbs")
    ]
    data = grouped_table()
    for name in ("b", "c", "kind", "x", "y"):
        holes = data[name].isna().to_numpy()
        shares = []
        for imputed in completed:
            columns = [table[name].to_numpy()[holes] for table in imputed]
            values = np.array([column == "v" if name == "c" else column for column in columns], dtype=float)
            shares.append((values.mean(axis=0), values.var(axis=0)))
        (p, v), (q, w) = shares
        z = (p - q) / np.sqrt((v + w) / 200 * 2 + 1e-3)  # twice: imputations of neighbouring draws
        assert np.abs(z).max() < 4.5, name
        assert abs(z.mean()) < 4.5 / np.sqrt(len(z)) + 0.3, name


@pytest.mark.xdist_group("gibbs_fit")
def test_the_posterior_holds_the_cells_and_imputations_are_of_the_same_draw():
    fit = fitted("gibbs")
    cells = fit.posterior["cell__b"]
    assert cells.dims == ("chain", "draw", "b__cell")
    assert cells.dtype == np.int16
    imputed = fit.impute(5, despite_gate=True)
    holes = np.flatnonzero(grouped_table()["b"].isna())
    held = fit.plan.units("b", "gibbs")
    for i in range(5):
        chain, draw = imputed._draws.origin(i)
        own = imputed.complete(i + 1)["b"].to_numpy()
        np.testing.assert_array_equal(own[held], cells.values[chain, draw])
        assert np.isfinite(own[holes]).all()


@pytest.mark.xdist_group("gibbs_fit")
def test_a_fit_comes_back_from_its_file(tmp_path):
    fit = fitted("gibbs")
    fit.save(tmp_path / "held.bmi")
    again = bayesmi.load(tmp_path / "held.bmi")
    assert str(again.plan) == str(fit.plan)
    pd.testing.assert_frame_equal(
        again.impute(3, despite_gate=True).complete("long"), fit.impute(3, despite_gate=True).complete("long")
    )


@pytest.mark.xdist_group("gibbs_fit")
def test_what_sums_over_held_cells_is_refused_in_a_line():
    fit = fitted("gibbs")
    for call in (
        fit.log_likelihood,
        lambda: fit.sensitivity({"b": [-1, 0]}, despite_gate=True, progress=False),
    ):
        with pytest.raises(NotSupportedError, match=r"held.*nearest that is") as caught:
            call()
        assert "\n" not in str(caught.value)
    assert "share of 1" in str(fit.check(replications=5).table.index.tolist())
    new = grouped_table().drop(columns="y").head(4)
    assert fit.predict(new, draws=20, progress=False).sizes["row"] == 4


@pytest.mark.xdist_group("gibbs_seeds")
def test_seeds_repeat_whatever_the_cores():
    data, effects = questionnaire(80, 3, 0, seed=3)
    model = model_of("y ~ " + " + ".join(effects), data, treatments={"b1": "gibbs", "b2": "gibbs"})
    short = {"draws": 20, "tune": 20, "chains": 2, "progress": False}
    one, other = model.fit(seed=4, cores=1, **short), model.fit(seed=4, cores=2, **short)
    for name in one.posterior.data_vars:
        np.testing.assert_array_equal(one.posterior[name].values, other.posterior[name].values)
    third = model.fit(seed=5, cores=1, **short)
    assert (third.posterior["b1"].values != one.posterior["b1"].values).all()


@pytest.mark.calibration
def test_beyond_the_budget_the_truth_is_found():
    data, effects = questionnaire(250, 12, 3, seed=7)
    items = [name for name in effects if name != "z"]
    formulas = {b: f"~ z + {a}" for a, b in pairwise(items)}
    model = model_of(
        "y ~ " + " + ".join(effects),
        data,
        kinds={name: "ordinal" for name in items if name.startswith("o")},
        formulas=formulas,
        order=items,
    )
    assert model.plan().holds
    fit = model.fit(seed=2, draws=450, tune=200, progress=False)
    assert fit.gate.passed, fit.gate
    assert fit.gate.n_cells == 200
    found = fit.summary()
    z = [
        (found.loc[name, "mean"] - effect) / found.loc[name, "sd"]
        for name, effect in effects.items()
        if name in found.index
    ]
    assert len(z) == 13
    assert np.abs(z).max() < 3.5
    assert 0.5 < np.std(z) < 1.6
    imputed = fit.impute(3)
    assert not imputed.complete(1).isna().any().any()


def curved_table(n, seed=4, both=0.12):
    """A positive covariate and one with a square, often missing together."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    a = rng.gamma(3.0, np.exp(0.3 * z) / 3.0)
    b = 0.5 * z + rng.normal(size=n)
    y = 1.0 + 0.8 * np.log(a) + 0.4 * b + 0.4 * b**2 + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "a": a, "b": b, "z": z})
    data.loc[rng.random(n) < both, ["a", "b"]] = np.nan
    return data


@cache
def curved(how):
    options = {"families": {"a": "gamma"}, "treatments": {"a": how, "b": how}}
    return model_of("y ~ np.log(a) + b + I(b ** 2) + z", curved_table(60), **options).fit(seed=2, **OPTIONS)


@pytest.mark.xdist_group("gibbs_curved")
def test_continuous_cells_held_on_their_grids_have_the_posterior_of_sums():
    one, other = curved("grid"), curved("gibbs")
    assert {(g.variable, g.treatment) for g in other.plan.cells} == {("a", "gibbs"), ("b", "gibbs")}
    assert other.plan.n_expanded == 0
    ours, theirs = other.summary(), one.summary()
    # 1600 draws each, of which some hundred are effective
    assert (np.abs(ours["mean"] - theirs["mean"]) < 0.25 * theirs["sd"]).all()
    assert (np.abs(np.log(ours["sd"] / theirs["sd"])) < 0.2).all()
    assert other.gate.grids, "accuracy of the grids is looked at"


@pytest.mark.xdist_group("gibbs_curved")
def test_completed_values_are_off_the_points_of_the_grid():
    fit = curved("gibbs")
    units = fit.plan.units("b", "gibbs")
    points = fit.plan.held_grids["b"].values[0]
    completed = [one["b"].to_numpy()[units[0]] for one in fit.impute(40, despite_gate=True)]
    assert len(set(completed)) == 40
    nearest = np.abs(np.array(completed)[:, None] - points).min(axis=1) / np.diff(points).max()
    assert nearest.max() <= 0.51  # each in the interval of the point that it was held at
    assert np.median(nearest) > 0.1
    assert all((one["a"] > 0.0).all() for one in fit.impute(3, despite_gate=True))


def test_positive_cells_beyond_the_budget_are_held_where_most_are_missing_together():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.gamma(3.0, size=(20_000, 4)), columns=list("abcd"))
    data["y"] = np.log(data).sum(axis=1) + rng.normal(size=len(data))
    for name in "abcd":
        data.loc[rng.random(len(data)) < 0.25, name] = np.nan
    formula = "y ~ " + " + ".join(f"np.log({name})" for name in "abcd")
    plan = model_of(formula, data, families=dict.fromkeys("abcd", "gamma")).plan()
    holes = data.isna().to_numpy().sum(axis=1)
    held = np.unique(np.concatenate([plan.units(name, "gibbs") for name in "abcd"]))
    assert (holes[held] >= 2).all()
    assert (holes[plan.units("a", "grid")] <= 2).all()
    assert plan.n_expanded < 4_000_000
    assert "each at a point of its grid" in str(plan)
