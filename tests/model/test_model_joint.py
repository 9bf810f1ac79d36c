"""The joint model that is written for the user: order, levels kept apart, priors from observed cells, printout."""

import warnings

import numpy as np
import pandas as pd
import pytest
from kernel_cases import small_table

from bayesmi import BayesmiNotice, Model, Prior
from bayesmi.errors import BayesmiError, ModelError


def model_of(formula, data=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, small_table() if data is None else data, **options)


def right_side(model, variable):
    return str(model.factor(variable).formula).split("~")[1].strip().replace("`", "")


def test_order_is_highest_level_then_discrete_then_least_missing():
    model = model_of("y ~ x2 + x + b1 + b2 + v + z + (1 | a)")
    assert model.order == ("v", "b2", "b1", "x", "x2")
    assert model.factors[-1].role == "analysis"
    assert [factor.variable for factor in model.factors] == [*model.order, "y"]


def test_ties_go_by_table_order():
    data = small_table()
    data.loc[0, "x"] = np.nan  # five missing, as x2
    assert model_of("y ~ x2 + x", data).order == ("x", "x2")
    swapped = data[["x2", *[name for name in data.columns if name != "x2"]]]
    assert model_of("y ~ x2 + x", swapped).order == ("x2", "x")


def test_the_users_order_is_taken_or_refused():
    assert model_of("y ~ x + b1", order=["x", "b1"]).order == ("x", "b1")
    with pytest.raises(ModelError, match=r"order= must name each.*x, b1.*not x"):
        model_of("y ~ x + b1", order=["x"])
    with pytest.raises(ModelError, match=r"'x' before 'v'.*higher level"):
        model_of("y ~ x + v + (1 | a)", order=["x", "v"])


def test_covariate_models_condition_on_complete_and_earlier_variables_only():
    model = model_of("y ~ x + b1 + z + w")
    assert right_side(model, "b1") == "z + w"
    assert right_side(model, "x") == "z + w + b1"
    for factor in model.factors[:-1]:
        earlier = model.order[: model.order.index(factor.variable)]
        assert factor.parents <= {"z", "w", *earlier}
    assert str(model.analysis.formula) == str(model.formula)  # as the user wrote it


def test_levels_are_kept_apart():
    model = model_of("y ~ x + b1 + z + h + (1 | a)")
    assert right_side(model, "b1") == "h + z + between(z) + (1 | a)"
    assert right_side(model, "x") == "h + z + between(z) + b1 + (1 | a)"
    assert [link.name for link in model.factor("x").links] == ["between(b1|a)"]
    assert model.analysis.links == ()
    data = small_table()
    np.testing.assert_allclose(
        model.table.values["between(z)"], data.groupby("a")["z"].transform("mean"), rtol=1e-12
    )


def test_two_groupings_have_their_own_means():
    model = model_of("y ~ x + z + (1 | a) + (1 | c)")
    assert right_side(model, "x") == "z + between(z|a) + between(z|c) + (1 | a) + (1 | c)"


def test_a_cluster_variable_depends_on_cluster_variables_and_means_only():
    model = model_of("y ~ x + z + h + v + (1 | a)")
    assert right_side(model, "v") == "h + between(z)"
    assert model.factor("v").level == "a"
    assert len(model.table.rows_of_level("a")) == 4
    assert not model.factor("v").effects


def test_pooled_leaves_means_and_links_out_and_says_so():
    with pytest.warns(BayesmiNotice, match="equal within- and between-group"):
        model = Model("y ~ x + b1 + z + (1 | a)", small_table(), levels="pooled")
    assert right_side(model, "x") == "z + b1 + (1 | a)"
    assert model.factor("x").links == ()


def test_a_categorical_predictor_has_a_mean_a_level():
    model = model_of("y ~ x + k3 + (1 | a)")
    assert "between(k3[mid]) + between(k3[top])" in right_side(model, "x")


