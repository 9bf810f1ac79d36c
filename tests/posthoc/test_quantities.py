"""Multilevel R-squared, proportions, quantiles, survival and rank correlations against R; posteriors and scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import xarray as xr
from scipy import stats

import bayesmi as bmi
from bayesmi.analyses import Analyses
from bayesmi.errors import PoolError
from bayesmi.pool import pool_correlation, pool_proportion, pool_quantiles, pool_survival
from bayesmi.posthoc.multilevel_r_squared import VarianceParts, explained, multilevel_r_squared


def test_multilevel_r_squared_arithmetic_as_mitml(golden, sets):
    found = []
    for i, d in enumerate(sets, start=1):
        p = golden[f"r2_parts_{i}"]
        parts = VarianceParts(
            np.array([p["texp"], p["sex"]]), d[["texp", "sex"]].to_numpy(float), d[["sex"]].to_numpy(float),
            np.array([[p["t00"], p["t10"]], [p["t10"], p["t11"]]]), p["s1"], p["t0"], p["s0"],
        )  # fmt: skip
        found.append(explained(parts))
    for name, value in pd.DataFrame(found).mean().items():
        assert value == pytest.approx(golden["r2_slope"][name], rel=1e-10)


@pytest.mark.parametrize(("case", "random"), [("r2_intercept", None), ("r2_slope", "~ sex")])
def test_multilevel_r_squared_of_fits_as_mitml(golden, sets, case, random):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = [
            smf.mixedlm("popular ~ texp + sex", d, groups="school", re_formula=random).fit() for d in sets
        ]
    table = multilevel_r_squared(Analyses.from_results(fits))
    for name, value in golden[case].items():  # statsmodels' optimiser stops a little short
        assert table.loc[name, "estimate"] == pytest.approx(value, rel=2e-4), name
    assert (table["mcse"] > 0).all()


def test_multilevel_r_squared_refuses(sets):
    with pytest.raises(PoolError, match="data set 1: multilevel R-squared is for statsmodels MixedLM"):
        multilevel_r_squared(Analyses.from_results(smf.ols("popular ~ sex", d).fit() for d in sets[:2]))
    with pytest.raises(PoolError, match="needs an intercept"):
        multilevel_r_squared(
            Analyses.from_results(
                smf.mixedlm("popular ~ 0 + sex", d, groups="school").fit() for d in sets[:2]
            )
        )


def test_proportions_as_r(golden, sets):
    p = [d["high"].mean() for d in sets]
    logit = pool_proportion(p, 2000, method="logit").iloc[0]
    for key, column in {"low": "conf.low", "high": "conf.high", "df": "df", "fmi": "fmi"}.items():
        assert logit[column] == pytest.approx(golden["proportion_logit"][key], rel=1e-9)
    wald = pool_proportion(p, 2000, method="wald").iloc[0]
    for key, column in {"estimate": "estimate", "low": "conf.low", "high": "conf.high"}.items():
        assert wald[column] == pytest.approx(golden["proportion_wald"][key], rel=1e-9)


def test_wilson_solves_its_equation():
    p, n = np.array([0.03, 0.05, 0.04, 0.02]), 60
    row = pool_proportion(p, n).iloc[0]
    riv = (1 + 1 / 4) * p.var(ddof=1) / (p * (1 - p) / n).mean()
    t = stats.t.ppf(0.975, row["df"])
    for end in ("conf.low", "conf.high"):
        gap = (row[end] - p.mean()) ** 2
        assert gap == pytest.approx(t**2 * (1 + riv) * row[end] * (1 - row[end]) / n)
    assert 0 < row["conf.low"] < p.mean() < row["conf.high"]
    assert row["mcse"] == pytest.approx(p.std(ddof=1) / 2)
    nothing = pool_proportion([0.0, 0.0, 0.0], 20).iloc[0]  # as Wilson's interval of one complete sample
    z = stats.norm.ppf(0.975)
    assert nothing["conf.low"] == pytest.approx(0, abs=1e-12)
    assert nothing["conf.high"] == pytest.approx(z**2 / (20 + z**2))
    with pytest.raises(PoolError, match="data set 1: the proportion is 0 and has no logit interval"):
        pool_proportion([0.0, 0.1], 20, method="logit")


def test_quantiles_cover():
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(200):
        known, m = rng.normal(size=150), 10
        sets = []
        for _ in range(m):  # proper imputations of 50 more: mean and spread drawn from their posterior
            spread = known.std(ddof=1) * np.sqrt(149 / rng.chisquare(149))
            sets.append(
                np.append(known, rng.normal(known.mean() + spread / np.sqrt(150) * rng.normal(), spread, 50))
            )
        row = pool_quantiles(sets, [0.75]).iloc[0]
        hits.append(row["conf.low"] < stats.norm.ppf(0.75) < row["conf.high"])
    assert 0.90 <= np.mean(hits) <= 0.99
    with pytest.raises(PoolError, match=r"data set 1: the quantile at 0\.5 lies among equal values"):
        pool_quantiles([np.ones(20), np.ones(20)], [0.5])


def test_spearman_as_r(golden, sets):
    r = [golden["spearman"][str(i)] for i in range(1, 11)]
    assert r[0] == pytest.approx(sets[0]["popular"].corr(sets[0]["teachpop"], method="spearman"))
    row = pool_correlation(r, 2000, method="spearman").iloc[0]
    for key, column in {"r": "r", "low": "conf.low", "high": "conf.high"}.items():
        assert row[column] == pytest.approx(golden["spearman_pooled"][key], rel=1e-9)
    assert (
        pool_correlation([0.2, 0.3], 20, partialled=2).loc[0, "std.error"]
        > pool_correlation([0.2, 0.3], 20).loc[0, "std.error"]
    )


def test_survival_as_r(golden, sets):
    lifelines = pytest.importorskip("lifelines", reason="the extra bayesmi[lifelines] is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curves = [lifelines.KaplanMeierFitter().fit(d["time"], d["event"]) for d in sets]
        cox = [
            lifelines.CoxPHFitter().fit(
                d[["time", "event", "popular", "sex"]], "time", "event", fit_options={"precision": 1e-12}
            )
            for d in sets
        ]
    found = pool_survival(curves, [3, 6, 9])
    for time in (3, 6, 9):
        expected = golden[f"km_{time}"]
        row = found.loc[time]
        for key, column in {
            "estimate": "estimate",
            "low": "conf.low",
            "high": "conf.high",
            "fmi": "fmi",
        }.items():
            assert row[column] == pytest.approx(expected[key], rel=1e-7), (time, key)
    pooled = Analyses.from_results(cox).pool().table
    assert pooled.loc["sex", "dfcom"] == golden["cox_events"]["d"] - 2
    for term in ("popular", "sex"):
        for key in ("estimate", "ubar", "b", "df", "fmi"):
            assert pooled.loc[term, key] == pytest.approx(golden[f"cox_{term}"][key], rel=1e-6), (term, key)


def test_survival_from_tables():
    curve = pd.DataFrame({"time": [1.0, 2.0], "survival": [0.8, 0.6], "std.error": [0.05, 0.06]})
    found = pool_survival([curve, curve.assign(survival=[0.82, 0.63])], [0.5, 1.5])
    assert found.loc[0.5, "estimate"] == 1
    assert np.isnan(found.loc[0.5, "conf.low"])
    assert 0.8 < found.loc[1.5, "estimate"] < 0.82
    with pytest.raises(PoolError, match="time 3 lies beyond the end of follow-up, 2"):
        pool_survival([curve, curve], [3.0])


def posteriors(m=6, shift=1.0, draws=300):
    rng = np.random.default_rng(5)
    return [
        xr.Dataset(
            {
                "b": (("chain", "draw"), rng.normal(shift * i, 1, (4, draws))),
                "u": (("chain", "draw", "g"), rng.normal(size=(4, draws, 2))),
            },
            coords={"g": ["n", "s"]},
        )
        for i in range(m)
    ]


def test_stacked_posteriors_raise_no_false_alarm():
    sets = posteriors(shift=3.0)
    stacked = bmi.stack_posteriors(sets)
    assert list(stacked.table.index) == ["b", "u[n]", "u[s]"]
    assert stacked.notices == ()
    assert (stacked.table["r_hat"] < 1.02).all()
    pooled = np.concatenate([s["b"].to_numpy() for s in sets])  # as chains of one target: far apart
    from bayesmi.fit.diagnostics import r_hat

    assert r_hat(pooled[None])[0] > 2
    row = stacked.table.loc["b"]
    means = np.array([float(s["b"].mean()) for s in sets])
    assert row["mean"] == pytest.approx(means.mean())
    assert row["sd"] == pytest.approx(pooled.std(), rel=1e-3)
    assert row["conf.low"] == pytest.approx(np.quantile(pooled, 0.025))
    assert row["between"] == pytest.approx(means.var(ddof=1))
    assert row["fmi"] > 0.9
    assert stacked.draws.sizes["sample"] == 6 * 1200
    assert stacked.draws["imputation"].to_numpy()[1200] == 2
    assert "never of the mixture" in repr(stacked)


def test_a_data_set_that_did_not_converge_is_named():
    sets = posteriors()
    bad = sets[2]["b"].to_numpy().copy()
    bad[0] += 5
    sets[2] = sets[2].assign(b=(("chain", "draw"), bad))
    stacked = bmi.stack_posteriors(sets)
    assert stacked.table.loc["b", "r_hat_in"] == 3
    assert stacked.notices[0].startswith("data set 3: r-hat of b is ")
    assert stacked.r_hat.loc[3, "b"] > 1.5
    assert len(stacked.notices) == 1
    with pytest.raises(PoolError, match="data set 2: the posterior has no 'b'"):
        bmi.stack_posteriors([sets[0], sets[1].drop_vars("b")], ["b"])


def test_posteriors_pool_by_rubin_too():
    sets = posteriors()
    analyses = Analyses.from_results(sets)
    table = analyses.pool().table
    assert table.loc["b", "ubar"] == pytest.approx(1, abs=0.1)
    assert table.loc["b", "estimate"] == pytest.approx(2.5, abs=0.1)
    assert bmi.stack_posteriors(analyses).m == 6


def test_scikit_learn_says_what_cannot_be_had(sets):
    sklearn = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")

    def fit(d):
        return sklearn.LinearRegression().fit(d[["texp", "sex"]], d["popular"])

    analyses = Analyses.from_results(fit(d) for d in sets)
    means = analyses.means()
    ols = Analyses.from_results(smf.ols("popular ~ texp + sex", d).fit() for d in sets).pool().table
    np.testing.assert_allclose(means["estimate"], ols["estimate"])
    np.testing.assert_allclose(means["b"], ols["b"], rtol=1e-6)
    with pytest.raises(PoolError, match=r"scikit-learn estimator has no standard errors.*bootstrapped"):
        analyses.pool()
    booted = Analyses.from_results(map(bmi.bootstrapped(fit, 60, seed=1), sets[:4])).pool().table
    np.testing.assert_allclose(booted["ubar"], ols["ubar"], rtol=0.6)
    again = Analyses.from_results(map(bmi.bootstrapped(fit, 60, seed=1), sets[:4])).pool().table
    pd.testing.assert_frame_equal(booted, again)


class Multiclass:
    coef_ = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    intercept_ = np.array([0.1, 0.2, 0.3])
    classes_ = np.array(["a", "b", "c"])


def test_coefficients_of_several_classes_are_named():
    from bayesmi.adapters.scikit_learn import coefficients_of

    found = coefficients_of(Multiclass())
    assert found["b: Intercept"] == 0.2
    assert found["c: x1"] == 6.0


def test_bootstrap_of_clusters_is_wider(sets):
    def mean(d):
        return {"texp": d["texp"].mean()}

    rows = bmi.bootstrapped(mean, 100, seed=2)(sets[0])[1].iloc[0, 0]
    schools = bmi.bootstrapped(mean, 100, seed=2, cluster="school")(sets[0])[1].iloc[0, 0]
    assert schools > 5 * rows  # texp is the school's
    with pytest.raises(PoolError, match="cluster='class' is no column"):
        bmi.bootstrapped(mean, 100, seed=2, cluster="class")(sets[0])


def test_stacking_says_what_it_leaves_out_and_keeps_labels_apart():
    rng = np.random.default_rng(1)

    def posterior(levels, *extra):
        dims = ("chain", "draw", "level")
        values = np.array([0.0, 5.0])[np.argsort(levels)] + rng.normal(size=(2, 300, 2))
        parts = {"b": (dims, values)} | {name: (dims[:2], rng.normal(size=(2, 300))) for name in extra}
        return xr.Dataset(parts, coords={"level": levels})

    stacked = bmi.stack_posteriors([posterior(["hi", "lo"], "a"), posterior(["hi", "lo"])])
    assert "left out, not in every data set: a" in stacked.notices
    with pytest.raises(PoolError, match=r"data set 2 has 'b\[lo\]' where data set 1 has 'b\[hi\]'"):
        bmi.stack_posteriors([posterior(["hi", "lo"]), posterior(["lo", "hi"])])
    with pytest.raises(PoolError, match="names= is empty"):
        bmi.stack_posteriors([posterior(["hi", "lo"])] * 2, [])


def test_bootstrap_draws_whole_known_clusters_with_replacement():
    table = pd.DataFrame({"x": [1.0, 2, 3, 4, 9, 9], "g": [1, 1, 2, 2, 3, 3]})
    seen = []

    def analysis(data):
        seen.append(sorted(data["g"]))
        return {"mean": data["x"].mean()}

    bmi.bootstrapped(analysis, 20, seed=1, cluster="g")(table)
    assert len({tuple(one) for one in seen}) > 5  # some clusters twice, some not at all
    assert all(one.count(g) % 2 == 0 for one in seen for g in (1, 2, 3))
    with pytest.raises(PoolError, match="missing in 2 rows"):
        bmi.bootstrapped(analysis, 20, seed=1, cluster="g")(table.assign(g=[1, 1, 2, 2, None, None]))
    pl = pytest.importorskip("polars")
    with pytest.raises(PoolError, match="not from a polars one"):
        bmi.bootstrapped(analysis, 20, seed=1)(pl.from_pandas(table))
