"""The popularity case: posterior against REML, names, gate, and imputations that belong to their draw."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmi as bmi
from bayesmi import BayesmiNotice
from bayesmi.errors import GateError

pytestmark = pytest.mark.xdist_group("fit_popmis")
GOLDEN = pd.read_csv(
    Path(__file__).resolve().parents[1] / "golden" / "popmis_reml.csv",
    dtype={"term": str},
    keep_default_na=False,
).query("model == 'popmis' and point == 0")


def golden(quantity, term):
    return float(GOLDEN.query("quantity == @quantity and term == @term")["value"].iloc[0])


@pytest.fixture(scope="module")
def pupils():
    return bmi.datasets.load("popmis")


@pytest.fixture(scope="module")
def fit(pupils):
    model = bmi.Model("popular ~ texp + sex + (1 | school)", pupils)
    return model.fit(seed=1, draws=1000, chains=4, progress=False)


@pytest.mark.parametrize("term", ["Intercept", "texp", "sex"])
def test_posterior_means_are_the_reml_estimates(fit, term):
    row = fit.summary().loc[term]
    tolerance = 3 * row["mcse_mean"] + 0.1 * golden("se", term)
    assert abs(row["mean"] - golden("fixed", term)) < tolerance
    assert row["sd"] == pytest.approx(golden("se", term), rel=0.06)


def test_variance_components_are_near_reml(fit):
    """A variance's posterior is skew to the right, its mean above REML, which is near the mode.

    With G = 100 groups the mean of 1 / chi² is a factor 1 + 2 / G above its mode at most: .2 posterior sd (the sd
    is sqrt(2 / G) of the variance); the residual one has 1 050 degrees of freedom and hardly moves. The priors
    (half-normal, half-t on the sd of popular) are flat over this range.
    """
    posterior = fit.posterior
    tau2 = posterior["1|school_sigma"].values.ravel() ** 2
    sigma2 = posterior["sigma"].values.ravel() ** 2
    for draws, reml, off in (
        (tau2, golden("variance", "Intercept|school"), 0.35),
        (sigma2, golden("variance", "Residual"), 0.15),
        (tau2 / (tau2 + sigma2), golden("icc", "school"), 0.2),
    ):
        assert -0.1 < (draws.mean() - reml) / draws.std() < off
    np.testing.assert_allclose(
        fit.summary().loc["ICC|school", "mean"], (tau2 / (tau2 + sigma2)).mean(), rtol=1e-12
    )


def test_group_effects_are_lme4s(fit):
    """Posterior means of the schools' effects are the conditional modes, up to Monte Carlo error."""
    effects = fit.posterior["1|school"]
    expected = [
        golden("ranef", f"Intercept|school[{school}]") for school in effects["school__factor_dim"].values
    ]
    error = effects.std(("chain", "draw")).values / np.sqrt(1000)
    gap = (effects.mean(("chain", "draw")).values - expected) / error
    assert np.abs(gap).max() < 5


def test_names_and_dims_are_those_of_the_design(fit):
    posterior = fit.posterior
    assert set(posterior.data_vars) == {"Intercept", "texp", "sex", "sigma", "1|school_sigma", "1|school"}
    assert posterior["1|school"].dims == ("chain", "draw", "school__factor_dim")
    assert posterior["school__factor_dim"].values.tolist() == list(range(1, 101))
    assert posterior.sizes["chain"] == 4
    assert posterior.sizes["draw"] == 1000
    observed = fit.tree["observed_data"]["popular"]
    assert observed.dims == ("__obs__",)
    assert observed.size == 1152
    assert "diverging" in fit.tree["sample_stats"]


def test_arviz_takes_the_tree(fit):
    import arviz as az

    table = az.summary(fit.tree, var_names=["sex", "sigma"], round_to="none")
    own = fit.summary()
    assert float(table.loc["sex", "mean"]) == pytest.approx(own.loc["sex", "mean"], rel=1e-9)
    assert float(table.loc["sigma", "ess_bulk"]) == pytest.approx(own.loc["sigma", "ess_bulk"], rel=1e-6)
    assert float(table.loc["sigma", "r_hat"]) == pytest.approx(own.loc["sigma", "r_hat"], rel=1e-6)


def test_gate_passes_and_travels(fit):
    assert fit.gate.passed
    assert fit.gate.divergences == 0
    assert fit.gate.n_parameters == 5  # group effects are drawn back, not sampled
    assert fit.gate.n_cells == 200
    assert "checks passed" in repr(fit)
    assert fit.summary().attrs["gate"] == str(fit.gate)


def test_summary_has_intervals_that_are_equal_tailed(fit):
    table = fit.summary()
    draws = fit.posterior["texp"].values.ravel()
    assert table.loc["texp", "2.5%"] == pytest.approx(np.quantile(draws, 0.025), rel=1e-12)
    assert fit.summary(prob=0.5).loc["texp", "75%"] == pytest.approx(np.quantile(draws, 0.75), rel=1e-12)
    assert table["kind"].to_dict() == {
        "Intercept": "effect",
        "texp": "effect",
        "sex": "effect",
        "sigma": "residual sd",
        "1|school_sigma": "group sd",
        "ICC|school": "ICC",
        "R2 (marginal)": "R²",
        "R2 (conditional)": "R²",
    }


