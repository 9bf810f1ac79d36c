"""Out to R and back: the same imputations give the same pooled numbers in mice, mitml and here."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi

pytestmark = pytest.mark.r

COLUMNS = ["estimate", "ubar", "b", "t", "dfcom", "df", "riv", "lambda", "fmi"]
POOL = "out(pool(fit)$pooled, 'pooled.csv')\n"


def hot_deck(table: pd.DataFrame, m: int, seed: int) -> bmi.Imputations:
    """Completed tables without a model: what is tested is the way out and back."""
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(m):
        done = table.copy()
        for name in table.columns:
            holes = table[name].isna().to_numpy()
            pool = table.loc[~holes, name].to_numpy()
            if holes.any():
                done.loc[holes, name] = rng.choice(pool, int(holes.sum()))
        tables.append(done)
    return bmi.as_mids(tables, table)


def ols(formula: str):
    import statsmodels.formula.api as smf

    return lambda data: smf.ols(formula, data).fit()


def compare(ours: pd.DataFrame, theirs: pd.DataFrame, rel: float = 1e-8) -> None:
    theirs = theirs.set_index(theirs["term"].str.replace("(Intercept)", "Intercept", regex=False))
    for term in ours.index:
        row = theirs.loc[str(term).replace("[T.", "").replace("]", "")]
        for column in COLUMNS:
            assert ours.loc[term, column] == pytest.approx(float(row[column]), rel=rel), (term, column)


@pytest.mark.parametrize("order", ["last", "first"])
def test_long_csv_is_read_by_as_mids_and_pools_alike(order, run_r, tmp_path):
    imputed = hot_deck(bmi.datasets.load("nhanes2"), 6, 1)
    imputed.to_csv(tmp_path / "ours.csv", order=order)
    back = run_r(
        "long <- read.csv('ours.csv', stringsAsFactors = TRUE)\n"
        "imp <- as.mids(long)\n"
        "stopifnot(imp$m == 6, identical(unname(imp$nmis), c(0L, 9L, 8L, 10L)) || sum(imp$nmis) == 27)\n"
        "fit <- with(imp, lm(chl ~ bmi + hyp + age))\n" + POOL
    )["pooled"]
    compare(imputed.analyze(ols("chl ~ bmi + hyp + age")).pool().table, back)


def test_row_names_and_where_survive(run_r, tmp_path):
    table = bmi.datasets.load("nhanes").set_axis([f"p{i}" for i in range(25)], axis=0)
    imputed = hot_deck(table, 3, 2)
    imputed.to_csv(tmp_path / "ours.csv")
    back = run_r(
        "imp <- as.mids(read.csv('ours.csv'))\n"
        "out(data.frame(id = rownames(imp$data), bmi = is.na(imp$data$bmi), one = complete(imp, 1)$bmi), 'rows.csv')\n"
    )["rows"]
    assert back["id"].tolist() == list(table.index)
    assert back["bmi"].tolist() == table["bmi"].isna().tolist()
    np.testing.assert_allclose(back["one"], imputed.complete(1)["bmi"], rtol=1e-14)


def test_back_from_mice(run_r, tmp_path):
    made = run_r(
        "imp <- mice(nhanes2, m = 5, maxit = 3, seed = 4, printFlag = FALSE)\n"
        "write.csv(complete(imp, 'long', include = TRUE), 'theirs.csv', row.names = FALSE)\n"
        "fit <- with(imp, lm(chl ~ bmi + hyp))\n" + POOL
    )
    imputed = bmi.read_mids(tmp_path / "theirs.csv")
    assert imputed.m == 5
    assert imputed.version == "mice"
    compare(imputed.analyze(ols("chl ~ bmi + hyp")).pool().table, made["pooled"])
    # and once more to R
    imputed.to_csv(tmp_path / "ours.csv", order="first")
    again = run_r(
        "imp <- as.mids(read.csv('ours.csv', stringsAsFactors = TRUE))\n"
        "fit <- with(imp, lm(chl ~ bmi + hyp))\n"
        "out(pool(fit)$pooled, 'again.csv')\n"
    )["again"]
    pd.testing.assert_frame_equal(again, made["pooled"])


def test_mitml_reads_it_and_pools_alike(run_r, tmp_path):
    imputed = hot_deck(bmi.datasets.load("nhanes"), 5, 3)
    imputed.to_csv(tmp_path / "ours.csv")
    back = run_r(
        "imp <- mids2mitml.list(as.mids(read.csv('ours.csv')))\n"
        "e <- testEstimates(with(imp, lm(chl ~ bmi + hyp)), df.com = 22)$estimates\n"
        "out(data.frame(term = rownames(e), e), 'tested.csv')\n"
    )["tested"].set_index("term")
    ours = imputed.analyze(ols("chl ~ bmi + hyp")).pool(dfcom=22).table
    for term, row in ours.iterrows():
        theirs = back.loc["(Intercept)" if term == "Intercept" else term]
        for mine, other in (
            ("estimate", "Estimate"),
            ("std.error", "Std.Error"),
            ("df", "df"),
            ("riv", "RIV"),
        ):
            assert row[mine] == pytest.approx(theirs[other], rel=1e-8), (term, mine)


def test_back_from_mitml(run_r, tmp_path):
    made = run_r(
        "i <- jomoImpute(nhanes, formula = bmi + chl ~ age, n.burn = 200, n.iter = 10, m = 4, seed = 2, silent = TRUE)\n"
        "sets <- mitmlComplete(i, 'all')\n"
        "for (l in 1:4) write.csv(sets[[l]], paste0('set', l, '.csv'), row.names = FALSE)\n"
        "e <- testEstimates(with(sets, lm(chl ~ bmi + age)), df.com = 22)$estimates\n"
        "out(data.frame(term = rownames(e), e), 'tested.csv')\n"
    )["tested"].set_index("term")
    imputed = bmi.read_mids(str(tmp_path / "set*.csv"), data=bmi.datasets.load("nhanes"))
    ours = imputed.analyze(ols("chl ~ bmi + age")).pool(dfcom=22).table
    for term, row in ours.iterrows():
        theirs = made.loc["(Intercept)" if term == "Intercept" else term]
        assert row["estimate"] == pytest.approx(theirs["Estimate"], rel=1e-8)
        assert row["std.error"] == pytest.approx(theirs["Std.Error"], rel=1e-8)
        assert row["df"] == pytest.approx(theirs["df"], rel=1e-8)


def completed_popmis(m: int) -> bmi.Imputations:
    """Twenty fixed completed copies of popmis: the formula of tests/golden/completed_sets.R."""
    data = bmi.datasets.load("popmis")
    holes = np.flatnonzero(data["popular"].isna())
    school, texp, sex = (data[name].to_numpy()[holes] for name in ("school", "texp", "sex"))
    tables = []
    for i in range(1, m + 1):
        wave = np.sin(12.9898 * (holes + 1) + 78.233 * i) + 0.6 * np.sin(4.1414 * school + 9.73 * i)
        filled = data["popular"].to_numpy(dtype=float, copy=True)
        filled[holes] = 3.6 + 0.09 * texp + 0.87 * sex + 0.8 * wave
        tables.append(data.assign(popular=filled))
    return bmi.as_mids(tables, data)


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_twenty_fixed_sets_of_popmis_by_mixedlm_and_lmer(run_r, tmp_path):
    import statsmodels.formula.api as smf

    def mixed(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return smf.mixedlm("popular ~ texp + sex", data, groups="school").fit(reml=True)

    imputed = completed_popmis(20)
    imputed.to_csv(tmp_path / "ours.csv", order="first")
    made = run_r(
        "suppressMessages(library(lme4))\n"
        "imp <- mids2mitml.list(as.mids(read.csv('ours.csv')))\n"
        "fits <- with(imp, lmer(popular ~ texp + sex + (1 | school)))\n"
        "out(t(sapply(fits, fixef)), 'fixed.csv')\n"
        "e <- testEstimates(fits, extra.pars = TRUE)\n"
        "out(data.frame(term = rownames(e$estimates), e$estimates), 'tested.csv')\n"
        "out(data.frame(term = rownames(e$extra.pars), e$extra.pars), 'extra.csv')\n",
        "lme4",
    )
    analyses = imputed.analyze(mixed)
    ours = analyses.table().pivot(index=".imp", columns="term", values="estimate")
    theirs = made["fixed"].rename(columns={"(Intercept)": "Intercept", "X.Intercept.": "Intercept"})
    for term in ("Intercept", "texp", "sex"):
        np.testing.assert_allclose(ours[term], theirs[term], rtol=1e-3, atol=1e-3)
    pooled = analyses.pool()
    tested = made["tested"].set_index("term").rename(index={"(Intercept)": "Intercept"})
    for term, row in pooled.table.iterrows():
        assert row["estimate"] == pytest.approx(tested.loc[term, "Estimate"], rel=1e-3)
        assert row["std.error"] == pytest.approx(tested.loc[term, "Std.Error"], rel=1e-3)
        assert row["df"] == pytest.approx(tested.loc[term, "df"], rel=1e-3)
    for term, value in made["extra"].itertuples(index=False):
        assert pooled.variance_components.loc[term, "estimate"] == pytest.approx(value, rel=1e-3), term


def test_code_for_r_gives_factors_their_levels_back(run_r, tmp_path):
    rng = np.random.default_rng(6)
    table = pd.DataFrame(
        {
            "size": pd.Categorical(
                rng.choice(["small", "big", 'hu\'ge "x"'], 40), ["small", "big", 'hu\'ge "x"'], ordered=True
            ),
            "odd name": rng.choice(["b", "a"], 40),
            "grade": pd.Categorical(rng.integers(9, 12, 40), [9, 10, 11], ordered=True),
            "flag": pd.array(rng.random(40) < 0.5, dtype="boolean"),
            "y": rng.normal(size=40),
        }
    )
    for name in table.columns:
        table.loc[rng.random(40) < 0.2, name] = None
    imputed = hot_deck(table, 2, 7)
    imputed.to_csv(tmp_path / "imputed.csv")
    back = run_r(
        imputed.r_code()
        + "\nstopifnot(identical(levels(imp$data$size), c('small', 'big', 'hu\\'ge \"x\"')), "
        "is.ordered(imp$data$size))\n"
        "stopifnot(identical(levels(imp$data$grade), c('9', '10', '11')), is.factor(imp$data$odd.name))\n"
        "done <- complete(imp, 2)\n"
        "out(data.frame(n = colSums(is.na(done)), size = sum(as.integer(done$size))), 'ours.csv')\n"
    )["ours"]
    assert (back["n"] == 0).all()
    assert back["size"].iloc[0] == (imputed.complete(2)["size"].cat.codes + 1).sum()