def test_default_priors_scale_from_observed_cells():
    data = small_table()
    priors = model_of("y ~ x + z + (1 + z | a)").analysis.priors
    sd = data[["y", "x", "z"]].std()
    assert priors.intercept_at_means
    assert priors.intercept.parameters == pytest.approx({"mu": data["y"].mean(), "sigma": 2.5 * sd["y"]})
    slopes = [prior.parameters["sigma"] for prior in priors.coefficients]
    assert slopes == pytest.approx([2.5 * sd["y"] / sd["x"], 2.5 * sd["y"] / sd["z"]])
    assert priors.scales["sigma"].name == "HalfStudentT"
    assert priors.scales["sigma"].parameters == pytest.approx({"nu": 4.0, "sigma": sd["y"]})
    groups = [prior.parameters["sigma"] for prior in priors.group_sds["a"]]
    assert groups == pytest.approx([sd["y"], sd["y"] / sd["z"]])
    assert priors.correlations == {"a": 2.0}
    logit = model_of("yb ~ z + (1 + z | a)").analysis.priors
    assert logit.intercept == Prior("Normal", 0.0, 2.5)
    residual = np.pi / np.sqrt(3)
    assert [p.parameters["sigma"] for p in logit.group_sds["a"]] == pytest.approx(
        [residual, residual / sd["z"]]
    )


@pytest.mark.parametrize(
    ("priors", "text"),
    [
        ({"zz": Prior("Flat")}, "'zz'.*no such parameter.*x__Intercept.*Intercept"),
        ({"z": Prior("HalfNormal", 1)}, "'z'.*real line"),
        ({"sigma": Prior("Normal", 0, 1)}, "'sigma'.*positive"),
        ({"1|a_sigma": Prior("LKJ", 2)}, r"'1\|a_sigma'.*positive"),
        ({"z": 3}, "'z'.*bayesmi.Prior.*int"),
    ],
)
def test_bad_priors_are_refused(priors, text):
    with pytest.raises(ModelError, match=text):
        model_of("y ~ x + z + (1 | a)", priors=priors)


