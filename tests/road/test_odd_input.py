"""Odd but honest input: taken, said in a line where it is worth knowing, imputed, and given back as it came."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from road_tables import N, table

import bayesmi as bmi
from bayesmi.errors import BayesmiNotice


@dataclass
class Road:
    """What came out, and what was said on the way; the gate's verdict on these short chains is left out."""

    fit: bmi.Fit
    imputed: bmi.Imputations
    completed: Any
    notices: list[str]

    def said(self, *words: str) -> int:
        return sum(all(word in line for word in words) for line in self.notices)

    @property
    def means(self) -> pd.Series:
        return self.fit.summary()["mean"]


def travel(formula: str, data: Any, **options: Any) -> Road:
    """Model, fit, impute, complete; nothing but BayesmiNotice is said, observed cells and dtypes stay."""
    draws, tune = options.pop("draws", 100), options.pop("tune", 100)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = bmi.Model(formula, data, **options)
        fit = model.fit(seed=1, draws=draws, tune=tune, progress=False)
        imputed = fit.impute(2, despite_gate=True)
        completed = imputed.complete(1)
        imputed.complete("long")
        summary = fit.summary()
    assert {warning.category for warning in caught} <= {BayesmiNotice}
    assert np.isfinite(summary["mean"]).all()
    notices = [str(warning.message) for warning in caught if "checks FAILED" not in str(warning.message)]
    once = [line for line in notices if "comes back as" not in line]  # the model and complete() both say that
    assert len(set(once)) == len(once)
    assert not any("\n" in line for line in notices)
    if isinstance(data, pd.DataFrame):
        used = [factor.variable for factor in model.factors]
        assert completed[used].notna().all(axis=None)
        assert completed.index.equals(data.index)
        assert list(completed.columns) == list(data.columns)
        for name in data.columns:
            known = data[name].notna().to_numpy()
            assert data[name][known].tolist() == completed[name][known].tolist()
    return Road(fit, imputed, completed, list(dict.fromkeys(notices)))


