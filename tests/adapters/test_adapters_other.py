"""Pairs, tidy tables, lifelines, and what no adapter reads."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi.adapters import ADAPTERS, extract, likelihood
from bayesmi.analyses import Analyses
from bayesmi.errors import NotSupportedError, PoolError
from bayesmi.pool import pool


def test_pairs():
    found = extract((np.array([1.0, 2.0]), np.eye(2)))
    assert list(found.estimates.index) == ["Parameter.1", "Parameter.2"]
    assert found.dfcom == np.inf
    with pytest.raises(PoolError, match=r"numpy\.diag"):
        extract(({"a": 1.0}, [0.5]))


def test_tidy_tables():
    tables = [
        pd.DataFrame(
            {"term": ["a", "b"], "estimate": [1.0 + i, 2.0], "std.error": [0.1, 0.2], "df": [10.0, 20.0]}
        )
        for i in range(3)
    ]
    table = Analyses.from_results(tables).pool().table
    assert table["dfcom"].to_dict() == {"a": 10.0, "b": 20.0}
    expected = pool([({"a": 1.0 + i, "b": 2.0}, np.diag([0.01, 0.04])) for i in range(3)], [10, 20]).table
    pd.testing.assert_frame_equal(table, expected)
    by_index = [one.set_index("term").drop(columns="df") for one in tables]
    assert (Analyses.from_results(by_index).pool().table["dfcom"] == np.inf).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            pd.DataFrame({"term": ["a"], "coef": [1.0]}),
            "columns term, estimate and std.error, this one has term, coef",
        ),
        (
            pd.DataFrame({"term": ["a", "a"], "estimate": [1.0, 2], "std.error": [1.0, 1]}),
            "term 'a' has two rows",
        ),
        (pd.DataFrame({"term": ["a"], "estimate": ["x"], "std.error": [1.0]}), "column 'estimate'"),
        (pd.DataFrame({"term": [], "estimate": [], "std.error": []}), "no rows"),
    ],
)
def test_bad_tidy_tables(table, message):
    with pytest.raises(PoolError, match=message):
        extract(table)


class Cox:
    """Looks like lifelines' fitted Cox model."""

    __module__ = "lifelines.fitters.coxph_fitter"

    def __init__(self):
        self.params_ = pd.Series([0.5, -0.2], index=pd.Index(["age", "sex"], name="covariate"))
        self.variance_matrix_ = pd.DataFrame(
            np.diag([0.01, 0.02]), index=["age", "sex"], columns=["age", "sex"]
        )
        self.event_observed = pd.Series([1, 1, 0, 1, 1, 1])


Cox.__name__ = "CoxPHFitter"


def test_lifelines_by_its_looks():
    found = extract(Cox())
    assert found.dfcom == 3.0
    assert found.estimates.to_dict() == {"age": 0.5, "sex": -0.2}
    assert found.n_obs == 6


def test_lifelines_itself():
    lifelines = pytest.importorskip("lifelines", reason="the extra bayesmi[lifelines] is not installed")
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"x": rng.normal(size=80), "t": rng.exponential(size=80), "e": rng.integers(0, 2, size=80)}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = lifelines.CoxPHFitter().fit(data, "t", "e")
    found = extract(fit)
    assert found.dfcom == data["e"].sum() - 1
    np.testing.assert_allclose(found.covariance, fit.variance_matrix_)


class Estimator:
    def __init__(self):
        self.coef_ = np.ones(2)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "returned nothing"),
        (1.0, "cannot read estimates out of float"),
        ("text", "out of str"),
        ((1, 2, 3), "out of tuple"),
    ],
)
def test_what_cannot_be_read(result, message):
    with pytest.raises(PoolError, match=message):
        extract(result)


def test_a_model_that_is_not_fitted():
    import statsmodels.formula.api as smf

    data = pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": [0.0, 1.0, 2.0]})
    with pytest.raises(PoolError, match=r"not fitted: return model.fit\(\)"):
        extract(smf.ols("y ~ x", data))


def test_several_equations_are_refused():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    fit = sm.MNLogit(np.arange(60) % 3, sm.add_constant(rng.normal(size=60))).fit(disp=0)
    with pytest.raises(PoolError, match="several equations"):
        extract(fit)


def test_likelihood_is_not_offered_for_pairs():
    with pytest.raises(NotSupportedError, match="pair"):
        likelihood(({"a": 1.0}, [[1.0]]))


def test_contract_of_every_adapter():
    strangers = [None, 1.0, "x", object(), np.ones(3), [1, 2, 3]]
    for adapter in ADAPTERS:
        assert adapter.name
        for stranger in strangers:
            assert adapter.recognises(stranger) is False


def test_cox_model_of_statsmodels_has_events_less_parameters():
    # mice: nevent - p, also for lifelines
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(60, 2)), columns=["x", "z"])
    data["time"] = rng.exponential(size=60)
    event = np.arange(60) % 3 > 0
    found = extract(smf.phreg("time ~ x + z", data, status=event.astype(int)).fit())
    assert found.dfcom == found.dfcom_choices["residual"] == 38.0
