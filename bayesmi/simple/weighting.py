"""Inverse-probability weights: complete rows stand for those like them that are incomplete."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesmi.data.wording import name_rows
from bayesmi.errors import DataError, NotSupportedError
from bayesmi.explore.logistic import fit_logistic, independent_columns
from bayesmi.explore.source import as_frame, columns_of
from bayesmi.simple.linear import design_of, read_formula

__all__ = ["ObservationWeights", "WeightedMean", "inverse_probability_weights", "weighted_mean"]

_STATEMENT = (
    "Inverse-probability weighting: rows with the variable observed are weighted by 1 / the probability of being observed, "
    "from a logistic regression. Right under missing at random if that regression is; rows with a hole in anything else "
    "still have to go, and few rows of large weight make it unstable."
)


@dataclass(frozen=True, eq=False)
class ObservationWeights:
    """Weights of the rows in which a variable is observed.

    Attributes
    ----------
    weights : Series, shape (n,)
        0 where the variable is missing.
    probabilities : Series, shape (n,)
        Fitted chance of being observed.
    coefficients : Series
        Of the logistic regression.
    effective_n : float
        (Σw)² / Σw²: the number of equally weighted rows that are worth as much (Kish 1965).
    statement : str
        What the method is, and what is wrong with it.
    notes : tuple of str
        Remarks on these data.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.simple.inverse_probability_weights(bmi.datasets.load("nhanes"), "chl ~ age")
    >>> len(found.weights), int((found.weights > 0).sum()), found.effective_n < 15
    (25, 15, True)
    """

    weights: pd.Series
    probabilities: pd.Series
    coefficients: pd.Series
    effective_n: float
    statement: str
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        used = self.weights[self.weights > 0]
        head = (
            f"inverse-probability weights: {len(used)} of {len(self.weights)} rows, from {used.min():.3g} to {used.max():.3g}, "
            f"worth {self.effective_n:.0f} equal ones"
        )
        return "\n".join([head, *textwrap.wrap(self.statement, 108), *(f"- {note}" for note in self.notes)])


@dataclass(frozen=True)
class WeightedMean:
    """A weighted mean.

    Attributes
    ----------
    estimate : float
        Σwy / Σw.
    standard_error : float
        Linearised; the weights taken as known.
    conf_low, conf_high : float
        95 % interval.
    n : int
        Rows with a weight above 0.
    effective_n : float
        Equally weighted rows that are worth as much.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> nhanes = bmi.datasets.load("nhanes")
    >>> weights = bmi.simple.inverse_probability_weights(nhanes, "chl ~ age").weights
    >>> found = bmi.simple.weighted_mean(nhanes["chl"], weights)
    >>> found.n, found.conf_low < found.estimate < found.conf_high
    (15, True)
    """

    estimate: float
    standard_error: float
    conf_low: float
    conf_high: float
    n: int
    effective_n: float


def inverse_probability_weights(
    data: Any, formula: str, stabilized: bool = False, truncate: float | None = None
) -> ObservationWeights:
    """Weight the rows in which a variable is observed by the inverse of their chance to be.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table, n rows.
    formula : str
        ``"variable ~ predictors"``: whether the variable on the left is observed is regressed on the predictors, which
        must be observed in all rows in which it applies.
    stabilized : bool
        Multiply by the share observed, so that the weights average about 1.
    truncate : float, optional
        Largest weight, as a quantile of the weights: .99 cuts those above the 99th percentile down to it.

    Returns
    -------
    ObservationWeights

    Raises
    ------
    DataError
        If a predictor has holes, or the variable is never or always missing.

    Notes
    -----
    Seaman and White (2013, Statistical Methods in Medical Research 22, 278-295); Little and Rubin (2019), section 3.3.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"g": list("aaaabb"), "y": [1.5, 2.5, None, None, 5.5, None]})
    >>> bmi.simple.inverse_probability_weights(table, "y ~ g").weights.round(4).tolist()
    [2.0, 2.0, 0.0, 0.0, 2.0, 0.0]
    """
    frame = as_frame(data)
    parsed, name = read_formula(formula, "the variable whose observation is modelled")
    if parsed.offsets:
        raise NotSupportedError("offsets have no place in the model of what is observed: leave them out")
    column = columns_of(frame, name)[0]
    if not column.n_missing or not column.n_observed:
        raise DataError(
            f"column {name!r} is {'never' if not column.n_missing else 'always'} missing: there is nothing to weight"
        )
    matrix, _, names = design_of(frame, parsed)
    applies = ~column.absent
    hole = applies & ~np.isfinite(matrix).all(axis=1)
    if hole.any():
        raise DataError(
            f"a predictor is missing in {name_rows(frame.index, hole)}: the chance of being observed needs complete predictors; "
            "leave it out or impute it first"
        )
    kept = independent_columns(matrix[applies])
    fit = fit_logistic(matrix[applies][:, kept], column.observed[applies].astype(float))
    chance = np.full(frame.n_rows, np.nan)
    chance[applies] = fit.probabilities
    weights = np.where(column.observed, 1 / np.where(column.observed, chance, 1.0), 0.0)
    notes = tuple(
        f"{names[j]} follows from other terms and is left out" for j in range(len(names)) if j not in kept
    )
    if fit.penalised:
        notes += ("predictors separate observed from missing: some rows have nobody to stand for them",)
    if stabilized:
        weights *= column.n_observed / int(applies.sum())
    if truncate is not None:
        if not 0 < truncate < 1:
            raise DataError(f"truncate = {truncate!r}: give a quantile between 0 and 1, such as .99")
        limit = float(np.quantile(weights[column.observed], truncate))
        notes += (f"{int((weights > limit).sum())} weights cut down to {limit:.4g}",)
        weights = np.minimum(weights, limit)
    return ObservationWeights(
        pd.Series(weights, frame.index, name="weight"),
        pd.Series(chance, frame.index, name="probability"),
        pd.Series(fit.coefficients, [names[j] for j in kept]),
        float(weights.sum() ** 2 / (weights**2).sum()),
        _STATEMENT,
        notes,
    )


def weighted_mean(values: ArrayLike, weights: ArrayLike | ObservationWeights) -> WeightedMean:
    """Mean of the values with a weight above 0.

    Parameters
    ----------
    values : array_like, shape (n,)
        Missing where the weight is 0.
    weights : array_like, shape (n,), or ObservationWeights
        From 0 up.

    Returns
    -------
    WeightedMean

    Raises
    ------
    DataError
        If sizes differ, a weight is negative, or a value with a weight is missing.

    Notes
    -----
    Hájek's ratio estimator Σwy / Σw, with standard error (Σw²(y - ȳ)²)^½ / Σw, for independent rows and weights taken
    as known, which for estimated weights is mostly too large (Robins, Rotnitzky and Zhao 1994).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.simple.weighted_mean([1.0, 3.0, None], [1.0, 3.0, 0.0]).estimate
    2.5
    """
    from scipy.special import ndtri

    y = pd.to_numeric(pd.Series(np.asarray(values, dtype=object))).to_numpy(dtype=float)
    w = np.asarray(weights.weights if isinstance(weights, ObservationWeights) else weights, dtype=float)
    if y.shape != w.shape:
        raise DataError(f"{len(y)} values and {len(w)} weights: give one weight for each value")
    if not np.isfinite(w).all() or (w < 0).any() or w.sum() <= 0:
        raise DataError("weights must be numbers from 0 up, not all 0")
    used = w > 0
    if not np.isfinite(y[used]).all():
        first = int(np.flatnonzero(used & ~np.isfinite(y))[0])
        raise DataError(f"value {first} is missing and has weight {w[first]:g}: give it weight 0")
    estimate = float(w[used] @ y[used] / w.sum())
    error = float(np.sqrt((w[used] ** 2) @ (y[used] - estimate) ** 2) / w.sum())
    half = float(ndtri(0.975)) * error
    effective = float(w.sum() ** 2 / (w**2).sum())
    return WeightedMean(estimate, error, estimate - half, estimate + half, int(used.sum()), effective)
