"""Partial correlations with their Beta priors are the LKJ distribution."""

import numpy as np
import pytest
from scipy import stats

from bayesmi.build.correlation import beta_shapes, cholesky_rows, pairs, partials_from_correlation


def correlation_of(partials, q):
    rows = cholesky_rows(np, list(partials), q)
    root = np.array([[rows[i][j] if j <= i else 0.0 for j in range(q)] for i in range(q)])
    return root @ root.T


@pytest.mark.parametrize("q", [2, 3, 4])
@pytest.mark.parametrize("eta", [0.7, 2.0])
def test_density_of_partials_is_lkj(q, eta):
    """log f(R) = log prod Beta + log |d partial / d r| is (eta - 1) log det R up to one constant."""
    rng = np.random.default_rng(q)
    shapes = beta_shapes(q, eta)
    constants = []
    for _ in range(6):
        partials = rng.uniform(-0.7, 0.7, size=len(pairs(q)))
        matrix = correlation_of(partials, q)
        lower = np.array([matrix[i, j] for i, j in pairs(q)])

        def back(values):
            moved = np.eye(q)
            for (i, j), value in zip(pairs(q), values, strict=True):
                moved[i, j] = moved[j, i] = value
            return partials_from_correlation(moved)

        np.testing.assert_allclose(back(lower), partials, rtol=1e-10)
        h = 1e-5
        jacobian = np.array(
            [(back(lower + h * e) - back(lower - h * e)) / (2 * h) for e in np.eye(len(lower))]
        )
        log_density = (
            stats.beta.logpdf((partials + 1) / 2, shapes, shapes).sum() + np.linalg.slogdet(jacobian)[1]
        )
        constants.append(log_density - (eta - 1) * np.linalg.slogdet(matrix)[1])
    np.testing.assert_allclose(constants, constants[0], atol=1e-6)


def test_one_effect_has_no_pairs():
    assert pairs(1) == []
    assert len(beta_shapes(1, 2.0)) == 0
    assert cholesky_rows(np, [], 1) == [[1.0]]
    assert partials_from_correlation(np.ones((5, 1, 1))).shape == (5, 0)
