"""Linear and generalised linear models from fit to pooled table, against mice and mitml on the same completed sets."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmi.adapters import extract
from bayesmi.analyses import Analyses
from bayesmi.errors import BayesmiError, PoolError


def fits(sets, formula, kind="ols", m=10):
    import statsmodels.formula.api as smf

    options = {} if kind == "ols" else {"disp": 0, "tol": 1e-14}
    frames = [
        d.assign(
            high=(d["popular"] > 5).astype(int),
            wave=np.sin(d["pupil"]),
            tide=np.cos(3 * d["pupil"] + d["school"]),
        )
        for d in sets[:m]
    ]
    return Analyses.from_results(getattr(smf, kind)(formula, frame).fit(**options) for frame in frames)


@pytest.fixture(scope="module")
def full(completed_sets):
    return fits(completed_sets, "popular ~ texp + sex + teachpop")


@pytest.fixture(scope="module")
def null(completed_sets):
    return fits(completed_sets, "popular ~ teachpop")


def test_pooled_lm_as_mice(golden, completed_sets):
    table = (
        fits(completed_sets, "popular ~ texp + sex")
        .pool()
        .table.rename(columns={"conf.low": "2.5 %", "conf.high": "97.5 %"})
    )
    expected = golden("rubin")["mice_lm"]
    assert len(expected) == 3 * 14
    for key, value in expected.items():
        term, column = key.split("/")
        assert table.loc[term, column] == pytest.approx(value, rel=1e-8, abs=1e-300), key


def test_pooled_lm_as_mitml_without_dfcom(golden, completed_sets):
    table = fits(completed_sets, "popular ~ texp + sex").pool(dfcom=np.inf).table
    names = {
        "Estimate": "estimate",
        "Std.Error": "std.error",
        "t.value": "statistic",
        "df": "df",
        "RIV": "riv",
        "FMI": "fmi",
    }
    for key, value in golden("rubin")["mitml_lm"].items():
        term, column = key.split("/")
        assert table.loc[term, names[column]] == pytest.approx(value, rel=1e-8), key


def check(test, expected, rel=1e-8):
    row = test.table.iloc[0]
    for name in ("F.value", "df1", "df2", "RIV"):
        assert row[name] == pytest.approx(expected[name], rel=rel), name
    assert row["P(>F)"] == pytest.approx(expected["P(>F)"], rel=max(1e-6, 100 * rel), abs=1e-150)


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("D1", {"method": "D1"}),
        ("D1_df60", {"method": "D1", "dfcom": 60}),
        ("D1_df1996", {"method": "D1", "dfcom": 1996}),
        ("mice_D1", {"method": "D1", "dfcom": 1996}),
        ("D2_wald", {"method": "D2"}),
        ("D2_likelihood", {"method": "D2", "use": "likelihood"}),
        ("D3", {"method": "D3"}),
        ("D4_default", {"method": "D4"}),
        ("D4_positive", {"method": "D4", "ariv": "positive"}),
        ("D4_robust", {"method": "D4", "ariv": "robust"}),
    ],
)
def test_nested_lm_as_mitml_and_mice(golden, full, null, case, options):
    check(full.compare(null, **options), golden("tests_of_several")[case])


def test_three_data_sets(golden, completed_sets):
    three = [
        fits(completed_sets, formula, m=3)
        for formula in ("popular ~ texp + sex + teachpop", "popular ~ teachpop")
    ]
    check(three[0].compare(three[1]), golden("tests_of_several")["D1_m3"])


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("weak_D1", {"dfcom": 1996}),
        ("weak_D2", {"method": "D2"}),
        ("weak_D3", {"method": "D3"}),
        ("weak_D4", {"method": "D4"}),
    ],
)
def test_what_does_not_matter_is_found_not_to(golden, completed_sets, null, case, options):
    weak = fits(completed_sets, "popular ~ teachpop + wave + tide")
    check(weak.compare(null, **options), golden("tests_of_several")[case])


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("logit_D1", {}),
        ("logit_D2", {"method": "D2", "use": "likelihood"}),
        ("logit_D4", {"method": "D4"}),
        ("logit_D4_robust", {"method": "D4", "ariv": "robust"}),
    ],
)
def test_nested_logistic_as_mitml(golden, completed_sets, case, options):
    large, small = (fits(completed_sets, formula, "logit") for formula in ("high ~ texp + sex", "high ~ 1"))
    check(large.compare(small, **options), golden("tests_of_several")[case], rel=1e-7)


@pytest.mark.parametrize(
    ("case", "method", "constraints", "dfcom", "rel"),
    [
        ("linear", "D1", ("texp - sex = 0", "teachpop = 0.5"), np.inf, 1e-7),
        # mitml differentiates numerically
        ("nonlinear", "D1", ("sex / teachpop - 2", "exp(texp) = 1"), np.inf, 1e-6),
        ("nonlinear_D2", "D2", ("sex / teachpop - 2", "exp(texp) = 1"), np.inf, 1e-5),
        ("nonlinear_df", "D1", ("sex / teachpop - 2", "exp(texp) = 1"), 100, 1e-6),
    ],
)
def test_constraints_as_mitml(golden, full, case, method, constraints, dfcom, rel):
    check(full.pool(dfcom).constraints(*constraints, method=method), golden("tests_of_several")[case], rel)


def test_residual_df_and_variance(completed_sets):
    import statsmodels.formula.api as smf

    found = extract(smf.ols("popular ~ texp", completed_sets[0]).fit())
    assert found.dfcom == 1998
    assert found.n_obs == 2000
    row = found.variance_components.loc["Residual~~Residual"]
    assert row["estimate"] == pytest.approx(
        completed_sets[0].eval("popular").var()
        * (1 - np.corrcoef(completed_sets[0]["popular"], completed_sets[0]["texp"])[0, 1] ** 2)
        * 1999
        / 1998
    )
    assert extract(smf.logit("sex ~ texp", completed_sets[0]).fit(disp=0)).dfcom == 1998


def test_arrays_without_names(completed_sets):
    import statsmodels.api as sm

    x = sm.add_constant(completed_sets[0][["texp", "sex"]].to_numpy(dtype=float))
    found = extract(sm.OLS(completed_sets[0]["popular"].to_numpy(), x).fit())
    assert list(found.estimates.index) == ["const", "x1", "x2"]
    families = sm.GLM(completed_sets[0]["sex"].to_numpy(), x[:, :2], family=sm.families.Binomial()).fit()
    assert extract(families).converged is True


def test_weighted_least_squares_likelihood(completed_sets):
    import statsmodels.formula.api as smf

    from bayesmi.adapters import likelihood

    data = completed_sets[0]
    fit = smf.wls("popular ~ texp", data, weights=1.0 + data["sex"]).fit()
    found = likelihood(fit)
    assert found.log_likelihood(found.parameters) == pytest.approx(fit.llf, rel=1e-12)
    worse = found.parameters + np.array([0.01, 0.0, 0.0])
    assert found.log_likelihood(worse) < fit.llf


def test_not_nested_is_said(completed_sets, full, null):
    other = fits(completed_sets, "popular ~ pupil")
    with pytest.raises(PoolError, match="not nested: the smaller one has 'pupil'"):
        full.compare(other)
    with pytest.raises(PoolError, match="not nested: the smaller one has 'texp'"):
        null.compare(full, method="D3")
    with pytest.raises(PoolError, match="same coefficients"):
        full.compare(full)
    with pytest.raises(PoolError, match="same 10 data sets"):
        full.compare(fits(completed_sets, "popular ~ teachpop", m=3))
    for options, message in [
        ({"method": "D5"}, "'D5' is not known"),
        ({"method": "D4", "dfcom": 5}, "dfcom has no place in D4"),
        ({"method": "D3", "ariv": "robust"}, "no place in D3"),
    ]:
        with pytest.raises(BayesmiError, match=message):
            full.compare(null, **options)


@pytest.mark.parametrize("family", ["Gaussian", "Gamma", "InverseGaussian"])
@pytest.mark.parametrize(
    "options", [{"method": "D2", "use": "likelihood"}, {"method": "D3"}, {"method": "D4"}]
)
def test_a_dispersion_that_is_not_maximum_likelihood_has_no_likelihood_ratio(completed_sets, family, options):
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    kind = getattr(sm.families, family)(sm.families.links.Log())

    def fitted(formula):
        return Analyses.from_results(smf.glm(formula, d, family=kind).fit() for d in completed_sets[:3])

    large, small = fitted("popular ~ texp + sex"), fitted("popular ~ texp")
    with pytest.raises(PoolError, match=f"the dispersion of a {family} GLM is not estimated by maximum"):
        large.compare(small, **options)
    assert large.compare(small).terms == ("sex",)


@pytest.mark.parametrize(("method", "ariv"), [("D3", "default"), ("D4", "default"), ("D4", "robust")])
@pytest.mark.parametrize("terms", ["texp + wave + sex", "texp + wave + tide"])
def test_monte_carlo_error_of_likelihood_tests_is_the_jackknife_with_new_fits(
    completed_sets, method, ariv, terms
):
    sets, formulas = completed_sets[:8], (f"high ~ {terms}", "high ~ texp + wave")
    test = fits(sets, formulas[0], "logit").compare(fits(sets, formulas[1], "logit"), method, ariv=ariv)
    left_out = [
        fits(sets[:i] + sets[i + 1 :], formulas[0], "logit").compare(
            fits(sets[:i] + sets[i + 1 :], formulas[1], "logit"), method, ariv=ariv
        )
        for i in range(8)
    ]
    for name, values in (("F.value", [t.statistic for t in left_out]), ("RIV", [t.riv for t in left_out])):
        assert test.mcse[name] == pytest.approx(np.sqrt(7) * np.std(values), rel=0.05), name
    assert (
        fits(sets[:2], formulas[0], "logit").compare(fits(sets[:2], formulas[1], "logit"), method).mcse == {}
    )
