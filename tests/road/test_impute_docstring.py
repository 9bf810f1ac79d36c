"""What impute() hands on to Model is named in its docstring."""

from __future__ import annotations

import inspect
import re

import bayesmi as bmi


def test_impute_names_every_option_of_model():
    options = set(inspect.signature(bmi.Model).parameters) - {"formula", "data"}
    said = (bmi.impute.__doc__ or "").split("**model_options")[1].split("Returns")[0]
    assert options <= set(re.findall(r"\w+", said))
