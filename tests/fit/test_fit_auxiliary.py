"""Auxiliary variables: modelled given the analysis variables, they sharpen cells of the response and leave the estimand."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import bayesmi as bmi
from bayesmi import BayesmiNotice

pytestmark = pytest.mark.xdist_group("fit_auxiliary")


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return function(*args, **kwargs)


def drawn(fit, column, m=60):
    """Imputed values, (m, cells)."""
    holes = fit.model.frame.columns[column].missing
    imputed = quiet(fit.impute, m, despite_gate=True)
    return np.array([quiet(imputed.complete, i).loc[holes, column] for i in range(1, m + 1)])


@pytest.fixture(scope="module")
def data():
    """y = x + e, missing more often where a, which is nearly y, is large."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=300)
    y = 1 + 0.5 * x + rng.normal(size=300)
    a = y + 0.3 * rng.normal(size=300)
    table = pd.DataFrame({"y": y, "x": x, "a": a})
    table["true"] = y
    table.loc[rng.random(300) < 1 / (1 + np.exp(-2 * (a - 1.5))), "y"] = np.nan
    return table


@pytest.fixture(scope="module")
def fits(data):
    table = data.drop(columns="true")
    with_it = quiet(bmi.Model, "y ~ x", table, auxiliary=["a"])
    without = quiet(bmi.Model, "y ~ x", table)
    options = {"seed": 1, "draws": 300, "tune": 300, "progress": False}
    return quiet(with_it.fit, **options), quiet(without.fit, **options)


def test_an_auxiliary_variable_removes_the_bias_that_it_explains(fits):
    with_it, without = (fit.summary().loc["Intercept"] for fit in fits)
    assert abs(with_it["mean"] - 1.0) < 0.2
    assert without["mean"] < 0.8  # large y are missing
    assert list(fits[0].summary().index) == [
        "Intercept",
        "x",
        "sigma",
        "R2 (marginal)",
    ]  # the analysis model as it was written
    assert "a__y" in fits[0].summary(all_models=True).index


def test_cells_of_the_response_shrink_to_their_conditional(fits, data):
    with_it, without = (drawn(fit, "y") for fit in fits)
    true = data["true"][data["y"].isna()].to_numpy()
    assert with_it.std(axis=0).mean() == pytest.approx(1 / np.sqrt(1 + 1 / 0.3**2), rel=0.15)
    assert without.std(axis=0).mean() > 0.75
    assert np.corrcoef(with_it.mean(axis=0), true)[0, 1] > 0.85
    assert np.abs(with_it.mean(axis=0) - true).mean() < 0.3


def test_a_complete_auxiliary_is_in_the_completed_tables_as_it_was(fits, data):
    completed = quiet(fits[0].impute(2, despite_gate=True).complete, 1)
    pd.testing.assert_series_equal(completed["a"], data["a"])
    assert completed["y"].notna().all()


def test_popmis_with_the_teachers_judgement():
    popmis = bmi.datasets.load("popmis")
    model = quiet(bmi.Model, "popular ~ sex + texp + (1 | school)", popmis, auxiliary=["teachpop"])
    text = repr(model)
    assert "f(teachpop | between(sex), popular, sex, texp, school) · f(popular | sex, texp, school)" in text
    assert "teachpop: gaussian (identity link), model of an auxiliary variable; complete, 2,000 rows" in text
    assert "between(popular|school)" in text
    plan = model.plan()
    assert len(plan.units("popular", "integrate")) == 848
    assert "848 cells  integrated out, drawn back" in repr(plan)


def test_both_associations_of_the_teachers_judgement_come_back():
    """teachpop on popular in popmis is .21 (.03) within schools and .91 (.04) between; one slope for both fails here."""
    popmis = bmi.datasets.load("popmis")
    model = quiet(bmi.Model, "popular ~ sex + texp + (1 | school)", popmis, auxiliary=["teachpop"])
    fit = quiet(model.fit, seed=1, draws=500, tune=500, progress=False)

    def by_level(completed):
        between = completed.groupby("school")["popular"].transform("mean")
        levels = completed.assign(within=completed["popular"] - between, between=between)
        return smf.mixedlm("teachpop ~ within + between", levels, groups="school").fit()

    pooled = quiet(fit.impute, 10).analyze(by_level).pool().table
    assert pooled.loc["within", "estimate"] == pytest.approx(0.21, abs=0.03)
    assert pooled.loc["between", "estimate"] == pytest.approx(0.91, abs=0.04)
    assert float(fit.posterior["teachpop__popular"].mean()) == pytest.approx(0.21, abs=0.03)
    contextual = fit.posterior[
        "teachpop__between(popular|school)"
    ]  # between less within, of the schools' latent means
    assert float(contextual.mean()) > 3 * float(contextual.std())


def test_a_fit_with_auxiliary_variables_comes_back_from_its_file(fits, tmp_path):
    fits[0].save(tmp_path / "x.bmi")
    again = quiet(bmi.load, tmp_path / "x.bmi")
    assert repr(again.model) == repr(fits[0].model)
    np.testing.assert_array_equal(drawn(again, "y", 3), drawn(fits[0], "y", 3))
