"""Donors are the nearest, and ties share the last places of the pool."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmi.donors import choose_donors


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=15),
    st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0, 3.0, 3.25, 6.0, 9.0]), min_size=1, max_size=3),
    st.integers(1, 6),
)
def test_frequencies_are_those_of_random_tie_breaking(scores, targets, k):
    donors = np.array(scores, dtype=float)
    wanted = np.array(targets)
    draws = 3000
    picked = choose_donors(donors, np.repeat(wanted, draws), k, np.random.default_rng(0))
    for row, target in enumerate(wanted):
        share = np.bincount(picked[row * draws : (row + 1) * draws], minlength=len(donors)) / draws
        distance = np.abs(donors - target)
        pool = min(k, len(donors))
        limit = np.sort(distance)[pool - 1]
        nearer, tied = distance < limit, distance == limit
        expected = np.where(nearer, 1 / pool, 0.0)
        expected[tied] = (pool - nearer.sum()) / pool / tied.sum()
        assert share == pytest.approx(expected, abs=0.05)
        assert not share[distance > limit].any()
