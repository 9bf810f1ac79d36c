"""Group terms that say nothing, or the same twice, are refused in one line; slopes without a spread within groups are said."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import ModelError


@pytest.fixture(scope="module")
def pupils() -> pd.DataFrame:
    """Ten schools of six; w and late (a 0/1) are the school's, x is the pupil's."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(10), 6)
    table = pd.DataFrame(
        {"school": [f"s{k}" for k in g], "id": g.astype(float), "cls": np.tile(["a", "b"], 30)}
    )
    table["x"] = np.where(rng.random(60) < 0.2, np.nan, rng.normal(size=60))
    table["w"] = rng.normal(size=10)[g]
    table["late"] = (np.arange(10) % 3 == 0).astype(float)[g]
    table["y"] = rng.normal(size=60) + rng.normal(size=10)[g]
    return table


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (
            "y ~ x + (1 + school | school)",
            r"^\(1 \+ school \| school\): 'school' has one value in each group .* write \(1 \| school\)$",
        ),
        ("y ~ x + (1 + x + id | id)", r"has no slope there: write \(1 \+ x \| id\)$"),
        ("y ~ x + (1 + cls | school:cls)", r"has no slope there: write \(1 \| school:cls\)$"),
        (
            "y ~ x + school + (1 | school)",
            r"^'school' is a predictor, .* leave one of the two out of the formula$",
        ),
        ("w ~ x + (1 | school)", r"^'w' is constant within 'school', .*: make a table with one row a school"),
        ("w ~ x + (1 | school:cls)", r"^'w' is constant within 'school:cls'"),
    ],
)
def test_group_terms_that_say_nothing_are_refused(pupils, formula, line):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ModelError, match=line) as caught:
            bmi.Model(formula, pupils)
    assert "\n" not in str(caught.value)


def test_a_covariate_of_groups_forced_to_rows_is_refused(pupils):
    holes = pupils.assign(w=pupils["w"].mask(pupils["school"] == "s3"))
    with pytest.raises(ModelError, match=r"^'w' is constant within 'school', .* leave 'w' out of levels=$"):
        bmi.Model("y ~ w + (1 | school)", holes, levels={"w": "row"})
    bmi.Model("y ~ w + (1 | school)", holes)


def test_slopes_on_what_is_constant_in_groups_are_said(pupils):
    with pytest.warns(bmi.BayesmiNotice, match=r"^\(1 \+ w \| school\): 'w' is constant within school"):
        bmi.Model("y ~ w + (1 + w | school)", pupils)
    with pytest.warns(
        bmi.BayesmiNotice,
        match=r"'late' is constant within school: its rows are not independent, and missing ones",
    ):
        bmi.Model("late ~ x + (1 | school)", pupils)


def test_what_looks_like_it_and_is_not_stays(pupils):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bmi.Model("y ~ id + (1 | id)", pupils)  # a trend over groups
        bmi.Model("y ~ x + w:x + (1 + x | school)", pupils)
        bmi.Model("y ~ cls + (1 | school:cls)", pupils)
        bmi.Model("y ~ x + (1 + cls | school)", pupils)
        bmi.Model("y ~ x + school", pupils)


def test_the_model_of_a_complete_covariate_is_not_called_one_of_an_incomplete(pupils):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = repr(
            bmi.Model(
                "y ~ within(x) + between(x) + late + z + (1 | school)", pupils.assign(z=np.sin(range(60)))
            )
        )
    assert "model of a covariate; complete, 60 rows" in text
    assert "model of an incomplete covariate; complete" not in text


def test_formulas_of_covariates_are_looked_at_too(pupils):
    line = r"^formulas\['x'\]: \(1 \+ school \| school\): 'school' has one value in each group"
    with pytest.raises(ModelError, match=line):
        bmi.Model("y ~ x + (1 | school)", pupils, formulas={"x": "~ (1 + school | school)"})


def test_few_values_that_agree_are_no_constant():
    rng = np.random.default_rng(1)
    g = np.r_[np.arange(20), 0]
    x = np.round(rng.normal(size=21), 1)
    x[20] = x[0]  # the only group with two
    table = pd.DataFrame({"g": g, "x": np.where(np.arange(21) == 7, np.nan, x), "y": rng.normal(size=21)})
    bmi.Model("y ~ x + (1 | g)", table, levels={"x": "row"})
