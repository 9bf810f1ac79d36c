"""What happens to each missing cell: barren or informative, by kind, by override; and what is refused."""

import warnings

import numpy as np
import pytest
from kernel_cases import small_table

from bayesmi import BayesmiNotice, Model
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.plan import make_plan


def plan_of(formula, data=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return make_plan(Model(formula, small_table() if data is None else data, **options))


def units(plan, variable, treatment):
    return plan.units(variable, treatment).tolist()


def test_a_missing_outcome_is_predicted_and_so_is_what_is_missing_with_it():
    plan = plan_of("y ~ x + b1 + z")
    assert units(plan, "y", "predict") == [0, 11, 20, 23]
    assert units(plan, "x", "predict") == [20]  # outcome missing in row 20
    assert units(plan, "x", "integrate") == [3, 8, 15]
    # row 11 has no outcome, but x stands after b1 in the product and is observed there
    assert units(plan, "b1", "enumerate") == [2, 7, 11]
    assert units(plan, "b1", "predict") == []


def test_a_chain_of_missing_cells_is_barren_to_its_end():
    data = small_table()
    data.loc[11, "x"] = np.nan  # now b1, x and y are missing in row 11
    plan = plan_of("y ~ x + b1 + z", data)
    assert units(plan, "b1", "predict") == [11]
    assert units(plan, "b1", "enumerate") == [2, 7]
    assert 11 in units(plan, "x", "predict")
    assert not plan.active["b1"][11]
    assert not plan.active["x"][11]
    assert not plan.active["y"][11]


def test_active_rows_are_observed_or_informative():
    plan = plan_of("y ~ x + z")
    x, y = plan.active["x"], plan.active["y"]
    assert np.flatnonzero(~y).tolist() == [0, 11, 20, 23]
    assert np.flatnonzero(~x).tolist() == [20]


def test_a_cluster_cell_is_informative_if_any_row_of_the_cluster_is():
    plan = plan_of("y ~ v + z + (1 | a)")
    assert units(plan, "v", "sample") == [1]
    assert plan.cells[0].level == "a"
    data = small_table()
    data.loc[data["a"] == 1, "y"] = np.nan
    plan = plan_of("y ~ v + z + (1 | a)", data)
    assert units(plan, "v", "predict") == [1]
    assert units(plan, "v", "sample") == []


def test_a_cell_known_from_its_cluster_is_deduced():
    data = small_table()
    data.loc[0, "v"] = np.nan
    plan = plan_of("y ~ v + z + (1 | a)", data)
    assert units(plan, "v", "deduce") == [0]
    assert units(plan, "v", "sample") == [1]
    only = small_table().drop(columns="x")
    only["v"] = only.groupby("a")["h"].transform("first") * 2
    only.loc[3, "v"] = np.nan
    plan = plan_of("y ~ v + z + (1 | a)", only)
    assert units(plan, "v", "deduce") == [3]
    assert "observed in another row" in repr(plan)


@pytest.mark.parametrize(
    ("formula", "treatment"),
    [
        ("y ~ x + z", "integrate"),
        ("y ~ x * z", "integrate"),
        ("y ~ x * b1", "integrate"),
        ("yb ~ x + z", "sample"),  # a logit
        ("y ~ x + z + (1 + x | a)", "sample"),  # a group-specific slope
        (
            "y ~ x + z + (1 | a)",
            "sample",
        ),  # fewer cells than group effects that can be integrated out instead
    ],
)
def test_continuous_cells(formula, treatment):
    plan = plan_of(formula)
    chosen = [g.treatment for g in plan.cells if g.variable == "x" and g.treatment != "predict"]
    assert chosen == [treatment]
    assert plan.n_latent_cells == (0 if treatment == "integrate" else len(plan.units("x", "sample")))


def test_expanded_rows_are_counted():
    plan = plan_of("y ~ b1 + b2 + z")
    # y's row 11 is missing, its b1 barren; row 7 lacks both, 2 and 15 lack one
    assert plan.n_expanded == 4 + 2 + 2
    assert f"{plan.n_expanded} weighted rows" in repr(plan)


def test_overrides_are_followed():
    assert units(plan_of("y ~ x + z", treatments={"x": "sample"}), "x", "integrate") == []
    plan = plan_of("y ~ x + z", treatments={"y": "sample"})
    assert units(plan, "y", "sample") == [0, 11, 20, 23]
    assert 20 not in units(plan, "x", "predict")  # a latent outcome depends on it
    assert units(plan_of("yb ~ b1 + z", treatments={"yb": "enumerate"}), "yb", "enumerate") == [0, 11]
    for how in ("centred", "noncentred", "collapse"):
        plan = plan_of("y ~ z + (1 | a)", treatments={"1|a": how})
        assert plan.effect("y", "a").treatment == how
    plan = plan_of("y ~ x + z + (1 | a)", treatments={"x__1|a": "centred"})
    assert plan.effect("x", "a").treatment == "centred"
    assert plan.effect("y", "a").treatment == "collapse"


def test_group_effects_by_default():
    assert plan_of("y ~ z + (1 + z | a)").effect("y", "a").treatment == "collapse"
    assert plan_of("yb ~ z + (1 | a)").effect("yb", "a").treatment in ("centred", "noncentred")
    crossed = plan_of("y ~ z + (1 | a) + (1 | c)")
    assert [e.treatment for e in crossed.effects] == ["collapse", "noncentred"]  # a has more groups
    asked = plan_of("y ~ z + (1 | a) + (1 | c)", treatments={"1|c": "collapse"})
    assert [e.treatment for e in asked.effects] == ["noncentred", "collapse"]
    summed = plan_of("y ~ b1 + z + (1 | a)").effect("y", "a")
    assert summed.treatment != "collapse"
    assert "b1" in summed.reason
    linked = plan_of("y ~ x + x2 + z + (1 | a)").effect("x", "a")
    assert linked.treatment != "collapse"
    assert "x2" in linked.reason


REFUSED = [
    ("y ~ x + z", {"x": "predict"}, ModelError, "'x'.*3 of its cells.*observed outcome"),
    ("y ~ b1 + z", {"b1": "predict"}, ModelError, "'b1'.*2 of its cells"),
    ("y ~ x + z", {"x": "enumerate"}, ModelError, "'x'.*'sample', not 'enumerate'"),
    ("y ~ b1 + z", {"b1": "sample"}, ModelError, "'b1'.*'enumerate', not 'sample'"),
    ("y ~ x + z", {"x": "grid"}, NotSupportedError, "'x'.*'grid' is not supported yet; the nearest"),
    ("y ~ x + z", {"z": "sample"}, ModelError, "'z'.*no such incomplete variable.*x, y"),
    ("y ~ z + (1 | a)", {"1|c": "collapse"}, ModelError, r"'1\|c'.*there are y, 1\|a"),
    ("y ~ z + (1 | a)", {"1|a": "sample"}, ModelError, r"'1\|a'.*'collapse', 'centred' or 'noncentred'"),
    ("y ~ b1 + (1 | a)", {"1|a": "collapse"}, ModelError, r"'1\|a'.*cannot collapse: .*b1"),
    ("yb ~ z + (1 | a)", {"1|a": "collapse"}, ModelError, r"'1\|a'.*bernoulli"),
    ("y ~ x + (1 + x | a)", {"1|a": "collapse"}, ModelError, r"'1\|a'.*incomplete x"),
    ("y ~ x + x2 + (1 | a)", {"x__1|a": "collapse"}, ModelError, r"'x__1\|a'.*model of x2"),
    (
        "y ~ z + (1 | a) + (1 | c)",
        {"1|a": "collapse", "1|c": "collapse"},
        ModelError,
        "of a and of c.*one grouping",
    ),
    ("yb ~ x + z", {"x": "integrate"}, ModelError, "'x'.*'integrate'.*say 'sample'"),
    ("y ~ x + (1 + x | a)", {"x": "integrate"}, ModelError, "'x'.*'integrate'"),
]


@pytest.mark.parametrize(("formula", "treatments", "error", "text"), REFUSED)
def test_refusals_are_one_line_that_names_it(formula, treatments, error, text):
    with pytest.raises(error, match=text) as caught:
        plan_of(formula, treatments=treatments)
    assert "\n" not in str(caught.value)


NONLINEAR = [
    ("y ~ x + I(x ** 2)", {}, r"I\(x \*\* 2\) of the incomplete x.*model of y.*nearest"),
    ("y ~ log(x2)", {}, r"log\(x2\).*nearest that is: x2"),
    ("y ~ x * x2", {}, "x:x2 of the incomplete x and x2"),
    ("y ~ z + offset(x)", {}, r"offset\(x\).*as a predictor"),
    ("y ~ x + (1 + I(x ** 2) | a)", {}, r"I\(x \*\* 2\)"),
    ("y ~ x + x2", {"formulas": {"x2": "~ I(x ** 2)"}}, r"model of x2"),
]


@pytest.mark.parametrize(("formula", "options", "text"), NONLINEAR)
def test_a_sampled_cell_that_enters_nonlinearly_is_refused_by_name(formula, options, text):
    with pytest.raises(NotSupportedError, match=text) as caught:
        plan_of(formula, **options)
    assert "\n" not in str(caught.value)


def test_a_nonlinear_term_of_a_complete_variable_is_fine():
    assert units(plan_of("y ~ x + I(z ** 2) + log(exp(w))"), "x", "integrate") == [3, 8, 15]


def test_the_printout_says_what_happens_to_each_cell():
    text = repr(plan_of("y ~ x + b1 + v + z + (1 | a)"))
    for part in (
        "predicted afterwards",
        "summed out, drawn back",
        "sampled by NUTS",
        "1 cells (one a a)",
        "y: effects of a",
        "4 × 1",
        "weighted rows",
    ):
        assert part in text, part
    text = repr(plan_of("y ~ z + (1 | a)"))
    assert "integrated out, drawn back" in text
    assert "only the outcome 'y' is incomplete" in text
    nothing = small_table().dropna(subset=["y"])
    assert "nothing is missing" in repr(plan_of("y ~ z", nothing))
