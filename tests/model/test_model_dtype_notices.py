"""Integers that come back as floats are announced when the model is made, before half a minute is spent on it."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import BayesmiNotice, ModelError


def table() -> pd.DataFrame:
    whole = pd.array([3, None, 5, 6, 8, 9, 12, 4], dtype="Int64")
    return pd.DataFrame({"y": [1.0, 2.5, 2.0, 4.0, 3.0, 5.5, 6.0, 2.0], "k": whole, "spare": whole})


def test_model_says_that_integers_come_back_as_floats():
    with pytest.warns(BayesmiNotice, match=r"'k' is Int64 and comes back as Float64"):
        model = bmi.Model("y ~ k", table())
    assert sum("comes back as" in line for line in model.notices) == 1  # `spare` is not imputed


def test_binary_and_complete_integers_stay():
    data = table().assign(b=pd.array([0, 1, None, 1, 0, 0, 1, 0], dtype="Int64"), full=range(8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not bmi.Model("y ~ b + full", data).notices


def test_levels_that_look_like_holes_are_said():
    data = pd.DataFrame(
        {"y": [1.0, 2.5, 3.0, 4.5, 2.0, 1.5], "k": ["a", "", "b", "", "a", "b"], "other": ["?", "u"] * 3}
    )
    with pytest.warns(BayesmiNotice, match="'k'"):
        model = bmi.Model("y ~ k", data)
    found = [line for line in model.notices if "means missing" in line]
    assert found == [
        "column 'k': '' in 2 cells is a level like the others; if it means missing: bmi.recode_missing(data, {'k': ['']})"
    ]


def numbers_as_text(words: list[str]) -> pd.DataFrame:
    n = len(words)
    return pd.DataFrame({"y": [float(i * i % 7) for i in range(n)], "k": words, "g": list("ab") * (n // 2)})


LAB = [*(f"{i / 10}" for i in range(13)), "0.1", "<0.1", "<0.1"] * 2


def test_levels_that_are_numbers_are_said():
    with pytest.warns(BayesmiNotice, match="'k'"):
        model = bmi.Model("y ~ k + g", numbers_as_text(LAB))
    assert [line for line in model.notices if "written as text" in line] == [
        "column 'k': all of 14 levels but '<0.1' are numbers written as text, and each is a level of its own; if it is a "
        "number: correct these, then data['k'] = pd.to_numeric(data['k']); if not: kinds={'k': 'nominal'}"
    ]


@pytest.mark.parametrize(
    ("words", "options"),
    [(LAB, {"kinds": {"k": "nominal"}}), (["1", "2", "3", "2"] * 4, {}), (list("abcdefghijkllmno"), {})],
)
def test_levels_that_are_said_codes_or_words_are_not(words, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = bmi.Model("y ~ k + g", numbers_as_text(words), **options)
    assert not [line for line in model.notices if "written as text" in line]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([f"{i / 10}" for i in range(16)], r"'k' holds numbers written as text: data\['k'\] = pd.to_numeric"),
        (["<5", *(f"{i},5" for i in range(15))], r"\(all but '<5'\): correct these, then data\['k'\] = "),
        ([f"id{i}" for i in range(16)], "'k' is an identifier"),
    ],
)
def test_what_is_an_identifier_for_being_numbers_in_text(words, text):
    for options in ({}, {"auxiliary": ["k"]}):
        with pytest.raises(ModelError, match=text):
            bmi.Model("y ~ g" if options else "y ~ k", numbers_as_text(words), **options)
