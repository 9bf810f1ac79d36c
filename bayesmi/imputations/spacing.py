"""Which posterior draws become completed data sets: spread over chains, far apart within a chain."""

from __future__ import annotations

import numpy as np

from bayesmi.errors import BayesmiError
from bayesmi.seeds import SPACING, check_seed, stream

__all__ = ["choose_draws"]


def choose_draws(n_chains: int, n_draws: int, m: int, seed: int | None) -> list[tuple[int, int]]:
    """Choose m posterior draws, evenly over the chains and as far apart as possible within each.

    Every chain gives ⌊m / chains⌋ or one more draws; which chains give one more is decided by the seed.
    Within a chain that gives k draws, the gaps are ⌊draws / k⌋ or one more (systematic sampling), from a
    random start, so that autocorrelation between imputations is as small as the posterior allows.

    Parameters
    ----------
    n_chains, n_draws : int
        Size of the posterior: chains, and draws per chain after warm-up.
    m : int
        Number of imputations wanted.
    seed : int or None
        Repeats the choice exactly. None takes fresh entropy.

    Returns
    -------
    list of (chain, draw)
        m distinct pairs of zero-based positions. Consecutive pairs come from different chains while there is
        more than one, so that also the first few imputations are spread.

    Raises
    ------
    BayesmiError
        If m < 1, or more draws are wanted than the posterior has.

    Notes
    -----
    Imputations are to be approximately independent draws (Rubin 1987, ch. 4; thinning as in JointAI's
    ``get_MIdat``). Systematic sampling in place of random keeps the smallest gap at its maximum.

    Examples
    --------
    >>> choose_draws(2, 100, 4, seed=1)
    [(1, 42), (0, 18), (1, 92), (0, 68)]
    """
    n_chains, n_draws = _whole(n_chains, "n_chains"), _whole(n_draws, "n_draws")
    m = _whole(m, "m")
    if m < 1:
        raise BayesmiError(f"m = {m}: at least one imputation is needed, say m=20")
    if n_chains < 1 or n_draws < 1:
        raise BayesmiError(
            f"the posterior is empty ({n_chains} chains of {n_draws} draws): fit the model first"
        )
    if m > n_chains * n_draws:
        raise BayesmiError(
            f"m = {m} imputations need {m} different posterior draws and there are {n_chains * n_draws} "
            f"({n_chains} chains of {n_draws}): ask for fewer, or fit with more draws"
        )
    rng = stream(check_seed(seed), SPACING)
    chains = rng.permutation(n_chains)
    offsets = rng.integers(n_draws, size=n_chains)
    chosen: list[tuple[int, int]] = []
    for i in range(m):
        position, j = i % n_chains, i // n_chains
        k = m // n_chains + (position < m % n_chains)  # draws that this chain gives
        chosen.append((int(chains[position]), int((offsets[position] + j * n_draws) // k)))
    return chosen


def _whole(value: int, name: str) -> int:
    """Refuse 2.5, True and text where a count is meant."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise BayesmiError(f"{name} = {value!r} is not a whole number")
    return int(value)
