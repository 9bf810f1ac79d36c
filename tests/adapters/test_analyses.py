"""One function on every completed data set: order, failures, remarks, processes."""

from __future__ import annotations

import dataclasses
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi.analyses import Analyses, run_analyses
from bayesmi.errors import AnalysisError, BayesmiNotice, PoolError


def mean_of_popular(data):
    return {"mean": data["popular"].mean()}, [[data["popular"].var() / len(data)]]


def least_squares(data):
    import statsmodels.formula.api as smf

    return smf.ols("popular ~ texp + sex", data).fit()


def mixed(data):
    import statsmodels.formula.api as smf

    return smf.mixedlm("popular ~ texp + sex", data, groups="school").fit()


def test_results_in_order(completed_sets):
    analyses = run_analyses(completed_sets[:3], mean_of_popular)
    assert analyses.m == len(analyses) == 3
    assert [result[0]["mean"] for result in analyses] == [
        data["popular"].mean() for data in completed_sets[:3]
    ]
    table = analyses.table()
    assert list(table.columns) == [".imp", "term", "estimate", "std.error"]
    assert list(table[".imp"]) == [1, 2, 3]
    assert analyses[0][0]["mean"] == table["estimate"].iloc[0]
    assert "m = 3" in repr(analyses)
    with pytest.raises(dataclasses.FrozenInstanceError):
        analyses.notices = ()


def test_any_iterable(completed_sets):
    from_generator = run_analyses((data for data in completed_sets[:2]), mean_of_popular)
    assert from_generator.m == 2


@pytest.mark.parametrize("function", [least_squares, mixed])
def test_processes_do_not_change_the_numbers(completed_sets, function):
    one, two = (run_analyses(completed_sets[:4], function, n_jobs=n) for n in (1, 2))
    pd.testing.assert_frame_equal(one.table(), two.table(), rtol=1e-10)
    pd.testing.assert_frame_equal(one.pool().table, two.pool().table, rtol=1e-8)
    # the fits came back whole
    assert float(two.results[2].params["texp"]) == pytest.approx(
        float(one.results[2].params["texp"]), rel=1e-10
    )
    np.testing.assert_allclose(two.results[2].fittedvalues, one.results[2].fittedvalues, rtol=1e-10)


def test_a_formula_with_a_function_of_ones_own_comes_back(completed_sets):
    import statsmodels.formula.api as smf

    def own(data):
        def halved(x):
            return x / 2.0

        return smf.ols("popular ~ halved(texp)", data).fit()

    results = run_analyses(completed_sets[:2], own, n_jobs=2).results
    assert float(results[0].params["halved(texp)"]) == pytest.approx(
        float(own(completed_sets[0]).params["halved(texp)"])
    )


def test_fits_from_other_processes_can_be_compared(completed_sets):
    import statsmodels.formula.api as smf

    def null(data):
        return smf.ols("popular ~ sex", data).fit()

    tests = [
        run_analyses(completed_sets[:3], least_squares, n_jobs=n).compare(
            run_analyses(completed_sets[:3], null, n_jobs=n), "D4"
        )
        for n in (1, 2)
    ]
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=1e-9)


def test_what_cannot_travel_is_replaced_by_a_note(completed_sets):
    def with_a_generator(data):
        class Pair(tuple):
            __slots__ = ()

        pair = Pair(mean_of_popular(data))
        return [pair[0], pair[1]] if data is None else Holder(pair)

    class Holder(list):
        def __init__(self, pair):
            super().__init__(pair)
            self.lock = (i for i in range(3))

    analyses = run_analyses(completed_sets[:2], with_a_generator, n_jobs=2)
    assert "not kept, run with n_jobs=1" in repr(analyses.results[0])
    assert analyses.pool().table.loc["mean", "estimate"] > 0


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failure_names_the_data_set_and_the_reason(completed_sets, n_jobs):
    third = float(completed_sets[2]["popular"].mean())

    def fails(data):
        if abs(float(data["popular"].mean()) - third) < 1e-12:
            raise np.linalg.LinAlgError("Singular matrix\nand more")
        return mean_of_popular(data)

    with pytest.raises(
        AnalysisError, match=r"data set 3: the analysis failed: LinAlgError: Singular matrix$"
    ):
        run_analyses(completed_sets[:4], fails, n_jobs=n_jobs)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_of_ours_inside_the_function_is_a_failed_analysis(completed_sets, n_jobs):
    def fails(data):
        raise PoolError("inner")

    with pytest.raises(AnalysisError, match="data set 1: the analysis failed: PoolError: inner"):
        run_analyses(completed_sets[:2], fails, n_jobs=n_jobs)
    with pytest.raises(PoolError, match="data set 1: the function returned nothing"):
        run_analyses(completed_sets[:2], lambda data: None, n_jobs=n_jobs)


def test_an_unreadable_result_names_the_data_set(completed_sets):
    with pytest.raises(PoolError, match="data set 1: the function returned nothing"):
        run_analyses(completed_sets[:2], lambda data: None)
    with pytest.raises(PoolError, match=r"data set 2: .* numpy\.diag"):
        Analyses.from_results([mean_of_popular(completed_sets[0]), ({"mean": 1.0}, [0.1])])


