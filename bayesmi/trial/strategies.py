"""What is assumed of outcomes after an intercurrent event: the marginal distribution each strategy imputes from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError

__all__ = ["MAR", "STRATEGIES", "Strategy", "get_strategy", "register_strategy", "strategy_name"]

Floats = NDArray[np.float64]
MAR = "MAR"

Strategy = Callable[[Floats, Floats, Floats, Floats, int], tuple[Floats, Floats]]
"""(mu_own, mu_ref, cov_own, cov_ref, first) -> (mu, cov).

Means have shape (…, J), covariances (…, J, J): count visits from the end, ``mu[..., first:]``. `first` is the first affected
visit, 0 … J - 1; visits before it are never affected.
"""


def missing_at_random(
    mu_own: Floats, mu_ref: Floats, cov_own: Floats, cov_ref: Floats, first: int
) -> tuple[Floats, Floats]:
    """MAR: as patients of the own arm who go on."""
    return mu_own, cov_own


def jump_to_reference(
    mu_own: Floats, mu_ref: Floats, cov_own: Floats, cov_ref: Floats, first: int
) -> tuple[Floats, Floats]:
    """J2R: from the event on the mean of the reference arm."""
    mu = np.concatenate([mu_own[..., :first], mu_ref[..., first:]], axis=-1)
    return mu, spliced_covariance(cov_own, cov_ref, first)


def copy_increments(
    mu_own: Floats, mu_ref: Floats, cov_own: Floats, cov_ref: Floats, first: int
) -> tuple[Floats, Floats]:
    """CIR: from the own mean before the event on, the increments of the reference arm."""
    if first == 0:
        return mu_ref, cov_ref
    before = slice(first - 1, first)
    later = mu_own[..., before] + mu_ref[..., first:] - mu_ref[..., before]
    mu = np.concatenate([mu_own[..., :first], later], axis=-1)
    return mu, spliced_covariance(cov_own, cov_ref, first)


def copy_reference(
    mu_own: Floats, mu_ref: Floats, cov_own: Floats, cov_ref: Floats, first: int
) -> tuple[Floats, Floats]:
    """CR: as if in the reference arm from the start."""
    return mu_ref, cov_ref


def last_mean_carried_forward(
    mu_own: Floats, mu_ref: Floats, cov_own: Floats, cov_ref: Floats, first: int
) -> tuple[Floats, Floats]:
    """LMCF: the own mean at the last visit before the event goes on."""
    if first == 0:
        raise ModelError(
            "LMCF has no mean to carry forward where the first visit is affected: use another strategy there"
        )
    later = np.repeat(mu_own[..., first - 1 : first], mu_own.shape[-1] - first, axis=-1)
    return np.concatenate([mu_own[..., :first], later], axis=-1), cov_own


def spliced_covariance(own: Floats, ref: Floats, first: int) -> Floats:
    """Return the covariance with the own one before the event and the reference arm's regression on it after.

    Parameters
    ----------
    own, ref : ndarray, shape (…, J, J)
        Covariances O and R.
    first : int
        First affected visit.

    Returns
    -------
    ndarray, shape (…, J, J)
        S11 = O11, S21 = R21 R11⁻¹ O11, S22 = R22 - R21 R11⁻¹ (R11 - O11) R11⁻¹ R12.

    Notes
    -----
    Carpenter, Roger & Kenward (2013), section 4.3.
    """
    n = own.shape[-1]
    if first == 0 or own is ref:
        return ref
    if first == n:
        return own
    r11, r12 = ref[..., :first, :first], ref[..., :first, first:]
    slope = np.swapaxes(np.linalg.solve(r11, r12), -1, -2)  # R21 R11⁻¹
    o11 = own[..., :first, :first]
    s21 = slope @ o11
    s22 = ref[..., first:, first:] - slope @ (r11 - o11) @ np.swapaxes(slope, -1, -2)
    top = np.concatenate([np.broadcast_to(o11, r11.shape), np.swapaxes(s21, -1, -2)], axis=-1)
    return np.concatenate([top, np.concatenate([s21, s22], axis=-1)], axis=-2)


STRATEGIES: dict[str, Strategy] = {
    MAR: missing_at_random,
    "J2R": jump_to_reference,
    "CIR": copy_increments,
    "CR": copy_reference,
    "LMCF": last_mean_carried_forward,
}
_ALSO = {"JR": "J2R"}


def register_strategy(name: str, strategy: Strategy) -> None:
    """Make a strategy known by a name.

    Parameters
    ----------
    name : str
        How models and events call it.
    strategy : callable
        (mu_own, mu_ref, cov_own, cov_ref, first) -> (mu, cov), for means of shape (…, J) and covariances of shape
        (…, J, J); the leading axes are posterior draws and, of means, patients.

    Raises
    ------
    ModelError
        If the name is taken, or it does not return a mean and a covariance of these shapes.

    Examples
    --------
    >>> from bayesmi.trial import register_strategy
    >>> def half_way(mu_own, mu_ref, cov_own, cov_ref, first):
    ...     mu = mu_own.copy()
    ...     mu[..., first:] = (mu_own + mu_ref)[..., first:] / 2
    ...     return mu, cov_own
    >>> register_strategy("half-way", half_way)
    """
    if name in STRATEGIES or name in _ALSO:
        raise ModelError(f"there is a strategy {name!r} already: take another name")
    for draws in ((), (2,)):
        means, cov = np.zeros((*draws, 4, 3)), np.broadcast_to(np.eye(3), (*draws, 3, 3))
        checked(name, strategy, means, means, cov, cov, 1)
    STRATEGIES[name] = strategy


def checked(
    name: str,
    strategy: Strategy,
    mu_own: Floats,
    mu_ref: Floats,
    cov_own: Floats,
    cov_ref: Floats,
    first: int,
) -> tuple[Floats, Floats]:
    """Return what a strategy gives; refuse a mean or covariance of another shape."""
    given = strategy(mu_own, mu_ref, cov_own, cov_ref, first)
    if not isinstance(given, tuple) or len(given) != 2:
        raise ModelError(f"strategy {name!r} must return (mean, covariance), not {type(given).__name__}")
    mu, cov = np.asarray(given[0], dtype=float), np.asarray(given[1], dtype=float)
    if mu.shape != mu_own.shape or cov.shape != cov_own.shape:
        raise ModelError(
            f"strategy {name!r} returned a mean of shape {mu.shape} and a covariance of shape {cov.shape}, where "
            f"{mu_own.shape} and {cov_own.shape} are needed: index visits from the end, mu[..., first:]"
        )
    return mu, cov


def get_strategy(name: str) -> Strategy:
    """Return the strategy of a name; JR is J2R."""
    known = _ALSO.get(name, name)
    if known not in STRATEGIES:
        raise ModelError(f"no strategy {name!r}: {did_you_mean(name, list(STRATEGIES))}")
    return STRATEGIES[known]


def strategy_name(given: object) -> str:
    """Return the registered name of a strategy."""
    if not isinstance(given, str):
        raise ModelError(
            f"a strategy is the name of one, not {given!r}: register_strategy() gives a function a name"
        )
    get_strategy(given)
    return _ALSO.get(given, given)