pytestmark = [pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")]


def test_one_row_clusters_among_others_are_named_once() -> None:
    road = travel("y ~ x + (1 | g)", table(g=[0, 1, 2] + [3] * 17 + [4] * 20))
    assert road.said("grouping 'g'", "3 of 5 groups have one row") == 1
    assert road.fit.posterior["1|g"].sizes["g__factor_dim"] == 5


def test_empty_level_is_dropped_from_the_coding_and_kept_in_the_dtype() -> None:
    levels = pd.Categorical([*["a", "b"] * 19, None, None], categories=["never", "a", "b"])
    road = travel("y ~ c", table(c=levels))
    assert road.said("column 'c'", "'never'", "left out of the coding, kept in the dtype") == 1
    assert list(road.completed["c"].cat.categories) == ["never", "a", "b"]
    assert set(road.completed["c"]) == {"a", "b"}
    assert "c[b]" in road.means.index


def test_empty_first_level_of_a_complete_predictor() -> None:
    levels = pd.Categorical((["p", "q", "r"] * 14)[:N], categories=["never", "p", "q", "r"])
    road = travel("y ~ x + c", table(c=levels))
    assert road.said("column 'c'", "'never'") == 1
    assert {"c[q]", "c[r]"} <= set(road.means.index)


def test_a_number_that_stands_out_like_a_missing_code_is_said() -> None:
    z = table().z.copy()
    z.iloc[:4] = -99.0
    road = travel("y ~ z", table(z=z))
    assert road.said("column 'z'", "-99 in 4 cells is a number like the others", "{'z': [-99]}") == 1
    assert (road.completed["z"].iloc[:4] == -99.0).all()
    assert travel("y ~ z", table()).said("is a number like the others") == 0


def test_many_collinear_predictors_are_one_notice() -> None:
    copies = {f"z{j}": j * table().z + j for j in range(2, 12)}
    with warnings.catch_warnings(record=True) as notices:
        warnings.simplefilter("always", BayesmiNotice)
        bmi.Model("y ~ z + " + " + ".join(copies), table(**copies))
    said = [str(notice.message) for notice in notices if "linear combination" in str(notice.message)]
    assert said == [
        "predictors 'z2', 'z3', 'z4', 'z5', 'z6', 'z7', … (10 in all) of 'y' are linear combinations of the others in the "
        "observed rows: only their priors tell them apart"
    ]


def test_collinear_predictors_are_named() -> None:
    road = travel("y ~ z + z2", table(z2=2 * table().z + 1))
    assert road.said("'z2'", "of 'y'", "linear combination of the others") == 1
    clean = travel("y ~ z", table())
    slope = road.means["z"] + 2 * road.means["z2"]
    assert slope == pytest.approx(clean.means["z"], abs=0.15)


def test_unused_dates_objects_and_identifiers_are_carried_along() -> None:
    data = table(
        when=pd.date_range("2020", periods=N),
        things=[{"k": i} for i in range(N)],
        who=[f"p{i}" for i in range(N)],
    )
    road = travel("y ~ x", data)
    assert road.said("column 'when'", "dates or times", "kept as it is") == 1
    assert road.said("column 'things'", "'dict'", "kept as it is") == 1
    assert road.said("column 'b'", "keeps its 2 missing cells") == 1
    pd.testing.assert_frame_equal(road.completed[["when", "things", "who"]], data[["when", "things", "who"]])


@pytest.mark.parametrize(
    ("dtype", "values", "back", "notice"),
    [
        ("Int64", [i % 7 for i in range(N)], "Float64", True),
        ("int64[pyarrow]", [i % 7 for i in range(N)], "double[pyarrow]", True),
        ("Int64", [i % 2 for i in range(N)], "Int64", False),
        ("Float64", [0.5 * (i % 7) for i in range(N)], "Float64", False),
        ("double[pyarrow]", [0.5 * (i % 7) for i in range(N)], "double[pyarrow]", False),
        ("boolean", [i % 2 == 0 for i in range(N)], "boolean", False),
        ("bool[pyarrow]", [i % 2 == 0 for i in range(N)], "bool[pyarrow]", False),
        ("string[pyarrow]", [["yes", "no"][i % 2] for i in range(N)], "string", False),
        ("str", [["yes", "no"][i % 2] for i in range(N)], "str", False),
        ("category", [["yes", "no"][i % 2] for i in range(N)], "category", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_dtypes_come_back(dtype: str, values: list[Any], back: str, notice: bool) -> None:
    column = pd.Series([None if i == 3 else v for i, v in enumerate(values)], dtype="object").astype(dtype)
    road = travel("y ~ k", table(k=column))
    assert str(road.completed["k"].dtype) == back
    assert road.said("column 'k'", "comes back as") == int(notice)
    if not notice and dtype not in ("Float64", "double[pyarrow]"):
        assert set(road.completed["k"]) == set(values)


def test_python_booleans_with_holes_are_binary() -> None:
    road = travel("y ~ k", table(k=[None if i == 3 else i % 2 == 0 for i in range(N)]))
    assert set(road.completed["k"]) == {True, False}
    assert road.fit.model.factor("k").family.name == "bernoulli"


def test_text_yes_no_as_response() -> None:
    road = travel("k ~ z", table(k=[None if i == 3 else ["no", "yes"][i % 2] for i in range(N)]))
    assert set(road.completed["k"]) == {"yes", "no"}


@pytest.mark.parametrize(
    "index",
    [
        [0, 1] * 20,
        pd.date_range("2020", periods=N),
        [f"row {i}" for i in range(N)],
        pd.MultiIndex.from_product([range(8), range(5)]),
    ],
    ids=["duplicate", "date", "text", "levels"],
)
def test_any_index_is_kept(index: Any) -> None:
    road = travel("y ~ x + b", table().set_index(pd.Index(index)))
    assert road.said("row labels repeat", "reset_index()") == int(not road.completed.index.is_unique)


def test_polars_in_polars_out() -> None:
    data = pl.from_pandas(table()).with_columns(
        pl.col("x").fill_nan(None),
        k=pl.Series([None if i == 3 else i % 7 for i in range(N)], dtype=pl.Int32),
        t=pl.Series([None if i == 4 else ["no", "yes"][i % 2] for i in range(N)]),
        c=pl.Series((["p", "q"] * 20), dtype=pl.Enum(["p", "q", "never"])),
    )
    road = travel("y ~ x + k + t + c + (1 | g)", data)
    done = road.completed
    assert isinstance(done, pl.DataFrame)
    assert done.columns == data.columns
    assert done.schema["c"] == data.schema["c"]
    assert done.schema["t"] == pl.String
    assert done.schema["k"] == pl.Float64
    assert road.said("column 'k'", "comes back as Float64") == 1
    assert road.said("column 'c'", "'never'") == 1
    for name in ("y", "x", "k", "t"):
        assert done[name].null_count() == 0
        known = data[name].is_not_null() & (data[name].is_not_nan() if name == "y" else True)
        assert done[name].filter(known).to_list() == data[name].filter(known).to_list()


def test_names_with_dots_spaces_and_other_alphabets() -> None:
    data = table().rename(columns={"y": "größe", "x": "home.dest", "z": "my var", "g": "Schul Nr."})
    road = travel("größe ~ `home.dest` + `my var` + (1 + `my var` | `Schul Nr.`)", data)
    assert {"home.dest", "my var", "1|Schul Nr._sigma"} <= set(road.means.index)
    plain = travel("y ~ x + z + (1 + z | g)", table())
    np.testing.assert_array_equal(road.completed.to_numpy(), plain.completed.to_numpy())
    nested = travel("größe ~ `home.dest` + (1 | `a b`/`Schul Nr.`)", data.assign(**{"a b": ["x", "y"] * 20}))
    assert "1|a b:Schul Nr._sigma" in nested.means.index


def test_odd_names_without_a_formula() -> None:
    data = table().rename(columns={"y": "größe", "x": "home.dest", "z": "my var", "g": "Schul Nr."})
    with pytest.warns(BayesmiNotice, match="modelled given all others"):
        imputed = bmi.impute(
            data, cluster="Schul Nr.", m=2, seed=1, draws=100, tune=100, progress=False, despite_gate=True
        )
    assert imputed[0].notna().all(axis=None)


@pytest.mark.parametrize(
    "labels",
    [
        [f"school {i // 5}" for i in range(N)],
        pd.Categorical([f"school {i // 5}" for i in range(N)], categories=[f"school {i}" for i in range(9)]),
        np.repeat(np.arange(8) / 3, 5),
        np.repeat(pd.date_range("2020", periods=8), 5),
        pd.array(np.repeat(np.arange(8), 5), dtype="Int64"),
    ],
    ids=["text", "category", "float", "date", "Int64"],
)
def test_any_column_can_name_the_clusters(labels: Any) -> None:
    road = travel("y ~ x + (1 | g)", table(g=labels))
    numbered = travel("y ~ x + (1 | g)", table())
    np.testing.assert_array_equal(road.completed[["y", "x"]], numbered.completed[["y", "x"]])


def test_two_clusters() -> None:
    road = travel("y ~ x + (1 + z | g)", table(g=["a", "b"] * 20))
    assert road.means["1|g_sigma"] > 0


@pytest.mark.parametrize("factor", [1e-8, 1e8])
@pytest.mark.parametrize("column", ["y", "x", "z"])
def test_scale_of_a_variable_does_not_matter(column: str, factor: float) -> None:
    formula = "y ~ x + z + (1 | g)"
    plain = travel(formula, table(), draws=250, tune=200).fit.summary()
    data = table()
    data[column] = data[column] * factor
    road = travel(formula, data, draws=250, tune=200)
    scaled = road.fit.summary()
    for term in ("Intercept", "x", "z", "sigma", "1|g_sigma"):
        unit = factor if column == "y" else 1 / factor if column == term else 1.0
        mean, sd = scaled.loc[term, "mean"] / unit, scaled.loc[term, "sd"] / unit
        assert mean == pytest.approx(plain.loc[term, "mean"], abs=0.35 * plain.loc[term, "sd"]), term
        assert sd == pytest.approx(plain.loc[term, "sd"], rel=0.3), term
    missing = table()[column].isna()
    if missing.any():
        drawn = road.completed.loc[missing, column] / factor
        assert (drawn.abs() < 6).all()


def test_far_from_zero() -> None:
    """A mean of 1e8 sds: centring keeps slopes and residual sd."""
    plain = travel("y ~ x + z", table(), draws=250, tune=200).fit.summary()
    far = travel("y ~ x + z", table(y=table().y + 1e8, z=table().z + 1e8), draws=250, tune=200).fit.summary()
    for term in ("x", "z", "sigma"):
        assert far.loc[term, "mean"] == pytest.approx(
            plain.loc[term, "mean"], abs=0.35 * plain.loc[term, "sd"]
        )


def test_perfect_separation_is_held_by_the_priors() -> None:
    separated = (table().z > 0).astype(float).where(table().index != 3)
    road = travel("s ~ z", table(s=separated))
    assert 1.0 < road.means["z"] < 50.0
    assert set(road.completed["s"]) == {0.0, 1.0}
    as_covariate = travel("y ~ z + s", table(s=separated))
    assert np.isfinite(as_covariate.means).all()


def test_fewer_rows_than_coefficients_leaves_it_to_the_priors() -> None:
    road = travel("y ~ x + z + b", table().iloc[[0, 2, 4, 7, 8]].assign(b=[0.0, 1.0, np.nan, 1.0, 0.0]))
    assert road.said("'y'", "the priors decide") == 1


def test_two_rows() -> None:
    road = travel("y ~ z", table().iloc[[0, 1, 2]])
    assert np.isfinite(road.completed["y"]).all()


def test_nothing_missing_is_an_ordinary_model() -> None:
    road = travel("y ~ z", table().iloc[10:])
    assert any("nothing is missing" in remark for remark in road.fit.plan.remarks)
    pd.testing.assert_frame_equal(road.completed, table().iloc[10:])


def test_level_that_is_seen_only_where_the_outcome_is_missing() -> None:
    labels = pd.Series(["a", "b"] * 20).where(table().y.notna(), "rare")
    road = travel("y ~ x + c", table(c=labels))
    assert np.isfinite(road.means["c[rare]"])


def test_constant_offset_is_no_predictor() -> None:
    road = travel("y ~ x + offset(k)", table(k=1.0))
    assert "k" not in road.fit.model.factor("x").design.variables


def test_nonlinear_terms_of_complete_and_of_barren_cells_are_fine() -> None:
    travel("y ~ x + I(z ** 2) + z:x", table())
    barren = table(w=table().x.where(table().y.notna()))
    barren.loc[[2, 6], "w"] = 0.5
    road = travel("y ~ I(w ** 2)", barren)
    assert road.fit.plan.units("w", "predict").size == 3


def test_cells_that_do_not_apply_stay_missing() -> None:
    data = table(debut=[1.0, 0.0] * 20)
    data.loc[data.debut == 0, "y"] = np.nan
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        model = bmi.Model("y ~ z", data, not_applicable={"y": "debut == 0"})
        imputed = model.fit(seed=1, draws=100, tune=100, progress=False).impute(2, despite_gate=True)
        done = imputed.complete(1)
    assert done.loc[data.debut == 0, "y"].isna().all()
    assert done.loc[data.debut == 1, "y"].notna().all()
