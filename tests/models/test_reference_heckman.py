"""Heckman's likelihood on Mroz's data: the maximum that sampleSelection and the textbooks report."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import optimize
from scipy.special import log_ndtr, ndtr
from scipy.stats import norm

from models import heckman

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("BAYESMI_SHARED", ROOT.parent / "shared"))
MROZ = Path(os.environ.get("BAYESMI_DATA") or SHARED / "data") / "mroz87.csv"


@pytest.mark.skipif(not MROZ.exists(), reason="mroz87.csv is in neither $BAYESMI_DATA nor ../shared/data")
def test_maximum_on_mroz():
    table = pd.read_csv(MROZ)
    works = table["lfp"].to_numpy() == 1
    y = np.where(works, np.log(table["wage"].where(works, 1.0)), np.nan)
    one, exper = np.ones(len(table)), table["exper"]
    outcome = np.column_stack([one, table["educ"], exper, exper**2 / 100])
    family = table[["nwifeinc", "educ", "exper"]].to_numpy()
    rest = table[["age", "kids5", "kids618"]].to_numpy()
    selection = np.column_stack([one, family, exper**2 / 100, rest / [10, 1, 1]])

    def minus_logp(theta):
        beta, gamma, (log_sigma, z) = theta[:4], theta[4:12], theta[12:]
        rows = heckman.selection_logp(y, outcome @ beta, selection @ gamma, np.exp(log_sigma), np.tanh(z))
        return -rows.sum()

    start = np.zeros(14)
    start[:4] = np.linalg.lstsq(outcome[works], y[works])[0]
    best = optimize.minimize(minus_logp, start, method="BFGS", options={"gtol": 1e-4})
    assert -best.fun == pytest.approx(-832.885, abs=5e-4)
    assert np.exp(best.x[12]) == pytest.approx(0.6634, abs=5e-5)
    assert np.tanh(best.x[13]) == pytest.approx(0.0266, abs=5e-5)


def test_zero_correlation_separates_the_equations():
    y = np.array([0.3, np.nan, -1.2])
    m, s = np.array([0.1, 0.5, -0.4]), np.array([0.7, -0.2, 1.5])
    rows = heckman.selection_logp(y, m, s, 0.8, 0.0)
    density = np.exp(-0.5 * ((y - m) / 0.8) ** 2) / (0.8 * np.sqrt(2 * np.pi))
    expected = np.where(np.isnan(y), ndtr(-s), density * ndtr(s))
    np.testing.assert_allclose(np.exp(rows), expected, rtol=1e-12)


def test_probabilities_of_observed_and_missing_add_up():
    """The density of an observed y integrates to P(R = 1), whatever rho."""
    grid = np.linspace(-12, 12, 4001)
    for rho in (-0.9, 0.3, 0.95):
        rows = heckman.selection_logp(grid, np.full_like(grid, 0.4), np.full_like(grid, -0.6), 1.3, rho)
        assert np.exp(rows).sum() * (grid[1] - grid[0]) == pytest.approx(ndtr(-0.6), abs=1e-10)


def test_log_phi_has_its_digits_and_gradient_in_both_tails():
    t = pt.dvector("t")
    value = heckman.log_phi(t)
    at = np.array([-300.0, -40.0, -5.0, -1.0, -0.999, 0.0, 3.0, 8.0, 60.0])
    got, slope = pytensor.function([t], [value, pt.grad(value.sum(), t)], mode="FAST_COMPILE")(at)
    np.testing.assert_allclose(got, log_ndtr(at), rtol=1e-13)
    np.testing.assert_allclose(slope, np.exp(norm.logpdf(at) - log_ndtr(at)), rtol=1e-10)
