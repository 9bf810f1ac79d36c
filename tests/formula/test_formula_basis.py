"""Orthogonal polynomials and B-splines: R's and scipy's numbers, straight lines outside, symbolic as numeric."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.interpolate import BSpline

from bayesmi.formula import Design, Variable, fit_design, parse

X = np.random.default_rng(4).gamma(3.0, size=60)


def fitted(text: str, x: np.ndarray = X) -> Design:
    return fit_design(parse(text).terms, True, {"x": Variable("x", None, x)})


def test_poly_is_r_poly() -> None:
    x = np.arange(1.0, 6.0)
    found = fitted("~ poly(x, 3)", x).matrix({"x": x})
    truth = [  # poly(1:5, 3)
        [-0.6324555, 0.5345225, -0.3162278],
        [-0.3162278, -0.2672612, 0.6324555],
        [0.0, -0.5345225, 0.0],
        [0.3162278, -0.2672612, -0.6324555],
        [0.6324555, 0.5345225, 0.3162278],
    ]
    assert_allclose(found, truth, atol=1e-7)


def test_poly_is_orthonormal_and_spans_the_powers_also_where_it_was_not_fitted() -> None:
    year = 2000.0 + X
    design = fitted("~ poly(x, 4)", year)
    columns = design.matrix({"x": year})
    assert_allclose(columns.T @ columns, np.eye(4), atol=1e-10)
    assert_allclose(columns.sum(axis=0), 0.0, atol=1e-10)
    new = np.linspace(1990.0, 2030.0, 50)
    powers = np.vander((new - 2010.0) / 20.0, 5)
    new_columns = design.matrix({"x": new})
    fit = powers @ np.linalg.lstsq(powers, new_columns, rcond=None)[0]
    assert_allclose(fit, new_columns, atol=1e-8 * np.abs(new_columns).max())


def test_raw_poly_is_powers() -> None:
    assert_allclose(fitted("~ poly(x, 3, raw=True)").matrix({"x": X}), np.column_stack([X, X**2, X**3]))


@pytest.mark.parametrize(("df", "degree"), [(3, 3), (4, 3), (7, 3), (2, 2), (5, 2), (1, 1), (4, 1)])
def test_spline_is_scipys_without_the_first_column(df: int, degree: int) -> None:
    design = fitted(f"~ bs(x, df={df}, degree={degree})")
    inner = np.quantile(X, np.linspace(0, 1, df - degree + 2)[1:-1])
    knots = np.r_[[X.min()] * (degree + 1), inner, [X.max()] * (degree + 1)]
    at = np.sort(np.r_[X, inner, np.linspace(X.min(), X.max(), 200)])
    truth = BSpline.design_matrix(at, knots, degree).toarray()[:, 1:]
    assert design.n_columns == df
    assert_allclose(design.matrix({"x": at}), truth, atol=1e-12)


def test_spline_without_knots_is_bernstein() -> None:
    x = np.array([0.0, 0.25, 1.0])
    truth = np.column_stack([3 * x * (1 - x) ** 2, 3 * x**2 * (1 - x), x**3])
    assert_allclose(fitted("~ bs(x, df=3)", x).matrix({"x": x}), truth, atol=1e-14)


@pytest.mark.parametrize(
    "text", ["~ bs(x, df=6)", "~ bs(x, knots=[2, 4.5], degree=2)", "~ bs(x, df=2, degree=1)"]
)
def test_spline_goes_on_as_a_straight_line_outside(text: str) -> None:
    design = fitted(text)

    def at(*points: float) -> np.ndarray:
        return design.matrix({"x": np.array(points)})

    for bound, outward in ((X.min(), -1.0), (X.max(), 1.0)):
        step = 1e-6
        inside, edge, outside = at(bound - outward * step, bound, bound + outward * step)
        assert_allclose(outside - edge, edge - inside, atol=1e-10)  # value and slope are continuous
        one, two, three = at(bound + outward, bound + 2 * outward, bound + 3 * outward)
        assert_allclose(two - one, three - two, atol=1e-12)
        assert np.abs(two - one).max() > 0.01  # and is not clipped
        assert_allclose(one - edge, two - one, atol=1e-12)


def test_spline_constants_are_said() -> None:
    assert fitted("~ bs(x, knots=[2, 3])").constants[0] == (
        f"bs(x, knots=[2, 3]): knots 2, 3, straight lines outside {X.min():.6g} to {X.max():.6g},"
        " the range of 60 observed values"
    )
    assert (
        fitted("~ poly(x, 2)")
        .constants[0]
        .startswith("poly(x, 2): orthogonal over 60 observed values, mean ")
    )


def test_basis_of_an_expression() -> None:
    design = fitted("~ poly(log(x), 2) + bs(center(x), df=4)")
    log = fit_design(parse("~ poly(z, 2)").terms, True, {"z": Variable("z", None, np.log(X))})
    assert_allclose(design.matrix({"x": X})[:, :2], log.matrix({"z": np.log(X)}), atol=1e-12)
    assert_allclose(design.matrix({"x": X})[:, 2:], fitted("~ bs(x, df=4)").matrix({"x": X}), atol=1e-10)


def test_nan_stays_nan() -> None:
    x = np.array([1.0, np.nan, 2.0])
    for text in ("~ poly(x, 2)", "~ bs(x, df=4)", "~ I(x == 1)", "~ log(x)", "~ scale(x)"):
        found = fitted(text).matrix({"x": x})
        assert np.isnan(found[1]).all()
        assert np.isfinite(found[[0, 2]]).all()
