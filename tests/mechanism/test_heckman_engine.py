"""Heckman models as they are sampled: published maxima, missing at random at rho = 0, the hand-written model in clusters."""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import logit

from bayesmi import BayesmiNotice, Heckman, Model, Prior
from bayesmi.build import build_sampled
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.fit.rho_profile import profile_rho
from models import two_level_heckman

SHARED = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[3] / "shared"))
DATA = Path(os.environ.get("BAYESMI_DATA") or SHARED / "data")
SELECTION = "~ nwifeinc + educ + exper + exper2 + age + kids5 + kids618"


def needs(name):
    reason = f"{name} is in neither $BAYESMI_DATA nor ../shared/data"
    return pytest.mark.skipif(not (DATA / name).exists(), reason=reason)


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(*args, **options)


def flat(outcome, selection):
    names = ["Intercept", *outcome, "selection_Intercept", *(f"selection_{name}" for name in selection)]
    return dict.fromkeys(names, Prior("Flat")) | {"sigma": Prior("HalfFlat")}


def maximum(model):
    """Largest log likelihood of a model with flat priors, and the draw there."""
    built = build_sampled(model)
    places = {p.name.split("::")[1]: p.start for p in built.program.parameters}

    def negative(x):
        value, gradient = built.log_density(x)
        half = 1 / (1 + np.exp(-x[places["rho"]]))  # Jacobians of rho and sigma
        gradient[places["rho"]] -= 1 - 2 * half
        gradient[places["sigma"]] -= 1
        return -(value - np.log(half * (1 - half)) - x[places["sigma"]]), -gradient

    start = built.program.initial()
    best = minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 2000})
    draws = posterior_draws(built, constrained(built.program, best.x[None]), 1, 1)
    return -best.fun, draws.factors[model.response]


@pytest.fixture(scope="module")
def mroz():
    table = pd.read_csv(DATA / "mroz87.csv", skipinitialspace=True)
    works = table["lfp"] == 1
    return table.assign(
        log_wage=np.log(table["wage"].where(works)),
        wage=table["wage"].where(works),
        exper2=table["exper"] ** 2,
    )


@needs("mroz87.csv")
def test_maximum_on_mroz(mroz):
    outcome, selection = ["educ", "exper", "exper2"], SELECTION.removeprefix("~ ").split(" + ")
    model = quiet(
        "log_wage ~ educ + exper + exper2",
        mroz,
        mechanisms={"log_wage": Heckman(SELECTION)},
        priors=flat(outcome, selection),
    )
    value, found = maximum(model)
    assert value == pytest.approx(-832.885, abs=5e-4)
    assert found.scales["rho"][0] == pytest.approx(0.0266, abs=5e-5)
    assert found.scales["sigma"][0] == pytest.approx(0.6634, abs=5e-5)
    assert found.coefficients[0, 0] == pytest.approx(0.1084, abs=5e-5)
    lognormal = quiet(
        "wage ~ educ + exper + exper2",
        mroz,
        family="lognormal",
        mechanisms={"wage": Heckman(SELECTION)},
        priors=flat(outcome, selection),
    )
    jacobian = mroz["log_wage"].sum()
    assert maximum(lognormal)[0] + jacobian == pytest.approx(value, abs=1e-4)


@needs("randhie_year2.csv")
def test_maximum_on_randhie():
    table = pd.read_csv(DATA / "randhie_year2.csv")
    names = [name for name in table if name not in ("zper", "binexp", "lnmeddol")]
    table["lnmeddol"] = table["lnmeddol"].where(table["binexp"] == 1)
    right = " + ".join(names)
    model = quiet(
        f"lnmeddol ~ {right}",
        table,
        mechanisms={"lnmeddol": Heckman(f"~ {right}")},
        priors=flat(names, names),
    )
    assert "rho rests on the normal shape" in " ".join(model.notices)  # nothing is excluded
    value, found = maximum(model)
    assert value == pytest.approx(-10170.11, abs=6e-3)
    assert found.scales["rho"][0] == pytest.approx(0.7356, abs=1e-4)
    assert found.scales["sigma"][0] == pytest.approx(1.5701, abs=1e-4)


@needs("mroz87.csv")
def test_both_maxima_of_wage_in_levels_are_seen(mroz):
    """Published: rho -.132 (log likelihood -1581.258); the global maximum lies at .99 (-1479.65)."""
    table = mroz.assign(
        kids=(mroz["kids5"] + mroz["kids618"] > 0).astype(float), income=mroz["faminc"] / 1000
    )
    model = quiet(
        "wage ~ exper + exper2 + educ + city",
        table,
        mechanisms={"wage": Heckman("~ age + I(age ** 2) + income + kids + educ")},
    )
    profile = profile_rho(build_sampled(model), "wage")
    assert profile.modes == pytest.approx([0.993, -0.13], abs=0.02)
    assert profile.heights[0] - profile.heights[1] == pytest.approx(
        1581.258 - 1479.65, abs=1.5
    )  # priors aside
    assert "2 maxima" in profile.words


