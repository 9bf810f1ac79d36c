"""Rectangles of the bivariate normal and the distribution function of t: values beside SciPy's, derivatives by differences."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import log_ndtr

from bayesmi.families.rectangle import log_rectangle as of_arrays
from bayesmi.kernel.rectangle import log_rectangle
from bayesmi.kernel.student_cdf import log_student_cdf

CORRELATIONS = [-0.9999, -0.95, -0.6, 0.0, 0.4, 0.9, 0.93, 0.999]


def rectangle(a, b, s, r):
    return log_rectangle(float(a), float(b), float(s), float(r), math.sqrt((1 - r) * (1 + r)))


def by_quadrature(a, b, s, r):
    """Log of the integral of phi(z) Phi((s - r z) / c), piece by piece around its largest value and its bend."""
    c = math.sqrt((1 - r) * (1 + r))
    low, high = max(a, -38.0), min(b, 38.0)

    def log_integrand(z):
        return -0.5 * z * z - 0.5 * math.log(2 * math.pi) + log_ndtr((s - r * z) / c)

    grid = np.linspace(low, high, 20_001)
    values = log_integrand(grid)
    top, mode = values.max(), grid[values.argmax()]
    bend, width = (s / r, 6 * c / abs(r)) if r else (mode, 0.0)
    steps = (-9, -3, -1, -0.1, -0.01, 0, 0.01, 0.1, 1, 3, 9)
    cuts = sorted(
        {min(max(p, low), high) for p in [*(mode + k for k in steps), bend - width, bend, bend + width]}
    )
    pieces = [
        quad(lambda z: math.exp(log_integrand(z) - top), p, q, epsabs=0, epsrel=1e-12)[0]
        for p, q in itertools.pairwise(cuts)
        if q > p
    ]
    return top + math.log(sum(pieces))


@pytest.mark.parametrize("r", [-0.95, -0.3, 0.0, 0.5, 0.97])
def test_rectangle_is_scipys(r):
    normal = stats.multivariate_normal([0, 0], [[1, r], [r, 1]])
    for a, b, s in [(-math.inf, 0.4, -0.3), (-1.2, 0.7, 0.5), (-0.5, math.inf, 1.5)]:
        low, high = np.clip([a, b], -40, 40)
        expected = normal.cdf([high, s]) - normal.cdf([low, s])
        assert math.exp(rectangle(a, b, s, r)[0]) == pytest.approx(expected, abs=2e-8)  # of SciPy's method


@pytest.mark.parametrize("r", CORRELATIONS)
def test_rectangle_has_all_its_digits(r):
    rng = np.random.default_rng(1)
    cases = [(*np.sort(rng.normal(0, 2, 2)), rng.normal(0, 2)) for _ in range(6)]
    cases += [(-math.inf, -4.0, -5.0), (4.0, math.inf, -4.0), (-math.inf, 1.0, 0.5), (5.0, 5.01, -6.0)]
    for a, b, s in cases:
        expected = by_quadrature(a, b, s, r)
        assert rectangle(a, b, s, r)[0] == pytest.approx(expected, abs=1e-9)
        assert float(of_arrays(np, a, b, s, r)) == pytest.approx(expected, abs=1e-8)


def test_derivatives_of_rectangle():
    rng = np.random.default_rng(2)
    for _ in range(40):
        a, s = rng.normal(0, 1.5, 2)
        b, r = a + rng.exponential(1.0) + 0.2, rng.uniform(-0.97, 0.97)
        point = [-math.inf if rng.random() < 0.3 else a, math.inf if rng.random() < 0.3 else b, s, r]
        found = rectangle(*point)[1:]
        for j in range(4):
            if not math.isfinite(point[j]):
                assert found[j] == 0.0
                continue
            h = 1e-3 * (1 - r * r if j == 3 else 1.0)

            def at(step, j=j, point=point):
                return rectangle(*(v + step if i == j else v for i, v in enumerate(point)))[0]

            numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
            assert found[j] == pytest.approx(numeric, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("nu", [0.7, 2.0, 4.5, 30.0, 500.0])
def test_distribution_function_of_t(nu):
    for x in (-40.0, -3.0, -1.0, -0.05, 0.0, 0.3, 2.0, 9.0):
        value, d_x, d_nu = log_student_cdf(x, nu)
        assert value == pytest.approx(stats.t.logcdf(x, nu), rel=1e-10, abs=1e-15)
        assert d_x == pytest.approx(math.exp(stats.t.logpdf(x, nu) - value), rel=1e-9)
        h = 1e-3 * nu

        def at(step, x=x):
            return stats.t.logcdf(x, nu + step)

        numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
        assert d_nu == pytest.approx(numeric, rel=1e-6, abs=1e-9)
