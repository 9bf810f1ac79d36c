"""Maximum likelihood of a Gaussian mixed model from its cross products: for REML fits and for stacked data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from bayesmi.adapters.mixed_likelihood import CrossProducts, fixed_effects, profile, relative_covariance
from bayesmi.errors import NotSupportedError

__all__ = ["maximise", "stack"]

Floats = NDArray[np.float64]


def maximise(data: CrossProducts, start: Floats, free: NDArray[np.bool_]) -> Floats:
    """Fit by maximum likelihood.

    Parameters
    ----------
    data : CrossProducts
    start : ndarray
        Random-effect covariances over the residual variance (see `relative_covariance`).
    free : ndarray of bool
        Which of them are estimated; the others stay zero.

    Returns
    -------
    ndarray
        All parameters: fixed effects, random-effect covariances and residual variance, on their own scale.

    Raises
    ------
    NotSupportedError
        If only some of the correlations are free.

    Notes
    -----
    Quasi-Newton on the Cholesky factor of the relative covariance, which reaches the boundary; fixed
    effects and residual variance are profiled out.
    """
    k = data.k_re
    rows, columns = np.tril_indices(k)
    off = rows != columns
    together = (
        np.arange(k)[:, None] >= np.arange(k) if free[: len(rows)][off].all() else np.eye(k, dtype=bool)
    )
    if not free[: len(rows)][~off].all() or (
        off.any() and free[: len(rows)][off].any() != free[: len(rows)][off].all()
    ):
        raise NotSupportedError(
            "no likelihood comparison where only some random-effect covariances are free: use 'D1'"
        )
    at = np.flatnonzero(together[rows, columns])

    def theta_of(x: Floats) -> Floats:
        factor = np.zeros((k, k))
        factor[rows[at], columns[at]] = x[: len(at)]
        return np.concatenate([(factor @ factor.T)[rows, columns], x[len(at) :] ** 2])

    correlated = relative_covariance(data, start)[:k, :k] * np.where(together | together.T, 1.0, 0.0)
    # away from the boundary, where the slope in the factor vanishes
    factor = np.linalg.cholesky(correlated + 1e-4 * np.eye(k)) if k else correlated
    begin = np.concatenate([factor[rows[at], columns[at]], np.sqrt(np.maximum(start[len(rows) :], 1e-4))])

    def deviance(x: Floats) -> float:
        return -profile(data, theta_of(x), reml=False).log_likelihood

    options = {"gtol": 1e-9, "ftol": 1e-15, "maxiter": 500}
    found = optimize.minimize(deviance, begin, method="L-BFGS-B", jac="3-point", options=options)
    theta = theta_of(found.x)
    s2 = float(np.exp(profile(data, theta, reml=False).log_scale))
    return np.concatenate([fixed_effects(data, theta)[0], theta * s2, [s2]])


def stack(parts: Sequence[CrossProducts]) -> CrossProducts:
    """Put data sets under each other, each with groups of its own.

    Parameters
    ----------
    parts : sequence of CrossProducts
        Of the same model.

    Returns
    -------
    CrossProducts

    Raises
    ------
    NotSupportedError
        If the random effects differ in number.
    """
    if len({(part.k_re, part.blocks) for part in parts}) > 1:
        raise NotSupportedError("the data sets have different random effects: use method='D1' or 'D3'")
    return CrossProducts(
        np.concatenate([part.zz for part in parts]),
        np.concatenate([part.zx for part in parts]),
        np.concatenate([part.zy for part in parts]),
        np.sum([part.xx for part in parts], axis=0),
        np.sum([part.xy for part in parts], axis=0),
        float(sum(part.yy for part in parts)),
        sum(part.n for part in parts),
        parts[0].k_re,
        parts[0].blocks,
    )
