"""Logistic regression by maximum likelihood, or by Firth's penalised likelihood where there is no maximum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import FitError

__all__ = ["LogisticFit", "expit", "fit_logistic", "independent_columns"]

Floats = NDArray[np.float64]
_NEWTON_STEPS = 30  # Newton needs a handful where a maximum exists
_FIRTH_STEPS = 500
_HALVINGS = 20
_LARGEST_STEP = 5.0  # of the linear predictor
_TOLERANCE, _FIRTH_TOLERANCE = 1e-7, 1e-6  # of the linear predictor; Newton's next step is the square of it


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """Coefficients with their covariance.

    Attributes
    ----------
    coefficients : ndarray, shape (k,)
        In the order of the columns.
    covariance : ndarray, shape (k, k)
        Inverse Fisher information at the coefficients.
    probabilities : ndarray, shape (n,)
        Fitted.
    penalised : bool
        True for Firth's estimate: the likelihood had no maximum, because a combination of columns separates the
        zeros from the ones.
    """

    coefficients: Floats
    covariance: Floats
    probabilities: Floats
    penalised: bool


def fit_logistic(design: Floats, outcome: Floats) -> LogisticFit:
    """Regress zeros and ones on the columns of a design, which holds the intercept.

    Parameters
    ----------
    design : ndarray, shape (n, k)
        Columns that do not follow from each other; see `independent_columns`.
    outcome : ndarray, shape (n,)
        Zeros and ones, both of them.

    Returns
    -------
    LogisticFit

    Raises
    ------
    FitError
        If even the penalised likelihood has no maximum that is found.

    Notes
    -----
    Newton's method; under separation the modified score of Firth (1993) as Heinze and Schemper (2002) use it, whose
    estimates are finite.
    """
    scale = np.abs(design).max(axis=0)
    scaled = design / np.where(scale > 0, scale, 1.0)
    found = _newton(scaled, outcome, False) or _newton(scaled, outcome, True)
    if found is None:
        raise FitError("the logistic regression does not settle: leave out predictors")
    coefficients, covariance, penalised = found
    return LogisticFit(
        coefficients / scale, covariance / np.outer(scale, scale), expit(scaled @ coefficients), penalised
    )


def expit(eta: Floats) -> Floats:
    """Inverse logit."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * eta)))


def independent_columns(design: Floats) -> list[int]:
    """Positions of the columns that do not follow from those before them."""
    kept: list[int] = []
    basis = np.empty((len(design), 0))
    for j in range(design.shape[1]):
        column = design[:, j].astype(float)
        size = np.linalg.norm(column)
        if size == 0:
            continue
        rest = column / size
        for _ in range(2):  # twice is enough for orthogonality to machine precision
            rest = rest - basis @ (basis.T @ rest)
        if np.linalg.norm(rest) > 1e-8:
            kept.append(j)
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    return kept


def _newton(design: Floats, outcome: Floats, firth: bool) -> tuple[Floats, Floats, bool] | None:
    """Coefficients and covariance, or None if the steps do not come to rest."""
    coefficients = np.zeros(design.shape[1])
    height = _height(design, outcome, coefficients, firth)
    for _ in range(_FIRTH_STEPS if firth else _NEWTON_STEPS):
        p = expit(design @ coefficients)
        weighted = design * np.sqrt(p * (1 - p))[:, None]
        try:
            covariance = np.linalg.inv(weighted.T @ weighted)
        except np.linalg.LinAlgError:
            return None
        score, solver = outcome - p, covariance
        if firth:  # as if each row stood there again with weight leverage, half of it a one and half a zero
            leverage = np.einsum("ij,jk,ik->i", weighted, covariance, weighted)
            score = score + leverage * (0.5 - p)
            solver = np.linalg.inv((weighted * (1 + leverage)[:, None]).T @ weighted)
        step = solver @ (design.T @ score)
        moved = float(np.abs(design @ step).max())
        if not np.isfinite(moved):
            return None
        if moved < (_FIRTH_TOLERANCE if firth else _TOLERANCE):
            return coefficients + step, covariance, firth
        step = step * min(1.0, _LARGEST_STEP / moved)
        for _halving in range(_HALVINGS):
            reached = _height(design, outcome, coefficients + step, firth)
            if reached >= height - 1e-12 * abs(height):
                break
            step = step / 2
        coefficients, height = coefficients + step, reached
    return None


def _height(design: Floats, outcome: Floats, coefficients: Floats, firth: bool) -> float:
    """Log likelihood, for Firth plus half the log determinant of the information."""
    eta = design @ coefficients
    value = float(outcome @ eta - np.logaddexp(0.0, eta).sum())
    if firth:
        p = expit(eta)
        weighted = design * np.sqrt(p * (1 - p))[:, None]
        value += 0.5 * float(np.linalg.slogdet(weighted.T @ weighted)[1])
    return value
