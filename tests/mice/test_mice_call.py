"""bmi.mice from call to completed tables: levels, matching, where, cut, and the record that travels along."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import BayesmiError, ModelError

pytestmark = [
    pytest.mark.xdist_group("mice"),
    pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice"),
]
QUICK = {"draws": 300, "tune": 300, "progress": False, "despite_gate": True}


def table(n: int = 300, groups: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(groups), n // groups)
    w = rng.normal(size=groups)
    x = rng.normal(size=n) + 0.5 * w[g]
    y = 1 + x + 0.7 * w[g] + rng.normal(0, 0.6, groups)[g] + rng.normal(size=n)
    data = pd.DataFrame({"g": g, "w": w[g], "z": rng.normal(size=n), "x": x, "y": y})
    data.loc[data["g"].isin([1, 6, 9]), "w"] = np.nan
    data.loc[[0, 41], "w"] = np.nan  # known from the rest of their clusters
    data.loc[rng.random(n) < 0.2, "x"] = np.nan
    data.loc[rng.random(n) < 0.2, "y"] = np.nan
    return data


def matrix(data: pd.DataFrame) -> pd.DataFrame:
    pred = bmi.make_predictor_matrix(data)
    pred["g"] = -2
    return pred


def test_two_levels_with_a_cluster_variable():
    data = table()
    method = {"w": "2lonly.norm", "x": "2l.pan", "y": "2l.pmm"}
    imputed = bmi.mice(data, 3, method, matrix(data), seed=1, **QUICK)
    for one in imputed:
        assert not one.isna().any(axis=None)
        assert (one.groupby("g")["w"].nunique() == 1).all()
        assert list(one.columns) == list(data.columns)
    assert np.isin(imputed.cells("y"), data["y"].dropna()).all()
    assert not np.isin(imputed.cells("x"), data["x"].dropna()).any()
    known = imputed.complete(2).loc[[0, 41], "w"].tolist()
    assert known == [data["w"].iloc[1], data["w"].iloc[42]]
    assert imputed.method == {"g": "", "w": "2lonly.norm", "z": "", "x": "2l.pan", "y": "2l.pmm"}
    assert imputed.visitSequence == ("w", "x", "y") or imputed.visitSequence[0] == "w"
    assert imputed.predictorMatrix.loc["y", "g"] == -2
    assert imputed.predictorMatrix.loc["z"].sum() == 0
    assert imputed.version.startswith("bayesmi")
    again = bmi.mice(data, 3, method, matrix(data), seed=1, **QUICK)
    pd.testing.assert_frame_equal(imputed.complete(3), again.complete(3))


def test_a_cluster_variable_alone():
    data = table().assign(x=lambda d: d["x"].fillna(0), y=lambda d: d["y"].fillna(0))
    imputed = bmi.mice(data, 2, {"w": "2lonly.pmm"}, matrix(data), seed=3, **QUICK)
    one = imputed.complete(1)
    assert (one.groupby("g")["w"].nunique() == 1).all()
    assert np.isin(one["w"], data["w"].dropna()).all()
    assert one.loc[0, "w"] == data["w"].iloc[1]


def test_unconnected_variables_come_from_their_own_models():
    data = table().drop(columns=["w", "g"])
    pred = bmi.make_predictor_matrix(data)
    pred.loc["x"] = [1, 0, 0]
    pred.loc["y"] = [1, 0, 0]
    imputed = bmi.mice(data, 2, "norm", pred, seed=2, **QUICK)
    assert not imputed.complete(2).isna().any(axis=None)
    assert ";" in imputed.formula


def test_where_leaves_cells_empty():
    data = table().drop(columns=["w", "g"])
    keep = data["y"].isna() & (np.arange(len(data)) < 150)
    imputed = bmi.mice(data, 2, "pmm", where={"y": (data["y"].isna() & ~keep).to_numpy()}, seed=2, **QUICK)
    assert imputed.complete(1)["y"].isna().sum() == keep.sum()
    assert imputed.where["y"].sum() == data["y"].isna().sum() - keep.sum()


def test_cut_does_not_let_the_outcome_inform_its_predictor():
    # x depends strongly on y, which comes after: with feedback imputed x follows y, without it cannot
    data = table(400, 20).drop(columns=["w", "g"])
    pred = bmi.make_predictor_matrix(data)
    joint = bmi.mice(data, 4, "norm", pred, visitSequence=["x", "y"], seed=5, **QUICK)
    cut = bmi.mice(data, 4, "norm", pred, visitSequence=["x", "y"], seed=5, cut=True, **QUICK)
    holes = (data["x"].isna() & data["y"].notna()).to_numpy()

    def relation(imputed) -> float:
        return float(np.mean([np.corrcoef(one["x"][holes], one["y"][holes])[0, 1] for one in imputed]))

    assert relation(joint) > 0.5
    assert abs(relation(cut)) < 0.25
    assert any("cut:" in text for text in cut.loggedEvents["out"])
    assert not cut.complete(4).isna().any(axis=None)


def test_maxit_is_accepted_and_said_to_be_unused():
    data = table().drop(columns=["w", "g"])
    with pytest.warns(bmi.BayesmiNotice, match="not as in chained"):
        imputed = bmi.mice(data, 2, "norm", maxit=5, seed=2, **QUICK)
    assert any("maxit=5" in text for text in imputed.loggedEvents["out"])


def test_nothing_to_impute_and_double_statements_are_refused():
    data = table().drop(columns=["w", "g"])
    with pytest.raises(ModelError, match="nothing to impute"):
        bmi.mice(data, 2, {"x": "", "y": ""})
    with pytest.raises(ModelError, match="families= follows"):
        bmi.mice(data, 2, families={"x": "gaussian"})


def test_ignored_rows_are_imputed_and_inform_nothing():
    data = table().drop(columns="w")
    ignore = np.arange(len(data)) % 10 == 0
    method, pred = {"x": "2l.pan", "y": "2l.pan"}, matrix(data)
    imputed = bmi.mice(data, 2, method, pred, ignore=ignore, seed=1, **QUICK)
    assert not imputed.complete(1).isna().any(axis=None)
    assert len(imputed.complete(1)) == len(data)
    wild = data.copy()
    wild.loc[ignore & data["y"].notna(), "y"] += 100.0  # of no consequence for the others
    again = bmi.mice(wild, 2, method, pred, ignore=ignore, seed=1, **QUICK)
    pd.testing.assert_frame_equal(imputed.complete(2)[~ignore], again.complete(2)[~ignore])
    hidden = ignore & data["x"].isna().to_numpy() & data["y"].notna().to_numpy()
    assert (again.complete(2)["x"] - imputed.complete(2)["x"])[hidden].min() > 10.0  # but for themselves


@pytest.mark.parametrize("cut", [False, True])
def test_a_passive_column_is_computed_and_never_predicts_its_parts(cut):
    rng = np.random.default_rng(3)
    n = 150
    data = pd.DataFrame({"h": rng.normal(1.7, 0.1, n), "w": rng.normal(70, 9, n)})
    data["bmi"] = data["w"] / data["h"] ** 2
    data["y"] = 0.3 * data["bmi"] + rng.normal(size=n)
    data.loc[rng.random(n) < 0.1, "y"] = np.nan
    data.loc[rng.random(n) < 0.2, "w"] = np.nan
    data.loc[data["w"].isna(), "bmi"] = np.nan
    method = {"w": "norm", "y": "pmm", "bmi": "~ I(w / h^2)"}
    imputed = bmi.mice(data, 2, method, seed=1, cut=cut, **QUICK)
    done = imputed.complete(2)
    assert not done.isna().any(axis=None)
    np.testing.assert_allclose(done["bmi"], done["w"] / done["h"] ** 2)
    assert imputed.visitSequence == ("w", "y")  # y is predicted by what is computed from w
    said = " ".join(imputed.loggedEvents["out"])
    assert "cell [w, bmi] is taken as 0: 'bmi' is computed from 'w'" in said
    assert "bmi" in imputed.formulas["y"]
    late = bmi.translate_mice(data, method, visitSequence=["y", "w"], cut=cut)
    assert "bmi" not in late.formulas["y"]
    assert "'bmi' does not predict 'y': it is computed from 'w'" in " ".join(text for *_, text in late.events)


def test_cut_keeps_levels_formulas_and_mechanisms():
    data = table()
    method = {"w": "2lonly.norm", "x": "2l.pan", "y": "2l.2stage.heckman"}
    imputed = bmi.mice(data, 2, method, matrix(data), seed=1, cut=True, **QUICK)
    done = imputed.complete(2)
    assert (done.groupby("g")["w"].nunique() == 1).all()
    assert done.loc[[0, 41], "w"].tolist() == [data["w"].iloc[1], data["w"].iloc[42]]
    *_, last = bmi.translate_mice(data, method, matrix(data), cut=True).components
    assert set(last.options["mechanisms"]) == {"y"}
    data = data.drop(columns=["g", "w"])
    options = {"formulas": {"x": "x ~ z", "y": "y ~ x * z"}, "visitSequence": ["x", "y"], "cut": True}
    assert bmi.translate_mice(data, "norm", **options).formulas["y"] == "y ~ x + z + x:z"


@pytest.mark.parametrize("cut", [False, True])
def test_ignored_rows_are_matched_and_are_no_donors(cut):
    data = table()
    ignore = np.arange(len(data)) % 10 == 0
    ignore |= (data["g"] == data["g"].iloc[-1]).to_numpy()  # a whole cluster with it
    data.loc[data["g"] == data["g"].iloc[-1], "w"] = np.nan
    method, pred = {"x": "2l.pmm", "y": "2l.pmm", "w": "2lonly.pmm"}, matrix(data)
    call = {"ignore": ignore, "seed": 1, "cut": cut, **QUICK}
    data.loc[ignore, ["x", "y"]] += 0.001  # values that only ignored rows have
    imputed = bmi.mice(data, 2, method, pred, **call)
    done = imputed.complete(2)
    assert not done.isna().any(axis=None)
    for name in ("x", "y", "w"):
        holes, donors = data[name].isna(), data.loc[~ignore, name].dropna()
        assert np.isin(done.loc[holes, name], donors).all(), name
    assert (done.groupby("g")["w"].nunique() == 1).all()
    wild = data.copy()
    wild.loc[ignore & data["y"].notna(), "y"] += 100.0
    again = bmi.mice(wild, 2, method, pred, **call)
    pd.testing.assert_frame_equal(done[~ignore], again.complete(2)[~ignore])


@pytest.mark.parametrize("alone", [False, True])
def test_a_cluster_value_that_only_ignored_rows_tell_is_refused(alone):
    data = table()
    ignore = np.arange(len(data)) % 10 == 0
    data.loc[(data["g"] == data["g"].iloc[0]) & ~ignore, "w"] = np.nan
    method = {"w": "2lonly.norm", "x": "2l.pan", "y": "2l.pan"}
    if alone:
        data = data.drop(columns=["x", "y"])
        method = {"w": "2lonly.norm"}
    with pytest.raises(
        bmi.errors.DataError, match="'w' has one value a g, and only rows of ignore= have it in row 10"
    ):
        bmi.mice(data, 2, method, matrix(data), ignore=ignore, **QUICK)


@pytest.mark.parametrize(
    ("method", "options", "says"),
    [
        ({"x": "2l.pan", "y": "2l.pan"}, {"ignore": "z"}, "ignore='z': give one True or False for each row"),
        ({"x": "2l.pan", "y": "2l.pan"}, {"ignore": [True]}, "has 1 values, the table 300 rows"),
    ],
)
def test_where_rows_cannot_be_ignored_it_is_said(method, options, says):
    data = table().drop(columns="w")
    options = {"ignore": np.arange(len(data)) < 5, **options}
    with pytest.raises(bmi.errors.BayesmiError, match=says):
        bmi.mice(data, 2, method, matrix(data), seed=1, **options, **QUICK)


def test_a_passive_column_predicts_several_variables():
    rng = np.random.default_rng(3)
    n = 120
    data = pd.DataFrame({"h": rng.normal(1.7, 0.1, n), "w": rng.normal(70, 9, n)})
    data["bmi"] = data["w"] / data["h"] ** 2
    data["y"] = 0.3 * data["bmi"] + rng.normal(size=n)
    data["z"] = 0.2 * data["bmi"] + rng.normal(size=n)
    for k, name in enumerate(["w", "y", "z"]):
        data.loc[rng.random(n) < 0.1 * (k + 1), name] = np.nan
    data.loc[data["w"].isna(), "bmi"] = np.nan
    method = {"w": "norm", "y": "norm", "z": "norm", "bmi": "~ I(w / h^2)"}
    model = bmi.translate_mice(data, method).components[0].model()
    middle, last = model.factors[1:]
    assert {middle.variable, last.variable} == {"y", "z"}
    for factor in (middle, last):  # the second of three as well as the last
        assert factor.parents >= {"w", "h"}
        assert "bmi" in factor.column_names


def test_arguments_of_r_are_refused_by_name_and_not_swallowed():
    data = bmi.datasets.load("nhanes")
    for name, instead in (("post", "bmi.Delta"), ("printFlag", "progress=False"), ("meth", "method=")):
        for call in (bmi.mice, bmi.translate_mice):
            with pytest.raises(BayesmiError, match=f"{name}= of R's mice is not an argument here.*{instead}"):
                call(data, **{name: "x"})
    with pytest.raises(BayesmiError, match="no argument 'metod': did you mean 'method'"):
        bmi.translate_mice(data, metod="norm")
    with pytest.raises(BayesmiError, match="formulas= is a mapping"):
        bmi.translate_mice(data, formulas=["bmi ~ age"])
    with pytest.raises(BayesmiError, match="'PMM' of 'bmi' is not known: did you mean 'pmm'"):
        bmi.translate_mice(data, {"bmi": "PMM"})
    with pytest.raises(BayesmiError, match="mechanisms="):
        bmi.translate_mice(data, {"bmi": "mnar.norm"})
    matrix_of_r = bmi.make_predictor_matrix(data)
    matrix_of_r.loc["bmi", "age"] = 5
    with pytest.raises(BayesmiError, match=r"\['bmi', 'age'\] is 5: codes"):
        bmi.translate_mice(data, None, matrix_of_r)


def test_the_analysis_is_read_and_compared_with_a_cut_model_too():
    data = bmi.datasets.load("nhanes")
    with pytest.raises(BayesmiError, match="names 'bmii': did you mean 'bmi'"):
        bmi.translate_mice(data, analysis="chl ~ bmii")
    said = [text for *_, text in bmi.translate_mice(data, analysis="chl ~ bmi", cut=True).events]
    assert any("'chl' of the analysis is left out of the imputation of 'bmi'" in text for text in said)
    said = [text for *_, text in bmi.translate_mice(data, analysis="chl ~ bmi").events]
    assert not any("left out" in text for text in said)


def test_incomplete_columns_that_are_left_empty_are_named():
    data = bmi.datasets.load("nhanes")
    data["bmi"] = data["bmi"].map(str, na_action="ignore")
    said = [text for *_, text in bmi.translate_mice(data).events]
    assert any("'bmi' has no method" in text and "its 9 missing cells stay empty" in text for text in said)


def test_heckman_shows_its_selection_equation_and_no_impossible_slope():
    pupils = bmi.datasets.load("popmis")
    pred = bmi.make_predictor_matrix(pupils)
    pred.loc[:] = 0
    pred.loc["popular", ["school", "texp", "sex"]] = [-2, 2, -3]
    text = repr(bmi.translate_mice(pupils, {"popular": "2l.2stage.heckman"}, pred))
    assert "observed if  ~ sex + texp + (1 | school)" in text
    assert "popular ~ texp + (1 | school)" in text
    assert "'texp' is constant within 'school': no random slope" in text
