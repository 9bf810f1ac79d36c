"""Without a formula: what enters the model, and what is left out and said to be."""

from __future__ import annotations

import numpy as np
import pytest
from road_tables import N, table

from bayesmi.errors import BayesmiNotice
from bayesmi.impute import everything_formula


@pytest.mark.parametrize("start", [0, 1])
def test_row_numbers_are_no_predictor(start: int) -> None:
    data = table(number=range(start, N + start))
    with pytest.warns(BayesmiNotice, match="left out of the model .*row numbers.*: number"):
        assert "number" not in everything_formula(data, cluster="g")


@pytest.mark.parametrize(
    "values", [np.arange(N) * 2.0, np.arange(N)[::-1], np.arange(N) + 5, np.r_[0, np.arange(N - 1)]]
)
def test_other_numbers_are_predictors(values: np.ndarray) -> None:
    assert "number" in everything_formula(table(number=values), cluster="g")
