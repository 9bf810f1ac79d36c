"""Outcome likelihoods are densities of the outcome; what has none is refused or left out, and said to be."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand_fit import hand_fit, hand_fit_of
from kernel_cases import SHAPES, make_model, small_table

from bayesmi import BayesmiNotice, Model
from bayesmi.errors import FitError


def with_response(fit, value):
    """The fit with the outcome at `value` in every row that has one."""
    tables, name = fit.tables, fit.model.response
    own = tables.factors[name]
    moved = replace(
        own, response=np.where(np.isin(np.arange(own.n_rows), own.response_positions), 0.0, value)
    )
    return replace(fit, tables=replace(tables, factors={**tables.factors, name: moved}))


def quiet(fit, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return fit.log_likelihood(*args, progress=False, **kwargs)


@pytest.mark.parametrize(
    "name",
    [
        "linear_x",
        "linear_x_sampled",
        "integrate_two",
        "integrate_and_sum",
        "mixed_groups",
        "slope_on_incomplete_interaction",
        "slope_integrated_crossed",
        "quadratic",
        "product_of_two",
        "several_discrete",
        "count_covariate",
        "covariate_slope_sampled_outcome",
        "gamma_covariate",
    ],
)
def test_a_gaussian_outcome_likelihood_integrates_to_one(name):
    formula, options = SHAPES[name]
    fit = hand_fit(formula, small_table(), n=2, sd=0.2, finer=2.5, **options)
    factor = fit.model.analysis
    reach = 12 * factor.spread
    grid = np.linspace(factor.location - reach, factor.location + reach, 121)
    density = sum(np.exp(quiet(with_response(fit, v)).values) for v in grid) * (grid[1] - grid[0])
    np.testing.assert_allclose(density, 1.0, rtol=2e-6)


@pytest.mark.parametrize("name", ["logistic_binary", "integrate_partly", "grid_asked", "logistic_text"])
def test_a_binary_outcome_likelihood_sums_to_one(name):
    formula, options = SHAPES[name]
    fit = hand_fit(formula, small_table(), n=2, finer=2.5, **options)
    density = sum(np.exp(quiet(with_response(fit, v)).values) for v in (0.0, 1.0))
    np.testing.assert_allclose(density, 1.0, rtol=1e-6)


def test_without_missing_predictors_it_is_the_density_of_the_outcome():
    fit = hand_fit("y ~ z + (1 | a)", small_table())
    found = quiet(fit)
    data, own = small_table(), fit.draws.factors["y"]
    rows = np.flatnonzero(data["y"].notna())
    eta = own.intercept[:, None] + own.coefficients[:, [0]] * data["z"].to_numpy()
    eta = (eta + own.effects["a"][:, data["a"].to_numpy(), 0])[:, rows]
    sigma = own.scales["sigma"][:, None]
    expected = -0.5 * ((data["y"].to_numpy()[rows] - eta) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(found.values[0], expected)
    assert list(found["__obs__"].values) == list(rows)
    assert found.dims == ("chain", "draw", "__obs__")


def test_auxiliary_variables_stay_out_of_the_outcome_but_not_of_the_joint():
    data = small_table()
    plain = hand_fit("y ~ z", data.drop(columns="x2"), seed=1)
    more = hand_fit("y ~ z", data, auxiliary=["x2"], seed=1)
    own = dict(more.draws.factors) | {"y": plain.draws.factors["y"]}
    more = replace(more, draws=replace(more.draws, factors=own))
    np.testing.assert_allclose(quiet(more).values, quiet(plain).values)
    assert np.abs(quiet(more, "joint").sum() - quiet(plain, "joint").sum()) > 1


def test_rows_without_an_outcome_are_left_out_and_counted():
    data = small_table()
    fit = hand_fit("y ~ x + z", data)
    with pytest.warns(BayesmiNotice, match="4 of 24 rows have no observed y: they are left out"):
        found = fit.log_likelihood(progress=False)
    assert found.attrs["n_absent"] == 4
    assert found.sizes["__obs__"] == 20
    # two of these have an observed x, and a joint likelihood
    joint = quiet(fit, "joint")
    assert joint.sizes["__obs__"] == int((data["y"].notna() | data["x"].notna()).sum())


def test_joint_is_outcome_plus_covariates():
    fit = hand_fit("y ~ x + z", small_table())
    joint, outcome = quiet(fit, "joint"), quiet(fit)
    # a row with y and x observed: log f(y | x) + log f(x)
    own = fit.draws.factors["x"]
    data = small_table()
    i = 1
    eta = own.intercept + own.coefficients[:, 0] * data["z"][i]
    sigma = own.scales["sigma"]
    covariate = -0.5 * ((data["x"][i] - eta) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    difference = (joint - outcome).sel(__obs__=i).values[0]
    np.testing.assert_allclose(difference, covariate)


def test_moved_groups_of_cells_do_not_change_it():
    options = {"auxiliary": ["yb"], "formulas": {"yb": "~ x2"}}
    plain = hand_fit("y ~ x + x2 + z", small_table(), n=2, sd=0.2, finer=2.5, **options)
    for moves in ({"x": {"integrate": "sample"}}, {"x2": {"sample": "grid"}}):
        other = replace(hand_fit_of(model_of_moves(options, moves), finer=2.5), draws=plain.draws)
        np.testing.assert_allclose(quiet(other), quiet(plain), atol=1e-6)


def model_of_moves(options, moves):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model("y ~ x + x2 + z", small_table(), treatments=moves, **options)


def test_groups_add_rows_up():
    fit = hand_fit("y ~ x + z + (1 | a)", small_table())
    rows, groups = quiet(fit), quiet(fit, unit="a")
    codes = small_table()["a"].to_numpy()[rows["__obs__"].values]
    for g in range(4):
        np.testing.assert_allclose(groups.values[0, :, g], rows.values[0][:, codes == g].sum(axis=1))
    assert groups.dims[-1] == "a__factor_dim"


def test_labels_are_those_of_the_table():
    data = small_table()
    data.index = [f"r{i}" for i in range(24)]
    found = quiet(hand_fit("y ~ z", data))
    assert list(found["__obs__"].values[:2]) == ["r1", "r2"]


@pytest.mark.parametrize(
    ("formula", "kind", "unit", "words"),
    [
        ("y ~ z + v + (1 | a)", "outcome", "row", r"v is missing in 1 groups of a: the 6 rows .* unit='a'"),
        ("y ~ z + flag + (1 | a)", "outcome", "row", r"flag is missing .* say unit='a'"),
        ("y ~ z + v + (1 | a)", "joint", "row", r"say unit='a'"),
        ("y ~ z + v + (1 | a) + (1 | c)", "outcome", "c", r"v is missing .* say unit='a'"),
        ("y ~ z", "outcome", "school", r"unit='school'"),
        ("y ~ z", "both", "row", r"kind is 'outcome' or 'joint'"),
    ],
)
def test_refusals(formula, kind, unit, words):
    fit = hand_fit(formula, small_table())
    with pytest.raises(FitError, match=words):
        fit.log_likelihood(kind, unit, progress=False)


def test_a_complete_group_variable_belongs_to_groups_in_the_joint_only():
    data = small_table()
    data["v"] = data["h"]
    fit = hand_fit("y ~ z + (1 | a)", data, auxiliary=["v"])
    with pytest.raises(FitError, match=r"v has one value a a, .* unit='a'"):
        fit.log_likelihood("joint", progress=False)
    assert quiet(fit).sizes["__obs__"] == 20
    assert quiet(fit, "joint", "a").sizes["a__factor_dim"] == 4


def test_chunks_do_not_change_it(monkeypatch):
    from bayesmi.likelihood import of_fit as module

    fit = hand_fit("y ~ x * b1 + z + (1 | a)", small_table(), n=7)
    whole = quiet(fit)
    monkeypatch.setattr(module, "_CHUNK", 60)
    np.testing.assert_array_equal(quiet(fit).values, whole.values)


def test_repeated_labels_become_positions():
    data = pd.concat([small_table().head(12), small_table().head(12)])
    found = quiet(hand_fit("y ~ z", data))
    assert len(set(found["__obs__"].values)) == found.sizes["__obs__"]


@pytest.mark.parametrize(
    "name", ["measured", "measured_beside_holes", "measured_response", "scale_integrated"]
)
def test_measured_and_scaled_variables_have_an_outcome_likelihood(name):
    model = make_model(name)
    fit = hand_fit_of(model)
    found = quiet(fit)
    assert np.isfinite(found.values).all()
    response = fit.model.response
    seen = ~fit.model.table.unknown[response]
    for factor in fit.model.factors:
        if factor.is_observation and response in factor.parents:
            seen = seen | ~fit.model.table.unknown[factor.variable]
    assert found.sizes["__obs__"] == seen.sum()