@pytest.mark.parametrize(
    ("formula", "options", "text"),
    [
        ("y ~ x + b1", {"formulas": {"b1": "~ x"}}, "'b1'.*conditions on 'x'.*later"),
        ("y ~ x + b1", {"formulas": {"x": "~ y"}}, "'x'.*response 'y'"),
        ("y ~ x + b1", {"formulas": {"x": "~ x + z"}}, "'x'.*own right-hand side"),
        ("y ~ x + b1", {"formulas": {"z": "~ w"}}, "'z'.*complete"),
        ("y ~ x + b1", {"formulas": {"x": "~ z + (1 | a)"}}, "'x'.*grouping 'a'"),
        ("y ~ v + z + (1 | a)", {"formulas": {"v": "~ z"}}, "'v'.*a variable.*'z' of level row"),
        (
            "y ~ x + b1",
            {"families": {"b1": "weibull"}},
            "'weibull' needs positive numbers; column 'b1' holds 0",
        ),
        ("y ~ x + b1", {"families": {"x": "poisson"}}, "'poisson' needs.*'x' holds"),
        ("y ~ x + b1", {"families": {"x": "lognormal"}}, "'lognormal' needs positive numbers.*'x' holds -"),
        ("y ~ x + nom", {"families": {"nom": "gaussian"}}, "'gaussian' needs numbers.*'nom'"),
        ("y ~ x + b1", {"families": {"x": "ordinal"}}, "'ordinal'.*'x' is continuous.*kinds"),
        ("y ~ x + k3", {"families": {"k3": "gaussian"}}, "'k3'.*complete"),
        ("y ~ x", {"auxiliary": "w"}, r"auxiliary= is a list of columns, such as \['w'\], not the text 'w'"),
        ("y ~ x", {"auxiliary": 3}, "auxiliary= is a list of columns, not 3"),
        ("y ~ x", {"auxiliary": [3]}, r"auxiliary= is a list of columns, not \[3\]"),
        ("y ~ x", {"auxiliary": ["ww"]}, "auxiliary= names 'ww', which is not a column.*did you mean 'w'"),
        ("y ~ x", {"auxiliary": ["x"]}, "auxiliary= names 'x', which is in the analysis model"),
        ("y ~ x", {"auxiliary": ["y"]}, "auxiliary= names 'y', which is in the analysis model"),
        ("y ~ x", {"auxiliary": ["w", "w"]}, "auxiliary= names 'w' twice"),
        ("y ~ x + (1 | a)", {"auxiliary": ["a"]}, "auxiliary= names 'a', which is"),
        (
            "y ~ x",
            {"families": {"w": "gaussian"}},
            "'w' is complete or not in the formula.*auxiliary variables",
        ),
        ("y ~ x", {"families": {"xx": "student"}}, "'xx' is not in the table: did you mean 'x"),
        ("y ~ x", {"families": {"y": "student"}}, "'y' is the response, and its family is family="),
        ("y ~ x", {"formulas": {"y": "~ x"}}, "'y' is the response, and its formula is the first argument"),
        ("y ~ x", {"mechanisms": {"y": 1}}, "mechanisms.'y'. = 1 is not supported.*Delta"),
        ("y ~ y + x", {}, "both sides"),
        ("log(y) ~ x", {}, "transformed response"),
        ("~ x", {}, "no response"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(formula, options, text):
    with pytest.raises(BayesmiError, match=text) as caught:
        model_of(formula, **options)
    assert "\n" not in str(caught.value)


def test_discrete_variables_of_a_cluster_have_one_model_a_cluster():
    model = model_of("y ~ flag + big + z + (1 | a)", kinds={"big": "nominal"})
    assert model.order == ("big", "flag")
    assert [model.factor(name).level for name in model.order] == ["a", "a"]
    assert [model.factor(name).family.name for name in model.order] == ["nominal", "bernoulli"]
    assert right_side(model, "flag") == "between(z) + big"


@pytest.mark.parametrize(
    ("column", "kind", "family", "names"),
    [
        ("nom", None, "nominal", ["nom[v]", "nom[w]"]),
        ("k3", "nominal", "nominal", ["k3[mid]", "k3[top]"]),
        ("grade", "ordinal", "ordinal", ["grade"]),
        ("times", "count", "poisson", ["times"]),
        ("b1", None, "bernoulli", ["b1"]),
        ("x", None, "gaussian", ["x"]),
    ],
)
def test_the_kind_of_a_column_decides_its_family(column, kind, family, names):
    data = small_table()
    data.loc[5, column] = np.nan
    kinds = {column: kind} if kind else None
    covariate = model_of(f"y ~ {column} + z", data, kinds=kinds).factor(column)
    assert covariate.family.name == family
    assert list(covariate.keys) == names
    assert model_of(f"{column} ~ z", data, kinds=kinds).analysis.family.name == family


def test_a_family_can_be_chosen():
    assert model_of("y ~ price", families={"price": "lognormal"}).factor("price").family.name == "lognormal"
    assert model_of("price ~ z", family="lognormal").analysis.family.name == "lognormal"
    assert model_of("y ~ b1", families={"b1": "poisson"}).factor("b1").family.name == "poisson"
    ordinal = model_of("grade ~ z", kinds={"grade": "ordinal"}).analysis
    assert ordinal.priors.intercept is None  # thresholds take its place
    assert [parameter.name for parameter in ordinal.family.parameters] == ["threshold"]


def test_auxiliary_variables_stand_last_and_are_given_the_analysis_variables():
    model = model_of("y ~ x + z", auxiliary=["w", "b1"])
    assert [factor.variable for factor in model.factors] == ["x", "y", "b1", "w"]
    assert [model.factor(name).role for name in ("y", "b1", "w")] == ["analysis", "auxiliary", "auxiliary"]
    assert right_side(model, "b1") == "z + x + y"
    assert right_side(model, "w") == "z + x + y + b1"
    assert str(model.analysis.formula) == "y ~ x + z"  # as the user wrote it
    assert model.response == "y"
    assert model.order == ("x",)
    text = repr(model)
    assert "f(w | b1, x, y, z) · f(b1 | x, y, z) · f(y | x, z) · f(x | z)" in text
    assert "auxiliary" in text
    own = model_of("y ~ x + z", auxiliary=["w"], formulas={"w": "~ y"}, families={"w": "gaussian"})
    assert right_side(own, "w") == "y"


def test_the_order_of_auxiliary_variables_can_be_said():
    model = model_of("y ~ x + z", auxiliary=["w", "b1"], order=["w", "b1"])
    assert [factor.variable for factor in model.factors] == ["x", "y", "w", "b1"]
    assert right_side(model, "b1") == "z + x + y + w"
    assert model_of("y ~ x + z", auxiliary=["w", "b1"], order=["x"]).factors[-1].variable == "w"
    with pytest.raises(ModelError, match="order="):
        model_of("y ~ x + z", auxiliary=["w", "b1"], order=["x", "w"])


def test_levels_of_auxiliary_variables_are_kept_apart():
    model = model_of("y ~ z + (1 | a)", auxiliary=["w"])
    assert right_side(model, "w") == "z + between(z) + y + (1 | a)"
    assert [link.name for link in model.factor("w").links] == ["between(y|a)"]


def test_an_auxiliary_variable_without_anything_to_inform_is_said():
    complete = small_table().dropna(subset=["y"])
    with pytest.warns(BayesmiNotice, match="nothing is missing in the analysis model: auxiliary"):
        Model("y ~ z", complete, auxiliary=["w"])


def test_printout_states_every_conditional_with_its_priors():
    model = model_of("y ~ x + b1 + z + (1 + z | a)", priors={"z": Prior("Normal", 0.5, 2)})
    text = repr(model)
    for part in (
        "24 rows, 4 groups of a",
        "f(y | b1, x, z, a)",
        "y: gaussian (identity link), analysis model; 4 of 24 rows missing",
        "x: gaussian (identity link), model of an incomplete covariate; 4 of 24 rows missing",
        "b1: bernoulli (logit link), model of an incomplete covariate; 3 of 24 rows missing",
        "Intercept at the predictors' observed means",
        "Normal(mu=0.5, sigma=2)",
        "LKJ(eta=2)",
        "ICC of a",
        "between(b1|a)",
        "within- and between-group association may differ",
    ):
        assert part in text, part
    for factor in model.factors:
        for prior in (*factor.priors.coefficients, *factor.priors.scales.values()):
            assert str(prior) in text


def test_flat_priors_imply_no_icc():
    flat = {"sigma": Prior("HalfFlat"), "Intercept": Prior("Flat")}
    text = repr(model_of("y ~ z + (1 | a)", priors=flat))
    assert "HalfFlat" in text
    assert "ICC" not in text


def test_the_specification_is_plain_data_and_makes_the_same_model():
    import json

    options = {
        "priors": {"z": Prior("Normal", 0, 1)},
        "treatments": {"x": "sample"},
        "order": ["b1", "x"],
        "formulas": {"x": "~ z"},
        "auxiliary": ["price"],
        "families": {"price": "lognormal"},
    }
    model = model_of("y ~ x + b1 + z", **options)
    spec = json.loads(json.dumps(model.to_dict()))
    assert spec.pop("schema") == 1
    spec["priors"] = {name: Prior.from_dict(prior) for name, prior in spec["priors"].items()}
    again = model_of(spec.pop("formula"), **spec)
    assert repr(again) == repr(model)
    assert repr(again.plan()) == repr(model.plan())


def test_the_table_is_not_changed():
    data = small_table()
    before = data.copy()
    model_of("y ~ x + b1 + z + (1 | a)", data).plan()
    pd.testing.assert_frame_equal(data, before)


def test_a_posterior_name_that_collides_is_refused():
    data = small_table().rename(columns={"w": "sigma"})
    with pytest.raises(ModelError, match=r"'sigma'.*rename"):
        model_of("y ~ x + sigma", data)
    data = small_table().rename(columns={"w": "x__z"})
    with pytest.raises(ModelError, match=r"'x__z'.*rename"):
        model_of("y ~ x + z + x__z", data)


def test_levels_of_group_variables_are_kept_apart_in_the_groups_above():
    model = model_of("y ~ t + t2 + (1 | a/b)")
    assert model.order == ("t", "t2")
    assert right_side(model, "t2") == "t + (1 | a)"
    assert [link.name for link in model.factor("t2").links] == ["between(t|a)"]
    assert model_of("y ~ t + t2 + (1 | a/b)", levels="pooled").factor("t2").links == ()


def test_one_level_of_an_interaction_cannot_be_left_out_and_the_error_says_what_can():
    rng = np.random.default_rng(1)
    level = rng.integers(1, 4, 40)
    level[5] = 4
    data = pd.DataFrame({"y": rng.normal(size=40), "x": rng.normal(size=40), "level": pd.Categorical(level)})
    data.loc[5, "x"] = np.nan
    with pytest.raises(ModelError, match=r"'level:x\[4\]' .* known\): merge that level .* 'level:x' out"):
        Model("y ~ level * x", data)
