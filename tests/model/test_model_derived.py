"""Derived variables: parts are modelled, the column is computed, an observed value determines the missing part."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.model.derived import read_derived, solve_parts


def people(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    height = rng.normal(1.7, 0.1, n)
    weight = 70 + 60 * (height - 1.7) + rng.normal(0, 8, n)
    data = pd.DataFrame({"weight": weight, "height": height})
    data["bmi"] = weight / height**2
    data["y"] = 1 + 0.2 * data["bmi"] + rng.normal(size=n)
    data.loc[:9, ["weight", "bmi"]] = np.nan
    data.loc[7:12, ["height", "bmi"]] = np.nan
    data.loc[20, "weight"] = np.nan  # its bmi is observed
    return data


def quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(*arguments, **options)


DERIVED = {"bmi": "weight / height**2"}


def test_the_parts_are_modelled_and_the_term_keeps_its_name():
    model = quietly("y ~ bmi", people(), derived=DERIVED)
    assert {factor.variable for factor in model.factors} == {"y", "weight", "height"}
    assert model.analysis.column_names == ("bmi",)
    assert model.analysis.parents == {"weight", "height"}
    assert str(model.formula) == "y ~ bmi"


def test_an_observed_value_determines_the_missing_part():
    data = people()
    model = quietly("y ~ bmi", data, derived=DERIVED)
    assert model.table.values["weight"][20] == pytest.approx(
        data["bmi"][20] * data["height"][20] ** 2, rel=1e-9
    )
    assert not model.table.unknown["weight"][20]
    (group,) = (g for g in model.plan().cells if g.treatment == "deduce")
    assert group.units.tolist() == [20]
    assert "observed derived value" in group.reason


@pytest.mark.xdist_group("derived_fit")
def test_completed_data_are_consistent_and_observed_cells_stay():
    data = people()
    fit = quietly("y ~ bmi", data, derived=DERIVED).fit(seed=1, draws=150, tune=300, progress=False)
    for one in fit.impute(3, despite_gate=True):
        np.testing.assert_allclose(one["bmi"], one["weight"] / one["height"] ** 2, rtol=1e-12)
        assert not one.isna().any().any()
        pd.testing.assert_series_equal(one["bmi"][data["bmi"].notna()], data["bmi"].dropna())


def test_a_column_that_the_table_lacks_is_added():
    model = quietly("y ~ weight", people().drop(columns="bmi"), derived=DERIVED)
    assert model.frame.columns["bmi"].n_missing == 80
    assert "bmi" not in {factor.variable for factor in model.factors}


def test_contradictions_are_said_and_several_missing_parts_refused():
    data = people()
    data.loc[30, "bmi"] = 50.0
    with pytest.warns(BayesmiNotice, match="'bmi' is not weight / height\\*\\*2 in row 30"):
        Model("y ~ bmi", data, derived=DERIVED)
    data = people()
    data.loc[8, "bmi"] = 24.0
    with pytest.raises(NotSupportedError, match="'bmi' is observed in 1 rows where two or more"):
        quietly("y ~ bmi", data, derived=DERIVED)


def test_a_value_that_no_part_gives_is_refused():
    derived = read_derived({"s": "a ** 2"}, ["a"])
    values = {"a": np.array([1.0, np.nan, 2.0]), "s": np.array([1.0, -4.0, 4.0])}
    with pytest.raises(ModelError, match="no value of 'a'"):
        solve_parts(derived, values, {"a": np.isnan(values["a"])})


def test_a_later_one_may_use_an_earlier_one():
    one, two = read_derived({"r": "a / b", "q": "r * 2"}, ["a", "b"])
    columns = {"a": np.array([4.0]), "b": np.array([2.0])}
    assert one.values(columns).tolist() == [2.0]
    assert two.values(columns).tolist() == [4.0]
    assert two.parts == {"a", "b"}
