"""The sampled form of a model with latent group means is the one that is written, number by number."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.build.tables import make_tables
from bayesmi.draw.predictor import linear_predictor
from bayesmi.fit.contextual_view import as_sampled, as_written, group_parts, written_factor
from bayesmi.fit.names import from_dataset, to_dataset
from bayesmi.predictive.prior_draws import draw_prior

GROUPS, SIZE = 15, 6


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(GROUPS), SIZE)
    w = rng.normal(size=GROUPS)[g]
    x = 1 + 0.5 * w + rng.normal(size=GROUPS)[g] + rng.normal(size=len(g))
    x2 = 0.5 * x + rng.normal(size=GROUPS)[g] + rng.normal(size=len(g))
    return pd.DataFrame(
        {
            "g": g,
            "h": rng.integers(0, 4, len(g)),
            "w": w,
            "x": x,
            "x2": x2,
            "z": rng.normal(size=len(g)) + 0.2 * x,
            "t": np.tile(np.arange(SIZE), GROUPS),
            "y": x + rng.normal(size=len(g)),
            "k": pd.Categorical(rng.choice(["a", "b", "c"], len(g)), ordered=True),
        }
    )


def model_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bmi.Model(formula, data, **options)


def drawn(model, n=3):
    rng = np.random.default_rng(0)
    draws = draw_prior(model, n, rng)
    factors = {
        key: replace(
            own,
            intercept=None if own.intercept is None else rng.normal(size=n),
            coefficients=rng.normal(size=own.coefficients.shape),
        )
        for key, own in draws.factors.items()
    }
    return replace(draws, factors=factors)


def own_coefficients(model, draws):
    factor = written_factor(model.analysis)
    own = as_written(model.factors, draws).factors[factor.keys[0]]
    return dict(zip(factor.column_names, own.coefficients.T, strict=True)), own.intercept


def latent_means(model, draws, data):
    """By variable (draws, groups), from the definition: intercept, group-level predictors and group effects of its own model."""
    first = data.groupby("g").first()
    means = {}
    for factor in model.factors:
        if factor.variable not in ("x", "x2"):
            continue
        own = draws.factors[factor.variable]
        mean = own.intercept[:, None] + own.effects["g"][:, :, 0]
        for j, name in enumerate(factor.column_names):
            slope = own.coefficients[:, [j]]
            if name in means:
                mean = mean + slope * means[name]
            elif name.startswith("between("):  # the effects of an earlier one
                mean = mean + slope * draws.factors["x"].effects["g"][:, :, 0]
            else:
                mean = mean + slope * (data[name].mean() if name == "t" else first[name].to_numpy())
        means[factor.variable] = mean
    return means


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ within(x) + between(x) + (1 | g)",
        "y ~ within(x) + between(x) + w + z + (1 | g)",
        "y ~ x + between(x) + w + (1 + x | g)",
        "y ~ between(x) + w + t + (1 | g)",
        "y ~ within(x) + between(x) + within(x2) + between(x2) + w + t + z + (1 | g)",
        "y ~ x + between(x, g) + within(x2, g) + between(x2, g) + (1 | g) + (1 | h)",
    ],
)
def test_the_predictor_is_the_written_one(formula, table):
    model = model_of(formula, table)
    draws = drawn(model)
    plan = model.plan()
    laid = make_tables(model.factors, model.table, plan).factors["y"]
    sampled = linear_predictor(model.analysis, laid, draws)
    coefficients, intercept = own_coefficients(model, draws)
    means = latent_means(model, draws, table)
    g = table["g"].to_numpy()
    expected = np.tile(intercept[:, None], (1, len(table)))
    for name, slope in coefficients.items():
        variable = "x2" if "x2" in name else "x"
        if name.startswith("within("):
            column = table[variable].to_numpy() - means[variable][:, g]
        elif name.startswith("between("):
            column = means[variable][:, g]
        else:
            column = table[name].to_numpy()[None]
        expected = expected + slope[:, None] * column
    for effect in model.analysis.effects:
        u = draws.factors["y"].effects[effect.grouping]
        codes = table[effect.grouping].to_numpy()
        expected = expected + u[:, codes, 0]
        if effect.n_effects > 1:
            expected = expected + u[:, codes, 1] * table["x"].to_numpy()
    np.testing.assert_allclose(sampled, expected, rtol=1e-9, atol=1e-9)
    parts = {part.variable: part for part in group_parts(model.factors, draws)}
    assert set(parts) == set(means)


@pytest.mark.parametrize("response", ["y", "k"])
def test_written_draws_come_back_as_sampled_ones(response, table):
    model = model_of(f"{response} ~ within(x) + between(x) + within(x2) + between(x2) + w + (1 | g)", table)
    draws = drawn(model)
    there = as_written(model.factors, draws)
    back = as_sampled(model.factors, there)
    own, again = draws.factors[response], back.factors[response]
    assert not np.allclose(there.factors[response].coefficients, own.coefficients)
    np.testing.assert_allclose(again.coefficients, own.coefficients, rtol=1e-10)
    if response == "y":
        np.testing.assert_allclose(again.intercept, own.intercept, rtol=1e-9)
    for name, values in own.scales.items():
        np.testing.assert_allclose(again.scales[name], values, rtol=1e-9)
    read = from_dataset(to_dataset(draws, model, model.plan()), model)
    np.testing.assert_allclose(read.factors[response].coefficients, own.coefficients, rtol=1e-10)


def test_an_ordinal_model_moves_its_thresholds(table):
    """P(k <= level) is the same in both forms."""
    model = model_of("k ~ within(x) + between(x) + (1 | g)", table)
    draws = drawn(model)
    laid = make_tables(model.factors, model.table, model.plan()).factors["k"]
    eta = linear_predictor(model.analysis, laid, draws)
    there = as_written(model.factors, draws).factors["k"]
    coefficients, _ = own_coefficients(model, draws)
    mean = latent_means(model, draws, table)["x"][:, table["g"]]
    written = (
        coefficients["within(x)"][:, None] * (table["x"].to_numpy() - mean)
        + coefficients["between(x)"][:, None] * mean
        + draws.factors["k"].effects["g"][:, table["g"], 0]
    )
    sampled = draws.factors["k"].scales["threshold"][:, None] - eta[..., None]
    np.testing.assert_allclose(there.scales["threshold"][:, None] - written[..., None], sampled, rtol=1e-9)
