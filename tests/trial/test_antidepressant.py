"""The antidepressant trial: published estimates of conditional mean imputation exactly, those of random imputation near.

The published tables compare placebo with the drug, these the drug with placebo: signs are turned. Sources: rbmi's vignettes
(shared/reference/published_tables.md, 5.3).
"""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import bayesmi as bmi
from bayesmi import BayesmiNotice
from bayesmi.errors import DataError, FitError

SHARED = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
FILE = SHARED / "data" / "antidepressant.csv"
pytestmark = [
    pytest.mark.skipif(not FILE.is_file(), reason="the shared data folder is absent"),
    pytest.mark.xdist_group("trial_antidepressant"),
]
STRATEGIES = ("MAR", "J2R", "CIR", "CR", "LMCF")


@pytest.fixture(scope="module")
def trial():
    data = pd.read_csv(FILE, dtype={"PATIENT": str})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return bmi.trial.TrialModel(
            "CHANGE ~ THERAPY + BASVAL",
            data,
            subject="PATIENT",
            visit="VISIT",
            arm="THERAPY",
            reference="PLACEBO",
            events="dropout",
            strategy="J2R",
        )


@pytest.fixture(scope="module")
def fit(trial):
    return trial.fit(seed=1, draws=600, tune=400, progress=False)


@pytest.fixture(scope="module")
def plain():
    """The complete first visit, analysed by itself."""
    data = pd.read_csv(FILE).query("VISIT == 4")
    result = smf.ols("CHANGE ~ C(THERAPY, Treatment('PLACEBO')) + BASVAL", data).fit()
    return result.params.iloc[1], result.bse.iloc[1]


def effects(table, column):
    return [float(table.loc[f"DRUG - PLACEBO at {visit}", column]) for visit in (4, 5, 6, 7)]


def test_one_hole_is_no_dropout(trial):
    assert (trial.events.first < 4).sum() == 43
    assert (~trial.data.observed).sum() == 80


def test_jump_to_reference_with_the_jackknife(trial):
    table = trial.conditional_mean(progress=False).table
    np.testing.assert_allclose(effects(table, "estimate"), [0.092, -1.305, -1.929, -2.126], atol=5.1e-4)
    np.testing.assert_allclose(effects(table, "std.error"), [0.695, 0.878, 0.862, 0.858], atol=5.1e-4)
    last = table.loc["DRUG - PLACEBO at 7"]
    np.testing.assert_allclose(last[["conf.low", "conf.high"]].tolist(), [-3.807, -0.444], atol=1e-3)
    assert last["p.value"] == pytest.approx(0.013, abs=5e-4)
    means = table.loc[["mean DRUG at 7", "mean PLACEBO at 7"]]
    np.testing.assert_allclose(means["estimate"], [-6.965, -4.839], atol=5.1e-4)
    np.testing.assert_allclose(means["std.error"], [0.685, 0.762], atol=5.1e-4)


def test_the_information_anchored_variance(trial):
    table = trial.conditional_mean(variance="information-anchored", visits=[6, 7], progress=False).table
    np.testing.assert_allclose(table["estimate"].iloc[[0, 3]], [-1.929, -2.126], atol=5.1e-4)
    np.testing.assert_allclose(table["std.error"].iloc[[0, 3]], [0.993, 1.123], atol=6e-4)
    last = table.loc["DRUG - PLACEBO at 7"]
    np.testing.assert_allclose(last[["conf.low", "conf.high"]].tolist(), [-4.327, 0.076], atol=1e-3)
    assert last["p.value"] == pytest.approx(0.058, abs=1e-3)


