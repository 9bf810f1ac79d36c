"""Variables measured with error: the truth where the naive slope is attenuated, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiError, BayesmiNotice, Model, measured

pytestmark = pytest.mark.filterwarnings("ignore:column 'x' keeps its")
SLOPE = 0.8


def simulate(seed: int = 3, n: int = 700) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    truth = 2 + 0.6 * z + rng.normal(size=n)
    se = rng.uniform(0.5, 1.3, n)
    x = truth + se * rng.normal(size=n)
    y = 1 + SLOPE * truth + 0.5 * z + rng.normal(size=n)
    data = pd.DataFrame({"z": z, "x": x, "se": se, "y": y})
    data.loc[rng.random(n) < 0.15, "y"] = np.nan
    data.loc[rng.random(n) < 0.15, "x"] = np.nan
    return data, truth


def make(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


@pytest.fixture(scope="module")
def fitted():
    data, truth = simulate()
    model = make("y ~ x_true + z", data, observations={"x_true": measured("x", sd="se")})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return data, truth, model.fit(seed=1, draws=300, tune=300, progress=False)


@pytest.mark.xdist_group("measured")
def test_the_slope_is_recovered_where_the_naive_one_is_attenuated(fitted):
    data, _, fit = fitted
    rows = data.dropna()
    design = np.column_stack([np.ones(len(rows)), rows[["x", "z"]]])
    naive = np.linalg.lstsq(design, rows["y"], rcond=None)[0][1]
    draws = np.asarray(fit.posterior["x_true"]).ravel()
    assert naive < SLOPE - 0.2
    assert abs(draws.mean() - SLOPE) < 3 * draws.std()
    assert draws.mean() - naive > 3 * draws.std()
    sigma = np.asarray(fit.posterior["x_true__sigma"]).ravel()
    assert abs(sigma.mean() - 1.0) < 3.5 * sigma.std()


@pytest.mark.xdist_group("measured")
def test_the_summary_has_the_slope_and_what_the_priors_say(fitted):
    table = fitted[2].summary(all_models=True)
    assert table.loc["x_true", "mean"] == pytest.approx(float(fitted[2].posterior["x_true"].mean()))
    assert np.isfinite(table.loc[["x_true", "x_true__z"], "prior_sensitivity"]).all()


@pytest.mark.xdist_group("measured")
def test_completed_data_have_the_variable_and_leave_its_measurement(fitted):
    data, truth, fit = fitted
    imputed = fit.impute(20, despite_gate=True)
    completed = [imputed.complete(i) for i in range(1, 21)]
    for one in completed:
        assert list(one.columns) == ["z", "x", "se", "y", "x_true"]
        pd.testing.assert_series_equal(one["x"], data["x"])
        assert one["x_true"].notna().all()
    draws = np.stack([one["x_true"] for one in completed])
    inside = np.abs(draws.mean(axis=0) - truth) < 3 * draws.std(axis=0, ddof=1)
    assert inside.mean() > 0.95
    measured_rows = data["x"].notna().to_numpy()
    assert draws[:, measured_rows].std(axis=0).mean() < draws[:, ~measured_rows].std(axis=0).mean()
    # given the rest of its row a value is as far from the truth as its draws are from each other
    z_score = (draws.mean(axis=0) - truth) / (draws.std(axis=0, ddof=1) * np.sqrt(1 + 1 / 20))
    assert 0.9 < z_score.std() < 1.15


@pytest.mark.xdist_group("measured")
def test_measurements_are_replicated_and_a_saved_fit_gives_the_same(fitted, tmp_path):
    _, _, fit = fitted
    check = fit.check(replications=40)
    assert set(check.observed) == {"x", "y"}
    assert "no statistic stands out" in repr(check)
    fit.save(tmp_path / "measured.bmi")
    again = bmi.load(tmp_path / "measured.bmi")
    assert again.model.to_dict() == fit.model.to_dict()
    pd.testing.assert_frame_equal(
        again.impute(3, despite_gate=True).complete(2), fit.impute(3, despite_gate=True).complete(2)
    )


def test_on_a_grid_every_cell_has_its_own_around_the_measurement():
    data, _ = simulate(n=120)
    data["se"] = np.where(np.arange(120) % 2, 0.02, 1.0)
    model = make("y ~ x_true + I(x_true ** 2)", data, observations={"x_true": measured("x", sd="se")})
    grid = model.plan().grids["x_true"]
    units = model.plan().units("x_true", "grid")
    x, se = data["x"].to_numpy()[units], data["se"].to_numpy()[units]
    known = np.isfinite(x)
    low, high = grid.values[:, 0], grid.values[:, -1]
    assert (low[known] < x[known] + 3 * se[known]).all()
    precise = known & (se < 0.1)
    np.testing.assert_allclose((high - low)[precise], 18 * 0.02, rtol=1e-6)
    assert (grid.spacing[precise] < 1.1 * 0.02).all()
    assert (high - low)[~known].min() > 4


@pytest.mark.xdist_group("measured")
def test_a_nonlinear_effect_of_a_measured_variable():
    rng = np.random.default_rng(8)
    n = 300
    truth = rng.normal(size=n)
    data = pd.DataFrame({"x": truth + 0.5 * rng.normal(size=n)})
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-(0.3 + 1.5 * truth)))).astype(float)
    model = make("y ~ x_true", data, observations={"x_true": measured("x", sd=0.5)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        fit = model.fit(seed=2, draws=250, tune=250, progress=False)
    assert not any("grid" in failure for failure in fit.gate.failures), fit.gate
    draws = np.asarray(fit.posterior["x_true"]).ravel()
    assert abs(draws.mean() - 1.5) < 3 * draws.std()


def test_notice_and_printout_say_what_stays_missing():
    data, _ = simulate(n=100)
    holes = int(data["x"].isna().sum())
    with pytest.warns(
        BayesmiNotice, match=f"'x', its measurement, is not changed; its {holes} missing cells stay"
    ):
        model = Model("y ~ x_true + z", data, observations={"x_true": measured("x", sd="se")})
    text = str(model)
    assert "x ~ N(x_true, sd se): measurement error of known size" in text
    assert "not observed itself in any of 100 rows" in text


def test_an_sd_where_nothing_was_measured_is_not_needed():
    data, _ = simulate(n=100)
    without = data.assign(se=data["se"].where(data["x"].notna()))
    plans = [
        make("y ~ x_true", one, observations={"x_true": measured("x", sd="se")}).plan()
        for one in (data, without)
    ]
    assert str(plans[0]) == str(plans[1])


def test_levels_follow_the_measurement():
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(12), 6)
    school = rng.normal(size=12)
    data = pd.DataFrame({"g": g, "v": (school + 0.3 * rng.normal(size=12))[g]})
    data["rows"] = school[g] + rng.normal(size=72)
    data["y"] = school[g] + rng.normal(size=72)
    once = make("y ~ v_true + (1 | g)", data, observations={"v_true": measured("v", sd=0.3)})
    assert once.factor("v_true").level == once.factor("v").level == "g"
    often = make(
        "y ~ v_true + (1 | g)",
        data,
        observations={"v_true": measured("rows", sd=1.0)},
        levels={"v_true": "g"},
    )
    assert (often.factor("v_true").level, often.factor("rows").level) == ("g", "row")
    with pytest.raises(
        BayesmiError, match=r"levels\['v_true'\] is 'row' and 'v', which measures it, is one a g"
    ):
        make(
            "y ~ v_true + (1 | g)",
            data,
            observations={"v_true": measured("v", sd=0.3)},
            levels={"v_true": "row"},
        )


def _bad_sd(value):
    data, _ = simulate(n=60)
    row = int(np.flatnonzero(data["x"].notna())[3])
    data.loc[row, "se"] = value
    return data.set_axis([f"r{i}" for i in range(60)]), f"r{row}"


@pytest.mark.parametrize(
    ("value", "what"), [(np.nan, "is missing"), (0.0, "not positive"), (-1.0, "not positive")]
)
def test_a_bad_sd_is_refused_by_row(value, what):
    data, row = _bad_sd(value)
    with pytest.raises(BayesmiError, match=f"'se' (is )?{what} in row '?{row}'?"):
        make("y ~ x_true", data, observations={"x_true": measured("x", sd="se")})


@pytest.mark.parametrize(
    ("formula", "given", "message"),
    [
        ("y ~ x", {"x": measured("x", sd=1)}, "'x' is a column already.*'x_true': …"),
        (
            "y ~ t + x",
            {"t": measured("x", sd=1)},
            "'x' stands in the model and is the measurement of 't': write 't' there",
        ),
        ("y ~ z", {"t": measured("x", sd=1)}, "'t' is not in the formula; write it there, in place of 'x'"),
        ("y ~ t", {"t": measured("xx", sd=1)}, "names 'xx', which is not a column.*'x'"),
        ("y ~ t", {"t": measured("x", sd="sd")}, "names 'sd', which is not a column"),
        ("y ~ t", {"t": measured("k", sd=1)}, "'k'.*needs numbers|k"),
        ("y ~ t", {"t": 3}, r"must be bmi.measured\(…\)"),
        ("y ~ t", 3, "is a mapping such as"),
        ("y ~ t + s", {"t": measured("x", sd=1), "s": measured("x", sd=2)}, "both recorded in 'x'"),
        ("y ~ log(t)", {"t": measured("x", sd=1)}, "lognormal"),
    ],
)
def test_refusals_say_what_to_write(formula, given, message):
    data, _ = simulate(n=60)
    more = {"k": np.tile(["a", "b"], 30), "x": data["x"] + 3}
    with pytest.raises(BayesmiError, match=message):
        make(formula, data.assign(**more), observations=given).plan()


@pytest.mark.parametrize("sd", [0, -1.0, float("nan"), True, None, [1.0], "x"])
def test_measured_refuses_what_is_no_sd(sd):
    with pytest.raises(BayesmiError, match=r"sd=|standard deviation"):
        measured("x", sd=sd)


def test_a_polars_table_gets_the_column_too():
    pl = pytest.importorskip("polars")
    data, _ = simulate(n=80)
    model = make("y ~ x_true", pl.from_pandas(data), observations={"x_true": measured("x", sd="se")})
    assert model.frame.columns["x_true"].n_missing == 80
