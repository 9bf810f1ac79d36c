"""Shifted odds, and levels redrawn from them: the right distribution, as few changes as possible, none at zero."""

import numpy as np
import pytest
from scipy.special import expit, logit

from bayesmi.mechanism.cell_shift import CellShift
from bayesmi.mechanism.level_shift import (
    carry_ordered,
    carry_unordered,
    shift_cumulative,
    shift_odds,
)
from bayesmi.mechanism.value_shift import shifted_values

P = np.array([[0.1, 0.3, 0.4, 0.2]])
U = (np.arange(20_000) + 0.5) / 20_000


def test_odds_of_two():
    moved = shift_odds(np.array([[0.8, 0.2]]), np.array([0.7]))[0, 1]
    assert moved == pytest.approx(expit(logit(0.2) + 0.7), abs=1e-14)
    assert shift_cumulative(np.array([[0.8, 0.2]]), np.array([0.7]))[0, 1] == pytest.approx(moved, abs=1e-14)


def test_cumulative_odds():
    moved = shift_cumulative(P, np.array([-0.9]))
    for k in range(1, 4):
        assert logit(moved[0, k:].sum()) == pytest.approx(logit(P[0, k:].sum()) - 0.9, abs=1e-12)
    assert moved.sum() == pytest.approx(1.0, abs=1e-14)


def test_category_odds():
    moved = shift_odds(P, np.array([[0.0, 1.0, 0.0, 0.0]]))
    assert np.log(moved[0, 1] / moved[0, 0]) == pytest.approx(np.log(3.0) + 1.0, abs=1e-12)
    assert moved[0, 3] / moved[0, 0] == pytest.approx(2.0, abs=1e-12)


@pytest.mark.parametrize("delta", [-1.0, 0.0, 0.4, 2.0])
def test_ordered_levels_are_redrawn_from_the_shifted_distribution(delta):
    after = shift_cumulative(P, np.array([delta]))
    total = np.zeros(4)
    for code in range(4):
        before = np.repeat(P, len(U), 0)
        new = carry_ordered(np.full(len(U), code), before, np.repeat(after, len(U), 0), U)
        total += P[0, code] * np.bincount(new, minlength=4) / len(U)
        assert (np.sign(new - code) * np.sign(delta) >= 0).all()  # one way only
        if delta == 0.0:
            assert (new == code).all()
    np.testing.assert_allclose(total, after[0], atol=3e-4)


@pytest.mark.parametrize("amounts", [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, -0.5], [2.0, 0.0, 0.0, 0.0]])
def test_categories_are_redrawn_with_the_fewest_changes(amounts):
    rng = np.random.default_rng(1)
    n = 400_000
    codes = rng.choice(4, n, p=P[0])
    after = shift_odds(P, np.array([amounts]))
    new = carry_unordered(codes, np.repeat(P, n, 0), np.repeat(after, n, 0), rng.random(n), rng.random(n))
    np.testing.assert_allclose(np.bincount(new, minlength=4) / n, after[0], atol=4e-3)
    # the smallest possible share of changes is the total variation distance
    assert (new != codes).mean() == pytest.approx(np.maximum(after - P, 0).sum(), abs=4e-3)


def test_numbers_move_on_their_scale():
    values = np.array([1.0, 2.0, 4.0])
    amounts = CellShift(np.array([0.5, 0.0, -0.5]), np.array([1.0, 1.0, 2.0]))
    line, positive = (-np.inf, np.inf), (0.0, np.inf)
    np.testing.assert_allclose(shifted_values("x", values, amounts, "value", line), [1.5, 2.0, 7.5])
    on_log = shifted_values("x", values, amounts, "log", positive)
    np.testing.assert_allclose(on_log, np.exp([0.5, np.log(2.0), 2 * np.log(4.0) - 0.5]))
    share = shifted_values("x", values / 5, CellShift(np.full(3, 1.0), np.ones(3)), "logit", (0.0, 1.0))
    np.testing.assert_allclose(share, expit(logit(values / 5) + 1.0))


def test_numbers_that_do_not_move_are_the_same_to_the_bit():
    values = np.random.default_rng(1).lognormal(size=100)
    still = CellShift(np.zeros(100), np.ones(100))
    assert (shifted_values("x", values, still, "log", (0.0, np.inf)) == values).all()


def test_out_of_range_is_refused_by_name():
    amounts = CellShift(np.array([-3.0]), np.ones(1))
    with pytest.raises(ValueError, match=r"mechanisms\['x'\].*become -2.*say on='log'"):
        shifted_values("x", np.array([1.0]), amounts, "value", (0.0, np.inf))
