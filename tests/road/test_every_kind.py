"""Every kind of variable and of effect, from the table to completed tables: nothing of it is refused or left a hole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from road_tables import N, table

import bayesmi as bmi

pytestmark = [pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")]

_RNG = np.random.default_rng(8)
LETTERS = pd.Categorical([None, *_RNG.choice(["p", "q", "r"], N - 2), None])
GRADES = pd.Categorical([None, *_RNG.choice(["low", "mid", "top"], N - 2), None], ordered=True)
COUNTS = pd.array([pd.NA, *_RNG.poisson(1.5, N - 2), pd.NA], dtype="Int64")
PRICE = np.r_[np.nan, np.exp(0.4 * _RNG.normal(size=N - 2)), np.nan]
OF_GROUP = np.repeat([np.nan, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, np.nan], 5)
KIND_OF_GROUP = pd.Categorical(np.repeat([None, "s", "t", "u", "s", "t", "u", "s"], 5))

# name -> (formula, columns of the table, options, the column looked at, what the plan says of its cells)
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str, str]] = {
    "nominal response": ("w ~ x + z", {"w": LETTERS}, {}, "w", "predict"),
    "ordinal response": ("w ~ x + z", {"w": GRADES}, {}, "w", "predict"),
    "count response": ("w ~ x + z", {"w": COUNTS}, {"kinds": {"w": "count"}}, "w", "predict"),
    "log-normal response": ("w ~ x + z", {"w": PRICE}, {"family": "lognormal"}, "w", "predict"),
    "nominal covariate": ("y ~ w + z", {"w": LETTERS}, {}, "w", "enumerate"),
    "ordinal covariate": ("y ~ w + z", {"w": GRADES}, {}, "w", "enumerate"),
    "count covariate": ("y ~ w + z", {"w": COUNTS}, {"kinds": {"w": "count"}}, "w", "enumerate"),
    "log-normal covariate": ("y ~ log(w) + z", {"w": PRICE}, {"families": {"w": "lognormal"}}, "w", "grid"),
    "square": ("y ~ x + I(x ** 2) + z", {}, {}, "x", "grid"),
    "spline": ("y ~ bs(x, df=4) + z", {}, {}, "x", "grid"),
    "offset": ("y ~ z + offset(x)", {}, {}, "x", "grid"),
    "square in a slope": ("y ~ z + (I(x ** 2) | g)", {}, {}, "x", "grid"),
    "product of two": ("y ~ x * w", {"w": np.where(np.arange(N) < 3, np.nan, PRICE)}, {}, "w", "grid"),
    "product with one of the cluster": ("y ~ x * w + (1 | g)", {"w": OF_GROUP + np.arange(N) // 5}, {}, "x", "grid"),
    "binary of a cluster": ("y ~ w + z + (1 | g)", {"w": OF_GROUP}, {}, "w", "enumerate"),
    "nominal of a cluster": ("y ~ w + x + (1 | g)", {"w": KIND_OF_GROUP}, {}, "w", "enumerate"),
    "square of a cluster": ("y ~ w + I(w ** 2) + (1 | g)", {"w": OF_GROUP + np.arange(N) // 5}, {}, "w", "grid"),
    "grid asked for": ("b ~ x + z", {}, {"treatments": {"x": "grid"}}, "x", "grid"),
    "continuous auxiliary": ("y ~ x", {}, {"auxiliary": ["z"]}, "y", "integrate"),
    "nominal auxiliary": ("y ~ x", {"w": LETTERS}, {"auxiliary": ["w"]}, "w", "predict"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_from_the_table_to_completed_tables(name: str) -> None:
    formula, columns, options, column, treatment = KINDS[name]
    data = table(**columns)
    model = bmi.Model(formula, data, **options)
    assert treatment in {group.treatment for group in model.plan().cells if group.variable == column}
    fit = model.fit(seed=1, draws=60, tune=120, chains=2, progress=False)
    assert np.isfinite(fit.summary()["mean"]).all()
    imputed = fit.impute(2, despite_gate=True)
    completed = imputed.complete(1)
    holes = data[column].isna()
    assert holes.any()
    used = [factor.variable for factor in model.factors]
    assert completed[used].notna().all(axis=None)
    assert data[column][~holes].tolist() == completed[column][~holes].tolist()
    drawn = completed.loc[holes, column]
    if isinstance(data[column].dtype, pd.CategoricalDtype):
        assert completed[column].dtype == data[column].dtype
    elif options.get("kinds"):
        assert completed[column].dtype == data[column].dtype
        assert (drawn >= 0).all()
    elif "lognormal" in repr(options):
        assert (drawn > 0).all()
    if model.factor(column).level != "row":
        assert completed.groupby("g")[column].nunique().eq(1).all()
    second = imputed.complete(2)
    if not model.factor(column).family.is_discrete:
        assert not np.array_equal(second.loc[holes, column], drawn)
    again = model.fit(seed=1, draws=60, tune=120, chains=2, progress=False).impute(2, despite_gate=True)
    pd.testing.assert_frame_equal(again.complete(1), completed)