def test_jump_to_reference_by_rubins_rules_and_by_the_posterior(fit):
    pooled = fit.impute(1000).ancova().pool().table
    assert abs(effects(pooled, "estimate")[3] + 2.148) < 0.07 + 0.022  # 2.126 … 2.17
    assert abs(effects(pooled, "std.error")[3] - 1.12) < 0.05
    posterior = fit.summary()
    assert abs(effects(posterior, "mean")[3] + 2.148) < 0.07 + 0.022
    assert abs(effects(posterior, "sd")[3] - 0.86) < 0.05
    assert effects(posterior, "sd")[3] < 0.85 * effects(pooled, "std.error")[3]
    assert posterior["r_hat"].max() < 1.02


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy(fit, trial, plain, strategy):
    """The complete visit is the plain analysis of covariance; later ones agree between the three ways."""
    pooled = fit.impute(100, strategy=strategy).ancova().pool().table
    assert effects(pooled, "estimate")[0] == pytest.approx(plain[0], abs=1e-10)
    assert effects(pooled, "std.error")[0] == pytest.approx(plain[1], abs=1e-10)
    exact = trial.conditional_mean(strategy=strategy, progress=False).table
    assert effects(exact, "estimate")[0] == pytest.approx(plain[0], abs=1e-10)
    posterior = fit.summary(strategy=strategy)
    np.testing.assert_allclose(effects(posterior, "mean"), effects(exact, "estimate"), atol=0.06)
    np.testing.assert_allclose(effects(posterior, "sd"), effects(exact, "std.error"), rtol=0.08)
    np.testing.assert_allclose(effects(pooled, "estimate"), effects(exact, "estimate"), atol=0.25)


def test_completed_tables_keep_what_was_observed(fit, trial):
    imputed = fit.impute(3, seed=4)
    source = trial.data.frame.original()
    seen = source["CHANGE"].notna()
    for completed in imputed:
        assert completed["CHANGE"].notna().all()
        pd.testing.assert_frame_equal(completed[seen], source[seen])
        assert completed.columns.equals(source.columns)
        assert completed.index.equals(source.index)
    with pytest.warns(BayesmiNotice, match="keeps its 80 missing cells"):
        long = fit.impute(3, seed=4).complete("long")
    assert long[".imp"].value_counts().to_dict() == {1: 688, 2: 688, 3: 688}
    again = fit.impute(3, seed=4)
    np.testing.assert_array_equal(imputed.draws_of("CHANGE"), again.draws_of("CHANGE"))


