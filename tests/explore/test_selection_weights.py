"""Selection weights: the blood-pressure table of Van Buuren (2018), section 9.2, to the printed digits."""

import numpy as np
import pytest

from bayesmi import selection_weights
from bayesmi.errors import DataError

Y = np.arange(100.0, 201.0, 10.0)
P_Y = np.array([0.02, 0.03, 0.05, 0.10, 0.15, 0.30, 0.15, 0.10, 0.05, 0.03, 0.02])
P_R = np.array([0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.92, 0.94, 0.96, 0.98, 1.00])


def test_the_blood_pressure_table():
    found = selection_weights(Y, P_R, weights=P_Y * P_R)
    assert found.overall_mean == pytest.approx(150.0, abs=1e-10)
    assert round(found.observed_mean, 2) == 151.58
    assert round(found.missing_mean, 2) == 138.60
    assert found.share_observed == pytest.approx((P_Y * P_R).sum(), abs=1e-12)
    np.testing.assert_allclose(found.overall, P_Y, atol=1e-14)
    np.testing.assert_allclose(found.missing, P_Y * (1 - P_R) / (P_Y * (1 - P_R)).sum(), atol=1e-14)


def test_a_logistic_chance_shifts_a_gaussian_by_slope_times_variance():
    y = np.random.default_rng(1).normal(10.0, 2.0, 400_000)
    found = selection_weights(y, lambda y: 1 / (1 + np.exp(-(-4.0 + 0.5 * y))))
    assert found.difference == pytest.approx(-0.5 * 4.0, abs=0.05)


def test_draws_are_observed_values_with_the_weights_of_the_missing():
    found = selection_weights(Y, P_R, weights=P_Y * P_R)
    drawn = found.draw(20_000, seed=1)
    assert set(drawn) <= set(Y)
    assert drawn.mean() == pytest.approx(found.missing_mean, abs=0.7)
    assert (drawn == found.draw(20_000, seed=1)).all()


@pytest.mark.parametrize(
    ("values", "response", "weights", "match"),
    [
        ([1.0, np.nan], [0.5, 0.5], None, "finite"),
        ([1.0, 2.0], [0.5], None, "entries"),
        ([1.0, 2.0], [0.0, 0.5], None, "above 0"),
        ([1.0, 2.0], [1.0, 1.0], None, "nothing is missing"),
        ([1.0, 2.0], [0.5, 0.5], [-1.0, 1.0], "none negative"),
    ],
)
def test_what_is_refused(values, response, weights, match):
    with pytest.raises(DataError, match=match):
        selection_weights(values, response, weights=weights)
