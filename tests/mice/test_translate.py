"""A predictor matrix as a joint model: edges, codes, levels, traps; nothing is fitted."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiError, ModelError
from bayesmi.mice import translate_mice
from bayesmi.mice.means import ClusterMeans

pytestmark = pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")


def table() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n, groups = 120, 12
    g = np.repeat(np.arange(groups), n // groups)
    data = pd.DataFrame(
        {
            "g": g,
            "w": rng.normal(size=groups)[g],
            "v": rng.normal(size=groups)[g],
            "x": rng.normal(size=n),
            "a": rng.normal(size=n),
            "b": rng.integers(0, 2, n).astype(float),
            "y": rng.normal(size=n),
        }
    )
    for name, share in (("a", 0.1), ("b", 0.2), ("y", 0.3)):
        data.loc[rng.random(n) < share, name] = np.nan
    data.loc[data["g"].isin([2, 5]), "v"] = np.nan
    return data


def matrix(**cells: int) -> pd.DataFrame:
    """All zero but the cells named like a_b (row a, column b)."""
    names = list(table().columns)
    pred = pd.DataFrame(0, index=names, columns=names)
    for cell, code in cells.items():
        row, column = cell.split("_")
        pred.loc[row, column] = code
    return pred


METHOD = {"a": "norm", "b": "logreg", "y": "norm", "v": ""}
TWO = {"a": "2l.pan", "b": "2l.bin", "y": "2l.pan", "v": ""}


def events(translation) -> str:
    return "\n".join(text for _, _, text in translation.events)


def test_an_edge_where_either_cell_is_set_directed_by_the_order_rule():
    got = translate_mice(table(), METHOD, matrix(a_b=1, y_a=1, b_y=1, y_x=1))
    # discrete first, then least missing first
    assert got.order == ("b", "a", "y")
    assert got.formulas == {"b": "b ~ 1", "a": "a ~ b", "y": "y ~ x + b + a"}
    assert "[b, a] is 0" in events(got)
    assert "cell [y, b] is 0, [b, y] is 1" in events(got)
    model = got.components[0].model()
    assert model.response == "y"
    assert model.order == ("b", "a")
    assert model.factor("b").family.name == "bernoulli"


def test_variables_without_an_edge_are_models_of_their_own():
    got = translate_mice(table(), METHOD, matrix(a_x=1, y_b=1))
    assert [part.variables for part in got.components] == [("b", "y"), ("a",)] or [
        part.variables for part in got.components
    ] == [("a",), ("b", "y")]


def test_variables_of_one_model_meet_in_its_last_conditional():
    got = translate_mice(table(), METHOD, matrix(a_b=1, y_a=1))
    assert got.formulas["y"] == "y ~ a + b"
    assert "'b' is added to the conditional of 'y'" in events(got)


@pytest.mark.parametrize(
    ("code", "right"),
    [
        (1, "x + (1 | g)"),
        (2, "x + (1 + x | g)"),
        (3, "x + `between(x)` + (1 | g)"),
        (4, "x + `between(x)` + (1 + x | g)"),
    ],
)
def test_codes_of_a_complete_predictor(code, right):
    got = translate_mice(table(), {**TWO, "a": "", "b": ""}, matrix(y_x=code, y_g=-2))
    assert got.formulas["y"] == f"y ~ {right}"
    model = got.components[0].model()
    if code in (3, 4):
        data = table()
        np.testing.assert_allclose(
            model.table.values["between(x)"], data.groupby("g")["x"].transform("mean"), rtol=1e-12
        )


def test_slope_and_mean_codes_act_in_the_direction_of_the_edge():
    got = translate_mice(table(), {**TWO, "b": ""}, matrix(a_y=4, y_a=1, a_g=-2, y_g=-2))
    assert got.formulas["y"] == "y ~ a + group_effect(a, g) + (1 + a | g)"
    assert "acts in 'y' given 'a'" in events(got)
    assert "the latent one, that is the group effect of 'a' in its own model" in events(got)
    (link,) = got.components[0].model().factor("y").links
    assert (link.variable, link.grouping) == ("a", "g")


def test_the_latent_mean_of_a_predictor_has_the_means_of_what_predicts_it():
    got = translate_mice(
        table(), {**TWO, "b": "2l.pan"}, matrix(a_x=1, a_g=-2, b_a=3, b_g=-2, y_b=3, y_a=1, y_g=-2)
    )
    right = got.formulas[got.order[-1]]
    assert "group_effect(" in right
    first, second = got.order[0], got.order[1]
    assert f"group_effect({first}, g)" in got.formulas[second] or f"group_effect({second}, g)" in right
    got.components[0].model().plan()


def test_without_a_group_effect_the_mean_is_that_of_the_observed_values():
    got = translate_mice(table(), {**TWO, "a": "norm", "b": ""}, matrix(a_x=1, y_a=3, y_g=-2))
    assert "`between(a)`" in got.formulas["y"]


def test_cluster_level_target_takes_cluster_means():
    method = {"v": "2lonly.norm", "y": "2l.pan", "a": "", "b": ""}
    got = translate_mice(table(), method, matrix(v_g=-2, v_w=1, v_x=1, v_y=1, y_g=-2, y_x=1))
    assert got.order == ("v", "y")
    assert got.formulas["v"] == "v ~ w + `between(x)`"
    assert got.formulas["y"] == "y ~ x + v + (1 | g)"
    assert got.components[0].model().factor("v").level == "g"


def test_cluster_level_target_alone_is_a_model_of_clusters():
    got = translate_mice(
        table(), {"v": "2lonly.norm", "y": "", "a": "", "b": ""}, matrix(v_g=-2, v_w=1, v_x=1)
    )
    part = got.components[0]
    assert part.aggregated_by == "g"
    assert len(part.table) == 12
    assert part.formula == "v ~ w + `between(x)`"


def test_heckman_becomes_a_selection_equation():
    method = {**TWO, "y": "2l.2stage.heckman", "a": "", "b": ""}
    got = translate_mice(table(), method, matrix(y_g=-2, y_x=2, y_w=-3))
    part = got.components[0]
    assert part.formula == "y ~ x + (1 + x | g)"
    assert isinstance(part.options["mechanisms"]["y"], bmi.Heckman)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        selection = part.model().factor("y").selection
    assert selection.design.variables == {"x", "w"}
    with pytest.raises(ModelError, match="Heckman"):
        translate_mice(table(), {**TWO, "a": "", "b": ""}, matrix(y_g=-2, y_w=-3))
    pred = matrix(y_a=-3, y_g=-2, a_x=1, a_g=-2)
    with pytest.raises(ModelError, match="must be complete"):
        translate_mice(table(), {**TWO, "y": "2l.2stage.heckman", "b": ""}, pred)


def test_formulas_replace_rows():
    got = translate_mice(table(), METHOD, matrix(a_x=1), formulas={"y": "y ~ x * b", "b": "~ y + x"})
    assert got.formulas["y"].startswith("y ~ x + b + x:b")
    assert got.formulas["b"] == "b ~ x"
    assert "comes later in the product" in events(got)


def test_passive_is_derived_and_refused_by_name_until_it_is_there():
    got = translate_mice(table(), {**METHOD, "w": "~ I(x + 1)"}, matrix(y_x=1, a_x=1, b_x=1))
    assert got.request.passive == {"w": "x + 1"}
    assert got.components[0].options["derived"] == {"w": "x + 1"}


def test_the_outcome_left_out_is_said():
    pred = matrix(a_x=1)
    got = translate_mice(table(), {"a": "norm", "b": "", "y": "", "v": ""}, pred, analysis="w ~ a + x")
    assert "outcome 'w' of the analysis is left out" in events(got)
    got = translate_mice(
        table(), {"a": "norm", "b": "", "y": "", "v": ""}, matrix(a_x=1, a_w=1), analysis="w ~ a * x"
    )
    assert "left out of the imputation" not in events(got)
    assert "the analysis has a:x" in events(got)


def test_remarks_on_codes_and_levels():
    got = translate_mice(
        table(), {**TWO, "a": "2l.norm", "b": "", "y": "2l.lmer"}, matrix(a_g=-2, a_x=1, y_g=-2, y_x=3, y_w=3)
    )
    assert "2l.norm ignores 1" in events(got)
    assert "mice's 2l.lmer does not know it" in events(got)
    assert "its own cluster mean" in events(got)
    single = translate_mice(table(), {**METHOD, "a": "", "b": ""}, matrix(y_g=-2, y_x=2))
    assert "is single-level: cluster 'g' is not used" in events(single)
    assert single.formulas["y"] == "y ~ x"


def test_constant_predictors_are_taken_out_and_the_diagonal_is_zero():
    data = table().assign(one=1.0)
    pred = bmi.make_predictor_matrix(data)
    pred.loc["y", "y"] = 3
    got = translate_mice(data, {**METHOD}, pred.drop(index="v", columns="v"))
    assert "'one' is constant" in events(got)
    assert "the diagonal is 0" in events(got)
    assert got.request.matrix.loc["y", "y"] == 0


def test_known_cells_of_a_cluster_variable_need_no_model():
    data = table().drop(columns="v")
    data.loc[[3, 30], "w"] = np.nan
    got = translate_mice(
        data,
        {"w": "2lonly.mean", "y": "2l.pan", "a": "", "b": ""},
        matrix(y_g=-2, y_w=1, w_g=-2).drop(index="v", columns="v"),
    )
    assert got.request.known == ("w",)
    assert got.order == ("y",)


@pytest.mark.parametrize(
    ("method", "cells", "words"),
    [
        ({"y": "3l.2stage.heckman"}, {}, "did you mean '2l.2stage.heckman'"),
        ({"y": "nrom"}, {}, "did you mean 'norm'"),
        ({"y": "rf"}, {}, "not a model here"),
        ({"q": "norm"}, {}, "no column of the table"),
        ({"y": "2l.pan"}, {"y_x": 1}, "needs a cluster"),
        ({"y": "2l.pan"}, {"y_g": -2, "y_w": -2}, "two clusters"),
        ({"y": "2l.pan"}, {"y_v": -2}, "missing cell"),
        ({"y": "norm"}, {"y_x": 7}, "codes are"),
        ({"y": "norm"}, {"y_x": -1}, "rbind"),
        ({"y": "norm"}, {"y_y": -2}, "its own cluster"),
        ({"y": "norm", "v": ""}, {"y_v": 1}, "give it a method"),
        ({"y": "2lonly.norm"}, {"y_g": -2}, "varies within"),
        ({"v": "2lonly.mean"}, {"v_g": -2}, "nothing to copy"),
    ],
)
def test_traps_are_refused_in_one_line(method, cells, words):
    base = {"a": "", "b": "", "y": "", "v": ""}
    with pytest.raises(BayesmiError, match=words) as caught:
        translate_mice(table(), {**base, **method}, matrix(**cells))
    assert "\n" not in str(caught.value)


def test_matrix_of_another_shape_or_other_names():
    with pytest.raises(ModelError, match="shape"):
        translate_mice(table(), METHOD, np.ones((3, 3)))
    with pytest.raises(ModelError, match="no column of the table"):
        translate_mice(table(), METHOD, matrix().rename(columns={"x": "z"}))


def test_visit_sequence_is_the_order():
    pred = matrix(y_a=1, a_x=1)
    got = translate_mice(table(), {**METHOD, "b": ""}, pred, visitSequence=["y", "a"])
    assert got.formulas == {"y": "y ~ 1", "a": "a ~ x + y"}
    with pytest.raises(ModelError, match="must name every"):
        translate_mice(table(), {**METHOD, "b": ""}, pred, visitSequence=["y"])
    assert translate_mice(table(), METHOD, matrix(), visitSequence="revmonotone").order == ("y", "b", "a")


def test_cut_uses_only_what_comes_before():
    got = translate_mice(table(), {**METHOD, "b": ""}, matrix(a_y=1, a_x=1, y_a=1), cut=True)
    assert got.formulas == {"a": "a ~ x", "y": "y ~ a"}
    assert "cut: y come after 'a'" in events(got) or "come after 'a'" in events(got)


def test_explain_says_each_code_in_words():
    pred = matrix(y_g=-2, y_x=2, y_a=3, y_w=1, a_x=1, a_g=-2)
    said = bmi.explain(pred, {"y": "2l.pan", "a": "norm", "b": ""})
    assert said.loc[("y", "x"), "meaning"].startswith("overall effect and random slope")
    assert said.loc[("y", "a"), "meaning"] == "overall effect and effect of the cluster mean"
    assert "mitml's type= 3" in said.loc[("y", "a"), "elsewhere"]
    assert said.loc[("a", "g"), "meaning"].startswith("not used: the method is single-level")
    heckman = bmi.explain(matrix(y_x=2, y_w=-3, y_a=-4), {"y": "2l.2stage.heckman"})
    assert heckman["meaning"].tolist() == [
        "selection equation only (exclusion restriction)",
        "in both equations, outcome and selection, with random slopes",
        "outcome equation only",
    ]


def test_make_method_knows_levels_and_kinds():
    assert bmi.make_method(table()).to_dict() == {
        "g": "",
        "w": "",
        "v": "pmm",
        "x": "",
        "a": "pmm",
        "b": "logreg",
        "y": "pmm",
    }
    two = bmi.make_method(table(), cluster="g")
    assert (two["v"], two["b"], two["y"]) == ("2lonly.pmm", "2l.bin", "2l.pmm")


@pytest.mark.parametrize(
    ("method", "family", "kind"),
    [
        ("polr", "ordinal", "ordinal"),
        ("2l.polyreg", "nominal", "nominal"),
        ("2l.glm.pois", "poisson", "count"),
    ],
)
def test_methods_of_categories_and_counts_name_family_and_kind(method, family, kind):
    data = table()
    data["y"] = data["y"].abs().round()
    got = translate_mice(data, {**METHOD, "a": "", "b": "", "y": method}, matrix(y_g=-2, y_x=1))
    options = got.components[0].options
    assert options["family"] == family
    assert options["kinds"] == {"y": kind}


@pytest.mark.parametrize("cut", [False, True])
def test_holes_of_ignored_rows_do_not_change_the_order(cut):
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(60, 3)), columns=["z", "x", "y"])
    data.loc[:4, "x"] = np.nan
    data.loc[5:12, "y"] = np.nan
    ignore = np.arange(60) >= 40
    holes = data.copy()
    holes.loc[45:, "x"] = np.nan
    assert translate_mice(holes, cut=cut).order == ("y", "x")
    for one in (data, holes):
        assert translate_mice(one, cut=cut, ignore=ignore).order == ("x", "y")


def test_a_cluster_without_values_takes_the_mean_of_clusters_that_inform():
    g = np.repeat([1, 2, 3, 4], 3)
    x = np.array([1.0, 2, 3, np.nan, np.nan, np.nan, 4, 5, 6, 100, 200, 300])
    frame = IncompleteFrame.from_table(pd.DataFrame({"g": g, "x": x, "y": np.arange(12.0)}), groups=("g",))
    means = ClusterMeans(frame, g != 4)
    (name,) = means.add("x", "g")
    assert means.made[name][::3].tolist() == [2.0, 3.5, 5.0, 200.0]  # the last is for itself


def test_constant_and_unnamed_columns_and_lost_rows():
    data = bmi.datasets.load("nhanes")
    with pytest.raises(ModelError, match="no row for 'chl', to be imputed"):
        translate_mice(data, "norm", bmi.make_predictor_matrix(data).loc[["bmi", "hyp"]])
    got = translate_mice(data.assign(k=[np.nan] + [1.0] * 24), "norm")
    assert "'k' is constant: its 1 missing cell stays empty" in events(got)
    assert "k" not in got.order
    with pytest.raises(ModelError, match="maxit=0 would impute nothing"):
        bmi.mice(data, maxit=0)
    with pytest.raises(ModelError, match=r"'2lonly\.mean' of 'bmi' needs a cluster"):
        translate_mice(data, {"bmi": "2lonly.mean"})
