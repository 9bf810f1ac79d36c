"""r-hat, ESS and Monte Carlo error of many chains at once, as Vehtari et al. (2021) and ArviZ define them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["TAIL", "ess_bulk", "ess_tail", "mcse_mean", "r_hat"]

Floats = NDArray[np.float64]
TAIL = (0.05, 0.95)
_AT_ONCE = 256  # quantities: bounds the memory of the Fourier transforms
_FEWEST_DRAWS = 4


def r_hat(chains: Floats) -> Floats:
    """Rank-normalised split r-hat of (quantities, chains, draws); NaN for a single chain.

    The larger one of that of the ranks and that of the ranks of distances from the median (Vehtari et al. 2021,
    eq. 4 and 14).
    """
    if chains.shape[1] < 2:
        return np.full(len(chains), np.nan)

    def larger(halves: Floats) -> Floats:
        median = np.median(halves.reshape(len(halves), -1), axis=1)
        bulk = _between_within(_normal_scores(halves))
        tail = _between_within(_normal_scores(np.abs(halves - median[:, None, None])))
        return np.where(np.isnan(bulk), bulk, np.fmax(bulk, tail))  # distances all alike say nothing

    return _in_parts(larger, chains)


def ess_bulk(chains: Floats) -> Floats:
    """Bulk effective sample size: that of the rank-normalised split chains."""
    return _in_parts(lambda halves: _effective_size(_normal_scores(halves)), chains)


def ess_tail(chains: Floats) -> Floats:
    """Tail effective sample size: the smaller one of the 5 % and the 95 % quantile."""

    def smaller(part: Floats) -> Floats:
        bounds = np.quantile(part.reshape(len(part), -1), TAIL, axis=1)
        sizes = [_effective_size(_split(part <= bound[:, None, None])) for bound in bounds]
        return np.minimum(*sizes)

    return _in_parts(smaller, chains, split=False)


def mcse_mean(chains: Floats) -> Floats:
    """Monte Carlo standard error of the mean."""
    sd = chains.reshape(len(chains), -1).std(axis=1, ddof=1)
    return np.asarray(sd / np.sqrt(_in_parts(_effective_size, chains)))


def _in_parts(compute: Callable[[Floats], Floats], chains: Floats, *, split: bool = True) -> Floats:
    """Compute for some quantities at a time; NaN where a draw is missing or there are too few."""
    out = np.full(len(chains), np.nan)
    whole = np.flatnonzero(~np.isnan(chains).any(axis=(1, 2)))
    if chains.shape[2] < _FEWEST_DRAWS:
        return out
    for start in range(0, len(whole), _AT_ONCE):
        part = whole[start : start + _AT_ONCE]
        out[part] = compute(_split(chains[part]) if split else chains[part])
    return out


def _split(chains: NDArray[np.generic]) -> Floats:
    """First and last half of each chain as chains of their own; the middle draw of an odd number is left out."""
    half = chains.shape[2] // 2
    return np.concatenate([chains[:, :, :half], chains[:, :, -half:]], axis=1).astype(np.float64)


def _normal_scores(chains: Floats) -> Floats:
    """Take normal quantiles of the ranks within each quantity, ties averaged (Blom's offset 3/8)."""
    flat = chains.reshape(len(chains), -1)
    n = flat.shape[1]
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    differs = ordered[:, 1:] != ordered[:, :-1]
    twice = np.broadcast_to(2 * np.arange(n), flat.shape)  # twice the rank from 0: whole, with ties too
    if not differs.all():
        twice = _average_ties(differs)
    scores = np.empty(flat.shape)
    np.put_along_axis(scores, order, _normal_quantiles(n)[twice], axis=1)
    return scores.reshape(chains.shape)


@lru_cache(maxsize=4)
def _normal_quantiles(n: int) -> Floats:
    """Normal quantiles of the ranks 1, 1.5, 2, … n; by the standard library, since scipy.special takes long to import."""
    ranks = np.arange(2 * n - 1) / 2 + 1
    inverse = NormalDist().inv_cdf
    return np.array([inverse(p) for p in ((ranks - 0.375) / (n + 0.25)).tolist()])


def _average_ties(differs: NDArray[np.bool_]) -> NDArray[np.intp]:
    """First plus last place of each run of equal values, from where sorted neighbours differ."""
    edge = np.ones((len(differs), 1), dtype=bool)
    n = differs.shape[1] + 1
    place = np.arange(n)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, differs], axis=1), place, 0), axis=1)
    last = np.where(np.concatenate([differs, edge], axis=1), place, n - 1)
    return np.asarray(first + np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1])


def _between_within(chains: Floats) -> Floats:
    """Potential scale reduction: variance between and within chains against variance within."""
    n = chains.shape[2]
    between = n * chains.mean(axis=2).var(axis=1, ddof=1)
    within = chains.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + n - 1) / n))


def _effective_size(chains: Floats) -> Floats:
    """Effective sample size of (quantities, chains, draws) by Geyer's initial monotone sequence.

    Autocorrelations are taken in pairs (even, odd lag); pairs count while their sums are positive and no sum may
    exceed an earlier one; of the first pair that does not count its even lag counts once (Vehtari et al. 2021, eq. 10).
    """
    quantities, m, n = chains.shape
    covariance = _autocovariance(chains)
    within = covariance[:, 0] * n / (n - 1)
    total = covariance[:, 0] + (chains.mean(axis=2).var(axis=1, ddof=1) if m > 1 else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = 1.0 - (within[:, None] - covariance) / total[:, None]
    correlation[:, 0] = 1.0
    pairs = correlation[:, : 2 * (max((n - 1) // 2, 1))].reshape(quantities, -1, 2)
    sums = pairs.sum(axis=2)
    ends = sums <= 0.0
    ends[:, -1] = True
    stop = ends.argmax(axis=1)
    row = np.arange(quantities)
    before = np.concatenate(
        [np.zeros((quantities, 1)), np.minimum.accumulate(sums, axis=1).cumsum(axis=1)], axis=1
    )
    last = pairs[row, stop, 0]
    last = np.where(sums[row, stop] >= 0.0, last, np.maximum(last, 0.0))
    size = m * n
    tau = np.maximum(2.0 * before[row, stop] - 1.0 + last, 1.0 / np.log10(size))
    constant = np.ptp(chains.reshape(quantities, -1), axis=1) < np.finfo(float).resolution
    return np.where(constant, float(size), size / tau)


def _autocovariance(chains: Floats) -> Floats:
    """Autocovariance by lag, mean over chains, (quantities, lags); divided by n at every lag."""
    n = chains.shape[2]
    padded = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(chains - chains.mean(axis=2, keepdims=True), padded, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return np.asarray(np.fft.irfft(power, padded, axis=1)[:, :n] / n)
