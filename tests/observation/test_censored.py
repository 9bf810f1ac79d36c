"""Censored, rounded and truncated variables: which cells are limits, what is refused, and what comes out of a fit."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiError, BayesmiNotice, Model, censored, rounded, truncated
from bayesmi.model.limited import interval_at

SHARED = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[3] / "shared"))
DATA = Path(os.environ.get("BAYESMI_DATA") or SHARED / "data")


def simulate(seed: int = 3, n: int = 250) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values of y below one of three limits and of x below -0.5 are blank; the truth beside it."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(10), n // 10)
    z = rng.normal(size=n)
    x = 0.5 * z + rng.normal(size=n)
    y = 1 + 0.8 * x - 0.4 * z + 0.7 * rng.normal(size=n)
    time = rng.weibull(1.5, n) * np.exp(0.5 * z) + 1e-3
    end = rng.exponential(3.0, n)
    truth = pd.DataFrame({"g": g, "z": z, "x": x, "y": y, "time": time})
    data = truth.assign(
        lod=rng.choice([0.0, 0.5, 1.0], n),
        x_lod=-0.5,
        died=(time <= end).astype(int),
        time=np.minimum(time, end),
    )
    data["bmi"] = np.exp(0.1 * data["x"]) * 25
    data.loc[data["y"] < data["lod"], "y"] = np.nan
    data.loc[data["x"] < -0.5, "x"] = np.nan
    return data, truth


def make(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


def fit(model, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return model.fit(**{"seed": 1, "draws": 300, "tune": 300, "progress": False} | options)


BOTH = {"y": censored("y", below="lod"), "x": censored("x", below="x_lod")}


@pytest.fixture(scope="module")
def fitted():
    data, truth = simulate()
    return data, truth, fit(make("y ~ x + z", data, observations=BOTH))


@pytest.mark.xdist_group("censored")
def test_imputations_lie_inside_their_limits_and_follow_the_tail(fitted):
    data, truth, made = fitted
    imputed = made.impute(m=10, seed=2, despite_gate=True)
    drawn = {"y": [], "x": []}
    for i in range(1, 11):
        table = imputed.complete(i)
        for name, limit in (("y", data["lod"]), ("x", data["x_lod"])):
            blank = data[name].isna()
            assert (table[name][blank] < limit[blank]).all()
            assert (table[name][~blank] == data[name][~blank]).all()
            drawn[name].append(table[name][blank])
    for name, values in drawn.items():
        blank = data[name].isna()
        error = np.mean(values) - truth[name][blank].mean()
        assert abs(error) < 4 * truth[name][blank].std() / np.sqrt(blank.sum())
        spread = np.mean([part.std() for part in values])
        assert spread == pytest.approx(truth[name][blank].std(), rel=0.3)


@pytest.mark.xdist_group("censored")
def test_slopes_are_recovered(fitted):
    _, _, made = fitted
    for name, true in (("x", 0.8), ("z", -0.4), ("sigma", 0.7)):
        draws = np.asarray(made.posterior[name]).ravel()
        assert abs(draws.mean() - true) < 4 * draws.std()


@pytest.mark.xdist_group("censored")
def test_plan_says_what_happens(fitted):
    text = str(fitted[2].plan)
    assert "between limits: the probability of being there stands in the likelihood" in text
    assert "between limits, by differences of Phi" in text
    assert "censored below lod" in str(fitted[2].model)


@pytest.mark.xdist_group("censored")
def test_saved_and_loaded(fitted, tmp_path):
    made = fitted[2]
    made.save(tmp_path / "fit.bmi")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        loaded = bmi.load(tmp_path / "fit.bmi")
    pd.testing.assert_frame_equal(
        loaded.impute(m=2, seed=5, despite_gate=True).complete(2),
        made.impute(m=2, seed=5, despite_gate=True).complete(2),
    )


@pytest.mark.xdist_group("censored")
def test_rows_with_limits_have_a_likelihood(fitted):
    data, _, made = fitted
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        values = made.log_likelihood(kind="joint")
    assert values.sizes["__obs__"] == len(data)
    assert np.isfinite(values).all()


@pytest.mark.xdist_group("censored")
def test_seen_values_are_not_compared_with_what_limits_did_not_choose(fitted):
    _, _, made = fitted
    check = made.check(replications=20)
    assert check.left_out == ("y", "x")
    assert check.table.empty
    assert "chosen by their limits: y, x" in repr(check)
    with pytest.raises(BayesmiError, match=r"'y' has limits .censored below lod."):
        bmi.overimpute(made.model, "y", folds=2)


@pytest.mark.xdist_group("censored")
def test_holes_of_a_column_of_limits_are_no_holes_to_fill(fitted):
    data, _, _ = fitted
    own = data.assign(lod=data["lod"].where(data["y"].isna()))  # limits only where they are needed
    made = fit(make("y ~ x + z", own, observations=BOTH), draws=60, tune=60)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        made.impute(m=2, seed=1, despite_gate=True).complete(1)
    texts = [str(one.message) for one in said]
    assert not any("'lod'" in text for text in texts)
    assert any("'bmi'" in text for text in texts) == bool(own["bmi"].isna().any())


@pytest.mark.xdist_group("censored_survival")
def test_survival_times_come_after_censoring_and_parts_stay_coherent():
    data, _ = simulate()
    model = make(
        "time ~ z + (1 | g)", data, family="weibull", observations={"time": censored("time", event="died")},
        derived={"years": "time / 365.25"},
    )  # fmt: skip
    made = fit(model, draws=300, tune=400)
    late = data["died"] == 0
    imputed = made.impute(m=3, seed=1, despite_gate=True)
    table = imputed.complete(1)
    assert (table["time"][late] > data["time"][late]).all()
    assert (table["time_recorded"] == data["time"]).all()
    np.testing.assert_allclose(table["years"], table["time"] / 365.25)
    assert imputed.complete(0)["time"].isna().sum() == late.sum()
    assert np.asarray(made.posterior["z"]).mean() == pytest.approx(0.5, abs=0.2)


def limits(data, observation, name="y", formula="y ~ z", **options):
    model = make(formula, data, observations={name: observation}, **options)
    lower, upper, known = interval_at(name, "row", model.table)
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan), known


def small() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    y = np.round(rng.normal(3, 1, 12), 2)
    return pd.DataFrame(
        {"y": y, "z": rng.normal(size=12), "lod": 1.0, "flag": 0, "low": np.nan, "high": np.nan}
    )


def test_a_value_recorded_at_its_limit_is_a_limit():
    data = small()
    data.loc[[2, 5], "y"] = data.loc[[2, 5], "lod"] = 0.5
    data.loc[data["y"] < 0.5, "y"] = 0.5
    lower, upper, known = limits(data, censored("y", below="lod"), formula="y ~ z")
    assert known[[2, 5]].all()
    assert (upper[known] == 0.5).all()
    assert np.isneginf(lower[known]).all()


def test_an_empty_cell_with_a_limit_is_censored_and_without_one_missing():
    data = small().assign(y=lambda d: d["y"].clip(lower=1.5))
    data.loc[[1, 3], "y"] = np.nan
    data.loc[3, "lod"] = np.nan
    with pytest.warns(BayesmiNotice) as said:
        Model("y ~ z", data, observations={"y": censored("y", below="lod")})
    assert any(
        "1 value below a limit; 1 cell without limits is plainly missing" in str(w.message) for w in said
    )
    # one number for all rows says nothing of empty cells
    _, _, known = limits(data, censored("y", below=1.5))
    np.testing.assert_array_equal(known, data["y"] == 1.5)


def test_a_flag_decides_alone():
    data = small()
    data.loc[[0, 4], "flag"] = 1
    _, upper, known = limits(data, censored("y", below="y", where="flag"))
    np.testing.assert_array_equal(np.flatnonzero(known), [0, 4])
    np.testing.assert_array_equal(upper[[0, 4]], data["y"][[0, 4]])
    model = make("y ~ z", data, observations={"y": censored("y", below="y", where="flag")})
    assert model.frame.columns["y"].n_missing == 2
    assert "y_recorded" in model.frame.columns


def test_rounding_by_a_width_of_each_row():
    data = small().assign(width=[0.0, 1.0, 0.5] * 4)
    lower, upper, known = limits(data, rounded("y", to="width"))
    np.testing.assert_array_equal(known, data["width"] > 0)
    np.testing.assert_allclose(lower[1], data["y"][1] - 0.5)
    np.testing.assert_allclose(upper[2], data["y"][2] + 0.25)
    lower, upper, _ = limits(data, rounded("y", to=1, how="down"))
    np.testing.assert_allclose([lower[3], upper[3]], data["y"][3] + np.array([0, 1]))


def test_a_value_given_away_by_its_own_columns_in_polars():
    pl = pytest.importorskip("polars")
    data = small().assign(flag=[1] + [0] * 11)
    model = make("y ~ z", pl.from_pandas(data), observations={"y": censored("y", above="y", where="flag")})
    assert model.frame.columns["y"].n_missing == 1
    assert model.frame.columns["y_recorded"].n_missing == 0


PAIR = censored("y", between=("low", "high"))
REFUSED = [
    (lambda d: d.assign(low=4.0, high=2.0, y=np.r_[np.nan, d["y"][1:]]), PAIR, "above the upper"),
    (lambda d: d.assign(low=3.0, high=3.0, y=np.r_[np.nan, d["y"][1:]]), PAIR, "equal limits"),
    (lambda d: d.assign(low=90.0), PAIR, "outside of their limits"),
    (lambda d: d.assign(lod=99.0), censored("y", below="lod"), "below their limit"),
    (lambda d: d.assign(flag=2), censored("y", below="y", where="flag"), "0 and 1"),
    (lambda d: d.assign(flag=np.nan), censored("y", below="y", where="flag"), "missing where a value is recorded"),
    (lambda d: d.assign(flag=1, lod=np.nan), censored("y", below="lod", where="flag"), "have no limit there"),
    (lambda d: d.assign(flag=1, lod=-50.0), censored("y", below="lod", where="flag"), "other side"),
    (lambda d: d.assign(lod=np.inf), censored("y", below="lod"), "open side of a limit is an empty cell"),
    (lambda d: d, censored("y", below="nothing"), "not a column of the table"),
    (lambda d: d, truncated("y", below=50), "could not have arrived"),
    (lambda d: d.assign(low=np.nan), truncated("y", below="low"), "have no limit at all"),
    (lambda d: d.assign(low=-1.0), rounded("y", to="low"), "negative precisions"),
    (lambda d: d.assign(y=["<0.5", *map(str, d["y"][1:])]), censored("y", below="lod"), "make it two columns"),
    (lambda d: d.assign(y=["a", "b", "c"] * 4), PAIR, "nominal|text"),
    (lambda d: d, (censored("y", below="lod"), rounded("y", to=1)), "twice"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_contradictions_are_refused(case):
    change, observation, words = REFUSED[case]
    with pytest.raises(BayesmiError, match=words) as problem:
        make("y ~ z", change(small()), observations={"y": observation})
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("make_one", "words"),
    [
        (lambda: censored("y"), "give below=, above="),
        (lambda: censored("y", below=3, above=1), "under above"),
        (lambda: censored("y", below="y"), "column itself"),
        (lambda: censored("y", event="died", below=1), "event= says all"),
        (lambda: censored("y", between="lod"), "pair"),
        (lambda: censored("y", below=np.inf), "finite"),
        (lambda: rounded("y", to=0), "positive"),
        (lambda: rounded("y", to=1, how="sideways"), "nearest"),
        (lambda: truncated("y"), "give below= or above="),
    ],
)
def test_what_says_nothing_is_refused(make_one, words):
    with pytest.raises(BayesmiError, match=words):
        make_one()


def test_rows_without_a_truncation_limit_are_said():
    data = small().assign(entry=np.r_[np.nan, np.nan, np.full(10, -90.0)])
    model = make("y ~ z", data, observations={"y": truncated("y", below="entry")})
    assert "'entry' is empty in 2 rows: they could have arrived with any low value of 'y'" in model.notices


def test_limits_beside_other_parts_are_refused():
    data, _ = simulate(n=60)
    with pytest.raises(BayesmiError, match="the key is the column itself"):
        make("y ~ z", data, observations={"x": censored("y", below="lod")})
    with pytest.raises(BayesmiError, match="mechanism"):
        make(
            "y ~ z",
            data,
            observations={"y": censored("y", below="lod")},
            mechanisms={"y": bmi.Heckman("~ z")},
        )
    with pytest.raises(BayesmiError, match="response of the analysis model"):
        make("y ~ x + z", data, observations={"x": truncated("x", below=-5)})
    with pytest.raises(BayesmiError, match="response of the analysis model"):
        make("y ~ z", data, observations={"z": truncated("z", below=-50)})
    with pytest.raises(BayesmiError, match="no model"):
        make("y ~ z", data, observations={"y": BOTH["y"], "x": BOTH["x"]})


@pytest.mark.parametrize(
    ("options", "limit"),
    [({"family": "lognormal"}, -0.1), ({"family": "gamma"}, 0.0), ({"kinds": {"y": "count"}}, -1)],
)
def test_limits_outside_of_a_family_are_refused_by_row(options, limit):
    """The density of such rows is zero: sampling had no start, and said nothing of limits."""
    data = small().assign(lod=[limit] + [np.nan] * 11)
    data["y"] = data["y"].round().abs() + 1
    data.loc[0, "y"] = np.nan
    with pytest.raises(BayesmiError, match="lies between the limits of row 0: correct"):
        make("y ~ z", data, observations={"y": censored("y", below="lod")}, **options)


@pytest.mark.parametrize("formula", ["y ~ z", "y | trials(n) ~ z"])
def test_limits_without_a_whole_number_between_them_are_refused(formula):
    """Sampling of a row that cannot be never came to an end."""
    data = small().assign(low=[2.2] + [np.nan] * 11, high=[2.7] + [np.nan] * 11, n=9)
    data["y"] = data["y"].round().abs()
    data.loc[0, "y"] = np.nan
    limits = {"y": censored("y", between=("low", "high"))}
    with pytest.raises(BayesmiError, match="lies between the limits of row 0: correct"):
        make(formula, data, observations=limits, family="binomial" if "trials" in formula else "poisson")
    data.loc[0, ["low", "high"]] = 1.7, 2.2
    make(formula, data, observations=limits, family="binomial" if "trials" in formula else "poisson")


def test_a_level_known_by_limits_only_has_to_be_named():
    """Else the lowest level that was seen would be imputed above its limit."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"grade": np.repeat([1.0, 2.0, 3.0], 20), "z": rng.normal(size=60)})
    observations = {"grade": censored("grade", below=1)}
    with pytest.raises(
        BayesmiError, match=r"no value lies between .*name the levels .*kinds=\{'grade': \('ordinal'"
    ):
        make("grade ~ z", data, kinds={"grade": "ordinal"}, observations=observations)
    named = make("grade ~ z", data, kinds={"grade": ("ordinal", [1, 2, 3])}, observations=observations)
    imputed = fit(named).impute(2, seed=1, despite_gate=True)
    assert (imputed.complete(2)["grade"][:20] == 1).all()


