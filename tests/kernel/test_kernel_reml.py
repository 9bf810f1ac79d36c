"""With flat coefficients integrated out, the kernel's density is lme4's REML criterion, constant included.

Golden numbers: tests/golden/popmis_reml.csv, made by tests/golden/popmis_reml.R.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logit

import bayesmi as bmi
from bayesmi import Prior
from bayesmi.build import build_sampled

GOLDEN = pd.read_csv(
    Path(__file__).resolve().parents[1] / "golden" / "popmis_reml.csv",
    dtype={"term": str},
    keep_default_na=False,
)
FORMULAS = {
    "popmis": "popular ~ texp + sex + (1 | school)",
    "sleepstudy": "Reaction ~ Days + (1 + Days | Subject)",
}
POINTS = {
    name: sorted(GOLDEN.query("model == @name and quantity == 'reml_at'")["point"]) for name in FORMULAS
}


def golden(model, quantity, term, point):
    rows = GOLDEN.query("model == @model and quantity == @quantity and term == @term and point == @point")
    return float(rows["value"].iloc[0])


@pytest.fixture(scope="module")
def built_models():
    made = {}
    for name, formula in FORMULAS.items():
        slopes = ["texp", "sex"] if name == "popmis" else ["Days"]
        priors = {key: Prior("Flat") for key in ["Intercept", *slopes]}
        model = bmi.Model(formula, bmi.datasets.load(name), priors=priors | {"sigma": Prior("HalfFlat")})
        made[name] = build_sampled(model)
    return made


def coefficients_integrated(built, x):
    """Log of the integral over intercept and slopes: the log density is exactly quadratic in them."""
    at = np.concatenate(
        [
            np.arange(p.start, p.start + p.size)
            for p in built.program.parameters
            if p.name.endswith(("::intercept", "::coefficients"))
        ]
    )
    gradient = built.log_density(x)[1][at]
    precision = np.array([gradient - built.log_density(x + row)[1][at] for row in np.eye(len(x))[at]])
    top = x.copy()
    top[at] += np.linalg.solve(precision, gradient)
    factor = built.model.analysis
    constant = np.log(factor.spread) + np.linalg.slogdet(factor.whitening)[1]
    value = built.log_density(top)[0] + 0.5 * len(at) * np.log(2 * np.pi) + constant
    return value - 0.5 * np.linalg.slogdet(precision)[1], top[at]


def place(name, built, point):
    """The unconstrained vector at a point of the table, and log priors and Jacobians there."""
    factor = built.model.analysis
    (effect,) = factor.effects
    sigma = golden(name, "sigma", "", point)
    theta = [golden(name, "theta", str(k + 1), point) for k in range(1 if name == "popmis" else 3)]
    lower = np.array([[theta[0]]]) if name == "popmis" else np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    covariance = sigma**2 * lower @ lower.T
    sds = np.sqrt(np.diag(covariance))
    x = np.zeros(built.program.dimensions)
    extra = 0.0
    for p in built.program.parameters:
        if p.name.endswith("::sigma"):
            x[p.start] = np.log(sigma)
            extra += np.log(sigma)
        elif "::sd::" in p.name:
            raw = np.log(np.expm1(sds / p.scales))  # sd = scale log(1 + exp(x))
            x[p.start : p.start + p.size] = raw
            scales = [prior.parameters["sigma"] for prior in factor.priors.group_sds[effect.grouping]]
            extra += -np.log1p(np.exp(-raw)).sum() + stats.halfnorm.logpdf(sds, scale=scales).sum()
        elif "::partial::" in p.name:
            half = (covariance[0, 1] / sds.prod() + 1) / 2
            x[p.start] = logit(half)
            extra += stats.beta.logpdf(half, 2, 2) + np.log(half * (1 - half))
    return x, extra


@pytest.mark.parametrize(("name", "point"), [(name, point) for name in FORMULAS for point in POINTS[name]])
def test_kernel_gives_the_reml_criterion(built_models, name, point):
    built = built_models[name]
    x, extra = place(name, built, point)
    value, _ = coefficients_integrated(built, x)
    assert -2 * (value - extra) == pytest.approx(golden(name, "reml_at", "", point), rel=1e-8)


def test_there_are_ten_points():
    assert len(POINTS["popmis"]) == 10
    assert len(POINTS["sleepstudy"]) > 0


@pytest.mark.parametrize("name", FORMULAS)
def test_slopes_at_the_reml_estimate_are_lme4s(built_models, name):
    built = built_models[name]
    x, extra = place(name, built, 0)
    value, top = coefficients_integrated(built, x)
    factor = built.model.analysis
    slopes = factor.whitening @ top[1:]
    intercept = factor.location + factor.spread * top[0] - factor.centers @ slopes
    expected = [golden(name, "fixed", term, 0) for term in ("Intercept", *factor.column_names)]
    np.testing.assert_allclose([intercept, *slopes], expected, rtol=1e-6)
    assert -2 * (value - extra) == pytest.approx(golden(name, "reml", "", 0), rel=1e-8)
