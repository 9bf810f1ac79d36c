"""Fits of small trials: incomplete covariates, outcomes after events, polars, seeds."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiNotice
from bayesmi.errors import DataError, GateError, ModelError

pytestmark = pytest.mark.xdist_group("trial_fit")
NAMES = {"subject": "id", "visit": "week", "arm": "arm", "reference": "placebo"}
DRAWS = {"draws": 300, "tune": 300, "progress": False}
EFFECT = "active - placebo at 3"


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return function(*args, **kwargs)


@pytest.fixture(scope="module")
def data():
    """300 patients; the covariates explain half of the outcome and are missing in a fifth; drop-out by the last outcome."""
    rng = np.random.default_rng(21)
    n = 300
    arm = np.arange(n) % 2
    site = rng.integers(0, 2, n)
    base = rng.normal(size=n) + 0.8 * site
    person = rng.normal(size=n)
    y = np.column_stack(
        [0.8 * base - 0.5 * arm * k + 0.3 * site + person + 0.6 * rng.normal(size=n) for k in (0, 1, 2)]
    )
    truth = y.copy()
    for j in (1, 2):
        y[np.isnan(y[:, j - 1]) | (rng.uniform(size=n) < 0.12 + 0.1 * (y[:, j - 1] > 1)), j] = np.nan
    y[5, 1] = np.nan
    lost = rng.uniform(size=n) < 0.2
    base_seen = np.where(lost, np.nan, base)
    site_seen = np.where(rng.uniform(size=n) < 0.15, None, np.where(site == 1, "north", "east"))
    table = pd.DataFrame(
        {
            "id": np.repeat(np.arange(1000, 1000 + n), 3),
            "week": [1, 2, 3] * n,
            "arm": np.repeat(np.where(arm == 1, "active", "placebo"), 3),
            "base": np.repeat(base_seen, 3),
            "site": np.repeat(site_seen, 3),
            "y": y.ravel(),
        }
    )
    return table, truth, base


@pytest.fixture(scope="module")
def model(data):
    return quiet(
        bmi.trial.TrialModel, "y ~ arm + base + site", data[0], events="dropout", strategy="J2R", **NAMES
    )


@pytest.fixture(scope="module")
def fit(model):
    return quiet(model.fit, seed=5, **DRAWS)


def test_incomplete_covariates_are_in_the_same_model_and_one_value_a_patient(fit, data):
    table, _, truth = data
    imputed = fit.impute(40, despite_gate=True)
    assert imputed.names == ("base", "site", "y")
    for number in (1, 40):
        completed = imputed.complete(number)
        assert completed[["base", "site", "y"]].notna().all().all()
        assert (completed.groupby("id")[["base", "site"]].nunique() == 1).all().all()
        for name in ("base", "site", "y"):
            seen = table[name].notna()
            pd.testing.assert_series_equal(completed.loc[seen, name], table.loc[seen, name])
        assert set(completed["site"]) == {"north", "east"}
    gone = np.isnan(table["base"].to_numpy()[::3])
    drawn = imputed.draws_of("base")[::3]
    centre = drawn.mean(axis=1)
    assert np.corrcoef(centre, truth[gone])[0, 1] > 0.5  # outcomes inform the baseline
    z = (truth[gone] - centre) / drawn.std(axis=1, ddof=1)
    assert 0.75 < z.std() < 1.3


def test_the_answer_recovers_what_complete_covariates_give(fit, data):
    table, _, truth = data
    whole = table.assign(base=np.repeat(truth, 3))
    reference = quiet(
        bmi.trial.TrialModel, "y ~ arm + base", whole, events="dropout", strategy="J2R", **NAMES
    ).conditional_mean(progress=False)
    posterior = fit.summary(formula="y ~ arm + base")
    exact = reference.table.loc[EFFECT]
    assert posterior.loc[EFFECT, "mean"] == pytest.approx(exact["estimate"], abs=0.12)
    assert posterior.loc[EFFECT, "sd"] == pytest.approx(exact["std.error"], rel=0.25)
    pooled = fit.impute(60, despite_gate=True).ancova("y ~ arm + base").pool().table
    assert pooled.loc[EFFECT, "estimate"] == pytest.approx(exact["estimate"], abs=0.15)
    assert pooled.loc[EFFECT, "std.error"] > posterior.loc[EFFECT, "sd"]


@pytest.mark.filterwarnings("ignore:.site.:bayesmi.BayesmiNotice")
def test_conditional_means_put_missing_covariates_at_their_means(model, data):
    with pytest.warns(BayesmiNotice, match="'base' is missing in .* put at the mean of the others"):
        found = model.conditional_mean(progress=False)
    table = data[0].copy()
    patients = table.groupby("id").first()
    table["base"] = table["base"].fillna(patients["base"].mean())
    table["site"] = table["site"].fillna(patients["site"].mode()[0])
    filled = quiet(
        bmi.trial.TrialModel, "y ~ arm + base + site", table, events="dropout", strategy="J2R", **NAMES
    ).conditional_mean(progress=False)
    np.testing.assert_allclose(found.table, filled.table, rtol=1e-9)
    # unbiased: near what the covariates give where they are known
    whole = data[0].assign(base=np.repeat(data[2], 3))
    exact = quiet(
        bmi.trial.TrialModel, "y ~ arm + base", whole, events="dropout", strategy="J2R", **NAMES
    ).conditional_mean(progress=False)
    assert found.table.loc[EFFECT, "estimate"] == pytest.approx(
        exact.table.loc[EFFECT, "estimate"], abs=1.5 * exact.table.loc[EFFECT, "std.error"]
    )


def test_tipping_point_of_a_delta_in_the_active_arm(fit, model):
    found = fit.tipping_point(EFFECT, {"active": (0, 8)}, m=12, despite_gate=True, tolerance=0.01)
    assert 0 < found.value < 8
    assert 0 < found.mcse < 2
    assert f"delta in active = {found.value:.4g}" in repr(found)
    # brute force: the same seed, that delta, pooled anew
    for value in (found.value - 0.1, found.value + 0.1):
        pooled = fit.impute(12, delta={"active": value}, despite_gate=True).ancova().pool().table
        interval = pooled.loc[EFFECT, ["conf.low", "conf.high"]]
        assert (interval["conf.high"] < 0) == (value < found.value)
    row = found.sensitivity.table.query("term == @EFFECT and delta_active == 0").iloc[0]
    alone = fit.impute(12, despite_gate=True).ancova().pool().table.loc[EFFECT]
    assert row["estimate"] == pytest.approx(alone["estimate"], abs=1e-12)
    assert row["realised_active"] == 0.0
    ax = bmi.plots.sensitivity(found, EFFECT)
    assert ax.get_xlabel() == "delta in active"
    assert any("the strategy itself" in text.get_text() for text in ax.texts)


def test_deltas_of_both_arms_make_a_map(fit):
    found = fit.sensitivity(
        {"active": [0, 2], "placebo": [-1, 0]}, strategy="MAR", m=4, despite_gate=True, dlag=[1, 1, 1]
    )
    assert list(found.columns) == ["delta_active", "delta_placebo"]
    assert "strategies MAR" in repr(found)
    assert bmi.plots.sensitivity_map(found, EFFECT).get_ylabel() == "delta in placebo"
    with pytest.raises(ModelError, match="no arm"):
        fit.sensitivity({"other": [0]}, despite_gate=True)
    with pytest.raises(ModelError, match="mapping by arm"):
        fit.sensitivity([0], despite_gate=True)


def test_saved_tables_say_that_the_trial_is_not_with_them(fit, tmp_path):
    imputed = fit.impute(2, despite_gate=True)
    with pytest.warns(BayesmiNotice, match="completed tables and not the trial"):
        imputed.save(tmp_path / "tables.bmi")
    back = bmi.Imputations.load(tmp_path / "tables.bmi")
    pd.testing.assert_frame_equal(back.complete(2), imputed.complete(2))


def test_saved_and_loaded(fit, tmp_path):
    path = tmp_path / "trial.bmi"
    fit.save(path)
    back = bmi.load(path)
    assert repr(back.model) == repr(fit.model)
    assert back.seed == fit.seed
    pd.testing.assert_series_equal(
        back.impute(2, despite_gate=True).strategies, fit.impute(2, despite_gate=True).strategies
    )
    one, two = (each.impute(3, despite_gate=True).ancova().pool().table for each in (fit, back))
    pd.testing.assert_frame_equal(one, two)
    with pytest.raises(DataError, match="exists"):
        fit.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="damaged"):
        bmi.load(path)


def test_by_table_and_built_in_agree_with_incomplete_covariates(fit, model):
    imputed = fit.impute(3, despite_gate=True)
    by_table = quiet(imputed.analyze, model.ancova(), progress=False).pool().table
    np.testing.assert_allclose(by_table["estimate"], imputed.ancova().pool().table["estimate"], rtol=1e-12)


def test_seeds_and_common_random_numbers(fit):
    a, b = fit.impute(4, seed=9, despite_gate=True), fit.impute(4, seed=9, despite_gate=True)
    for name in a.names:
        np.testing.assert_array_equal(a.draws_of(name), b.draws_of(name))
    other = fit.impute(4, seed=9, strategy="MAR", despite_gate=True)
    np.testing.assert_array_equal(a.draws_of("base"), other.draws_of("base"))
    model = fit.model
    placebo = (model.data.frame.original()["arm"] == "placebo")[model.data.frame.columns["y"].missing]
    same = np.isclose(a.draws_of("y"), other.draws_of("y")).all(axis=1)
    assert same[placebo.to_numpy()].all()  # the reference arm jumps to itself
    assert not same[~placebo.to_numpy()].all()


def test_outcomes_after_an_event(data):
    """They are left out of the fit, condition the imputations, and are analysed as they are."""
    table = data[0].assign(base=np.repeat(data[2], 3))
    whole = table.dropna(subset=["y"]).groupby("id").filter(lambda own: len(own) == 3)
    ids = whole["id"].unique()
    events = pd.DataFrame({"id": ids[:60:2], "week": 2})
    make = {"events": events, "strategy": "J2R", **NAMES}
    model = quiet(bmi.trial.TrialModel, "y ~ arm + base", whole, **make)
    assert np.isnan(model.fitted_outcomes).sum() == 60
    fit = quiet(model.fit, seed=2, **DRAWS)
    imputed = fit.impute(3, despite_gate=True)
    assert imputed.names == ()
    at_random = quiet(bmi.trial.TrialModel, "y ~ arm + base", whole, **NAMES).conditional_mean(progress=False)
    table = fit.impute(3, despite_gate=True).ancova().pool().table
    assert table.loc[EFFECT, "estimate"] == pytest.approx(at_random.table.loc[EFFECT, "estimate"], abs=1e-10)
    exact = model.conditional_mean(progress=False)
    assert exact.table.loc[EFFECT, "estimate"] == pytest.approx(
        at_random.table.loc[EFFECT, "estimate"], abs=1e-10
    )
    posterior = fit.summary()
    assert posterior.loc[EFFECT, "mean"] == pytest.approx(exact.table.loc[EFFECT, "estimate"], abs=0.06)
    assert posterior.loc[EFFECT, "sd"] == pytest.approx(exact.table.loc[EFFECT, "std.error"], rel=0.2)


def test_polars(data):
    pl = pytest.importorskip("polars")
    table = pl.from_pandas(data[0])
    model = quiet(bmi.trial.TrialModel, "y ~ arm", table, events="dropout", strategy="CR", **NAMES)
    fit = quiet(model.fit, seed=2, draws=100, tune=200, progress=False)
    completed = quiet(fit.impute(1, despite_gate=True).complete, 1)
    assert isinstance(completed, pl.DataFrame)
    assert completed["y"].null_count() == 0


def test_a_failed_gate_is_no_answer(fit):
    short = quiet(fit.model.fit, seed=1, draws=20, tune=50, progress=False)
    with pytest.raises(GateError, match="despite_gate"):
        short.impute(2)
