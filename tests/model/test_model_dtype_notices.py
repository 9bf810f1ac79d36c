"""Integers that come back as floats are announced when the model is made, before half a minute is spent on it."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import BayesmiNotice


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
