"""Identical rows are evaluated once; the density and the classes of the design stay what the rows say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.build import build_sampled
from bayesmi.build.distinct import distinct_rows


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 600
    sex = rng.integers(0, 2, n).astype(float)
    grade = rng.integers(0, 3, n)
    age = rng.normal(size=n)
    y = (rng.random(n) < 0.5).astype(float)
    sex[rng.random(n) < 0.3] = np.nan
    return pd.DataFrame(
        {
            "y": y,
            "sex": sex,
            "grade": pd.Categorical(grade),
            "age": age,
            "school": np.repeat(np.arange(12), 50),
        }
    )


def test_rows_that_agree_in_everything_stand_once_with_their_count(table: pd.DataFrame) -> None:
    model = bmi.Model("y ~ sex + grade + (1 | school)", table, formulas={"sex": "~ grade"})
    built = build_sampled(model)
    own = built.tables.factors["y"]
    found = distinct_rows(own)
    assert found.n <= 12 * 2 * 3 * 2  # schools, sexes, grades, outcomes
    assert found.counts.sum() == own.n_plain
    np.testing.assert_array_equal(own.base[found.first][found.row_of], own.base)
    np.testing.assert_array_equal(own.response[found.first][found.row_of], own.response)
    codes = own.effects[0].codes
    np.testing.assert_array_equal(codes[found.first][found.row_of], codes)


def test_classes_hold_all_but_the_columns_that_differ_row_by_row(table: pd.DataFrame) -> None:
    model = bmi.Model("y ~ age + sex + grade + (1 | school)", table)
    own = build_sampled(model).tables.factors["y"]
    found = distinct_rows(own)
    assert found.n == own.n_rows
    assert found.classes is not None
    assert len(found.members) <= 12 * 2 * 3
    assert found.own.tolist() == [0]
    rest = [j for j in range(own.base.shape[1]) if j not in found.own]
    np.testing.assert_array_equal(own.base[found.members][found.classes][:, rest], own.base[:, rest])


def test_a_design_in_which_every_row_differs_is_left_as_it_is(table: pd.DataFrame) -> None:
    spread = table.assign(school=np.arange(len(table)) // 2, age=table.age)
    own = build_sampled(bmi.Model("y ~ age + (1 | school)", spread)).tables.factors["y"]
    found = distinct_rows(own)
    assert found.classes is None
    assert found.n == own.n_rows
