"""Counts of hurdle families are drawn exactly, at the same cost for any mean and shape."""

import time

import numpy as np
import pytest
from scipy import stats

from bayesmi.families import get_family

HU = 0.25


@pytest.mark.parametrize("eta", [-2.0, 0.5, 2.0])
@pytest.mark.parametrize("alpha", [None, 0.3, 5.0])
def test_frequencies_are_those_of_the_density(alpha, eta):
    family = get_family("hurdlepoisson" if alpha is None else "hurdlenegativebinomial")
    scales = {"hu": HU} if alpha is None else {"alpha": alpha, "hu": HU}
    n, last = 100_000, 8
    drawn = family.draw(np.random.default_rng(1), np.full(n, eta), scales)
    share = np.exp(family.log_density(np, np.arange(last), np.full(last, eta), scales))
    seen = np.bincount(np.minimum(drawn, last).astype(int), minlength=last + 1)
    assert stats.chisquare(seen, n * np.append(share, 1.0 - share.sum())).pvalue > 1e-3


@pytest.mark.parametrize("eta", [-400.0, -25.0, 5.0, 15.0, 30.0, 60.0])
@pytest.mark.parametrize("alpha", [1e-4, 1.0, 1e8, 1e12, 1e16])
def test_wide_priors_are_drawn_from_at_once(alpha, eta):
    family = get_family("hurdle negative binomial")
    started = time.monotonic()
    drawn = family.draw(np.random.default_rng(1), np.full(1000, eta), {"alpha": alpha, "hu": HU})
    assert time.monotonic() - started < 1.0
    assert np.isfinite(drawn).all()
    assert (drawn == np.floor(drawn)).all()
    assert (drawn >= 0.0).all()
    if eta < -20.0:
        assert drawn.max() == 1.0
