"""Levels and counts moved: probabilities with shifted odds, and the levels redrawn from them with the same random numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["carry_ordered", "carry_unordered", "shift_cumulative", "shift_odds", "shift_weights"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def shift_odds(probabilities: Floats, amounts: Floats) -> Floats:
    """Return probabilities with log odds of the categories shifted: p_k exp(amount_k), normalised.

    Parameters
    ----------
    probabilities : (cells, K) array
        Of the categories.
    amounts : (cells,) or (cells, K) array
        Log odds of each category; one number is of the second of two.

    Examples
    --------
    >>> import numpy as np
    >>> shift_odds(np.array([[0.5, 0.5]]), np.log([3.0])).round(3).tolist()
    [[0.25, 0.75]]
    """
    own = amounts
    if own.ndim == 1:
        own = np.stack([np.zeros(len(amounts)), amounts], axis=1)
    return shift_weights(probabilities, own)


def shift_weights(probabilities: Floats, log_weights: Floats) -> Floats:
    """Return p_k exp(log_weight_k), normalised."""
    with np.errstate(divide="ignore"):
        log_p = np.log(probabilities) + log_weights
    log_p -= log_p.max(axis=1, keepdims=True)
    out = np.exp(log_p)
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def shift_cumulative(probabilities: Floats, amounts: Floats) -> Floats:
    """Return probabilities of ordered levels with every cumulative log odds of the higher levels shifted.

    logit P(x > k) + amount for each k; with two levels the same as `shift_odds`.

    Examples
    --------
    >>> import numpy as np
    >>> shift_cumulative(np.array([[0.5, 0.25, 0.25]]), np.log([3.0])).round(3).tolist()
    [[0.25, 0.25, 0.5]]
    """
    above = np.cumsum(probabilities[:, ::-1], axis=1)[:, ::-1][:, 1:]  # P(x > k), k = 0 … K-2
    below = np.cumsum(probabilities, axis=1)[:, :-1]
    factor = np.exp(np.clip(amounts, -700, 700))[:, None]
    moved = above * factor / (above * factor + below)
    padded = np.concatenate([np.ones((len(moved), 1)), moved, np.zeros((len(moved), 1))], axis=1)
    return np.maximum(-np.diff(padded, axis=1), 0.0)


def carry_ordered(codes: Ints, before: Floats, after: Floats, u: Floats) -> Ints:
    """Redraw ordered levels: a uniform number inside the old level's interval names the new level.

    Given codes drawn from `before`, the result is a draw from `after`; it is the old code where nothing changed, and moves
    one way only as the distribution does.

    Parameters
    ----------
    codes : (cells,) array
        Levels drawn, 0 … K-1.
    before, after : (cells, K) array
        Probabilities they were drawn from, and are to be drawn from.
    u : (cells,) array
        Uniform numbers.
    """
    cells = np.arange(len(codes))
    upper = np.cumsum(before, axis=1)
    lower = upper[cells, codes] - before[cells, codes]
    place = lower + u * before[cells, codes]
    cumulative = np.cumsum(after, axis=1)
    new = (place[:, None] > cumulative).sum(axis=1)
    new = np.minimum(new, after.shape[1] - 1)
    same = (before == after).all(axis=1)
    return np.where(same, codes, new).astype(np.intp)


def carry_unordered(codes: Ints, before: Floats, after: Floats, u: Floats, v: Floats) -> Ints:
    """Redraw unordered categories so that as few as possible change: the maximal coupling.

    A category is kept with probability min(1, after / before), else drawn from the excess of `after` over `before`.
    """
    cells = np.arange(len(codes))
    kept = u * before[cells, codes] <= after[cells, codes]
    excess = np.maximum(after - before, 0.0)
    total = excess.sum(axis=1, keepdims=True)
    cumulative = np.cumsum(excess, axis=1) / np.where(total > 0, total, 1.0)
    new = np.minimum((v[:, None] > cumulative).sum(axis=1), after.shape[1] - 1)
    return np.where(kept | (total[:, 0] <= 0), codes, new).astype(np.intp)
