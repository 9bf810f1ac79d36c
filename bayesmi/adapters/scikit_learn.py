"""scikit-learn-style estimators: coefficients without a covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract
from bayesmi.errors import PoolError

__all__ = ["ADAPTER", "coefficients_of"]


def _recognises(result: Any) -> bool:
    """Anything fitted that has `coef_`; a pipeline or search whose last step has."""
    return hasattr(_last(result), "coef_")


def _last(result: Any) -> Any:
    """Look into a pipeline or a search for the estimator that was fitted."""
    best = getattr(result, "best_estimator_", result)
    steps = getattr(best, "steps", None)
    return steps[-1][1] if isinstance(steps, list) and steps else best


def coefficients_of(result: Any) -> pd.Series:
    """Coefficients and intercept under their names.

    Parameters
    ----------
    result : fitted estimator
        With `coef_`, perhaps `intercept_`, `feature_names_in_` and `classes_`.

    Returns
    -------
    Series
        Intercept first.

    Raises
    ------
    PoolError
        If the shapes cannot be read.
    """
    estimator = _last(result)
    weights = np.asarray(estimator.coef_, dtype=float)
    if weights.ndim > 2:
        raise PoolError(f"coef_ has shape {weights.shape}: one or two dimensions can be read")
    table = np.atleast_2d(weights)
    names = getattr(estimator, "feature_names_in_", None)
    features = [str(n) for n in names] if names is not None else [f"x{j}" for j in range(table.shape[1])]
    intercept = np.atleast_1d(np.asarray(getattr(estimator, "intercept_", 0.0), dtype=float))
    intercept = np.broadcast_to(intercept, (len(table),))
    classes = getattr(estimator, "classes_", None)
    prefixes = [""]
    if len(table) > 1:
        labels = classes if classes is not None and len(classes) == len(table) else range(len(table))
        prefixes = [f"{label}: " for label in labels]
    values, terms = [], []
    for prefix, own, row in zip(prefixes, intercept, table, strict=True):
        values += [float(own), *row.tolist()]
        terms += [f"{prefix}Intercept", *(f"{prefix}{feature}" for feature in features)]
    return pd.Series(values, index=terms)


def _extract(result: Any) -> Extract:
    """Read coefficients; there are no standard errors, and pooling will say so."""
    estimates = coefficients_of(result)
    unknown = np.full((len(estimates),) * 2, np.nan)
    return Extract(estimates, pd.DataFrame(unknown, index=estimates.index, columns=estimates.index))


ADAPTER = Adapter("scikit-learn estimator", _recognises, _extract)
