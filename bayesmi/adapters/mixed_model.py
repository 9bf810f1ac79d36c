"""MixedLM of statsmodels: fixed effects, and variance components on their own scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract, Likelihood
from bayesmi.adapters.mixed_components import (
    components_of,
    free_parameters,
    is_penalised,
    relative_parameters,
)
from bayesmi.adapters.mixed_likelihood import cross_products, fixed_effects, log_likelihood
from bayesmi.adapters.mixed_maximum import maximise, stack
from bayesmi.adapters.statsmodels_model import is_statsmodels, unwrap
from bayesmi.errors import NotSupportedError, PoolError

__all__ = ["ADAPTER", "between_within"]

# warnings of attempts before the one that converged, and of the boundary, which is judged by likelihood here
_JUDGED = (
    "Retrying",
    "failed to converge",
    "may be on the boundary",
    "covariance is singular",
    "not positive definite",
)


def between_within(exog: np.ndarray, groups: np.ndarray, names: list[str]) -> dict[str, float]:
    """Complete-data degrees of freedom per fixed effect, split between and within groups.

    Parameters
    ----------
    exog : ndarray, shape (n, p)
        Columns of the fixed effects.
    groups : ndarray, shape (n,)
        Group of each row.
    names : list of str
        Names of the p columns.

    Returns
    -------
    dict
        With G groups: columns that are constant in every group get G - rank(those columns, intercept
        included); the others n - G - (rank(all) - rank(constant ones)).

    Notes
    -----
    The "between-within" rule of Schluchter and Elashoff (1990), as in SAS: the intercept is a column that is constant in
    every group (nlme counts it with the rows). A row-level effect with a random
    slope is estimated from G slopes, and for it this rule is too generous.

    Examples
    --------
    >>> x = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 2, 3]])
    >>> between_within(x, np.array([1, 1, 2, 2, 3, 3]), ["Intercept", "w", "x"])
    {'Intercept': 2.0, 'w': 1.0, 'x': 1.0}
    """
    _, codes = np.unique(groups, return_inverse=True)
    first = np.zeros(codes.max() + 1, dtype=int)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    constant = (exog == exog[first[codes]]).all(axis=0)
    n_groups = len(first)
    rank_between = int(np.linalg.matrix_rank(exog[first][:, constant])) if constant.any() else 0
    rank = int(np.linalg.matrix_rank(exog))
    between, within = n_groups - rank_between, len(codes) - n_groups - (rank - rank_between)
    return {
        name: float(max(1, between if flat else within)) for name, flat in zip(names, constant, strict=True)
    }


def _recognises(result: Any) -> bool:
    """Tell a fitted MixedLM."""
    return is_statsmodels(result) and type(unwrap(result).model).__name__ == "MixedLM"


def _extract(result: Any) -> Extract:
    """Read the fixed effects; no complete-data df unless asked for (mitml's default)."""
    fit = unwrap(result)
    model, k = fit.model, int(fit.k_fe)
    if not np.isfinite(fit.llf):
        raise PoolError(
            f"the log-likelihood of this MixedLM is {fit.llf:g}: its optimiser ended where a random-effect variance is exactly "
            "zero, and statsmodels' fixed effects are wrong there; fit with method=['powell', 'lbfgs'], or leave that effect out"
        )
    names = [str(name) for name in model.data.param_names[:k]]
    data = cross_products(model)
    # (X'V^-1 X)^-1 as lme4, nlme and SAS have it. statsmodels' own inverts the observed information of fixed effects
    # and variances together, up to a few per cent away, and is not there at the boundary.
    covariance = float(fit.scale) * fixed_effects(data, relative_parameters(fit))[1]
    if is_penalised(fit):
        covariance = np.asarray(fit.cov_params(), dtype=float)[:k, :k]
    components = components_of(fit, data)
    notes = ("singular fit: a random-effect variance is zero or a correlation one",)
    return Extract(
        pd.Series(np.asarray(fit.fe_params, dtype=float), index=names),
        pd.DataFrame(covariance, index=names, columns=names),
        dfcom_choices={
            # what lme4's df.residual, and so mice, counts
            "residual": float(model.n_totobs - k - int(free_parameters(fit).sum()) - 1),
            "between-within": between_within(np.asarray(model.exog), np.asarray(model.groups), names),
        },
        variance_components=components,
        n_obs=int(model.n_totobs),
        converged=bool(fit.converged),
        notes=notes if bool(components["singular"].any()) else (),
        superseded=_JUDGED if fit.converged else ("Retrying",),
    )


def _likelihood(result: Any) -> Likelihood:
    """Likelihood in fixed effects, covariances and residual variance; a REML fit is refitted by ML."""
    fit = unwrap(result)
    _refuse_penalised(fit)
    data = cross_products(fit.model)
    k, theta, s2 = int(fit.k_fe), relative_parameters(fit), float(fit.scale)
    free = free_parameters(fit)
    parameters = np.concatenate([np.asarray(fit.fe_params, dtype=float), theta * s2, [s2]])
    if fit.reml:
        parameters = maximise(data, theta, free)
    estimated = np.concatenate([np.ones(k, dtype=bool), free, [True]])

    def log_likelihood_at(at: np.ndarray) -> float:
        everything = np.zeros(len(estimated))
        everything[estimated] = at
        return log_likelihood(data, everything[:k], everything[k:-1], float(everything[-1]))

    names = tuple(str(name) for name in fit.model.data.param_names[:k])
    return Likelihood(parameters[estimated], log_likelihood_at, names)


def _stacked(results: Sequence[Any]) -> float:
    """Maximise the likelihood of all rows, each data set with groups of its own."""
    fits = [unwrap(result) for result in results]
    data = stack([cross_products(fit.model) for fit in fits])
    k = int(fits[0].k_fe)
    start = np.mean([relative_parameters(fit) for fit in fits], axis=0)
    parameters = maximise(data, start, free_parameters(fits[0]))
    return log_likelihood(data, parameters[:k], parameters[k:-1], float(parameters[-1]))


def _refuse_penalised(fit: Any) -> None:
    """Refuse a penalised fit, which has no likelihood ratio."""
    if is_penalised(fit):
        raise NotSupportedError("a penalised mixed model has no likelihood ratio: use method='D1'")


ADAPTER = Adapter("mixed-model fit", _recognises, _extract, _likelihood, _stacked)
