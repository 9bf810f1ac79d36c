"""Every prior's record against scipy, value and derivative, in the middle and far out."""

import numpy as np
import pytest
from scipy import stats

from bayesmi.errors import ModelError
from bayesmi.kernel.priors import CODES, encode_prior, log_prior
from bayesmi.priors import _KNOWN, Prior

CASES = {
    "Normal": (Prior("Normal", 0.7, 1.9), stats.norm(0.7, 1.9)),
    "StudentT": (Prior("StudentT", 3.5, 0.4, 2.2), stats.t(3.5, 0.4, 2.2)),
    "Cauchy": (Prior("Cauchy", -0.6, 1.4), stats.cauchy(-0.6, 1.4)),
    "Laplace": (Prior("Laplace", 0.3, 0.8), stats.laplace(0.3, 0.8)),
    "Logistic": (Prior("Logistic", -1.2, 0.9), stats.logistic(-1.2, 0.9)),
    "HalfNormal": (Prior("HalfNormal", 1.3), stats.halfnorm(scale=1.3)),
    "HalfStudentT": (Prior("HalfStudentT", 4.0, 1.7), None),
    "HalfCauchy": (Prior("HalfCauchy", 0.6), stats.halfcauchy(scale=0.6)),
    "Exponential": (Prior("Exponential", 2.5), stats.expon(scale=1 / 2.5)),
    "Gamma": (Prior("Gamma", 2.2, 3.1), stats.gamma(2.2, scale=1 / 3.1)),
    "InverseGamma": (Prior("InverseGamma", 2.7, 1.6), stats.invgamma(2.7, scale=1.6)),
    "LogNormal": (Prior("LogNormal", 0.4, 0.7), stats.lognorm(0.7, scale=np.exp(0.4))),
    "Weibull": (Prior("Weibull", 1.8, 1.2), stats.weibull_min(1.8, scale=1.2)),
    "Beta": (Prior("Beta", 2.3, 1.4), stats.beta(2.3, 1.4)),
    "Flat": (Prior("Flat"), None),
    "HalfFlat": (Prior("HalfFlat"), None),
}


def test_every_prior_is_here():
    assert set(CASES) == set(CODES) == set(_KNOWN) - {"LKJ"}


def expected(name, x):
    _, distribution = CASES[name]
    if name in ("Flat", "HalfFlat"):
        return 0.0
    if name == "HalfStudentT":
        return np.log(2) + stats.t(4.0, scale=1.7).logpdf(x)
    return distribution.logpdf(x)


@pytest.mark.parametrize("name", CASES)
def test_log_density_and_derivative(name):
    prior, _ = CASES[name]
    record = np.array(encode_prior(prior))
    points = [0.01, 0.2, 1.1, 5.0, 40.0]
    if prior.support == "real":
        points += [-0.3, -8.0, -60.0]
    if prior.support == "unit":
        points = [0.01, 0.2, 0.5, 0.97]
    for x in points:
        value, slope = log_prior(record, x)
        assert value == pytest.approx(expected(name, x), rel=1e-12, abs=1e-12)
        h = 1e-5 * max(1.0, abs(x)) if x > 0.1 or x < 0 else 1e-6
        numeric = (expected(name, x + h) - expected(name, x - h)) / (2 * h)
        assert slope == pytest.approx(numeric, rel=1e-5, abs=1e-8)


def test_a_correlation_prior_has_no_record():
    with pytest.raises(ModelError, match="LKJ"):
        encode_prior(Prior("LKJ", 2.0))
