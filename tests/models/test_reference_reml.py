"""The likelihoods written out in numpy give lme4's REML criterion, and its estimates are where that is least.

Golden numbers: tests/golden/popmis_reml.csv, made by tests/golden/popmis_reml.R.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models import random_intercept

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "bayesmi" / "datasets" / "data"
GOLDEN = pd.read_csv(
    ROOT / "tests" / "golden" / "popmis_reml.csv", dtype={"term": str}, keep_default_na=False
)


def golden(model, quantity, term="", point=0):
    rows = GOLDEN.query("model == @model and quantity == @quantity and term == @term and point == @point")
    return float(rows["value"].iloc[0])


def design(name):
    """Return y, X, and Z of each group."""
    table = pd.read_csv(DATA / f"{name}.csv")
    if name == "popmis":
        table = table.dropna(subset=["popular"])
        x = np.column_stack([np.ones(len(table)), table["texp"], table["sex"]])
        z, group, y = x[:, :1], table["school"], table["popular"]
    else:
        x = np.column_stack([np.ones(len(table)), table["Days"]])
        z, group, y = x, table["Subject"], table["Reaction"]
    rows = [np.flatnonzero(group == label) for label in group.unique()]
    return y.to_numpy(), x, z, rows


def covariance_of_point(name, point):
    theta = [golden(name, "theta", str(k + 1), point) for k in range(1 if name == "popmis" else 3)]
    lower = np.array([[theta[0]]]) if name == "popmis" else np.array([[theta[0], 0], [theta[1], theta[2]]])
    sigma = golden(name, "sigma", "", point)
    return sigma**2 * lower @ lower.T, sigma


def reml(name, group_covariance, sigma):
    """Return -2 log restricted likelihood, generalised least squares estimate and its covariance."""
    y, x, z, groups = design(name)
    logdet, xvx, xvy, yvy = 0.0, 0.0, 0.0, 0.0
    for rows in groups:
        v = sigma**2 * np.eye(len(rows)) + z[rows] @ group_covariance @ z[rows].T
        logdet += np.linalg.slogdet(v)[1]
        vx, vy = np.linalg.solve(v, x[rows]), np.linalg.solve(v, y[rows])
        xvx, xvy, yvy = xvx + x[rows].T @ vx, xvy + x[rows].T @ vy, yvy + y[rows] @ vy
    beta = np.linalg.solve(xvx, xvy)
    free = len(y) - x.shape[1]
    criterion = free * np.log(2 * np.pi) + logdet + np.linalg.slogdet(xvx)[1] + yvy - xvy @ beta
    return criterion, beta, np.linalg.inv(xvx)


@pytest.mark.parametrize("name", ["popmis", "sleepstudy"])
@pytest.mark.parametrize("point", range(1, 11))
def test_criterion_at_points(name, point):
    criterion, _, _ = reml(name, *covariance_of_point(name, point))
    assert criterion == pytest.approx(golden(name, "reml_at", "", point), rel=1e-10)


@pytest.mark.parametrize(
    ("name", "terms"), [("popmis", ("Intercept", "texp", "sex")), ("sleepstudy", ("Intercept", "Days"))]
)
def test_estimates(name, terms):
    criterion, beta, covariance = reml(name, *covariance_of_point(name, 0))
    assert criterion == pytest.approx(golden(name, "reml"), rel=1e-10)
    np.testing.assert_allclose(beta, [golden(name, "fixed", term) for term in terms], rtol=1e-8)
    se = [golden(name, "se", term) for term in terms]
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), se, rtol=1e-8)


def test_popmis_is_the_published_target():
    estimates = [golden("popmis", "fixed", term) for term in ("Intercept", "texp", "sex")]
    assert [f"{value:.4g}" for value in estimates] == ["3.592", "0.09165", "0.866"]
    assert golden("popmis", "variance", "Intercept|school") == pytest.approx(0.463, abs=5e-4)
    assert golden("popmis", "variance", "Residual") == pytest.approx(0.469, abs=5e-4)
    assert golden("popmis", "icc", "school") == pytest.approx(0.497, abs=5e-4)


def test_reference_likelihood_integrates_to_the_restricted_one():
    """The restricted likelihood is the likelihood with flat fixed effects integrated out."""
    data = pd.read_csv(DATA / "popmis.csv")
    group_covariance, sigma = covariance_of_point("popmis", 6)
    criterion, beta, covariance = reml("popmis", group_covariance, sigma)
    tau = float(np.sqrt(group_covariance[0, 0]))
    parameters = dict(zip(("Intercept", "texp", "sex"), beta, strict=True))
    top = random_intercept.marginal_logp(data, parameters | {"sigma": sigma, "1|school_sigma": tau})
    integrated = top + 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    assert -2 * integrated == pytest.approx(criterion, rel=1e-10)