def test_check_finds_nothing_in_a_model_that_fits(fit):
    check = fit.check(replications=100)
    table = check.table
    assert table["p"].between(0.01, 0.99).all()
    assert check.replicated["popular"].shape == (100, 1152)
    assert ("popular", "sd of school means") in table.index
    assert "no statistic stands out" in repr(check)


def test_observed_cells_are_bit_identical(fit, pupils):
    imputed = fit.impute(3)
    for i in (1, 2, 3):
        completed = imputed.complete(i)
        assert not completed["popular"].isna().any()
        for name in pupils:
            seen = pupils[name].notna().to_numpy()
            np.testing.assert_array_equal(
                completed[name].to_numpy()[seen], pupils[name].to_numpy()[seen], err_msg=name
            )
        assert list(completed.columns) == list(pupils.columns)
        assert completed.index.equals(pupils.index)


def test_imputed_cells_belong_to_the_draw_they_say(fit, pupils):
    """Standardised by parameters and school effects of its own draw, an imputed cell is standard normal.

    With those of another draw the variance would be above 1 by that of the effects' posterior (8 %) twice.
    """
    m = 40
    imputed = fit.impute(m)
    posterior, missing = fit.posterior, pupils["popular"].isna().to_numpy()
    rows = pupils[missing]
    origins = [tuple(int(v) for v in row) for row in imputed.origin[["chain", "draw"]].to_numpy()]
    assert len(set(origins)) == m
    residuals = {"own": [], "other": []}
    for i, (chain, draw) in enumerate(origins, start=1):
        values = imputed.complete(i)["popular"].to_numpy()[missing]
        for whose, at in (("own", draw), ("other", (draw + 500) % 1000)):
            p = posterior.to_dataset().isel(chain=chain, draw=at)
            effect = p["1|school"].sel(school__factor_dim=rows["school"].to_numpy()).values
            mean = (
                float(p["Intercept"])
                + float(p["texp"]) * rows["texp"]
                + float(p["sex"]) * rows["sex"]
                + effect
            )
            residuals[whose].append((values - mean) / float(p["sigma"]))
    own, other = np.concatenate(residuals["own"]), np.concatenate(residuals["other"])
    assert own.var() == pytest.approx(1.0, abs=5 * np.sqrt(2 / own.size))
    assert stats.kstest(own, "norm").pvalue > 1e-3
    assert other.var() > 1.05


def test_pooled_estimates_are_the_target(fit):
    """Within 3 sqrt(B / m) + .1 SE of REML on the observed rows; each set by GLS at REML's variances."""
    m = 50
    imputed = fit.impute(m)
    sigma2, tau2 = golden("variance", "Residual"), golden("variance", "Intercept|school")
    estimates = []
    for i in range(1, m + 1):
        data = imputed.complete(i)
        school = data["school"].to_numpy()
        sizes = pd.Series(school).map(pd.Series(school).value_counts()).to_numpy()
        share = 1 - np.sqrt(sigma2 / (sigma2 + sizes * tau2))
        whole = pd.DataFrame({"one": 1.0, "texp": data["texp"], "sex": data["sex"], "y": data["popular"]})
        moved = (whole - share[:, None] * whole.groupby(school).transform("mean")).to_numpy()
        estimates.append(np.linalg.lstsq(moved[:, :3], moved[:, 3], rcond=None)[0])
    values = np.array(estimates)
    error = np.sqrt(values.var(axis=0, ddof=1) / m)
    for j, term in enumerate(("Intercept", "texp", "sex")):
        assert abs(values[:, j].mean() - golden("fixed", term)) < 3 * error[j] + 0.1 * golden("se", term)


def test_a_failed_gate_stops_imputation_unless_overridden(pupils):
    model = bmi.Model("popular ~ texp + sex + (1 | school)", pupils)
    fit = model.fit(seed=1, draws=20, tune=200, progress=False)
    assert not fit.gate.passed
    assert any("ESS below 400" in line for line in fit.gate.failures)
    assert "FAILED" in repr(fit)
    with pytest.warns(BayesmiNotice, match="FAILED"):
        fit.summary()
    with pytest.raises(GateError, match="despite_gate=True") as caught:
        fit.impute(2)
    assert "\n" not in str(caught.value)
    imputed = fit.impute(2, despite_gate=True)
    assert "FAILED" in repr(imputed)
    assert not imputed.complete(1)["popular"].isna().any()


def test_one_chain_cannot_pass(pupils):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = bmi.Model("popular ~ sex", pupils).fit(seed=1, draws=600, chains=1, progress=False)
    assert not fit.gate.passed
    assert any("one chain" in line for line in fit.gate.failures)
