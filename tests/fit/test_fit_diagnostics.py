"""Our batched r-hat, ESS and MCSE are ArviZ's, number for number."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmi.fit import diagnostics

SHAPES = [(4, 1000), (4, 1001), (2, 4), (2, 5), (3, 7), (4, 200), (1, 300)]


def autoregressive(rng, chains, draws, phi):
    noise = rng.standard_normal((5, chains, draws))
    values = np.zeros_like(noise)
    values[:, :, 0] = noise[:, :, 0]
    for t in range(1, draws):
        values[:, :, t] = phi * values[:, :, t - 1] + noise[:, :, t]
    values[3] = np.round(values[3])  # ties
    values[4] = rng.random((chains, draws)) < 0.03  # a rare event: quantiles that are all alike
    return values


@pytest.mark.parametrize("phi", [0.0, 0.95, 0.999, -0.9])
@pytest.mark.parametrize(("chains", "draws"), SHAPES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_same_numbers_as_arviz(chains, draws, phi):
    from arviz_stats.base import array_stats

    values = autoregressive(np.random.default_rng(draws), chains, draws, phi)
    pairs = [
        (diagnostics.ess_bulk(values), array_stats.ess(values, method="bulk")),
        (diagnostics.ess_tail(values), array_stats.ess(values, method="tail", prob=diagnostics.TAIL)),
        (diagnostics.mcse_mean(values), array_stats.mcse(values, method="mean")),
    ]
    if chains > 1:
        pairs.append((diagnostics.r_hat(values), array_stats.rhat(values)))
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, np.asarray(theirs, dtype=float), rtol=1e-10)


def test_more_quantities_than_fit_at_once():
    values = np.random.default_rng(1).standard_normal((600, 2, 40))
    whole = diagnostics.ess_bulk(values)
    assert np.array_equal(whole[300:], diagnostics.ess_bulk(values[300:]))


def test_missing_draws_and_too_few_are_nan():
    values = np.random.default_rng(1).standard_normal((3, 4, 50))
    values[1, 2, 3] = np.nan
    for measure in (diagnostics.r_hat, diagnostics.ess_bulk, diagnostics.ess_tail):
        assert np.isnan(measure(values)).tolist() == [False, True, False]
        assert np.isnan(measure(values[:, :, :3])).all()
    assert np.isnan(diagnostics.r_hat(values[:, :1])).all()
    assert diagnostics.ess_bulk(np.zeros((0, 4, 50))).shape == (0,)