def test_the_analysis_built_in_is_that_of_any_completed_table(fit, trial):
    imputed = fit.impute(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        by_table = imputed.analyze(trial.ancova(), progress=False).pool().table
    own = imputed.ancova().pool()
    np.testing.assert_allclose(by_table["estimate"], own.table["estimate"], rtol=1e-12)
    np.testing.assert_allclose(by_table["std.error"], own.table["std.error"], rtol=1e-12)
    np.testing.assert_allclose(by_table["df"], own.table["df"], rtol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        completed = imputed.complete(1)
    first = completed.query("VISIT == 7")
    result = smf.ols("CHANGE ~ C(THERAPY, Treatment('PLACEBO')) + BASVAL", first).fit()
    one = trial.ancova(visits=[7])(completed).set_index("term")
    assert one.loc["DRUG - PLACEBO at 7", "estimate"] == pytest.approx(result.params.iloc[1])
    assert one.loc["DRUG - PLACEBO at 7", "std.error"] == pytest.approx(result.bse.iloc[1])
    at_means = result.get_prediction(pd.DataFrame({"THERAPY": ["DRUG"], "BASVAL": [first["BASVAL"].mean()]}))
    assert one.loc["mean DRUG at 7", "estimate"] == pytest.approx(at_means.predicted_mean[0])
    assert one.loc["mean DRUG at 7", "std.error"] == pytest.approx(at_means.se_mean[0])
    before = smf.ols(
        "CHANGE ~ C(THERAPY, Treatment('PLACEBO')) + BASVAL", completed.query("VISIT == 6")
    ).fit()
    names = ["DRUG - PLACEBO at 6", "DRUG - PLACEBO at 7"]
    between = before.resid.to_numpy() @ result.resid.to_numpy() / result.df_resid
    expected = between * result.normalized_cov_params.iloc[1, 1]  # visits have a covariance
    assert imputed.ancova().extracts[0].covariance.loc[*names] == pytest.approx(expected, rel=1e-9)
    assert 0 < own.test(names).p_value < 1


def test_delta_shifts_finished_imputations(fit, trial):
    plain, shifted = fit.impute(5), fit.impute(5, delta={"DRUG": 3})
    data = trial.data
    missing = data.frame.columns["CHANGE"].missing
    table = data.frame.original()
    drug = (table["THERAPY"] == "DRUG").to_numpy()[missing]
    moved = shifted.draws_of("CHANGE") - plain.draws_of("CHANGE")
    assert (moved[~drug] == 0).all()
    hole = (moved[drug] == 0).all(axis=1)
    assert hole.sum() == 1  # of patient 3618, who came back: no event
    np.testing.assert_allclose(moved[drug][~hole], 3)
    realised = shifted.realised_difference()
    last = realised.loc[("DRUG", data.visits[3])]
    assert last["imputed"] == 20
    assert last["shift"] == pytest.approx(3)
    assert last["arm_mean"] == pytest.approx(3 * 20 / 84)
    assert (realised.loc["PLACEBO", "arm_mean"] == 0).all()
    a, b = (effects(x.ancova().pool().table, "estimate")[3] for x in (plain, shifted))
    ours, zero = fit.summary(delta={"DRUG": 3}), fit.summary()
    exact, base = (trial.conditional_mean(delta=d, progress=False).table for d in ({"DRUG": 3}, None))
    by_hand = effects(exact, "estimate")[3] - effects(base, "estimate")[3]
    assert b - a == pytest.approx(by_hand, abs=1e-9)  # the same shift of the same cells
    assert effects(ours, "mean")[3] - effects(zero, "mean")[3] == pytest.approx(by_hand, abs=0.02)
    table = trial.delta_template({"DRUG": 3})
    np.testing.assert_array_equal(fit.impute(5, delta=table).draws_of("CHANGE"), shifted.draws_of("CHANGE"))
    with pytest.raises(DataError, match="observed cells are never changed"):
        fit.impute(2, delta=table.assign(delta=1.0))


def test_the_fits_covariance_is_the_mixed_models(fit, trial):
    from bayesmi.trial.mmrm import fit_mmrm, pattern_sums

    data = trial.data
    x = np.column_stack([np.ones(172), data.arm_of, data.baseline["BASVAL"]])
    reml = fit_mmrm(pattern_sums(x, data.values), 4).covariance
    ours = fit.covariance()
    assert ours.dims == ("chain", "draw", "arm", "visit", "other_visit")
    np.testing.assert_allclose(ours.mean(("chain", "draw")).sel(arm="DRUG"), reml, rtol=0.06)


def test_arms_with_everything_of_their_own(trial):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        own = bmi.trial.TrialModel(
            "CHANGE ~ THERAPY + BASVAL",
            trial.data.frame.original(),
            subject="PATIENT",
            visit="VISIT",
            arm="THERAPY",
            reference="PLACEBO",
            events="dropout",
            strategy="J2R",
            covariance="by arm",
        )
    exact = own.conditional_mean(progress=False).table
    fit = own.fit(seed=2, draws=500, tune=400, progress=False)
    posterior = fit.summary()
    np.testing.assert_allclose(effects(posterior, "mean"), effects(exact, "estimate"), atol=0.08)
    np.testing.assert_allclose(effects(posterior, "sd"), effects(exact, "std.error"), rtol=0.1)
    covariance = fit.covariance().mean(("chain", "draw"))
    assert np.abs(covariance.sel(arm="DRUG") - covariance.sel(arm="PLACEBO")).max() > 5


def test_what_a_fit_refuses(fit):
    with pytest.raises(FitError, match="prob must be"):
        fit.summary(prob=95)
    with pytest.raises(FitError, match="ask for 2 to 600"):
        fit.summary(draws=5000)
