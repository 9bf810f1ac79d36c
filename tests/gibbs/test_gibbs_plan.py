"""Which cells are held, what the plan says of it, and what is refused beside it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from gibbs_tables import questionnaire
from kernel_cases import small_table

from bayesmi import Model
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.mechanism import Delta
from bayesmi.plan.held import BLOCK


def model_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Model(formula, data, **options)


def whole_questionnaire(n=200, **options):
    data, effects = questionnaire(n, 12, 3, seed=1)
    data.loc[2, "b1"] = np.nan  # beside the wave a row with few holes
    kinds = {name: "ordinal" for name in effects if name.startswith("o")}
    return data, effects, model_of("y ~ " + " + ".join(effects), data, kinds=kinds, **options)


def test_units_beyond_the_budget_are_held_and_the_plan_says_so():
    data, effects, model = whole_questionnaire()
    plan = model.plan()
    wave = np.flatnonzero(data["b2"].isna())
    for name in effects:
        if name != "z":
            np.testing.assert_array_equal(plan.units(name, "gibbs"), wave)
    assert 2 not in wave
    assert plan.units("b1", "enumerate").tolist() == [2]
    assert plan.n_expanded == 2
    assert plan.holds
    text = str(plan)
    combinations = 2**12 * 4**3
    assert f"{len(wave):,} cells  held, drawn in blocks" in text
    assert "(with more than 1024 combinations in a unit: each at one value" in text
    assert f"held: {15 * len(wave):,} cells of {len(wave)} rows, because summing out the cells of" in text
    assert (
        f"needs {combinations * len(wave) + 2:,} weighted rows (up to {combinations:,} for one row)" in text
    )
    assert "more than 4,000,000" in text
    assert f"blocks of up to {BLOCK} combinations, about " in text


def test_within_the_budget_nothing_is_held():
    plan = model_of("y ~ b1 + b2 + z", small_table()).plan()
    assert not plan.holds
    assert "held" not in str(plan)


@pytest.mark.parametrize("asked", ["gibbs", {"enumerate": "gibbs"}])
def test_cells_are_held_where_that_is_asked_for(asked):
    plan = model_of("y ~ b1 + b2 + z", small_table(), treatments={"b1": asked}).plan()
    assert plan.units("b1", "gibbs").tolist() == [2, 7]
    assert plan.units("b1", "predict").tolist() == [11]
    assert plan.units("b2", "enumerate").tolist() == [7, 15]
    assert "asked for: each at one value" in str(plan)


def test_cells_in_one_term_with_a_missing_continuous_variable_of_their_row_stay_summed():
    data = small_table()
    data.loc[3, "b1"] = np.nan  # x is missing there too
    plan = model_of("y ~ b1 * x + z", data, treatments={"b1": "gibbs"}).plan()
    assert plan.units("b1", "gibbs").tolist() == [2, 7, 11]
    assert plan.units("b1", "enumerate").tolist() == [3]
    data = data.drop(index=[2, 7, 11])
    with pytest.raises(
        ModelError, match=r"treatments\['b1'\]='gibbs'.*in one term with a missing continuous"
    ):
        model_of("y ~ b1 * x + z", data, treatments={"b1": "gibbs"}).plan()


def test_cells_that_follow_from_an_observed_derived_value_are_not_held():
    model = model_of("y ~ p + k", small_table(), derived={"pk": "p + 1.5 * k"}, treatments={"p": "gibbs"})
    with pytest.raises(ModelError, match=r"treatments\['p'\]='gibbs'.*tied by an observed derived value"):
        model.plan()


def test_many_cells_of_a_school_are_held():
    rng = np.random.default_rng(2)
    school = np.repeat(np.arange(30), 20)
    names = [f"s{j}" for j in range(14)]
    data = pd.DataFrame({name: rng.integers(0, 2, 30)[school].astype(float) for name in names})
    data["school"], data["x"] = school, rng.normal(size=600)
    data["y"] = data[names].sum(axis=1) + data["x"] + rng.normal(size=30)[school] + rng.normal(size=600)
    data.loc[np.isin(school, np.arange(15)), names] = np.nan
    model = model_of(f"y ~ x + {' + '.join(names)} + (1 | school)", data)
    plan = model.plan()
    assert all(len(plan.units(name, "gibbs")) == 15 for name in names)
    assert "of 15 groups of school" in str(plan)


def test_beyond_the_budget_with_what_cannot_be_held_is_refused():
    data, _, _ = whole_questionnaire(60)
    rng = np.random.default_rng(3)
    for name in ("c1", "c2", "c3", "c4"):
        data[name] = rng.poisson(20.0, len(data)).astype(float)
        data.loc[data["b2"].isna(), name] = np.nan
    kinds = dict.fromkeys(("c1", "c2", "c3", "c4"), "count")
    model = model_of("y ~ c1 + c2 + c3 + c4 + b1 + b2", data, kinds=kinds)
    with pytest.raises(
        NotSupportedError, match=r"c1, c2, c3, c4.*once all cells are held that can be: take"
    ) as caught:
        model.plan()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["conditional", "model"])
def test_deltas_that_redraw_cells_are_refused_beside_held_cells(kind):
    model = model_of(
        "y ~ b1 + z",
        small_table(),
        treatments={"b1": "gibbs"},
        mechanisms={"b1": Delta(0.5, kind=kind)},
    )
    with pytest.raises(NotSupportedError, match=rf"mechanisms\['b1'\] of kind '{kind}'.*kind='after'"):
        model.plan()


def test_counts_cannot_be_held():
    with pytest.raises(
        ModelError, match=r"treatments\['times'\] can be 'predict' or 'enumerate', not 'gibbs'"
    ):
        model_of(
            "y ~ times + z", small_table(), kinds={"times": "count"}, treatments={"times": "gibbs"}
        ).plan()
