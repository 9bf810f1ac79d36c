"""Explained variance of mixed models, as mitml's `multilevelR2`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from bayesmi.adapters.mixed_components import relative_parameters
from bayesmi.adapters.mixed_likelihood import CrossProducts, profile
from bayesmi.adapters.statsmodels_model import is_statsmodels, unwrap
from bayesmi.analyses import Analyses
from bayesmi.errors import PoolError

__all__ = ["VarianceParts", "explained", "multilevel_r_squared"]

Floats = NDArray[np.float64]
_MEANING = {
    "RB1": "level-1 variance explained (Raudenbush and Bryk)",
    "RB2": "intercept variance explained (Raudenbush and Bryk)",
    "SB": "total variance explained (Snijders and Bosker)",
    "MVP": "share of the model-implied variance that is due to fixed effects (LaHuis et al.)",
}


@dataclass(frozen=True, eq=False)
class VarianceParts:
    """What the four coefficients are made of, of one fit.

    Attributes
    ----------
    fixed : ndarray, shape (p,)
        Fixed effects without the intercept.
    x, z : ndarray, shapes (n, p) and (n, q)
        Their columns; columns of the random slopes.
    random : ndarray, shape (q + 1, q + 1)
        Covariance of the random effects, intercept first.
    residual : float
        Residual variance.
    null_intercept, null_residual : float
        Variances of the model with a random intercept and no predictor.
    """

    fixed: Floats
    x: Floats
    z: Floats
    random: Floats
    residual: float
    null_intercept: float
    null_residual: float


def explained(parts: VarianceParts) -> dict[str, float]:
    """Compute the four coefficients from variances.

    Parameters
    ----------
    parts : VarianceParts
        Of one fit.

    Returns
    -------
    dict
        RB1, RB2, SB, MVP.

    Notes
    -----
    RB1 = 1 - s1/s0, RB2 = 1 - t1/t0, SB = 1 - (s1 + t1)/(s0 + t0), with s the residual and t the intercept variance of the
    model (1) and of the empty model (0); MVP = var(Xb) / (var(Xb) + t00 + 2 mu'T10 + mu'T11 mu + tr(T11 V) + s1), with mu and
    V the mean and covariance of the slopes' columns (Raudenbush and Bryk 2002; Snijders and Bosker 2012; LaHuis et al.
    2014; definitions as in mitml's ``multilevelR2``).
    """
    s1, s0, t1, t0 = parts.residual, parts.null_residual, float(parts.random[0, 0]), parts.null_intercept
    from_fixed = float(np.var(parts.x @ parts.fixed, ddof=1))
    total = from_fixed + t1 + s1
    if parts.z.shape[1]:
        mean, spread = parts.z.mean(axis=0), np.atleast_2d(np.cov(parts.z, rowvar=False))
        t10, t11 = parts.random[0, 1:], parts.random[1:, 1:]
        total += float(2.0 * mean @ t10 + mean @ t11 @ mean + np.trace(t11 @ spread))
    return {
        "RB1": 1.0 - s1 / s0,
        "RB2": 1.0 - t1 / t0,
        "SB": 1.0 - (s1 + t1) / (s0 + t0),
        "MVP": from_fixed / total,
    }


def multilevel_r_squared(analyses: Analyses) -> pd.DataFrame:
    """Average the R-squared coefficients of mixed models over the completed data sets.

    Parameters
    ----------
    analyses : Analyses
        statsmodels MixedLM fits with an intercept, fixed and random, and one grouping.

    Returns
    -------
    DataFrame
        Indexed by RB1, RB2, SB, MVP: estimate (the plain mean, as mitml), mcse (Monte Carlo error of it), minimum and
        maximum over the data sets, and the meaning of each.

    Raises
    ------
    PoolError
        If a fit is no such model; the message names the data set.

    Notes
    -----
    See `explained`. RB1 and RB2 can be negative: they compare variances of two models. There is no agreed standard error; for
    an interval use the one-step posterior.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np, pandas as pd, statsmodels.formula.api as smf
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(30), 10)
    >>> def fit(seed):
    ...     x = rng.normal(size=300)
    ...     y = x + rng.normal(size=30)[g] + rng.normal(size=300)
    ...     return smf.mixedlm("y ~ x", pd.DataFrame({"x": x, "y": y, "g": g}), groups="g").fit()
    >>> table = bmi.multilevel_r_squared(bmi.Analyses.from_results([fit(i) for i in range(3)]))
    >>> list(table.index)
    ['RB1', 'RB2', 'SB', 'MVP']
    """
    rows = []
    for i, result in enumerate(analyses.results, start=1):
        try:
            rows.append(explained(_parts(result)))
        except PoolError as error:
            raise PoolError(f"data set {i}: {error}") from None
    values = pd.DataFrame(rows)
    return pd.DataFrame(
        {
            "estimate": values.mean(),
            "mcse": values.std(ddof=1) / np.sqrt(len(values)),
            "minimum": values.min(),
            "maximum": values.max(),
            "meaning": pd.Series(_MEANING),
        }
    )


def _parts(result: Any) -> VarianceParts:
    """Read one fit, and fit its empty model by the same criterion."""
    if not (is_statsmodels(result) and type(unwrap(result).model).__name__ == "MixedLM"):
        raise PoolError(
            f"multilevel R-squared is for statsmodels MixedLM fits, not for {type(result).__name__}"
        )
    fit = unwrap(result)
    model = fit.model
    x, z = np.asarray(model.exog, dtype=float), np.asarray(model.exog_re, dtype=float)
    if model.k_vc or fit.k_re == 0:
        raise PoolError(
            "multilevel R-squared is for one grouping with a random intercept: no variance components"
        )
    constant = np.flatnonzero((x == 1.0).all(axis=0))
    if not len(constant) or not (z[:, 0] == 1.0).all():
        raise PoolError("multilevel R-squared needs an intercept, fixed and random")
    s2 = float(fit.scale)
    null_intercept, null_residual = _empty_model(model, reml=bool(fit.reml))
    k_re = int(fit.k_re)
    rows, columns = np.tril_indices(k_re)
    random = np.zeros((k_re, k_re))
    random[rows, columns] = random[columns, rows] = relative_parameters(fit)[: len(rows)] * s2
    keep = np.delete(np.arange(x.shape[1]), constant[0])
    return VarianceParts(
        np.asarray(fit.fe_params, dtype=float)[keep],
        x[:, keep],
        z[:, 1:],
        random,
        s2,
        null_intercept,
        null_residual,
    )


def _empty_model(model: Any, *, reml: bool) -> tuple[float, float]:
    """Intercept and residual variance of the random-intercept model without predictors."""
    y = [np.asarray(part, dtype=float) for part in model.endog_li]
    sizes, sums = np.array([float(len(part)) for part in y]), np.array([part.sum() for part in y])
    data = CrossProducts(
        sizes[:, None, None], sizes[:, None, None], sums[:, None],
        np.array([[sizes.sum()]]), np.array([sums.sum()]), float(sum(part @ part for part in y)),
        int(sizes.sum()), 1, (),
    )  # fmt: skip

    def deviance(root: float) -> float:
        return -profile(data, np.array([root**2]), reml=reml).log_likelihood

    # over the share of variance between groups: bounded, so that nothing can run away
    found = optimize.minimize_scalar(
        lambda share: deviance(float(np.sqrt(share / (1.0 - share)))), bounds=(0.0, 0.9999), method="bounded",
        options={"xatol": 1e-12},
    )  # fmt: skip
    theta = float(found.x / (1.0 - found.x))
    s2 = float(np.exp(profile(data, np.array([theta]), reml=reml).log_scale))
    return theta * s2, s2
