"""Observed derived values in the plan: which parts are summed, integrated, gridded, solved; what is said and refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model
from bayesmi.build import build_sampled
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.plan import make_plan
from bayesmi.plan.levelset import leaves


def plan_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return make_plan(Model(formula, data, **options))


def gaussians(n=40):
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(n, 4)), columns=["a", "b", "c", "d"])
    data["s"] = data["a"] + data["b"] + data["c"]
    data["y"] = data["a"] - data["b"] + data["c"] + rng.normal(size=n)
    data["yb"] = (data["y"] > 0).astype(float)
    return data


SUM = {"s": "a + b + c"}


def units(plan, name, treatment):
    return plan.units(name, treatment).tolist()


def test_linear_parts_are_integrated_out_and_one_is_solved():
    data = gaussians()
    data.loc[3, ["a", "b"]] = np.nan
    data.loc[4, ["a", "b", "c"]] = np.nan
    data.loc[5, ["a", "b", "s"]] = np.nan  # no sum: not tied
    plan = plan_of("y ~ a + b + c", data, derived=SUM, order=["a", "b", "c"])
    assert units(plan, "a", "integrate") == [3, 4, 5]
    assert units(plan, "b", "solve") == [3]
    assert units(plan, "b", "integrate") == [4, 5]
    assert units(plan, "c", "solve") == [4]
    assert "observed s in 2 rows: a, b integrated out under it; b, c solved from it" in str(plan)


def test_tied_cells_carry_information_where_the_outcome_is_missing():
    data = gaussians()
    data.loc[3, ["a", "b", "y"]] = np.nan
    data.loc[4, ["a", "y"]] = np.nan
    data.loc[4, "s"] = np.nan
    plan = plan_of("y ~ a + b + c", data, derived=SUM, order=["b", "a"])
    assert units(plan, "b", "integrate") == [3]
    assert units(plan, "a", "solve") == [3]
    assert units(plan, "a", "predict") == [4]
    assert units(plan, "y", "predict") == [3, 4]


def test_an_observed_value_says_nothing_where_a_part_has_no_model():
    data = gaussians()
    data.loc[3, ["a", "b"]] = np.nan
    plan = plan_of("y ~ a + c", data, derived=SUM)
    assert plan.systems == ()
    assert units(plan, "a", "integrate") == [3] or units(plan, "a", "sample") == [3]


def test_a_part_without_a_model_leaves_the_rows_alone_where_it_is_observed():
    data = gaussians()
    data.loc[3, ["a", "b"]] = np.nan
    data.loc[5, ["a", "c"]] = np.nan
    data.loc[7, ["b", "c"]] = np.nan
    plan = plan_of("y ~ a + b", data, derived={"s": "a + b + c"})
    assert [system.units.tolist() for system in plan.systems] == [[3]]


def test_a_child_that_is_not_gaussian_puts_one_on_a_grid():
    data = gaussians()
    data.loc[3, ["a", "b"]] = np.nan
    plan = plan_of("yb ~ a + b + c", data, derived=SUM)
    (system,) = plan.systems
    assert len(system.grid) == len(system.inverse) == 1
    assert "on a grid between the limits that it leaves" in str(plan)


def test_the_rest_is_integrated_given_the_nonlinear_one():
    data = gaussians()
    data.loc[3, ["a", "b", "c"]] = np.nan
    plan = plan_of("y ~ a + I(a ** 2) + b + c", data, derived=SUM)
    (system,) = plan.systems
    assert system.grid == ("a",)
    assert len(system.integrated) == len(system.linear) == 1


def test_four_nonlinear_parts_are_too_many():
    data = gaussians()
    data["s"] = np.exp(data["a"]) + np.exp(data["b"]) + np.exp(data["c"]) + np.exp(data["d"])
    data.loc[3, ["a", "b", "c", "d"]] = np.nan
    with pytest.raises(
        NotSupportedError, match=r"'?s'? is observed where .* 3 of them would have to run over a grid"
    ):
        plan_of("y ~ a + b + c + d", data, derived={"s": "exp(a) + exp(b) + exp(c) + exp(d)"})


def test_an_expression_without_a_unique_solution_is_refused():
    data = gaussians()
    data["s"] = data["a"] ** 2 + data["b"] ** 2
    data.loc[3, ["a", "b"]] = np.nan
    with pytest.raises(NotSupportedError, match=r"no unique solution for any of a, b.*lognormal"):
        plan_of("y ~ a + b", data, derived={"s": "a ** 2 + b ** 2"}, order=["a", "b"])


def test_tied_cells_cannot_be_sampled():
    data = gaussians()
    data.loc[3, ["a", "b"]] = np.nan
    with pytest.raises(ModelError, match=r"observed values of s, which tie them"):
        plan_of("y ~ a + b + c", data, derived=SUM, treatments={"a": "sample"})


def items(n=80, k=8):
    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.integers(1, 6, (n, k)).astype(float), columns=[f"i{j}" for j in range(k)])
    data["total"] = data.sum(axis=1)
    data["y"] = data["total"] + rng.normal(size=n)
    return data


NAMES = [f"i{j}" for j in range(8)]
TOTAL = {"total": " + ".join(NAMES)}
ORDINAL = dict.fromkeys(NAMES, "ordinal")


def test_eight_missing_items_expand_to_the_combinations_that_give_the_total():
    data = items()
    data.loc[2, NAMES] = np.nan
    data.loc[2, "total"] = 12.0
    data.loc[7, NAMES[:3]] = np.nan
    plan = plan_of("y ~ total", data, derived=TOTAL, kinds=ORDINAL)
    # coefficients of (x + … + x⁵)⁸ and (x + … + x⁵)³
    ways = {k: np.array([1], dtype=int) for k in (3, 8)}
    for k in ways:
        for _ in range(k):
            ways[k] = np.convolve(ways[k], [0, 1, 1, 1, 1, 1])
    rest = int(data["total"][7] - data.loc[7, NAMES[3:]].sum())
    assert plan.n_expanded == ways[8][12] + ways[3][rest] == 330 + ways[3][rest]
    (large,) = (system for system in plan.systems if len(system.discrete) == 8)
    unit, which = leaves(large, np.zeros(1, dtype=np.intp), {})
    assert len(unit) == 330
    assert (sum(which.values()) + 8 == 12).all()
    assert "390,750 combinations" in str(plan)


def test_products_and_rounded_means_are_enumerated_too():
    data = items(k=3)
    data["total"] = (data[["i0", "i1", "i2"]].mean(axis=1)).round(2)
    data["p"] = data["i0"] * data["i1"]
    data.loc[4, ["i0", "i1"]] = np.nan
    data.loc[9, ["i0", "i1", "i2"]] = np.nan
    derived = {"total": "(i0 + i1 + i2) / 3", "p": "i0 * i1"}
    plan = plan_of(
        "y ~ i0 + i1 + i2", data, derived=derived, kinds=dict.fromkeys(["i0", "i1", "i2"], "ordinal")
    )
    whole = items(k=3)
    for row, system in ((4, plan.systems[0]), (9, plan.systems[1])):
        unit, which = leaves(system, np.arange(1), {})
        values = {name: code + 1.0 for name, code in which.items()}
        i2 = values.get("i2", whole["i2"][row])
        mean = (values["i0"] + values["i1"] + i2) / 3
        assert (np.abs(mean - data["total"][row]) <= 0.005).all()
        assert (values["i0"] * values["i1"] == data["p"][row]).all()
        true = whole.loc[row, ["i0", "i1"]].tolist()
        assert any(values["i0"][k] == true[0] and values["i1"][k] == true[1] for k in range(len(unit)))


def test_an_impossible_total_is_refused_by_row():
    data = items()
    data.loc[5, NAMES[:2]] = np.nan
    data.loc[5, "total"] = 100.0
    with pytest.raises(
        ModelError, match=r"'total' = 100 is observed in row 5 and no values of .* correct or blank it"
    ):
        plan_of("y ~ total", data, derived=TOTAL, kinds=ORDINAL)


def test_a_gaussian_part_outside_its_support_for_some_levels_drops_these():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"k": (rng.random(60) < 0.5).astype(float), "x": rng.exponential(size=60)})
    data["m"] = data["x"] + 2 * data["k"]
    data["y"] = data["m"] + rng.normal(size=60)
    data.loc[0, ["k", "x"]] = np.nan
    data.loc[0, "m"] = 1.2  # k = 1 would need x = -0.8
    data.loc[1, ["k", "x"]] = np.nan
    data.loc[1, "m"] = 3.0
    options = {"derived": {"m": "x + 2 * k"}, "families": {"x": "lognormal"}}
    plan = plan_of("y ~ k + x", data, **options)
    assert plan.n_expanded in (2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        built = build_sampled(Model("y ~ k + x", data, **options))
    entries = built.tables.expansion
    assert sorted(zip(entries.rows.tolist(), entries.values["k"].tolist(), strict=True)) == [
        (0, 0),
        (1, 0),
        (1, 1),
    ]
    data.loc[2, ["k", "x"]] = np.nan
    data.loc[2, "m"] = -1.0
    with pytest.raises(ModelError, match=r"'m' = -1 is observed in row 2"):
        plan_of("y ~ k + x", data, **options)


def test_what_is_not_supported_is_refused_by_name():
    person = np.repeat(np.arange(12), 4)
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"person": person, "u": rng.normal(size=12)[person], "v": rng.normal(size=12)[person]}
    )
    data["x"] = rng.normal(size=48)
    data["y"] = rng.normal(size=48) + data["u"]
    data["s"] = data["u"] + data["v"] * data["x"]
    data.loc[person == 3, ["u", "v"]] = np.nan
    with pytest.raises(NotSupportedError, match=r"several equations on cells of a group"):
        plan_of("y ~ u + v + x + (1 | person)", data, derived={"s": "u + v * x"})
