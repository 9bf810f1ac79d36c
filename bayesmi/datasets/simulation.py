"""The popularity study with known truth: pupils in schools, values with holes, and what was there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError

INTERCEPT, TEXP, SEX = 3.6, 0.09, 0.87
SHARE_OF_GIRLS = 0.487
_CAN_MISS = ("texp", "sex", "popular")  # in the order in which holes are made
_DATA, _HOLES = 0, 1  # random streams: the complete data do not depend on what is made missing


@dataclass(frozen=True, eq=False)
class SimulatedPupils:
    """What :func:`simulate_pupils` returns.

    Parameters
    ----------
    data
        The incomplete table: pupil, school, popular, sex, texp, teachpop.
    complete
        The same table before deletion.
    truth
        Parameters by the names they have in the posterior: ``Intercept``, ``texp``, ``sex``,
        ``1|school_sigma``, ``sigma``, and with a random slope ``sex|school_sigma`` and ``school__corr``; and
        ``icc``.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> pupils = bmi.datasets.simulate_pupils(20, 10, seed=1, missing={"popular": 0.3})
    >>> pupils.data.shape, pupils.truth["texp"]
    ((195, 6), 0.09)
    >>> int(pupils.complete["popular"].isna().sum()), bool(pupils.data["popular"].isna().any())
    (0, True)
    """

    data: pd.DataFrame
    complete: pd.DataFrame
    truth: Mapping[str, float]


def simulate_pupils(
    n_schools: int = 100,
    n_pupils: int = 20,
    *,
    seed: int | np.random.SeedSequence | None = None,
    missing: Mapping[str, float] | None = None,
    mechanism: Literal["MAR", "MCAR"] = "MAR",
    school_sigma: float = 0.46**0.5,
    sigma: float = 0.46**0.5,
    slope_sigma: float = 0.0,
    correlation: float = 0.0,
) -> SimulatedPupils:
    r"""Simulate pupils in schools like popmis, with known parameters.

    Parameters
    ----------
    n_schools
        Number of schools.
    n_pupils
        Mean number of pupils in a school; sizes are uniform within a fifth around it.
    seed
        Repeats the data exactly. The complete data do not depend on `missing` and `mechanism`.
    missing
        Share of missing values by column, of popular, sex and texp (whole schools); ``{"popular": 0.42}``
        when None.
    mechanism
        ``"MAR"`` or ``"MCAR"``, see Notes.
    school_sigma, sigma
        Standard deviations of the school intercepts and of the residuals.
    slope_sigma, correlation
        Standard deviation of the slope of sex over schools, and its correlation with the intercepts.

    Returns
    -------
    SimulatedPupils

    Raises
    ------
    DataError
        For impossible sizes, shares and columns.

    Notes
    -----
    popular = 3.6 + 0.09 texp + (0.87 + slope) sex + school + residual; sex is Bernoulli(.487), texp uniform
    on 2 … 25 years, one value a school; teachpop follows popular closely between schools (.9) and loosely
    within (.2).

    Under MAR the log odds of a hole rise by 1 with each standard deviation of those of popular, sex and texp
    that are complete, or that got their holes before and are observed in that row; holes are made in texp,
    then sex, then popular. So P(R | Y) depends on observed values only, for any model of these three (Little
    and Rubin 2019, 1.3). For texp the predictors are school means of complete variables.

    Examples
    --------
    >>> from bayesmi import datasets
    >>> pupils = datasets.simulate_pupils(n_schools=50, seed=1, missing={"popular": 0.3})
    >>> pupils.truth["texp"]
    0.09
    >>> bool(0.25 < pupils.data["popular"].isna().mean() < 0.35)
    True
    """
    holes = {"popular": 0.42} if missing is None else dict(missing)
    _check(n_schools, n_pupils, holes, mechanism, correlation, (school_sigma, sigma, slope_sigma))
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    rng = _stream(root, _DATA)
    spread = max(n_pupils // 5, 0)
    sizes = rng.integers(n_pupils - spread, n_pupils + spread + 1, size=n_schools)
    school = np.repeat(np.arange(n_schools), sizes)
    n = len(school)
    texp = rng.integers(2, 26, size=n_schools)[school]
    sex = (rng.random(n) < SHARE_OF_GIRLS).astype(np.int64)
    z = rng.standard_normal((2, n_schools))
    intercepts = school_sigma * z[0]
    slopes = slope_sigma * (correlation * z[0] + np.sqrt(1 - correlation**2) * z[1])
    between = INTERCEPT + TEXP * texp + intercepts[school]
    within = (SEX + slopes[school]) * sex + sigma * rng.standard_normal(n)
    popular = between + within
    teachpop = 5.0 + 0.9 * (between - between.mean()) + 0.2 * within + 0.6 * rng.standard_normal(n)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    complete = pd.DataFrame(
        {
            "pupil": np.arange(n) - first[school] + 1,
            "school": school + 1,
            "popular": popular,
            "sex": sex,
            "texp": texp,
            "teachpop": teachpop,
        }
    )
    data = _make_holes(complete, school, holes, mechanism, _stream(root, _HOLES))
    truth = {
        "Intercept": INTERCEPT,
        "texp": TEXP,
        "sex": SEX,
        "1|school_sigma": float(school_sigma),
        "sigma": float(sigma),
        "icc": float(school_sigma**2 / (school_sigma**2 + sigma**2)),
    }
    if slope_sigma > 0:
        truth |= {"sex|school_sigma": float(slope_sigma), "school__corr": float(correlation)}
    return SimulatedPupils(data, complete, truth)


def _stream(root: np.random.SeedSequence, purpose: int) -> np.random.Generator:
    """Give each purpose its own stream of random numbers."""
    return np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, purpose)))


def _make_holes(
    complete: pd.DataFrame,
    school: NDArray[np.intp],
    holes: Mapping[str, float],
    mechanism: str,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Delete values column by column, each given only what is observed."""
    data = complete.copy()
    seen: dict[str, NDArray[np.float64]] = {
        name: _standardised(complete[name].to_numpy(dtype=np.float64))
        for name in _CAN_MISS
        if not holes.get(name)
    }
    for name in _CAN_MISS:
        share = holes.get(name, 0.0)
        if not share:
            continue
        whole_schools = name == "texp"
        predictors = [_school_means(v, school) if whole_schools else v for v in seen.values()]
        score = np.sum(predictors, axis=0) if predictors and mechanism == "MAR" else np.zeros(len(data))
        if whole_schools:
            _, first_row = np.unique(school, return_index=True)
            score = score[first_row]
        gone = rng.random(len(score)) < _inverse_logit(score + _offset(score, share))
        if whole_schools:
            gone = gone[school]
        values = complete[name].to_numpy(dtype=np.float64)
        seen[name] = np.where(gone, 0.0, _standardised(values))
        data[name] = np.where(gone, np.nan, values)
    return data


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and standard deviation 1; 0 for constants."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _school_means(values: NDArray[np.float64], school: NDArray[np.intp]) -> NDArray[np.float64]:
    """Put a standardised school mean in every row."""
    means = np.bincount(school, weights=values) / np.bincount(school)
    return _standardised(means)[school]