@needs("mroz87.csv")
def test_one_maximum_of_log_wage(mroz):
    model = quiet("log_wage ~ educ + exper + exper2", mroz, mechanisms={"log_wage": Heckman(SELECTION)})
    profile = profile_rho(build_sampled(model), "log_wage")
    assert profile.modes == pytest.approx([0.0266], abs=0.03)
    assert not profile.words


def clusters(**options):
    data, _ = two_level_heckman.simulate(np.random.default_rng(8), clusters=6, rows=12, absent=1, **options)
    return data


def test_zero_correlations_are_missing_at_random_and_a_probit_model():
    data = clusters()
    data = data[data["cluster"] < 6]
    noncentred = {"1|cluster": "noncentred"}
    joint = quiet(
        "y ~ x + (1 | cluster)",
        data,
        mechanisms={"y": Heckman("~ x + w + (1 | cluster)", rho=0.0, group_rho=0.0)},
        treatments=noncentred | {"selection_1|cluster": "noncentred"},
    )
    mar = quiet("y ~ x + (1 | cluster)", data, treatments=noncentred)
    seen = data.assign(r=data["y"].notna().astype(float))
    own = quiet("r ~ x + w + (1 | cluster)", seen, family="probit", treatments=noncentred)
    whole, parts = build_sampled(joint), [build_sampled(mar), build_sampled(own)]
    rng = np.random.default_rng(1)
    for _ in range(3):
        x = whole.program.initial() + rng.normal(0, 0.5, whole.program.dimensions)
        at = {p.name: x[p.start : p.start + p.size] for p in whole.program.parameters}
        total = 0.0
        for part, of, under in zip(parts, ("y", "r"), ("y", "y[selection]"), strict=True):
            point = np.concatenate(
                [at[p.name.replace(f"{of}::", f"{under}::")] for p in part.program.parameters]
            )
            total += part.log_density(point)[0]
        assert whole.log_density(x)[0] == pytest.approx(total, abs=1e-10, rel=1e-12)


def test_plain_model_is_the_hand_written_one():
    data = clusters()
    plain = quiet(
        "y ~ x + (1 | cluster)", data, mechanisms={"y": Heckman("~ x + w + (1 | cluster)")}
    ).to_pymc()
    hand = two_level_heckman.build(data)
    assert {v.name for v in plain.free_RVs} == {v.name for v in hand.free_RVs}
    assert {v.name for v in hand.deterministics} <= set(plain.named_vars)

    def density(model):
        terms = model.compile_logp(jacobian=False, sum=False, mode="FAST_COMPILE")
        inverse = {"NoneType": lambda v: v, "LogTransform": np.log, "LogOddsTransform": logit}

        def at(values):
            return sum(
                float(np.sum(term))
                for term in terms(
                    {
                        model.rvs_to_values[rv].name: inverse[type(model.rvs_to_transforms[rv]).__name__](
                            values[rv.name]
                        )
                        for rv in model.free_RVs
                    }
                )
            )

        return at

    ours, theirs = density(plain), density(hand)
    rng = np.random.default_rng(2)
    for _ in range(3):
        values = {v.name: rng.normal(0, 0.5, tuple(v.shape.eval())) for v in plain.free_RVs}
        for name in values:
            if name.endswith(("sigma", "half", "partial")):
                values[name] = 1 / (1 + np.exp(-values[name]))
        assert ours(values) == pytest.approx(
            theirs(values), rel=1e-11
        )  # 6e-10 of the constant of sigma's prior


def test_group_likelihoods_are_the_quadratures_of_the_hand_written_model():
    data = clusters()
    model = quiet("y ~ x + (1 | cluster)", data, mechanisms={"y": Heckman("~ x + w + (1 | cluster)")})
    from bayesmi.draw import PosteriorDraws
    from bayesmi.draw.parameters import FactorDraws
    from bayesmi.likelihood import joint_part, unit_log_likelihood

    p = two_level_heckman.PARAMETERS
    plan = model.plan()
    built = build_sampled(model, plan)
    corr = np.array([[[1.0, p["cluster__corr"]], [p["cluster__corr"], 1.0]]])
    sds = np.array([[p["1|cluster_sigma"], p["selection_1|cluster_sigma"]]])
    effects = {"cluster": np.zeros((1, 6, 2))}
    factors = {
        "y": FactorDraws(
            np.array([p["Intercept"]]),
            np.array([[p["x"]]]),
            {"sigma": np.array([p["sigma"]]), "rho": np.array([p["rho"]])},
            {"cluster": sds},
            {"cluster": corr},
            effects,
        ),
        "y[selection]": FactorDraws(
            np.array([p["selection_Intercept"]]),
            np.array([[p["selection_x"], p["selection_w"]]]),
            {},
            {},
            {},
            {},
        ),
    }
    part = joint_part(model, plan, built.tables)
    found = unit_log_likelihood(part, PosteriorDraws(1, 1, factors, {}), "cluster", effects_of=["cluster"])
    expected = two_level_heckman.marginal_logp(data, p)
    assert float(found.values.sum()) == pytest.approx(expected, abs=1e-3)