def test_stops_at_the_first_failure(completed_sets):
    seen = []

    def fails(data):
        seen.append(1)
        raise KeyError("income")

    with pytest.raises(AnalysisError, match="data set 1: the analysis failed: KeyError: 'income'"):
        run_analyses(completed_sets, fails)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], mean_of_popular), "no completed data sets"),
        ((pd.DataFrame({"x": [1.0]}), mean_of_popular), "list of completed data sets, got a DataFrame"),
        ((5, mean_of_popular), "got a int"),
        (([pd.DataFrame()], "mean"), "needs a function"),
        (([pd.DataFrame()], mean_of_popular, 0), "n_jobs=0"),
        (([pd.DataFrame()], mean_of_popular, 1.5), "n_jobs=1.5"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(AnalysisError, match=message):
        run_analyses(*arguments)


def test_one_data_set_can_be_analysed_but_not_pooled(completed_sets):
    analyses = run_analyses(completed_sets[:1], mean_of_popular)
    with pytest.raises(PoolError, match="at least two completed data sets, got 1"):
        analyses.pool()


def test_the_function_cannot_change_the_data(completed_sets):
    def changes(data):
        data["popular"] = 0.0
        data["new"] = 1.0
        return {"n": float(len(data))}, [[1.0]]

    before = completed_sets[0].copy()
    run_analyses(completed_sets[:2], changes)
    pd.testing.assert_frame_equal(completed_sets[0], before)


def test_warnings_become_notices_and_one_notice_is_given(completed_sets):
    def warns(data):
        if data is not None and float(data["popular"].iloc[0]) == float(completed_sets[1]["popular"].iloc[0]):
            warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)
            warnings.warn("old name", DeprecationWarning, stacklevel=1)
        return mean_of_popular(data)

    with pytest.warns(
        BayesmiNotice,
        match=r"1 remark on 3 analyses \(.notices\): data set 2: RuntimeWarning: divide by zero",
    ) as caught:
        analyses = run_analyses(completed_sets[:3], warns)
    assert len(caught) == 1
    assert analyses.notices == ("data set 2: RuntimeWarning: divide by zero",)
    assert analyses.pool().notices == analyses.notices


def test_a_fit_that_does_not_converge_is_said(completed_sets):
    import statsmodels.formula.api as smf

    def stopped_early(data):
        return smf.logit("sex ~ texp + popular", data).fit(disp=0, maxiter=1)

    with pytest.warns(BayesmiNotice, match="data set 1: did not converge"):
        analyses = run_analyses(completed_sets[:2], stopped_early)
    assert [notice[:10] for notice in analyses.notices] == ["data set 1", "data set 2"]
    assert not analyses.extracts[0].converged


def test_singular_mixed_models_are_noted(completed_sets):
    def no_school_effect(data):
        y = data["popular"] - data.groupby("school")["popular"].transform("mean")
        return mixed(data.assign(popular=y))

    with pytest.warns(BayesmiNotice, match="singular"):
        analyses = run_analyses(completed_sets[:2], no_school_effect)
    assert sum("singular" in notice for notice in analyses.notices) == 2
    assert "no interval: 2 of 2 fits singular" in repr(analyses.pool())


def test_unknown_rule_for_dfcom(completed_sets):
    analyses = run_analyses(completed_sets[:2], least_squares)
    with pytest.raises(
        PoolError, match="data set 1: no dfcom='between-within' for this fit, it has 'residual'"
    ):
        analyses.pool(dfcom="between-within")
    assert analyses.pool(dfcom="residual").table["dfcom"].to_dict() == dict.fromkeys(
        ["Intercept", "texp", "sex"], 1997.0
    )
    assert analyses.pool(dfcom={"Intercept": 5, "texp": 6, "sex": 7}).table["dfcom"].to_list() == [5, 6, 7]


def test_the_smallest_df_counts_where_data_sets_differ(completed_sets):
    sets = [completed_sets[0], completed_sets[1].iloc[:1000]]
    assert set(run_analyses(sets, least_squares).pool().table["dfcom"]) == {997.0}


def test_progress_only_where_it_can_be_seen(completed_sets, capsys):
    run_analyses(completed_sets[:2], mean_of_popular, progress=True)
    assert capsys.readouterr().err == ""


def test_progress_is_shown_in_a_terminal(completed_sets, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    run_analyses(completed_sets[:2], mean_of_popular, progress=True)
    assert "analysing 2 of 2" in capsys.readouterr().err
    run_analyses(completed_sets[:2], mean_of_popular, progress=False)
    assert capsys.readouterr().err == ""


def test_rows_that_a_fit_leaves_out_are_counted():
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(2)
    tables = [pd.DataFrame({"x": rng.normal(size=20), "y": rng.normal(size=20)}) for _ in range(2)]
    for one in tables:
        one.loc[:3, "x"] = np.nan
    with pytest.warns(BayesmiNotice, match="left out 4 of 20 rows: cells of x are empty"):
        analyses = run_analyses(tables, lambda d: smf.ols("y ~ x", d).fit())
    assert len(analyses.notices) == 2
    subset = run_analyses(
        [one.fillna(0.0) for one in tables], lambda d: smf.ols("y ~ x", d[d["y"] > 0]).fit()
    )
    assert not subset.notices