@pytest.mark.skipif(not (DATA / "she_pyrene.csv").exists(), reason="she_pyrene.csv is in neither place")
def test_pyrene_with_eight_limits():
    data = pd.read_csv(DATA / "she_pyrene.csv")
    observations = {"Pyrene": censored("Pyrene", below="Pyrene", where="PyreneCen")}
    made = fit(make("Pyrene ~ 1", data, family="lognormal", observations=observations), draws=500, tune=500)
    below = data["PyreneCen"] == 1
    table = made.impute(m=5, seed=1).complete(3)
    assert below.sum() == 11
    assert (table["Pyrene"][below] < data["Pyrene"][below]).all()
    assert (table["Pyrene"][below] > 0).all()


@pytest.mark.xdist_group("censored")
def test_new_rows_are_refused_in_words(fitted):
    data, _, made = fitted
    with pytest.raises(BayesmiError, match="fit them with the others"):
        made.impute(m=2, newdata=data.head(3), despite_gate=True)


def test_a_frame_that_was_read_before_keeps_limits_as_values_and_is_refused():
    data = small().assign(y=lambda d: d["y"].clip(lower=2.0))
    with pytest.raises(BayesmiError, match="comes too late for an IncompleteFrame"):
        make("y ~ z", bmi.IncompleteFrame.from_table(data), observations={"y": censored("y", below=2.0)})


def test_models_fitted_apart_have_limits_too():
    data, _ = simulate(n=200)
    data["half"] = np.where(np.arange(200) < 100, "a", "b")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        fits = bmi.SeparateModels("y ~ z", data, by="half", observations={"y": BOTH["y"]}).fit(
            seed=1, draws=300, tune=300, progress=False
        )
        table = fits.impute(m=2, seed=1, despite_gate=True).complete(1)
    blank = data["y"].isna()
    assert (table["y"][blank] < data["lod"][blank]).all()
