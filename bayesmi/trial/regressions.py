"""Means and covariances of patients' visits from the sequential regressions of a fitted joint model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.model import Model

__all__ = ["Regressions", "read_regressions"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regressions:
    """S draws of y_j = a_j(x, arm) + Σ_k<j B_jk y_k + e_j, e_j ~ N(0, D_j).

    Attributes
    ----------
    model : Model
        The joint model that they are of.
    columns : tuple of str
        Its J visits.
    slopes : ndarray, shape (S, J, J)
        B, strictly lower triangular.
    variances : ndarray, shape (S, J)
        D.
    intercepts : ndarray, shape (S, J)
        With all predictors at zero.
    coefficients : tuple of ndarray, J of shape (S, p_j)
        Of the design columns, earlier visits among them.

    Notes
    -----
    With L = (I - B)⁻¹ the visits have mean L a and covariance L D L': the modified Cholesky decomposition of an
    unstructured covariance (Pourahmadi 1999), so that any covariance is reached and none that is not positive definite.
    """

    model: Model
    columns: tuple[str, ...]
    slopes: Floats
    variances: Floats
    intercepts: Floats
    coefficients: tuple[Floats, ...]

    @property
    def total(self) -> Floats:
        """L = (I - B)⁻¹, (S, J, J)."""
        return np.asarray(np.linalg.inv(np.eye(len(self.columns)) - self.slopes))

    def covariance(self) -> Floats:
        """Return the covariance of the visits, (S, J, J)."""
        total = self.total
        return np.asarray((total * self.variances[:, None, :]) @ np.swapaxes(total, -1, -2))

    def means(self, values: Mapping[str, Floats], n: int) -> Floats:
        """Return the means of n patients with these baseline values, (S, n, J).

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
            Numbers or codes of arm and covariates, complete.
        n : int
            Number of patients.
        """
        given = {**values, **dict.fromkeys(self.columns, np.zeros(n))}
        parts = []
        for j, name in enumerate(self.columns):
            matrix = self.model.factor(name).matrix(given, n)
            parts.append(self.intercepts[:, [j]] + self.coefficients[j] @ matrix.T)
        return np.einsum("sjk,ksn->snj", self.total, np.array(parts))

    def take(self, draws: NDArray[np.intp] | slice) -> Regressions:
        """Return some of the draws."""
        return Regressions(
            self.model,
            self.columns,
            self.slopes[draws],
            self.variances[draws],
            self.intercepts[draws],
            tuple(own[draws] for own in self.coefficients),
        )


def read_regressions(model: Model, draws: PosteriorDraws, columns: Sequence[str]) -> Regressions:
    """Read the regressions of the visits out of a joint model's draws."""
    n_visits = len(columns)
    slopes = np.zeros((draws.n, n_visits, n_visits))
    variances = np.empty((draws.n, n_visits))
    intercepts = np.empty((draws.n, n_visits))
    coefficients = []
    for j, name in enumerate(columns):
        factor, own = model.factor(name), draws.factors[name]
        for k, earlier in enumerate(columns[:j]):
            slopes[:, j, k] = own.coefficients[:, factor.column_names.index(earlier)]
        variances[:, j] = own.scales["sigma"] ** 2
        intercepts[:, j] = 0.0 if own.intercept is None else own.intercept
        coefficients.append(own.coefficients)
    return Regressions(model, tuple(columns), slopes, variances, intercepts, tuple(coefficients))
