"""Regression imputation: the predicted value, or a draw around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmi.explore.source import as_frame
from bayesmi.seeds import check_seed, stream
from bayesmi.simple.linear import Regression, fit_regression
from bayesmi.simple.result import Floats, SimpleImputation, skipped
from bayesmi.simple.streams import STOCHASTIC, check_m

__all__ = ["regression", "stochastic_regression"]

_REGRESSION = (
    "Regression imputation: each hole takes its prediction from a regression on the rows that are complete (of two values "
    "the more probable one). Associations come out too strong and variances too small, standard errors too: for "
    "comparison only."
)
_STOCHASTIC = (
    "Stochastic regression imputation: prediction plus a draw of the residual (of two values one drawn by its probability). "
    "Point estimates are right under missing at random and a right model; the coefficients are taken as known, so that "
    "standard errors are too small, with several tables less so."
)


def regression(data: Any, formula: str) -> SimpleImputation:
    """Impute predictions from a regression.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    formula : str
        ``"variable ~ predictors"``: linear for numbers, logistic for two values. Predictors must be observed where the
        variable is missing.

    Returns
    -------
    SimpleImputation
        ``data`` is the completed table.

    Raises
    ------
    DataError
        If a predictor is missing where it is needed, or too few rows are complete.
    FormulaError
        If the formula cannot be read.
    NotSupportedError
        For a variable of three or more levels, and group terms.

    Notes
    -----
    Little and Rubin (2019), section 4.2.2: conditional mean imputation; mice's ``norm.predict``.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.5], "y": [2.0, 4.0, 6.0, None]})
    >>> bmi.simple.regression(table, "y ~ x").data["y"].round(6).tolist()
    [2.0, 4.0, 6.0, 9.0]
    """
    frame = as_frame(data)
    fit = fit_regression(frame, formula)
    values = fit.expected
    if fit.residual_sd is None:
        values = _of_two(fit, (values > 0.5).astype(float))
    notes = (*_used(fit), *skipped(frame, [fit.column]))
    return SimpleImputation(
        "regression imputation", _REGRESSION, frame, {fit.column.name: values[None, :]}, notes=notes
    )


def stochastic_regression(data: Any, formula: str, m: int = 1, seed: int | None = None) -> SimpleImputation:
    """Impute predictions from a regression, plus a random residual.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    formula : str
        As in `regression`.
    m : int
        Number of completed tables.
    seed : int, optional
        Repeats the tables exactly. Without it one is drawn, and kept in the result.

    Returns
    -------
    SimpleImputation
        ``data`` is the first completed table; iterate for all.

    Raises
    ------
    DataError, FormulaError, NotSupportedError
        As in `regression`.

    Notes
    -----
    Little and Rubin (2019), section 4.3; mice's ``norm.nob`` and, for two values, the draw of ``logreg`` without
    its parameter draw. The residual standard deviation has divisor n - k.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 4.5], "y": [2.5, 3.5, 6.5, 7.5, None]})
    >>> made = bmi.simple.stochastic_regression(table, "y ~ x", m=3, seed=1)
    >>> len(made), [int(one["y"].isna().sum()) for one in made]
    (3, [0, 0, 0])
    """
    frame = as_frame(data)
    check_m(m)
    seed = check_seed(seed)
    fit = fit_regression(frame, formula)
    drawn = np.array([_drawn(fit, stream(seed, STOCHASTIC, i)) for i in range(m)])
    notes = (*_used(fit), *skipped(frame, [fit.column]))
    return SimpleImputation(
        "stochastic regression imputation", _STOCHASTIC, frame, {fit.column.name: drawn}, seed, notes
    )


def _drawn(fit: Regression, rng: np.random.Generator) -> Floats:
    """One value for each hole."""
    if fit.residual_sd is None:
        return _of_two(fit, (rng.uniform(size=len(fit.expected)) < fit.expected).astype(float))
    return fit.expected + fit.residual_sd * rng.standard_normal(len(fit.expected))


def _of_two(fit: Regression, second: Floats) -> Floats:
    """Codes or numbers of a two-valued column."""
    values = (0.0, 1.0) if fit.column.support is None else fit.column.support
    return np.where(second > 0, values[1], values[0])


def _used(fit: Regression) -> tuple[str, ...]:
    """Say what the fit rests on."""
    spread = "" if fit.residual_sd is None else f", residual sd {fit.residual_sd:.4g}"
    return (f"fitted to {fit.n_fitted} rows{spread}", *fit.notes)
