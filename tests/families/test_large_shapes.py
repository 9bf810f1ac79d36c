"""Densities keep their digits where a shape has no upper end: counts that are Poisson, t that is normal.

The prior of a negative binomial's alpha reaches far, and the likelihood is flat there. A difference of log gamma functions
has an error of dozens at alpha = 1e16, and a chain that came by did not leave again.
"""

import math

import numpy as np
import pytest

from bayesmi.families import get_family
from bayesmi.kernel import families as kernels
from bayesmi.kernel.special import log_gamma_tail, log_rising

pytestmark = pytest.mark.xdist_group("families_in_kernel")
ALPHAS = (1e-3, 0.3, 2.0, 15.999, 16.001, 40.0, 1e3, 1e6, 1e9, 1e12, 3.4e16, 1e25, 1e60)
COUNTS = (0, 1, 2, 6, 7, 40, 3000)


def exact(y: int, alpha: float) -> tuple[float, float]:
    """Log of the rising factorial over alpha^y, term by term, and alpha times its derivative."""
    steps = range(y)
    return math.fsum(math.log1p(j / alpha) for j in steps), -math.fsum(j / (alpha + j) for j in steps)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("y", COUNTS)
def test_negative_binomial_is_exact_for_any_alpha(y, alpha):
    ratio, d_ratio = exact(y, alpha)
    aux = np.array([alpha, 0.0, *log_gamma_tail(alpha)])
    for eta in (-3.0, 0.4, 5.0):
        rate = math.exp(eta)
        log_zero = math.log1p(rate / alpha)
        value = ratio + y * eta - (y + alpha) * log_zero
        # alpha d/dalpha; for large alpha the difference is a series
        rest = rate * (y + alpha) / (rate + alpha) - alpha * log_zero
        found = kernels.single_density(kernels.NEGATIVE_BINOMIAL, float(y), 1.0, eta, aux, 1)
        size = 1e-12 * (1.0 + abs(value) + y * abs(eta) + y + rate)
        assert found[0] == pytest.approx(value, abs=size)
        assert found[1] == pytest.approx((y - rate) * alpha / (alpha + rate), rel=1e-12, abs=1e-12)
        assert found[2] * alpha == pytest.approx(d_ratio + rest, abs=10 * size)
        theirs = get_family("negativebinomial").log_density(
            np, np.array(float(y)), np.array(eta), {"alpha": np.array(alpha)}
        )
        assert theirs + math.lgamma(y + 1.0) == pytest.approx(value, abs=size + 1e-12 * math.lgamma(y + 1.0))


@pytest.mark.parametrize("name", ["zeroinflatednegativebinomial", "hurdlenegativebinomial"])
def test_with_alpha_beyond_all_bounds_they_are_poisson(name):
    y, eta = np.arange(30.0), np.linspace(-1.0, 3.0, 30)
    share = {"zi": 0.2} if name.startswith("zero") else {"hu": 0.2}
    limit = get_family(name.replace("negativebinomial", "poisson")).log_density(np, y, eta, share)
    found = get_family(name).log_density(np, y, eta, {"alpha": 1e17, **share})
    np.testing.assert_allclose(found, limit, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("nu", [1.0, 31.99, 32.01, 1e3, 1e8, 1e16, 1e40])
def test_students_t_becomes_normal(nu):
    z = np.linspace(-4.0, 4.0, 9)
    own = np.zeros(4)
    own[0], own[1] = 1.0, nu
    kernels.prepare_student(nu, own[2:])
    density = get_family("student").log_density(
        np, z, np.zeros(9), {"sigma": np.array(1.0), "nu": np.array(nu)}
    )
    found = np.array([kernels.student_density(v, 0.0, 1.0, nu, own[2], own[3]) for v in z])
    np.testing.assert_allclose(found[:, 0], density, rtol=1e-13)
    if nu >= 1e3:  # log t - log normal = (z^4 - 2 z^2 - 1) / (4 nu) - about z^6 / (6 nu^2)
        normal = -0.5 * z**2 - 0.5 * math.log(2.0 * math.pi)
        first = (z**4 - 2.0 * z**2 - 1.0) / (4.0 * nu)
        np.testing.assert_allclose(density - normal, first, atol=7e2 * nu**-2.0 + 1e-13)
        np.testing.assert_allclose(nu * found[:, 3], -first, atol=1.4e3 * nu**-2.0 + 1e-12)


def test_both_ways_meet():
    for y in (0.5, 3.0, 11.0):
        below, above = (log_rising(y, alpha, *log_gamma_tail(alpha)) for alpha in (15.999999999, 16.0))
        assert below == pytest.approx(above, rel=1e-9)
