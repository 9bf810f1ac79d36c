"""Variance components of a MixedLM on their own scale, with standard errors, named as mitml names them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.adapters.mixed_likelihood import CrossProducts, profile, relative_covariance

__all__ = ["components_of", "free_parameters", "is_penalised", "is_singular", "relative_parameters"]

Floats = NDArray[np.float64]

# log-likelihood that a fit on the boundary may lose by being moved onto it
_BOUNDARY = 1e-3
# step of the numerical derivatives, relative to the size of the elements
_STEP = 1e-3


def relative_parameters(fit: Any) -> Floats:
    """Random-effect covariances over the residual variance: lower triangle by rows, then further ones.

    Parameters
    ----------
    fit : MixedLMResults

    Returns
    -------
    ndarray
    """
    rows, columns = np.tril_indices(int(fit.k_re))
    correlated = np.asarray(fit.cov_re_unscaled, dtype=float).reshape(fit.k_re, fit.k_re)[rows, columns]
    return np.concatenate([correlated, np.asarray(fit.vcomp, dtype=float).ravel() / float(fit.scale)])


def free_parameters(fit: Any) -> NDArray[np.bool_]:
    """Which of the relative parameters were estimated; the others were held.

    Parameters
    ----------
    fit : MixedLMResults

    Returns
    -------
    ndarray of bool
    """
    if fit.freepat is None:
        return np.ones(len(relative_parameters(fit)), dtype=bool)
    return np.asarray(fit.freepat.get_packed(use_sqrt=False, has_fe=False)) != 0


def is_penalised(fit: Any) -> bool:
    """Whether the fit maximised something else than the likelihood.

    Parameters
    ----------
    fit : MixedLMResults

    Returns
    -------
    bool
    """
    return fit.cov_pen is not None or getattr(fit.model, "fe_pen", None) is not None


def is_singular(fit: Any, data: CrossProducts) -> bool:
    """Whether a random-effect variance is estimated as zero or a correlation as one.

    Parameters
    ----------
    fit : MixedLMResults
    data : CrossProducts
        Of its model.

    Returns
    -------
    bool

    Notes
    -----
    statsmodels' optimiser stops short of the boundary, so no threshold on the estimate will do: a fit is
    singular if moving it onto the boundary (a variance to zero, or the smallest eigenvalue of the
    correlation matrix to zero) costs less than 0.001 in log-likelihood.
    """
    theta, reml = relative_parameters(fit), bool(fit.reml)
    best = profile(data, theta, reml=reml).log_likelihood
    return any(
        profile(data, edge, reml=reml).log_likelihood > best - _BOUNDARY for edge in _edges(theta, data)
    )


def _edges(theta: Floats, data: CrossProducts) -> list[Floats]:
    """Nearest points on each face of the parameter space."""
    k = data.k_re
    rows, columns = np.tril_indices(k)
    correlated, further = theta[: len(rows)], theta[len(rows) :]
    edges = []
    for i in range(k):
        edges.append(np.concatenate([np.where((rows == i) | (columns == i), 0.0, correlated), further]))
    for j in range(len(further)):
        edges.append(np.concatenate([correlated, np.where(np.arange(len(further)) == j, 0.0, further)]))
    if k > 1:
        covariance = relative_covariance(data, theta)[:k, :k]
        sd = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        values, vectors = np.linalg.eigh(covariance / np.outer(sd, sd))
        values[0] = 0.0
        flat = (vectors * values) @ vectors.T * np.outer(sd, sd)
        edges.append(np.concatenate([flat[rows, columns], further]))
    return edges


def components_of(fit: Any, data: CrossProducts) -> pd.DataFrame:
    """Variances, covariances, residual variance and intraclass correlation, with standard errors.

    Parameters
    ----------
    fit : MixedLMResults
    data : CrossProducts
        Of its model.

    Returns
    -------
    DataFrame
        Indexed by term: estimate, std.error (NaN at the boundary or for penalised fits), scale, singular.

    Notes
    -----
    statsmodels holds theta = variances over the residual variance s2. The curvature of the profile
    (restricted) log-likelihood gives C = cov(theta); s2 maximises at log s2 = f(theta) + e with var(e) =
    2/N (N rows, less the fixed effects under REML), independent of theta. So with g = df/dtheta, cov(theta
    s2) = s2^2 [(I + theta g') C (I + theta g')' + theta theta' 2/N], var(s2) = s2^2 (g'Cg + 2/N), and the
    intraclass correlation t/(1 + t) needs C only.
    """
    theta, s2 = relative_parameters(fit), float(fit.scale)
    singular = is_singular(fit, data)
    free = free_parameters(fit)
    covariance = np.full((len(theta), len(theta)), np.nan)
    residual_error = icc_error = float("nan")
    if not singular and not is_penalised(fit):
        curvature, slope = _derivatives(data, theta, free, _sizes(fit, theta), reml=bool(fit.reml))
        n = data.n - (fit.k_fe if fit.reml else 0)
        c = np.zeros_like(covariance)
        inverse = np.linalg.pinv(-curvature, hermitian=True)
        c[np.ix_(free, free)] = inverse if (np.linalg.eigvalsh(-curvature) > 0).all() else np.nan
        jacobian = np.eye(len(theta)) + np.outer(theta, slope)
        covariance = s2**2 * (jacobian @ c @ jacobian.T + np.outer(theta, theta) * 2.0 / n)
        residual_error = float(s2 * np.sqrt(slope @ c @ slope + 2.0 / n))
        icc_error = float(np.sqrt(c[0, 0]) / (1.0 + theta[0]) ** 2)
    group, effects = _names(fit)
    rows = []
    for a, (i, j) in enumerate(zip(*np.tril_indices(int(fit.k_re)), strict=True)):
        if free[a] or i == j:
            name, scale = f"{effects[j]}~~{effects[i]}|{group}", "log" if i == j else "identity"
            rows.append((name, s2 * theta[a], np.sqrt(covariance[a, a]), scale, singular))
    start = len(theta) - int(fit.k_vc)
    for a, name in enumerate(fit.model.exog_vc.names if fit.k_vc else [], start=start):
        rows.append((f"{name}~~{name}|{group}", s2 * theta[a], np.sqrt(covariance[a, a]), "log", singular))
    # as lme4's VarCorr is read by mitml: variances first, then covariances
    rows.sort(key=lambda row: row[3] == "identity")
    rows.append(
        (
            "Residual~~Residual",
            s2,
            residual_error if np.isfinite(residual_error) else _residual_error(fit),
            "log",
            False,
        )
    )
    if fit.k_re and not fit.k_vc and effects[0] == "Intercept":
        rows.append((f"ICC|{group}", theta[0] / (1.0 + theta[0]), icc_error, "logit", singular))
    table = pd.DataFrame(rows, columns=["term", "estimate", "std.error", "scale", "singular"])
    return table.set_index("term")


def _derivatives(
    data: CrossProducts, theta: Floats, free: NDArray[np.bool_], sizes: Floats, *, reml: bool
) -> tuple[Floats, Floats]:
    """Hessian of the profile log-likelihood over the free elements, gradient of log residual variance."""
    at = np.flatnonzero(free)
    step = np.diag(_STEP * sizes)[at]
    centre = profile(data, theta, reml=reml).log_likelihood
    up = [profile(data, theta + s, reml=reml) for s in step]
    down = [profile(data, theta - s, reml=reml) for s in step]
    k = len(at)
    hessian, slope = np.zeros((k, k)), np.zeros(len(theta))
    for a in range(k):
        h = step[a, at[a]]
        slope[at[a]] = (up[a].log_scale - down[a].log_scale) / (2.0 * h)
        hessian[a, a] = (up[a].log_likelihood - 2.0 * centre + down[a].log_likelihood) / h**2
        for b in range(a):
            both = profile(data, theta + step[a] + step[b], reml=reml).log_likelihood
            neither = profile(data, theta - step[a] - step[b], reml=reml).log_likelihood
            one = profile(data, theta + step[a] - step[b], reml=reml).log_likelihood
            other = profile(data, theta - step[a] + step[b], reml=reml).log_likelihood
            hessian[a, b] = hessian[b, a] = (both + neither - one - other) / (4.0 * h * step[b, at[b]])
    return hessian, slope


def _sizes(fit: Any, theta: Floats) -> Floats:
    """Size of each element: geometric mean of its two variances, times the room to the boundary."""
    if not fit.k_re:
        return theta
    covariance = np.asarray(fit.cov_re_unscaled, dtype=float).reshape(fit.k_re, fit.k_re)
    sd = np.sqrt(np.diag(covariance))
    rows, columns = np.tril_indices(int(fit.k_re))
    room = min(1.0, float(np.linalg.eigvalsh(covariance / np.outer(sd, sd)).min()))
    return np.concatenate([sd[rows] * sd[columns] * room, theta[len(rows) :]])


def _residual_error(fit: Any) -> float:
    """Give the residual variance an error where the rest lies on the boundary."""
    n = fit.model.n_totobs - (fit.k_fe if fit.reml else 0)
    return float(fit.scale * np.sqrt(2.0 / n))


def _names(fit: Any) -> tuple[str, list[str]]:
    """Name the grouping factor and the random effects; statsmodels calls the intercept by its group."""
    group, effects = "Group", []
    if fit.k_re:
        constant = (np.asarray(fit.model.exog_re) == 1.0).all(axis=0)
        for name, flat in zip(fit.model.data.exog_re_names, constant, strict=True):
            if flat:
                group = str(name)
            effects.append("Intercept" if flat else str(name))
    return group, effects
