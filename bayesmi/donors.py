"""Donors: observed values whose predictions are nearest, ties broken at random for every recipient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose_donors"]

Floats = NDArray[np.float64]


def choose_donors(
    donor_scores: Floats, scores: Floats, donors: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Choose one of the nearest donors for each recipient.

    Parameters
    ----------
    donor_scores : ndarray, shape (n_donors,)
        Predictions of the rows that have a value.
    scores : ndarray, shape (n_recipients,)
        Predictions of the rows that have none.
    donors : int
        Size of the pool, at most n_donors.
    rng : numpy.random.Generator
        Random stream.

    Returns
    -------
    ndarray of int, shape (n_recipients,)
        Positions among the donors.

    Notes
    -----
    mice's ``matchindex`` shuffles once, so that with few distinct predictions the same few donors serve all recipients.
    Here donors that tie for the last places of the pool share these places, separately for every recipient.

    Examples
    --------
    >>> choose_donors(np.array([1.0, 2.0, 9.0]), np.array([1.1, 8.0]), 1, np.random.default_rng(1)).tolist()
    [0, 2]
    """
    n = len(donor_scores)
    k = min(donors, n)
    order = np.argsort(donor_scores, kind="stable")
    ranked = donor_scores[order]
    place = np.searchsorted(ranked, scores)
    offsets = np.arange(-k, k)
    window = np.clip(place[:, None] + offsets, -1, n)
    inside = (window >= 0) & (window < n) & ((place[:, None] + offsets) == window)
    distance = np.where(inside, np.abs(ranked[np.clip(window, 0, n - 1)] - scores[:, None]), np.inf)
    limit = np.partition(distance, k - 1, axis=1)[:, k - 1]
    near = distance <= limit[:, None]
    first = np.where(near, window, n).min(axis=1)
    last = np.where(near, window, -1).max(axis=1)
    # blocks of equal predictions at both ends; strictly nearer donors lie between them
    low, high = ranked[first], ranked[last]
    low_ties, high_ties = np.abs(low - scores) == limit, np.abs(high - scores) == limit
    start, stop = np.searchsorted(ranked, low), np.searchsorted(ranked, high, side="right")
    inner_start = np.where(low_ties, np.searchsorted(ranked, low, side="right"), start)
    inner_stop = np.where(high_ties, np.searchsorted(ranked, high), stop)
    nearer = np.maximum(inner_stop - inner_start, 0)
    all_equal = low_ties & high_ties & (low == high)
    tied = np.where(all_equal, stop - start, (stop - start) - nearer)
    nearer = np.where(all_equal, 0, nearer)
    takes_tie = rng.integers(k, size=len(scores)) >= nearer
    pick = rng.random(len(scores))
    from_nearer = inner_start + np.floor(pick * nearer).astype(np.intp)
    t = np.floor(pick * tied).astype(np.intp)
    left = np.where(all_equal, tied, np.maximum(inner_start - start, 0))
    from_ties = np.where(t < left, start + t, inner_stop + (t - left))
    return np.asarray(order[np.where(takes_tie, from_ties, from_nearer)])
