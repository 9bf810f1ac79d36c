"""D3 and anova as mice 3.15 has them, on the same completed sets."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmi.analyses import Analyses
from bayesmi.errors import NotSupportedError, PoolError
from bayesmi.posthoc import anova


def fits(sets, formula, kind="ols"):
    import statsmodels.formula.api as smf

    options = {} if kind in ("ols", "mixedlm") else {"disp": 0, "tol": 1e-14}
    given = {"groups": "school"} if kind == "mixedlm" else {}
    return Analyses.from_results(getattr(smf, kind)(formula, d, **given).fit(**options) for d in sets)


@pytest.fixture(scope="module")
def full(sets):
    return fits(sets, "popular ~ texp + sex + teachpop")


@pytest.fixture(scope="module")
def null(sets):
    return fits(sets, "popular ~ teachpop")


def same(test, expected, rel=1e-8):
    found = test.table.iloc[0]
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=rel, abs=1e-300), name


def test_d3_of_mice_for_linear_models(golden, sets, full, null):
    same(full.compare(null, "D3", convention="mice"), golden["mice_D3"])
    weak = fits(sets, "popular ~ teachpop + wave + tide")
    same(weak.compare(null, "D3", convention="mice"), golden["mice_weak_D3"])


def test_the_two_conventions_differ(full, null):
    ours, mice = full.compare(null, "D3"), full.compare(null, "D3", convention="mice")
    assert ours.statistic != pytest.approx(mice.statistic, rel=1e-3)
    assert full.compare(null).df2 > full.compare(null, convention="mice").df2
    assert full.compare(null, dfcom=1996).df2 == full.compare(null, convention="mice").df2


def test_d3_of_mice_for_logistic_models(golden, sets):
    large, small = fits(sets, "high ~ texp + sex", "logit"), fits(sets, "high ~ 1", "logit")
    same(large.compare(small, "D3", convention="mice"), golden["mice_logit_D3"], rel=1e-7)


def test_d3_of_mice_is_refused_where_it_is_wrong(sets):
    large, small = (fits(sets[:3], f"popular ~ {x}", "mixedlm") for x in ("sex", "1"))
    with pytest.raises(NotSupportedError, match="wrong for a mixed-model fit"):
        large.compare(small, "D3", convention="mice")
    with pytest.raises(PoolError, match="convention 'R'"):
        large.compare(small, convention="R")


@pytest.mark.parametrize("method", ["D1", "D2", "D3"])
def test_anova_as_mice(golden, sets, full, null, method):
    empty = fits(sets, "popular ~ 1")
    found = anova(null, empty, full, method=method)  # in any order
    assert found.comparisons == ("1 ~~ 2", "2 ~~ 3")
    for number, test in enumerate(found.tests, start=1):
        same(test, golden[f"anova_{method}_{number}"], rel=1e-7)
    assert found.table["terms"].tolist() == ["texp, sex", "teachpop"]
    assert "as mice has it" in repr(found)


def test_anova_refuses(full):
    with pytest.raises(PoolError, match="at least two models, got 1"):
        anova(full)
    with pytest.raises(PoolError, match="model 2 is a int"):
        anova(full, 3)


def test_monte_carlo_error_of_tests(full, null):
    test = full.compare(null)
    left_out = []
    for i in range(10):
        keep = [j for j in range(10) if j != i]
        pair = [Analyses.from_results([a.results[j] for j in keep]) for a in (full, null)]
        left_out.append(pair[0].compare(pair[1]).statistic)
    expected = np.sqrt(9 / 10 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert test.mcse["F.value"] == pytest.approx(expected)
    assert set(full.compare(null, "D2").mcse) == {"F.value", "df2", "P(>F)", "RIV"}
    for method in ("D3", "D4"):
        error = full.compare(null, method).mcse
        assert set(error) == {"F.value", "df2", "P(>F)", "RIV"}
        assert all(e > 0 for e in error.values())
