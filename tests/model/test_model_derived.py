"""Derived variables: parts are modelled, the column is computed, an observed value determines the missing part."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model
from bayesmi.errors import ModelError
from bayesmi.model.derived import read_derived


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


def test_contradictions_are_said():
    data = people()
    data.loc[30, "bmi"] = 50.0
    with pytest.warns(BayesmiNotice, match="'bmi' is not weight / height\\*\\*2 in row 30"):
        Model("y ~ bmi", data, derived=DERIVED)


def test_an_observed_value_with_several_missing_parts_is_a_constraint_on_them():
    data = people()
    data.loc[8, "bmi"] = 24.0
    model = quietly("y ~ bmi", data, derived=DERIVED)
    (constraint,) = model.table.constraints
    assert np.flatnonzero(constraint.rows).tolist() == [8]
    assert set(constraint.open) == {"weight", "height"}
    assert model.table.unknown["weight"][8]
    assert model.table.unknown["height"][8]


def test_a_value_that_no_part_gives_is_refused():
    data = people()
    data["s"] = data["height"] ** 2
    data.loc[11, "s"] = -4.0
    with pytest.raises(ModelError, match="'s' = -4 is observed in row 11 and no value of 'height' gives it"):
        quietly("y ~ height + weight", data, derived={"s": "height ** 2"})


def test_a_value_that_two_parts_give_is_refused():
    data = people()
    data["height"] -= 1.7
    data["s"] = data["height"] ** 2
    data.loc[11, "s"] = 0.01
    with pytest.raises(ModelError, match="more than one value of 'height'"):
        quietly("y ~ height + weight", data, derived={"s": "height ** 2"})


def items(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    data = pd.DataFrame(rng.integers(1, 6, (n, 3)).astype(float), columns=["i1", "i2", "i3"])
    data["total"] = data.sum(axis=1)
    data["y"] = data["total"] + rng.normal(size=n)
    return data


KINDS = dict.fromkeys(["i1", "i2", "i3"], "ordinal")


def test_ordered_items_count_by_the_numbers_of_their_levels():
    data = items()
    data.loc[3, ["i1", "total"]] = np.nan
    data.loc[4, "i2"] = np.nan  # follows from the total
    model = quietly("y ~ total", data, derived={"total": "i1 + i2 + i3"}, kinds=KINDS)
    assert model.analysis.column_names == ("total",)
    assert model.table.values["i2"][4] == items()["i2"][4] - 1  # a code
    assert model.analysis.matrix(dict(model.table.values), 60)[5, 0] == data["total"][5]


def test_levels_without_numbers_are_refused():
    data = items()
    data["i1"] = pd.Categorical(
        np.where(data["i1"] > 2, "high", "low"), categories=["low", "high"], ordered=True
    )
    with pytest.raises(ModelError, match="uses 'i1', which is"):
        quietly("y ~ i2", data, derived={"total": "i1 + i2"})


def test_an_item_that_cannot_give_its_total_is_refused_by_row():
    data = items()
    data.loc[4, "i2"] = np.nan
    data.loc[4, "total"] = 40.0
    with pytest.raises(ModelError, match="'total' = 40 is observed in row 4 and no value of 'i2' gives it"):
        quietly("y ~ i1 + i2 + i3", data, derived={"total": "i1 + i2 + i3"}, kinds=KINDS)


def test_two_equations_determine_two_parts():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(30, 3)), columns=["a", "b", "y"])
    data["s"], data["d"] = data["a"] + data["b"], data["a"] - 2 * data["b"]
    whole = data.copy()
    data.loc[[3, 9], ["a", "b"]] = np.nan
    model = quietly("y ~ a + b", data, derived={"s": "a + b", "d": "a - 2 * b"})
    for name in ("a", "b"):
        np.testing.assert_allclose(model.table.values[name], whole[name], rtol=1e-9)
    assert not model.table.constraints


def test_a_part_times_zero_is_not_tied():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(30, 3)), columns=["a", "b", "y"])
    data["on"] = (np.arange(30) % 3 > 0).astype(float)
    data["s"] = data["a"] + data["on"] * data["b"]
    whole = data["a"].copy()
    data.loc[[2, 3], ["a", "b"]] = np.nan
    model = quietly("y ~ a + b", data, derived={"s": "a + on * b"})
    assert model.table.values["a"][3] == pytest.approx(whole[3])
    assert np.flatnonzero(model.table.constraints[0].rows).tolist() == [2]


def test_rows_of_a_group_have_to_agree_on_a_part_of_it():
    person = np.repeat(np.arange(10), 4)
    rng = np.random.default_rng(1)
    birth = (1950.0 + np.arange(10))[person]
    year = birth + 50 + rng.normal(size=40)
    data = pd.DataFrame(
        {"person": person, "birth": birth, "year": year, "age": year - birth, "y": rng.normal(size=40)}
    )
    data.loc[person == 3, "birth"] = np.nan
    model = quietly("y ~ birth + year + (1 | person)", data, derived={"age": "year - birth"})
    np.testing.assert_allclose(model.table.values["birth"], birth)
    data.loc[13, "age"] += 4.0
    with pytest.raises(ModelError, match="different values of 'birth' in the same person in row 13"):
        quietly("y ~ birth + year + (1 | person)", data, derived={"age": "year - birth"})


def test_a_derived_response_is_modelled_by_its_parts():
    data = people()
    data["z"] = np.arange(80.0)
    with pytest.warns(BayesmiNotice, match=r"'bmi' is derived: its parts are modelled .*no one-step summary"):
        model = Model("bmi ~ z + y", data, derived=DERIVED)
    assert model.response == "weight"
    assert model.analysis.parents == {"z", "y", "height"}
    assert model.order == ("height",)
    assert str(model.formula) == "bmi ~ z + y"
    with pytest.raises(ModelError, match=r"all its parts are predictors"):
        quietly("bmi ~ weight + height", data, derived=DERIVED)
    with pytest.raises(ModelError, match=r"families={'weight': 'lognormal'}"):
        quietly("bmi ~ z", data, derived=DERIVED, family="lognormal")
    other = quietly("bmi ~ z", data, derived=DERIVED, families={"weight": "lognormal"})
    assert other.analysis.family.name == "lognormal"


def test_a_later_one_may_use_an_earlier_one():
    one, two = read_derived({"r": "a / b", "q": "r * 2"}, ["a", "b"])
    columns = {"a": np.array([4.0]), "b": np.array([2.0])}
    assert one.values(columns).tolist() == [2.0]
    assert two.values(columns).tolist() == [4.0]
    assert two.parts == {"a", "b"}


def whole_items() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({name: pd.array(rng.integers(1, 6, 60), dtype="Int64") for name in "ab"})
    data["total"], data["ratio"] = data["a"] + data["b"], data["a"] + data["b"]
    data["y"] = 0.3 * data["total"].astype(float) + rng.normal(size=60)
    data.loc[:9, ["a", "total", "ratio"]] = pd.NA
    return data


@pytest.mark.parametrize("kind", ["ordinal", "count"])
def test_a_total_of_whole_items_keeps_its_integer_dtype(kind):
    model = quietly(
        "y ~ total", whole_items(), derived={"total": "2 * (a + b) - b"}, kinds=dict.fromkeys("ab", kind)
    )
    assert {"total"} <= model.integer_valued
    assert not [line for line in model.notices if "comes back as" in line]


def test_a_derived_integer_that_becomes_float_is_said():
    model = quietly(
        "y ~ ratio", whole_items(), derived={"ratio": "(a + b) / 2"}, kinds=dict.fromkeys("ab", "ordinal")
    )
    assert "ratio" not in model.integer_valued
    assert [line for line in model.notices if "'ratio' is Int64 and comes back as Float64" in line]
