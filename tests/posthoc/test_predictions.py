"""Predictions and marginal effects against R's predict, pooled by mice's pool.scalar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from bayesmi.analyses import Analyses
from bayesmi.errors import PoolError
from bayesmi.posthoc import marginal_effects, predictions

NEW = pd.DataFrame({"texp": [5, 20], "sex": [0, 1], "teachpop": [4, 6]})


@pytest.fixture(scope="module")
def linear(sets):
    return Analyses.from_results(smf.ols("popular ~ texp + sex + teachpop", d).fit() for d in sets)


@pytest.fixture(scope="module")
def logit(sets):
    return Analyses.from_results(smf.logit("high ~ texp + sex", d).fit(disp=0, tol=1e-14) for d in sets)


def test_linear_predictions(golden, linear):
    found = predictions(linear, NEW)
    for i, row in found.iterrows():
        expected = golden[f"predict_lm_{i + 1}"]
        assert row["estimate"] == pytest.approx(expected["estimate"], rel=1e-9)
        assert row["std.error"] ** 2 == pytest.approx(expected["t"], rel=1e-8)
        assert row["df"] == pytest.approx(expected["df"], rel=1e-8)
    assert found["texp"].tolist() == [5, 20]


def test_logit_predictions_stay_probabilities(golden, logit):
    found = predictions(logit, NEW, dfcom=np.inf)
    for i, row in found.iterrows():
        expected = golden[f"predict_logit_{i + 1}"]
        assert row["estimate"] == pytest.approx(expected["estimate"], rel=1e-8)
        assert row["conf.low"] == pytest.approx(expected["low"], rel=1e-8)
        assert row["conf.high"] == pytest.approx(expected["high"], rel=1e-8)
    link = predictions(logit, NEW, scale="link", dfcom=np.inf)
    np.testing.assert_allclose(1 / (1 + np.exp(-link["conf.low"])), found["conf.low"])


def test_glm_and_logit_agree(sets, logit):
    import statsmodels.api as sm

    glm = Analyses.from_results(
        smf.glm("high ~ texp + sex", d, family=sm.families.Binomial()).fit(tol=1e-14) for d in sets
    )
    ours, theirs = predictions(logit, NEW), predictions(glm, NEW)
    np.testing.assert_allclose(ours["conf.high"], theirs["conf.high"], rtol=1e-7)


@pytest.mark.parametrize(("variable", "term"), [("sex", "sex: 0 → 1"), ("texp", "texp")])
def test_marginal_effects(golden, logit, variable, term):
    found = marginal_effects(logit, variable, dfcom=np.inf).table.loc[term]
    expected = golden[f"ame_{variable}"]
    assert found["estimate"] == pytest.approx(expected["estimate"], rel=1e-7)
    assert found["t"] == pytest.approx(expected["t"], rel=1e-6)
    assert found["df"] == pytest.approx(expected["df"], rel=1e-6)


def test_marginal_effects_of_a_category_and_of_a_chosen_step(sets):
    cut = [
        d.assign(
            size=pd.Categorical(np.where(d["texp"] < 10, "few", np.where(d["texp"] < 18, "some", "many")))
        )
        for d in sets
    ]
    fits = Analyses.from_results(smf.ols("popular ~ size + sex", d).fit() for d in cut)
    effects = marginal_effects(fits, "size").table
    assert list(effects.index) == ["size: few → many", "size: few → some"]
    pooled = fits.pool().table
    for level in ("many", "some"):
        term = next(name for name in pooled.index if level in name)
        for column in ("estimate", "t"):
            assert effects.loc[f"size: few → {level}", column] == pytest.approx(
                pooled.loc[term, column], rel=1e-8
            )
    step = marginal_effects(fits, "sex", contrast=(0, 2)).table.iloc[0]
    assert step["estimate"] == pytest.approx(2 * pooled.loc["sex", "estimate"], rel=1e-8)


def test_fixed_part_of_mixed_models(sets):
    fits = Analyses.from_results(
        smf.mixedlm("popular ~ texp + sex", d, groups="school").fit() for d in sets[:3]
    )
    found = predictions(fits, {"texp": [10.0], "sex": [1.0]})
    pooled = fits.pool().table["estimate"]
    expected = pooled["Intercept"] + 10 * pooled["texp"] + pooled["sex"]
    assert found["estimate"].iloc[0] == pytest.approx(expected)


def test_refused(linear, logit):
    with pytest.raises(PoolError, match="data set 1: the fit's formula cannot be evaluated"):
        predictions(linear, {"texp": [1.0]})
    with pytest.raises(PoolError, match="a predictor is missing"):
        predictions(linear, NEW.assign(texp=[np.nan, 1.0]))
    with pytest.raises(PoolError, match="no column 'sez'"):
        marginal_effects(logit, "sez")
    with pytest.raises(PoolError, match="'teachpop' is not in the model"):
        marginal_effects(logit, "teachpop")
    pairs = Analyses.from_results([({"a": 1.0}, [[1.0]])] * 2)
    with pytest.raises(PoolError, match="need statsmodels fits made by formula"):
        predictions(pairs, NEW)


def test_a_predictor_named_like_a_column_of_the_answer_is_refused():
    sets = [pd.DataFrame({"df": [1.0, 2, 3, 4], "y": [1.0, 2.2, 2.9, 4.0 + i / 10]}) for i in range(3)]
    fits = Analyses.from_results([smf.ols("y ~ df", d).fit() for d in sets])
    with pytest.raises(PoolError, match="'df' of new would be overwritten"):
        predictions(fits, {"df": [2.5]})


def test_df_of_predictions_are_the_smallest_of_the_fits():
    rng = np.random.default_rng(1)
    sets = [pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n)}) for n in (12, 30, 60)]
    fits = Analyses.from_results([smf.ols("y ~ x", d).fit() for d in sets])
    own, stated = predictions(fits, {"x": [0.5]}), predictions(fits, {"x": [0.5]}, dfcom=10)
    assert own.loc[0, "df"] == pytest.approx(stated.loc[0, "df"])
