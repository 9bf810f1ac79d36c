"""Likelihood of a Gaussian mixed model from per-group cross products; works at singular covariances too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CrossProducts",
    "Profile",
    "cross_products",
    "fixed_effects",
    "log_likelihood",
    "profile",
    "relative_covariance",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrossProducts:
    """Sums over rows, per group: all that the likelihood needs of the data.

    Attributes
    ----------
    zz, zx, zy : ndarray, shapes (G, q, q), (G, q, p), (G, q)
        Of the random-effect columns Z with themselves, the fixed effects X and the outcome y; groups with
        fewer columns are padded with zeros, which changes nothing.
    xx, xy, yy : ndarray, shapes (p, p), (p,), ()
        Over all rows.
    n : int
        Rows.
    k_re : int
        Correlated random effects: the first columns of Z.
    blocks : tuple of int
        Columns of each further variance component.
    """

    zz: Floats
    zx: Floats
    zy: Floats
    xx: Floats
    xy: Floats
    yy: float
    n: int
    k_re: int
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class Profile:
    """Profile log-likelihood and the scale that maximises it.

    Attributes
    ----------
    log_likelihood : float
        Up to a constant.
    log_scale : float
        Log of the residual variance.
    """

    log_likelihood: float
    log_scale: float


def cross_products(model: Any) -> CrossProducts:
    """Sum the rows of a statsmodels MixedLM.

    Parameters
    ----------
    model : MixedLM

    Returns
    -------
    CrossProducts
    """
    n_groups, k_re = len(model.group_labels), int(model.k_re)
    mats = model.exog_vc.mats if model.k_vc else []
    blocks = tuple(max(block[g].shape[1] for g in range(n_groups)) for block in mats)
    q, p = k_re + sum(blocks), model.exog.shape[1]
    zz, zx, zy = np.zeros((n_groups, q, q)), np.zeros((n_groups, q, p)), np.zeros((n_groups, q))
    for g in range(n_groups):
        x, y = np.asarray(model.exog_li[g], dtype=float), np.asarray(model.endog_li[g], dtype=float)
        z = np.zeros((len(y), q))
        if k_re:
            z[:, :k_re] = model.exog_re_li[g]
        start = k_re
        for block, width in zip(mats, blocks, strict=True):
            one = block[g]
            z[:, start : start + one.shape[1]] = one.toarray() if hasattr(one, "toarray") else one
            start += width
        zz[g], zx[g], zy[g] = z.T @ z, z.T @ x, z.T @ y
    x, y = np.asarray(model.exog, dtype=float), np.asarray(model.endog, dtype=float)
    return CrossProducts(zz, zx, zy, x.T @ x, x.T @ y, float(y @ y), len(y), k_re, blocks)


def relative_covariance(data: CrossProducts, theta: Floats) -> Floats:
    """Covariance of all random effects over the residual variance, (q, q), from its free elements.

    Parameters
    ----------
    data : CrossProducts
    theta : ndarray
        Lower triangle by rows of the correlated block, then one variance per further component.

    Returns
    -------
    ndarray
    """
    covariance = np.zeros((data.k_re + sum(data.blocks),) * 2)
    rows, columns = np.tril_indices(data.k_re)
    covariance[rows, columns] = covariance[columns, rows] = theta[: len(rows)]
    start = data.k_re
    for width, variance in zip(data.blocks, theta[len(rows) :], strict=True):
        at = np.arange(start, start + width)
        covariance[at, at] = variance
        start += width
    return covariance


def profile(data: CrossProducts, theta: Floats, *, reml: bool) -> Profile:
    """Log-likelihood with fixed effects and residual variance at their best for `theta`.

    Parameters
    ----------
    data : CrossProducts
    theta : ndarray
        As for `relative_covariance`.
    reml : bool
        Restricted likelihood.

    Returns
    -------
    Profile
    """
    log_det, xx, xy, yy = _whitened(data, theta)
    quadratic = yy - xy @ np.linalg.solve(xx, xy)
    n = data.n - (len(xy) if reml else 0)
    value = -0.5 * log_det - 0.5 * n * np.log(quadratic)
    if reml:
        value -= 0.5 * np.linalg.slogdet(xx)[1]
    return Profile(float(value), float(np.log(quadratic / n)))


def fixed_effects(data: CrossProducts, theta: Floats) -> tuple[Floats, Floats]:
    """Generalised least squares estimates of the fixed effects, and their covariance over the residual variance.

    Parameters
    ----------
    data : CrossProducts
    theta : ndarray
        As for `relative_covariance`.

    Returns
    -------
    estimates : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
        Inverse of X'WX.
    """
    _, xx, xy, _ = _whitened(data, theta)
    inverse = np.linalg.inv(xx)
    return inverse @ xy, (inverse + inverse.T) / 2.0


def log_likelihood(data: CrossProducts, fixed: Floats, variances: Floats, residual: float) -> float:
    """Log-likelihood (not restricted) at given parameters.

    Parameters
    ----------
    data : CrossProducts
    fixed : ndarray, shape (p,)
        Fixed effects.
    variances : ndarray
        As `theta` of `relative_covariance`, on their own scale.
    residual : float
        Residual variance.

    Returns
    -------
    float
    """
    log_det, xx, xy, yy = _whitened(data, variances / residual)
    quadratic = yy - 2.0 * fixed @ xy + fixed @ xx @ fixed
    return float(-0.5 * (data.n * np.log(2.0 * np.pi * residual) + log_det + quadratic / residual))


def _whitened(data: CrossProducts, theta: Floats) -> tuple[float, Floats, Floats, float]:
    """Sum of log determinants, and X'WX, X'Wy, y'Wy, with W the inverse of I + Z D Z'."""
    values, vectors = np.linalg.eigh(relative_covariance(data, theta))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    inner = np.eye(len(root)) + root.T @ data.zz @ root
    zx, zy = root.T @ data.zx, data.zy @ root
    solved = np.linalg.solve(inner, np.concatenate([zx, zy[..., None]], axis=2))
    sx, sy = solved[..., :-1], solved[..., -1]
    xx = data.xx - np.einsum("gqi,gqj->ij", zx, sx)
    xy = data.xy - np.einsum("gqi,gq->i", zx, sy)
    yy = data.yy - float(np.einsum("gq,gq->", zy, sy))
    return float(np.linalg.slogdet(inner)[1].sum()), xx, xy, yy
