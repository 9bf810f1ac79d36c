"""What happens to each missing cell: barren or informative, by kind, by override; and what is refused."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from kernel_cases import small_table
from scipy import stats

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


def test_cells_with_a_slope_that_varies_are_integrated_given_the_effects():
    data = small_table()
    data.loc[[1, 5, 12, 13, 17], "x"] = np.nan
    plan = plan_of("y ~ x + z + (1 + x | a)", data)
    assert len(units(plan, "x", "integrate")) == 8
    assert plan.n_latent_cells == 0
    assert plan.effect("y", "a").treatment != "collapse"


def test_effects_are_centred_where_the_groups_say_much_about_them():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(30), 20)
    x = rng.normal(size=600)
    for sds, treatment, n_centred in (
        ((1.0, 0.05), "partly centred", 1),
        ((1.0, 1.0), "centred", 2),
        (
            (0.05, 1.0),
            "noncentred",
            0,
        ),  # later effects are sampled given earlier ones, not the other way round
    ):
        u = rng.normal(size=(30, 2)) * sds
        p = u[g, 0] + u[g, 1] * x + rng.normal(size=600)
        data = pd.DataFrame({"y": p, "x": x, "g": g})
        data.loc[:40, "x"] = np.nan
        effect = plan_of("y ~ x + (1 + x | g)", data).effect("y", "g")
        assert (effect.treatment, effect.n_centred) == (treatment, n_centred)


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
        (
            "y ~ x + z + (1 + x | a)",
            "sample",
        ),  # fewer cells than effects of x's own model, collapsed otherwise
        ("y ~ x + z + (1 | a)", "integrate"),  # together with the group effects
        (
            "y ~ x + x:z + (1 | a)",
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
    for how in ("adaptive", "centred", "noncentred", "collapse"):
        plan = plan_of("y ~ z + (1 | a)", treatments={"1|a": how})
        assert plan.effect("y", "a").treatment == how
    plan = plan_of("y ~ x + z + (1 | a)", treatments={"x__1|a": "centred"})
    assert plan.effect("x", "a").treatment == "centred"
    assert plan.effect("y", "a").treatment == "collapse"


def test_group_effects_by_default():
    assert plan_of("y ~ z + (1 + z | a)").effect("y", "a").treatment == "collapse"
    assert plan_of("yb ~ z + (1 | a)").effect("yb", "a").treatment == "adaptive"
    crossed = plan_of("y ~ z + (1 | a) + (1 | c)")
    assert [e.treatment for e in crossed.effects] == ["collapse", "noncentred"]  # a has more groups
    asked = plan_of("y ~ z + (1 | a) + (1 | c)", treatments={"1|c": "collapse"})
    assert [e.treatment for e in asked.effects] == ["noncentred", "collapse"]
    summed = plan_of("y ~ b1 + z + (1 | a)").effect("y", "a")
    assert summed.treatment != "collapse"
    assert "b1" in summed.reason
    linked = plan_of("y ~ z + b1 + x + x2 + (1 | a)", order=["x", "x2", "b1"]).effect("x", "a")
    assert linked.treatment != "collapse"
    assert "x2" in linked.reason


def test_a_plan_that_takes_long_says_so_and_what_else_there_is():
    rng = np.random.default_rng(3)
    z = rng.normal(size=1200)
    data = pd.DataFrame({"z": z, "u": rng.gamma(2.0, np.exp(0.2 * z)), "v": rng.gamma(2.0, np.exp(0.2 * z))})
    data["y"] = data["u"] + data["v"] + rng.normal(size=1200)
    short = repr(
        plan_of(
            "y ~ u + v + z", data.assign(u=data["u"].where(rng.random(1200) > 0.2)), families={"u": "gamma"}
        )
    )
    assert "minutes" not in short
    for name in ("u", "v"):
        data[name] = data[name].where(rng.random(1200) > 0.5)
    text = repr(plan_of("y ~ u + v + z", data, families={"u": "gamma", "v": "gamma"}))
    assert re.search(
        r"about \d+ minutes for 4 × \(1,000 \+ 1,000\) draws on 2 cores; treatments=\{'[uv]': 'gibbs'\}", text
    )


def test_effects_that_are_not_there_are_named():
    data = pd.DataFrame({"y": np.arange(20.0) % 7, "x": np.arange(20.0) % 3, "g": np.arange(20) % 5})
    plan = plan_of("y ~ x + (1 | g)", data)
    with pytest.raises(
        ModelError, match=r"^no effects of 'h' are in a model of 'y'; there are 'g' in the model of 'y'$"
    ):
        plan.effect("y", "h")


def test_effects_that_are_integrated_out_together():
    plan = plan_of("y ~ x + x2 + z + (1 | a)")
    assert [(e.variable, e.treatment, e.jointly) for e in plan.effects] == [
        ("x", "collapse", True),
        ("x2", "collapse", True),
        ("y", "collapse", True),
    ]
    assert "the cells of x and x2 and the effects in the models of x and y" in repr(plan)
    assert {g.treatment for g in plan.cells if g.variable == "x"} == {"integrate", "predict"}
    crossed = plan_of("y ~ x + z + (1 | a) + (1 | c)")
    assert [(e.grouping, e.jointly) for e in crossed.effects] == [("a", True), ("c", False)] * 2
    asked = plan_of("y ~ x + z + (1 | a) + (1 | c)", treatments={"1|c": "collapse"})
    assert [(e.grouping, e.jointly) for e in asked.effects] == [("a", False), ("c", True)] * 2
    for nested in (
        plan_of("y ~ x + z + (1 | a/b)"),
        plan_of("y ~ z + (1 | a/b)"),
    ):  # groups in groups leave too
        assert all(e.jointly for e in nested.effects)
        assert [own.groupings for own in nested.joint] == [("a:b", "a")]
    assert "those of a:b and a" in repr(nested)
    for formula, more in (
        ("y ~ x + x:z + (1 | a)", {}),  # x enters each row with another weight
        ("y ~ x + z + (1 + x | a)", {}),  # or through a slope that varies
        ("y ~ x + b1 + z + (1 | a)", {}),  # rows of y are summed over b1
        ("y ~ x + z + (1 | a)", {"treatments": {"x__1|a": "noncentred"}}),
        ("y ~ x + z + (1 | a)", {"treatments": {"x": "sample"}}),
        ("y ~ z + (1 | a) + (1 | c)", {}),  # nothing to gain
    ):
        assert not any(e.jointly for e in plan_of(formula, **more).effects), formula


def test_other_effects_beside_those_that_leave_together_say_so():
    formula, nested = "y ~ x + z + (1 | a) + (1 | c)", "y ~ x + z + (1 | a/b) + (1 | c)"
    for own in plan_of(formula).effects[1::2]:
        assert own.grouping == "c"
        assert own.reason.startswith("effects of a are integrated out instead")
    assert "effects of a:b and a are integrated out instead" in repr(plan_of(nested))
    with pytest.raises(
        ModelError, match=r"'1\|c'\]: cannot collapse: effects of a are integrated out instead"
    ):
        plan_of(formula, treatments={"1|a": "collapse", "1|c": "collapse"})


@pytest.mark.parametrize(("outer_sd", "how"), [(0.0, "centred"), (4.0, "noncentred")])
def test_effects_beside_those_that_leave_together_are_centred_by_what_the_data_say(outer_sd, how):
    rng = np.random.default_rng(1)
    n = 1200
    g, c = np.arange(n) % 40, rng.integers(0, 12, n)
    h = g % 8
    x = rng.normal(size=n)
    y = x + outer_sd * np.linspace(-1.0, 1.0, 8)[h] + np.linspace(-1.0, 1.0, 12)[c] + rng.normal(size=n)
    data = pd.DataFrame({"g": g, "h": h, "c": c, "x": np.where(rng.random(n) < 0.2, np.nan, x), "y": y})
    plan = plan_of("y ~ x + (1 | h/g) + (1 | c)", data)
    assert plan.joint
    assert plan.effect("y", "c").treatment == how


def test_cells_of_the_same_rows_are_of_one_set():
    more = {"auxiliary": ["x2", "yp"], "order": ["x2", "yp", "x"]}
    formulas = {"yp": "~ x2 + (1 | a)", "x2": "~ z + (1 | a)", "x": "~ z + (1 | a)"}
    (own,) = plan_of("y ~ x + (1 | a)", formulas=formulas, **more).joint
    assert set(own.variables) == {"x", "y", "x2", "yp"}  # x and x2 are missing together in some rows
    apart = small_table()
    apart.loc[apart["x"].isna(), "x2"] = 0.0
    assert len(plan_of("y ~ x + (1 | a)", apart, formulas=formulas, **more).joint) == 2
    formulas["yp"] = ("~ x2", "sigma ~ z")
    assert not plan_of("y ~ x + (1 | a)", formulas=formulas, **more).joint
    assert plan_of("y ~ x + (1 | a)", apart, formulas=formulas, **more).joint


def test_effects_are_not_integrated_out_with_cells_of_rows_that_are_summed():
    formulas = {"yp": "~ b1", "b1": "~ z", "x": "~ z + (1 | a)"}
    more = {"auxiliary": ["b1", "yp"], "formulas": formulas}
    assert plan_of("y ~ x + (1 | a)", **more).joint
    both = small_table()
    both.loc[3, "b1"] = np.nan
    assert not plan_of("y ~ x + (1 | a)", both, **more).joint


REFUSED = [
    ("y ~ x + z", {"x": "predict"}, ModelError, "'x'.*3 of its cells.*observed outcome"),
    ("y ~ b1 + z", {"b1": "predict"}, ModelError, "'b1'.*2 of its cells"),
    ("y ~ x + I(x ** 2)", {"x": {"grid": "sample"}}, ModelError, "'grid'.*cannot be treated otherwise"),
    ("y ~ x + z", {"x": "enumerate"}, ModelError, "'x'.*'gibbs', not 'enumerate'"),
    ("y ~ b1 + z", {"b1": "sample"}, ModelError, "'b1'.*'gibbs', not 'sample'"),
    ("y ~ b1 + z", {"b1": "grid"}, ModelError, "'b1'.*'predict' or 'enumerate' or 'gibbs', not 'grid'"),
    ("y ~ I(x ** 2)", {"x": "sample"}, ModelError, "'x'.*='sample'.*do not enter linearly.*'grid'"),
    ("y ~ I(x ** 2)", {"x": "integrate"}, ModelError, "'x'.*='integrate'.*do not enter linearly.*'grid'"),
    ("y ~ I(x ** 2)", {"x": "predict"}, ModelError, "'x'.*3 of its cells.*say 'grid'"),
    ("y ~ x + z", {"z": "sample"}, ModelError, "'z'.*no such incomplete variable.*x, y"),
    ("y ~ z + (1 | a)", {"1|c": "collapse"}, ModelError, r"'1\|c'.*there are y, 1\|a"),
    (
        "y ~ z + (1 | a)",
        {"1|a": "sample"},
        ModelError,
        r"'1\|a'.*'collapse', 'adaptive', 'centred', 'partly centred' or 'noncentred'",
    ),
    ("y ~ b1 + (1 | a)", {"1|a": "collapse"}, ModelError, r"'1\|a'.*cannot collapse: .*b1"),
    ("yb ~ z + (1 | a)", {"1|a": "collapse"}, ModelError, r"'1\|a'.*bernoulli"),
    ("y ~ x + (1 + x | a)", {"1|a": "collapse"}, ModelError, r"'1\|a'.*incomplete x"),
    ("y ~ x + b1 + (1 | a)", {"x__1|a": "collapse"}, ModelError, r"'x__1\|a'.*b1"),
    (
        "y ~ z + (1 | a) + (1 | c)",
        {"1|a": "collapse", "1|c": "collapse"},
        ModelError,
        "of a and of c.*one grouping",
    ),
    ("yb ~ x + z", {"x": "integrate"}, ModelError, "'x'.*'integrate'.*say 'sample'"),
    ("yb ~ x + (1 + x | a)", {"x": "integrate"}, ModelError, "'x'.*'integrate'"),
]


@pytest.mark.parametrize(("formula", "treatments", "error", "text"), REFUSED)
def test_refusals_are_one_line_that_names_it(formula, treatments, error, text):
    with pytest.raises(error, match=text) as caught:
        plan_of(formula, treatments=treatments)
    assert "\n" not in str(caught.value)


NONLINEAR = [
    ("y ~ x + I(x ** 2)", {}, "x", [3, 8, 15]),
    ("y ~ log(x2)", {}, "x2", [3, 9, 16]),
    ("y ~ bs(x2, df=4)", {}, "x2", [3, 9, 16]),
    ("y ~ price", {"families": {"price": "lognormal"}}, "price", [4, 10]),  # its family is not Gaussian
    ("y ~ z + offset(x)", {}, "x", [3, 8, 15]),
    ("y ~ x + (1 + I(x ** 2) | a)", {}, "x", [3, 8, 15]),
    ("y ~ x + x2", {"formulas": {"x2": "~ I(x ** 2)"}}, "x", [3, 8, 15]),
    ("yb ~ x", {"treatments": {"x": "grid"}}, "x", [3, 8, 15, 20]),
]


@pytest.mark.parametrize(("formula", "options", "variable", "cells"), NONLINEAR)
def test_cells_that_enter_nonlinearly_run_over_a_grid(formula, options, variable, cells):
    plan = plan_of(formula, **options)
    assert units(plan, variable, "grid") == cells
    grid = plan.grids[variable]
    assert grid.values.shape == grid.log_weights.shape
    assert grid.values.shape[0] == len(cells)
    observed = small_table()[variable]
    assert (grid.values.min(axis=1) < observed.min()).all()
    assert (grid.values.max(axis=1) > observed.max()).all()
    assert f"grid of {variable}: {grid.values.shape[1]} points" in repr(plan)


def test_the_grid_integrates_a_density_on_the_scale_of_the_data():
    for formula, variable, family, density in [
        ("y ~ I(x ** 2)", "x", "gaussian", stats.norm(0.2, 0.7)),
        ("y ~ price", "price", "lognormal", stats.lognorm(0.3)),
    ]:
        grid = plan_of(formula, families={variable: family}).grids[variable]
        sums = (density.pdf(grid.values) * np.exp(grid.log_weights)).sum(axis=1)
        np.testing.assert_allclose(sums, 1.0, atol=1e-4)


def test_a_finer_and_wider_plan():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model("y ~ I(x ** 2)", small_table())
    first = make_plan(model).grids["x"]
    finer = make_plan(model, finer={"x": 4.0}).grids["x"]
    wider = make_plan(model, wider={"x": 2.0})
    assert (finer.spacing < first.spacing / 1.5).all()
    np.testing.assert_array_equal(finer.values[:, [0, -1]], first.values[:, [0, -1]])
    assert (wider.grids["x"].values[:, 0] < first.values[:, 0]).all()
    assert wider.wider == {"x": 2.0}
    np.testing.assert_allclose(wider.grids["x"].spacing, first.spacing, rtol=0.1)  # wider is not coarser
    slightly = make_plan(model, finer={"x": 1.3}).grids[
        "x"
    ]  # also where the rule alone would take fewer points
    assert (slightly.spacing < first.spacing / 1.2).all()


def test_of_two_cells_with_a_product_one_runs_over_a_grid_where_both_are_missing():
    plan = plan_of("y ~ x * x2")
    assert units(plan, "x", "integrate") == [3, 8, 15]
    assert units(plan, "x2", "integrate") == [9, 16]
    assert units(plan, "x2", "grid") == [3]  # x is missing there too
    assert plan.grids["x2"].values.shape[0] == 1


@pytest.mark.parametrize(
    ("formula", "options", "variable", "how_many", "words"),
    [
        ("y ~ b1 + z", {}, "b1", 2, "two values"),
        ("y ~ nom + z", {}, "nom", 3, "3 values"),
        ("y ~ grade + z", {"kinds": {"grade": "ordinal"}}, "grade", 3, "two values"),
        ("y ~ times + z", {"kinds": {"times": "count"}}, "times", 2, "counts from 0 to"),
    ],
)
def test_levels_and_counts_are_summed_out(formula, options, variable, how_many, words):
    plan = plan_of(formula, **options)
    assert len(units(plan, variable, "enumerate")) == how_many
    assert words in repr(plan)


def test_counts_run_far_beyond_the_largest_observed():
    plan = plan_of("y ~ times + z", kinds={"times": "count"})
    values = plan.grids["times"].values
    np.testing.assert_array_equal(values[0], np.arange(values.shape[1]))
    assert values.shape[1] > 2 * small_table()["times"].max()
    assert plan.grids["times"].spacing is None
    assert "grid of times" not in repr(plan)


def test_a_discrete_cluster_cell_stands_once_for_its_group_and_once_a_row_and_value():
    plan = plan_of("y ~ flag + z + (1 | a)")
    assert units(plan, "flag", "enumerate") == [2]
    rows = np.flatnonzero(small_table()["a"] == 2)
    assert plan.n_expanded == 2 + 2 * np.isfinite(small_table()["y"][rows]).sum()
    assert plan.effect("y", "a").treatment != "collapse"
    assert units(plan_of("y ~ v + I(v ** 2) + z + (1 | a)"), "v", "grid") == [1]


def test_of_a_product_across_levels_the_lower_cells_run_over_a_grid():
    # two latents of NUTS in one product would not enter linearly
    plan = plan_of("y ~ v * t + (1 | a/b)")
    assert units(plan, "v", "sample") == [1]
    assert len(units(plan, "t", "grid")) == 2
    plan = plan_of("y ~ v * x + z + (1 | a)")
    assert units(plan, "v", "sample") == [1]
    assert units(plan, "x", "grid") == [3, 8, 15]


LIMITS = [
    (
        "y ~ I(v ** 2) + I(t ** 2) + (1 | a/b)",
        {"formulas": {"t": "~ h"}},
        NotSupportedError,
        r"'v' \(one a a\) and of 't' \(one a a:b\).*nearest that is: a linear effect of 't'",
    ),
    (
        "y ~ flag + f + (1 | a) + (1 | c)",
        {"kinds": {"f": "nominal"}},
        NotSupportedError,
        r"'f' \(one a c\) and of 'flag' \(one a a\).*nearest",
    ),
    (
        "y ~ flag + t + z + (1 | a/b)",
        {},
        NotSupportedError,
        r"'flag' \(one a a\).*model of 't' \(one a a:b\).*nearest.*formulas=\{'t'.*without 'flag'",
    ),
    (
        "y ~ log(p)",
        {},
        ModelError,
        r"'log\(p\)' in the model of 'y' is not finite.*'p'.*right range.*'lognormal'",
    ),
    ("y ~ z + offset(log(p))", {}, ModelError, r"offset.*log\(p\).*'y' is not finite.*right range"),
    ("y ~ z + p + (1 + sqrt(p) | a)", {}, ModelError, r"'sqrt\(p\)'.*'y' is not finite.*right range"),
]


@pytest.mark.parametrize(("formula", "options", "error", "text"), LIMITS)
def test_what_cannot_be_summed_is_refused_by_name(formula, options, error, text):
    data = small_table()
    data["f"] = data["c"].map({0: 0.4, 1: 1.0, 2: np.nan})
    data["p"] = np.abs(data["x"]) + 0.1
    with pytest.raises(error, match=text) as caught:
        plan_of(formula, data, **options)
    assert "\n" not in str(caught.value)


def test_a_cell_that_is_only_predicted_has_to_be_in_range_too():
    data = small_table()
    data["p"] = (np.abs(data["x"]) + 0.1).fillna(1.0)
    data.loc[data["y"].isna(), "p"] = np.nan
    with pytest.raises(ModelError, match=r"'log\(p\)'.*not finite"):
        plan_of("y ~ log(p)", data)
    assert units(plan_of("y ~ log(p)", data, families={"p": "lognormal"}), "p", "predict") == [0, 11, 20, 23]


def test_an_expansion_beyond_the_budget_is_refused_by_name():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.poisson(20.0, size=(400, 6)).astype(float), columns=list("yabcde"))
    data.loc[:200, list("abcde")] = np.nan
    families = dict.fromkeys("abcde", "poisson")
    with pytest.raises(
        NotSupportedError, match=r"cells of a, b, c, d, e needs .* weighted rows.*take variables"
    ):
        plan_of("y ~ a + b + c + d + e", data, families=families)


def test_an_auxiliary_variable_makes_cells_of_the_response_informative():
    assert units(plan_of("y ~ x + z"), "y", "predict") == [0, 11, 20, 23]
    plan = plan_of("y ~ x + z", auxiliary=["w"])
    assert units(plan, "y", "integrate") == [0, 11, 20, 23]
    assert units(plan, "x", "integrate") == [3, 8, 15, 20]
    with_holes = small_table()
    with_holes.loc[[0, 5], "w"] = np.nan
    plan = plan_of("y ~ x + z", with_holes, auxiliary=["w"])
    assert units(plan, "w", "predict") == [0, 5]
    assert units(plan, "y", "predict") == [0]
    assert "nothing observed depends on it" in repr(plan)


def test_a_nonlinear_term_of_a_complete_variable_is_fine():
    assert units(plan_of("y ~ x + I(z ** 2) + log(exp(w))"), "x", "integrate") == [3, 8, 15]


def test_the_printout_says_what_happens_to_each_cell():
    text = repr(plan_of("y ~ x + b1 + v + z + (1 | a)"))
    for part in (
        "predicted afterwards",
        "summed out, drawn back",
        "sampled by NUTS",
        "1 cell (one a a)",
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


def test_one_group_of_cells_is_moved_and_the_others_stay():
    data = small_table()
    data["w"] = np.random.default_rng(2).normal(size=len(data))
    data.loc[[3, 5], "w"] = np.nan  # in row 3 both are missing: their product is not linear there
    before = plan_of("y ~ x * w + z", data)
    integrated, gridded = units(before, "x", "integrate"), units(before, "x", "grid")
    assert integrated
    after = plan_of("y ~ x * w + z", data, treatments={"x": {"integrate": "sample"}})
    assert units(after, "x", "sample") == integrated
    assert units(after, "x", "grid") == gridded
    assert units(after, "x", "integrate") == []


@pytest.mark.parametrize(
    ("moves", "text"),
    [
        ({"grid": "sample"}, "no cells of 'x' are treated so; its groups are 'integrate'"),
        ({"integrate": "predict"}, "can be 'sample' or 'grid', not 'predict'"),
    ],
)
def test_a_group_that_is_not_there_or_cannot_be_moved_is_refused(moves, text):
    with pytest.raises(ModelError, match=re.escape(text)):
        plan_of("y ~ x + z", treatments={"x": moves})


@pytest.mark.parametrize(("outer_sd", "inner_sd", "how"), [(2.0, 0.5, "centred"), (0.0, 2.0, "noncentred")])
def test_the_grouping_beside_the_collapsed_one_is_centred_by_what_the_data_say(outer_sd, inner_sd, how):
    rng = np.random.default_rng(2)
    inner = np.repeat(np.arange(80), 10)
    outer = inner // 4
    y = outer_sd * rng.normal(size=20)[outer] + inner_sd * rng.normal(size=80)[inner] + rng.normal(size=800)
    nearly = np.where(np.arange(800) == 0, 19, outer)  # of nested groups both are integrated out
    model = Model(
        "y ~ 1 + (1 | outer) + (1 | inner)", pd.DataFrame({"y": y, "outer": nearly, "inner": inner})
    )
    plan = make_plan(model)
    assert plan.effect("y", "inner").treatment == "collapse"
    assert plan.effect("y", "outer").treatment == how
    assert "information per group" in plan.effect("y", "outer").reason
    above = pd.DataFrame({"y": np.where(y > 0, "yes", "no"), "outer": outer, "inner": inner})
    sampled = make_plan(Model("y ~ 1 + (1 | outer/inner)", above))
    assert sampled.effect("y", "outer:inner").treatment != "collapse"
    assert sampled.effect("y", "outer").treatment == how


def test_a_treatment_that_no_cell_can_have_is_said_to_have_no_effect():
    plan = plan_of("y ~ x + b1 + z", treatments={"y": "integrate", "x": "sample"})
    assert units(plan, "y", "predict") == [0, 11, 20, 23]
    (line,) = (line for line in plan.remarks if "has no effect" in line)
    assert (
        line == "treatments['y']='integrate' has no effect: all missing cells of 'y' are predicted or deduced"
    )
