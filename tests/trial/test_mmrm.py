"""The mixed model for repeated measures by Fisher scoring, against the likelihood written out."""

import numpy as np
import pytest
from scipy import optimize, stats

from bayesmi.errors import FitError
from bayesmi.trial.mmrm import fit_mmrm, pattern_sums


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    x = np.column_stack([np.ones(50), rng.integers(0, 2, 50), rng.normal(size=50)])
    root = np.tril(rng.normal(size=(3, 3))) + 1.5 * np.eye(3)
    y = x @ rng.normal(size=(3, 3)) + rng.normal(size=(50, 3)) @ root.T
    y[:8, 2] = y[:4, 1] = y[10, 0] = y[11] = np.nan
    return x, y


def log_likelihood(x, y, cov, reml):
    """Patient by patient, the coefficients profiled out."""
    q, n_visits = x.shape[1], y.shape[1]
    lhs, rhs, rows = np.zeros((q * n_visits, q * n_visits)), np.zeros(q * n_visits), []
    for own, seen in zip(x, y, strict=True):
        at = np.flatnonzero(np.isfinite(seen))
        design = np.kron(np.eye(n_visits)[at], own)
        inverse = np.linalg.inv(cov[np.ix_(at, at)])
        lhs += design.T @ inverse @ design
        rhs += design.T @ inverse @ seen[at]
        rows.append((seen[at], design, cov[np.ix_(at, at)]))
    beta = np.linalg.solve(lhs, rhs)
    value = sum(stats.multivariate_normal.logpdf(s, d @ beta, c) for s, d, c in rows if s.size)
    return value - reml * 0.5 * np.linalg.slogdet(lhs)[1], beta


@pytest.mark.parametrize("reml", [True, False])
def test_it_is_the_maximum(data, reml):
    x, y = data
    fit = fit_mmrm(pattern_sums(x, y), 3, reml=reml)
    value, beta = log_likelihood(x, y, fit.covariance, reml)
    np.testing.assert_allclose(fit.coefficients.T.ravel(), beta, rtol=1e-9)
    constant = 0.5 * np.isfinite(y).sum() * np.log(2 * np.pi)
    assert fit.log_likelihood == pytest.approx(value + constant, rel=1e-11)
    lower = np.tril_indices(3)

    def minus(theta):
        root = np.zeros((3, 3))
        root[lower] = theta
        return -log_likelihood(x, y, root @ root.T, reml)[0]

    start = np.linalg.cholesky(fit.covariance)[lower]
    gradient = optimize.approx_fprime(start, minus, 1e-6)
    assert np.abs(gradient).max() < 1e-3
    assert all(minus(start + step) > minus(start) for step in 0.05 * np.vstack([np.eye(6), -np.eye(6)]))


def test_a_patient_taken_out_of_the_sums_is_a_patient_left_out(data):
    x, y = data
    whole = fit_mmrm(pattern_sums(x, y), 3)
    left = [s.without(x[20], y[20]) if len(s.visits) == 3 else s for s in pattern_sums(x, y)]
    got = fit_mmrm(left, 3, start=whole.covariance)
    expected = fit_mmrm(pattern_sums(np.delete(x, 20, 0), np.delete(y, 20, 0)), 3)
    np.testing.assert_allclose(got.covariance, expected.covariance, rtol=1e-6)
    np.testing.assert_allclose(got.coefficients, expected.coefficients, rtol=1e-6, atol=1e-8)


def test_complete_data_have_the_closed_form(data):
    x, y = data[0], np.nan_to_num(data[1])
    fit = fit_mmrm(pattern_sums(x, y), 3)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    residual = y - x @ beta
    np.testing.assert_allclose(fit.coefficients, beta, atol=1e-10)
    np.testing.assert_allclose(fit.covariance, residual.T @ residual / (50 - 3), rtol=1e-7)


def test_what_cannot_be_estimated_is_named(data):
    x, y = data
    with pytest.raises(FitError, match="visit 3 has 3 outcomes for 3 coefficients"):
        fit_mmrm(
            pattern_sums(x, np.column_stack([y[:, :2], np.where(np.arange(50) > 46, y[:, 2], np.nan)])), 3
        )
    with pytest.raises(FitError, match="cannot be told apart"):
        fit_mmrm(pattern_sums(np.column_stack([x, x[:, 1]]), y), 3)
