"""The conditional distribution of missing outcomes given the observed ones, under each patient's strategy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.trial.events import Events
from bayesmi.trial.strategies import MAR, checked, get_strategy

__all__ = ["Moments", "PatientGroup", "conditional", "draw_missing", "fill_means", "group_patients"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """S draws (or one estimate, S = 1) of the means and covariances of the patients' visits.

    Attributes
    ----------
    own, ref : ndarray, shape (S, n, J)
        Mean of each patient in the own arm, and in the arm that it refers to.
    covariance : ndarray, shape (S, A, J, J)
        By arm.
    """

    own: Floats
    ref: Floats
    covariance: Floats


@dataclass(frozen=True, eq=False)
class PatientGroup:
    """Patients who share arm, strategy, first affected visit and pattern of observed outcomes."""

    patients: NDArray[np.intp]
    arm: int
    ref: int
    strategy: str
    first: int
    observed: NDArray[np.intp]  # visits
    missing: NDArray[np.intp]


def group_patients(
    observed: NDArray[np.bool_], events: Events, arm_of: NDArray[np.intp], reference: NDArray[np.intp]
) -> tuple[PatientGroup, ...]:
    """Return the groups of patients with missing outcomes.

    Parameters
    ----------
    observed : ndarray of bool, shape (n, J)
        Outcomes that imputations are conditional on.
    events : Events
        First affected visit and strategy of each patient.
    arm_of : ndarray of int, shape (n,)
        Arms.
    reference : ndarray of int, shape (A,)
        The arm that each arm refers to.
    """
    n_visits = observed.shape[1]
    groups: dict[tuple[int, str, int, bytes], list[int]] = {}
    for i in np.flatnonzero(~observed.all(axis=1)).tolist():
        strategy = events.strategies[i]
        first = n_visits if strategy == MAR else int(events.first[i])
        groups.setdefault((int(arm_of[i]), strategy, first, observed[i].tobytes()), []).append(i)
    out = []
    for (arm, strategy, first, _), patients in groups.items():
        seen = observed[patients[0]]
        out.append(
            PatientGroup(
                np.array(patients, dtype=np.intp),
                arm,
                int(reference[arm]),
                strategy,
                first,
                np.flatnonzero(seen),
                np.flatnonzero(~seen),
            )
        )
    return tuple(out)


def conditional(group: PatientGroup, moments: Moments, outcomes: Floats) -> tuple[Floats, Floats]:
    """Return mean and covariance of a group's missing outcomes given the observed ones.

    Parameters
    ----------
    group : PatientGroup
        k of its visits are missing.
    moments : Moments
        S draws.
    outcomes : ndarray, shape (n, J)
        Of all patients.

    Returns
    -------
    mean : ndarray, shape (S, patients, k)
    covariance : ndarray, shape (S, k, k)
    """
    mean, covariance = checked(
        group.strategy,
        get_strategy(group.strategy),
        moments.own[:, group.patients],
        moments.ref[:, group.patients],
        moments.covariance[:, group.arm],
        moments.covariance[:, group.ref],
        group.first,
    )
    seen, gone = group.observed, group.missing
    if not seen.size:
        return mean, covariance
    between = covariance[:, seen[:, None], gone]
    slope = np.linalg.solve(covariance[:, seen[:, None], seen], between)  # (S, observed, missing)
    residual = outcomes[group.patients][:, seen] - mean[:, :, seen]
    left = covariance[:, gone[:, None], gone] - np.swapaxes(slope, -1, -2) @ between
    return mean[:, :, gone] + residual @ slope, left


def draw_missing(
    groups: tuple[PatientGroup, ...], moments: Moments, outcomes: Floats, noise: Floats
) -> Iterator[tuple[PatientGroup, Floats]]:
    """Yield each group with draws of its missing outcomes, (S, patients, k).

    Parameters
    ----------
    groups, moments, outcomes
        As for `conditional`.
    noise : ndarray, shape (S, n, J)
        Standard normal; the same numbers for a patient and visit whatever the strategy, so that strategies are compared
        on the same random numbers.
    """
    for group in groups:
        mean, covariance = conditional(group, moments, outcomes)
        try:
            root = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise ModelError(
                f"strategy {group.strategy!r} gives a covariance that is not positive definite: correct its function"
            ) from None
        own = noise[:, group.patients][:, :, group.missing]
        yield group, mean + own @ np.swapaxes(root, -1, -2)


def fill_means(groups: tuple[PatientGroup, ...], moments: Moments, outcomes: Floats) -> Floats:
    """Return the outcomes with the missing ones at their conditional means, (S, n, J)."""
    out = np.repeat(outcomes[None], len(moments.own), axis=0)
    for group in groups:
        mean, _ = conditional(group, moments, outcomes)
        out[:, group.patients[:, None], group.missing] = mean
    return out
