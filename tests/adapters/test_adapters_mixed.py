"""MixedLM against lme4, nlme and mitml on the same completed sets."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi.adapters import extract, likelihood
from bayesmi.adapters.mixed_model import between_within
from bayesmi.analyses import Analyses
from bayesmi.errors import NotSupportedError, PoolError

pytestmark = pytest.mark.xdist_group("adapters_mixed")  # the fits are made once


def fit(data, formula="popular ~ texp + sex", reml=True, **options):
    import statsmodels.formula.api as smf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return smf.mixedlm(formula, data, groups="school", **options).fit(reml=reml)


@pytest.fixture(scope="module")
def intercept(completed_sets):
    return Analyses.from_results(fit(data) for data in completed_sets)


@pytest.fixture(scope="module")
def slope(completed_sets):
    return Analyses.from_results(fit(data, re_formula="1 + sex") for data in completed_sets)


@pytest.fixture(scope="module")
def empty(completed_sets):
    return Analyses.from_results(fit(data, "popular ~ 1") for data in completed_sets)


def check_pooled(pooled, expected, rel):
    names = {
        "Estimate": "estimate",
        "Std.Error": "std.error",
        "t.value": "statistic",
        "df": "df",
        "RIV": "riv",
        "FMI": "fmi",
    }
    for key, value in expected.items():
        if "/" not in key:
            assert pooled.variance_components.loc[key, "estimate"] == pytest.approx(value, rel=rel), key
            continue
        term, column = key.split("/")
        if column in names:
            assert pooled.table.loc[term, names[column]] == pytest.approx(
                value, rel=5 * rel if column == "df" else rel
            ), key


def test_random_intercept_as_lmer_and_mitml(golden, intercept):
    pooled = intercept.pool()
    check_pooled(pooled, golden("mixed")["intercept"], 5e-5)
    assert list(pooled.variance_components.index) == [
        "Intercept~~Intercept|school",
        "Residual~~Residual",
        "ICC|school",
    ]
    assert (pooled.table["dfcom"] == np.inf).all()


def test_residual_df_as_mice(golden, intercept):
    pooled = intercept.pool(dfcom="residual")
    assert set(pooled.table["dfcom"]) == {1995.0}
    check_pooled(pooled, golden("mixed")["intercept_df1995"], 5e-5)


def test_random_slope_as_lmer_and_mitml(golden, slope):
    check_pooled(slope.pool(), golden("mixed")["slope"], 5e-4)


@pytest.mark.parametrize(
    ("case", "options"),
    [("nlme_reml", {}), ("nlme_ml", {"reml": False}), ("nlme_slope", {"re_formula": "1 + sex"})],
)
def test_standard_errors_of_variance_components_as_nlme(golden, completed_sets, case, options):
    expected = golden("mixed")[case]
    components = extract(fit(completed_sets[0], **options)).variance_components
    for name, term in (
        ("tau2", "Intercept~~Intercept|school"),
        ("sigma2", "Residual~~Residual"),
        ("icc", "ICC|school"),
    ):
        assert components.loc[term, "estimate"] == pytest.approx(expected[name], rel=1e-3), term
        # nlme's curvature is numerical too
        assert components.loc[term, "std.error"] == pytest.approx(expected[f"se.{name}"], rel=5e-3), term


def test_every_component_has_an_interval(slope):
    components = slope.pool().variance_components
    assert (components["reason"] == "").all()
    assert (components["conf.low"] < components["estimate"]).all()
    assert (components["estimate"] < components["conf.high"]).all()
    assert components.loc["sex~~sex|school", "conf.low"] > 0


@pytest.mark.parametrize(
    "options", [{}, {"re_formula": "1 + sex"}, {"re_formula": "1", "vc_formula": {"slope": "0 + sex"}}]
)
def test_likelihood_at_the_maximum(completed_sets, options):
    ml = fit(completed_sets[0], reml=False, **options)
    found = likelihood(ml)
    assert found.log_likelihood(found.parameters) == pytest.approx(ml.llf, abs=1e-6)
    best = found.log_likelihood(found.parameters)
    for step in 1e-2 * np.diag(np.abs(found.parameters)):
        assert found.log_likelihood(found.parameters + step) < best + 1e-6
        assert found.log_likelihood(found.parameters - step) < best + 1e-6


def test_likelihood_by_brute_force(completed_sets):
    from scipy.stats import multivariate_normal

    data = completed_sets[0].query("school <= 5").assign(school=lambda d: d["school"].astype(int))
    found = likelihood(fit(data, re_formula="1 + sex"))
    fixed, psi, s2 = np.array([3.0, 0.1, 0.8]), np.array([0.3, 0.1, 0.2]), 0.6
    x, z = (
        data.assign(one=1.0)[["one", "texp", "sex"]].to_numpy(),
        data.assign(one=1.0)[["one", "sex"]].to_numpy(),
    )
    expected = 0.0
    for school in range(1, 6):
        at = (data["school"] == school).to_numpy()
        covariance = z[at] @ np.array([[psi[0], psi[1]], [psi[1], psi[2]]]) @ z[at].T + s2 * np.eye(at.sum())
        expected += multivariate_normal(x[at] @ fixed, covariance).logpdf(data["popular"].to_numpy()[at])
    assert found.log_likelihood(np.concatenate([fixed, psi, [s2]])) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("case", "method", "ariv"),
    [
        ("D1", "D1", "default"),
        ("D3", "D3", "default"),
        ("D4", "D4", "default"),
        ("D4_robust", "D4", "robust"),
    ],
)
def test_nested_mixed_models_as_mitml(golden, intercept, empty, case, method, ariv):
    test = intercept.compare(empty, method=method, ariv=ariv)
    expected = golden("mixed")[case]
    for name in ("F.value", "df1", "df2", "RIV"):
        assert test.table.iloc[0][name] == pytest.approx(expected[name], rel=2e-5), name


def test_random_slope_tested_by_likelihood_as_mitml(golden, intercept, slope):
    test = slope.compare(intercept, method="D3")
    expected = golden("mixed")["D3_slope"]
    assert test.df1 == 2
    for name in ("F.value", "df2", "RIV"):
        assert test.table.iloc[0][name] == pytest.approx(expected[name], rel=2e-4), name
    with pytest.raises(PoolError, match="same coefficients"):
        slope.compare(intercept)


def test_between_within_df(completed_sets, intercept):
    table = intercept.pool(dfcom="between-within").table
    # 100 schools, two school-level columns; one pupil-level column
    assert table["dfcom"].to_dict() == {"Intercept": 98.0, "texp": 98.0, "sex": 2000.0 - 100 - 1}
    assert table.loc["texp", "df"] < 98


def test_between_within_of_a_trial_with_25_clusters():
    # cluster-level arm, G = 25: 23 degrees of freedom, not thousands
    groups = np.repeat(np.arange(25), 200)
    x = np.column_stack([np.ones(5000), groups % 2, np.tile(np.arange(200.0), 25)])
    found = between_within(x, groups, ["Intercept", "arm", "age"])
    assert found == {"Intercept": 23.0, "arm": 23.0, "age": 5000.0 - 25 - 1}


@pytest.fixture(scope="module")
def no_school_effect():
    rng = np.random.default_rng(0)
    school = np.repeat(np.arange(20), 20)
    y = rng.normal(size=400)
    y -= pd.Series(y).groupby(school).transform("mean").to_numpy()
    return pd.DataFrame({"popular": y, "texp": rng.normal(size=400), "sex": school % 2, "school": school})


@pytest.mark.parametrize("options", [{}, {"re_formula": "1 + texp"}])
def test_singular_fit_has_no_interval_and_leaks_no_warning(no_school_effect, options):
    found = extract(fit(no_school_effect, **options))
    components = found.variance_components
    group = components.index.str.endswith("|school")
    assert components["singular"][group].all()
    assert components["std.error"][group].isna().all()
    assert components.loc["Residual~~Residual", "std.error"] > 0
    assert any("singular" in note for note in found.notes)
    other = extract(fit(no_school_effect.assign(popular=lambda d: d["popular"] + 0.1 * d["texp"]), **options))
    pooled = Analyses.from_results([fit(no_school_effect, **options)] * 2).pool()
    assert set(pooled.variance_components["reason"]) == {"no interval: 2 of 2 fits singular", ""}
    assert "singular" in pooled.notices[0]
    assert other.estimates["texp"] != found.estimates["texp"]


def test_a_fit_that_ended_at_a_variance_of_exactly_zero_is_refused(completed_sets):
    import statsmodels.formula.api as smf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = smf.mixedlm("popular ~ sex + texp + teachpop", completed_sets[0], groups="school")
        broken, good = model.fit(method=["lbfgs"]), model.fit(method=["bfgs"])
    assert broken.converged  # so statsmodels says
    assert broken.llf == np.inf
    assert abs(broken.fe_params["texp"] - good.fe_params["texp"]) > 0.5
    with pytest.raises(PoolError, match="data set 2: the log-likelihood of this MixedLM is inf"):
        Analyses.from_results([good, broken])


def test_a_small_variance_is_not_singular(completed_sets):
    # units do not matter: statsmodels itself warns of a boundary below a variance of 0.01
    small = extract(fit(completed_sets[0].assign(popular=lambda d: d["popular"] / 100)))
    large = extract(fit(completed_sets[0]))
    assert small.notes == ()
    np.testing.assert_allclose(
        small.variance_components["std.error"].iloc[:2] * 1e4,
        large.variance_components["std.error"].iloc[:2],
        rtol=2e-3,
    )
    assert small.variance_components.loc["ICC|school", "std.error"] == pytest.approx(
        large.variance_components.loc["ICC|school", "std.error"], rel=2e-3
    )


def test_other_random_parts_are_named(completed_sets):
    vc = extract(fit(completed_sets[0], re_formula="1", vc_formula={"slope": "0 + sex"})).variance_components
    assert list(vc.index) == ["Intercept~~Intercept|school", "slope~~slope|school", "Residual~~Residual"]
    assert (vc["std.error"] > 0).all()


def test_uncorrelated_random_effects(completed_sets):
    import statsmodels.formula.api as smf
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    free = MixedLMParams.from_components(np.ones(3), np.eye(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = smf.mixedlm(
            "popular ~ texp + sex", completed_sets[0], groups="school", re_formula="1 + sex"
        ).fit(free=free, method="cg")
    components = extract(result).variance_components
    assert "Intercept~~sex|school" not in components.index
    assert (components["std.error"] > 0).all()


def test_the_same_random_effects_written_in_two_ways(completed_sets):
    # the likelihood does not care how independent effects are written
    ways = (
        {"re_formula": "1", "vc_formula": {"slope": "0 + sex"}},
        {"vc_formula": {"one": "1", "slope": "0 + sex"}},
    )
    tests = []
    sets = [
        data.query("school <= 30").assign(school=lambda d: d["school"].astype(int))
        for data in completed_sets[:2]
    ]
    for options in ways:
        large = Analyses.from_results(fit(data, **options) for data in sets)
        small = Analyses.from_results(fit(data, "popular ~ sex", **options) for data in sets)
        tests.append(large.compare(small, method="D4"))
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=1e-5)
    assert tests[0].riv == pytest.approx(tests[1].riv, rel=1e-3)


def test_a_penalised_fit_has_no_likelihood_ratio(completed_sets):
    import statsmodels.formula.api as smf
    from statsmodels.base._penalties import L2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = smf.mixedlm("popular ~ texp + sex", completed_sets[0], groups="school").fit(fe_pen=L2())
    with pytest.raises(NotSupportedError, match="penalised"):
        likelihood(result)
    assert (
        extract(result).variance_components["std.error"].iloc[0]
        != extract(result).variance_components["std.error"].iloc[0]
    )