def _inverse_logit(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn log odds into probabilities; written with tanh, which does not overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * score))


def _offset(score: NDArray[np.float64], share: float) -> float:
    """Find the intercept that gives the wanted mean probability, by bisection."""
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _inverse_logit(score + middle).mean() < share else (low, middle)
    return (low + high) / 2


def _check(
    n_schools: int,
    n_pupils: int,
    holes: Mapping[str, float],
    mechanism: str,
    correlation: float,
    sigmas: tuple[float, ...],
) -> None:
    """Refuse what cannot be simulated."""
    if n_schools < 1 or n_pupils < 1:
        raise DataError(f"n_schools and n_pupils must be at least 1, got {n_schools} and {n_pupils}")
    for name, share in holes.items():
        if name not in _CAN_MISS:
            raise DataError(f"missing={{{name!r}: …}}: only popular, sex and texp get holes; " + _hint(name))
        if not 0 <= share < 1:
            raise DataError(f"missing={{{name!r}: {share}}}: a share of missing values lies between 0 and 1")
    if mechanism not in ("MAR", "MCAR"):
        raise DataError(f"mechanism={mechanism!r}: expected 'MAR' or 'MCAR'")
    if not -1 <= correlation <= 1:
        raise DataError(f"correlation={correlation}: expected a number between -1 and 1")
    if min(sigmas) < 0:
        raise DataError("standard deviations cannot be negative")


def _hint(name: str) -> str:
    """Suggest the nearest column."""
    return did_you_mean(name, _CAN_MISS)
