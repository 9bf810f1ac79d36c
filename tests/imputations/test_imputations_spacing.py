"""Which draws are chosen."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmi.errors import BayesmiError
from bayesmi.imputations import choose_draws


@given(st.integers(1, 6), st.integers(1, 300), st.data())
def test_even_over_chains_and_as_far_apart_as_can_be(chains, draws, data):
    m = data.draw(st.integers(1, chains * draws))
    chosen = choose_draws(chains, draws, m, data.draw(st.integers(0, 2**32)))
    assert len(chosen) == len(set(chosen)) == m
    counts = Counter(chain for chain, _ in chosen)
    assert max(counts.values()) - min(counts.get(c, 0) for c in range(chains)) <= 1
    by_chain = defaultdict(list)
    for chain, draw in chosen:
        assert 0 <= chain < chains
        assert 0 <= draw < draws
        by_chain[chain].append(draw)
    for picked in by_chain.values():
        assert picked == sorted(picked)
        gaps = np.diff([*picked, picked[0] + draws])  # around the circle
        assert gaps.min() >= draws // len(picked)


def test_the_seed_repeats_and_moves_the_choice():
    assert choose_draws(4, 1000, 20, 1) == choose_draws(4, 1000, 20, 1)
    starts = {choose_draws(4, 1000, 20, seed)[0] for seed in range(40)}
    assert len({chain for chain, _ in starts}) == 4
    assert len({draw for _, draw in starts}) > 20


def test_the_first_imputations_come_from_different_chains():
    chosen = choose_draws(4, 1000, 20, 3)
    assert len({chain for chain, _ in chosen[:4]}) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, 1000, 0), "m = 0: at least one"),
        ((4, 1000, -3), "m = -3: at least one"),
        ((2, 10, 21), "21 imputations need 21 different posterior draws and there are 20"),
        ((4, 1000, 2.5), "m = 2.5 is not a whole number"),
        ((4, 1000, True), "m = True is not a whole number"),
        ((0, 1000, 5), "the posterior is empty"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(BayesmiError, match=message):
        choose_draws(*arguments, seed=1)
