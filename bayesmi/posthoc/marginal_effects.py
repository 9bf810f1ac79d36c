"""Average marginal effects: what a predictor does to the mean outcome, averaged over the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.analyses import Analyses
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import PoolError
from bayesmi.pool import Pooled
from bayesmi.pool import pool as pool_pairs
from bayesmi.posthoc.design import FitDesign
from bayesmi.posthoc.predictions import read_designs, smallest_df

__all__ = ["marginal_effects"]

Floats = NDArray[np.float64]


def marginal_effects(
    analyses: Analyses,
    variable: str,
    *,
    contrast: tuple[Any, Any] | None = None,
    dfcom: float | None = None,
) -> Pooled:
    """Pool the average marginal effect of a predictor on the scale of the outcome.

    Parameters
    ----------
    analyses : Analyses
        statsmodels fits made by formula, as for `predictions`.
    variable : str
        A column of the completed data sets that is in the model.
    contrast : (from, to), optional
        Average difference of the predicted means between these two values. By default a number has its slope, a number with two
        values, and a category, the difference between each value and the first.
    dfcom : float, optional
        Complete-data degrees of freedom; by default those of the fits.

    Returns
    -------
    Pooled
        One term for each effect: "texp" (slope), "sex: 0 → 1" (difference).

    Raises
    ------
    PoolError
        If the variable is not in the data, has no effect in the model, or the fits cannot predict.

    Notes
    -----
    In each data set the mean over its rows of dE(y)/dx, or of E(y | to) - E(y | from), other predictors as they are; standard
    errors by the delta method in the coefficients, rows taken as given; pooled by Rubin's rules. The slope is by central
    differences of the design, exact to eight digits or so.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd, statsmodels.formula.api as smf
    >>> sets = [pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [1.0, 2.2, 2.9, 4.0 + i / 10]}) for i in range(3)]
    >>> fits = bmi.Analyses.from_results([smf.ols("y ~ x", d).fit() for d in sets])
    >>> effect, slope = bmi.marginal_effects(fits, "x"), fits.pool()
    >>> bool(abs(effect.table.loc["x", "estimate"] - slope.table.loc["x", "estimate"]) < 1e-8)
    True
    """
    fits = read_designs(analyses)
    wanted = _contrasts(fits, variable, contrast)
    pairs = []
    for fit in fits:
        values, gradients = [], []
        for _, effect in wanted:
            value, gradient = effect(fit)
            values.append(value)
            gradients.append(gradient)
        jacobian = np.array(gradients)
        pairs.append(
            (dict(zip((n for n, _ in wanted), values, strict=True)), jacobian @ fit.covariance @ jacobian.T)
        )
    return pool_pairs(pairs, smallest_df(fits) if dfcom is None else dfcom, notices=analyses.notices)


Effect = Callable[[FitDesign], tuple[float, Floats]]


def _contrasts(
    fits: list[FitDesign], variable: str, contrast: tuple[Any, Any] | None
) -> list[tuple[str, Effect]]:
    """Names and computations, the same for every data set."""
    frames = []
    for i, fit in enumerate(fits, start=1):
        if fit.data is None:
            raise PoolError(f"data set {i}: the fit does not keep its data: fit with a formula and data=")
        if variable not in fit.data.columns:
            raise PoolError(
                f"no column {variable!r} in the data: {did_you_mean(variable, list(fit.data.columns))}"
            )
        frames.append(fit.data[variable])
    if contrast is not None:
        if len(contrast) != 2:
            raise PoolError(f"contrast={contrast!r}: give two values, (from, to)")
        return [_difference(variable, *contrast)]
    first = frames[0]
    if isinstance(first.dtype, pd.CategoricalDtype):
        levels = list(first.cat.categories)
    elif pd.api.types.is_numeric_dtype(first) and not pd.api.types.is_bool_dtype(first):
        levels = sorted(set().union(*(set(one.unique()) for one in frames)))
        if len(levels) != 2:
            return [(variable, lambda fit: _slope(fit, variable))]
    else:
        levels = sorted(set().union(*(set(one.dropna().unique()) for one in frames)))
    if len(levels) < 2:
        raise PoolError(f"column {variable!r} has one value: it has no effect")
    return [_difference(variable, levels[0], level) for level in levels[1:]]


def _difference(variable: str, start: Any, end: Any) -> tuple[str, Effect]:
    """Mean difference between two values."""

    def effect(fit: FitDesign) -> tuple[float, Floats]:
        before, after = _set(fit, variable, start), _set(fit, variable, end)
        (mean0, slope0), (mean1, slope1) = _mean(fit, before), _mean(fit, after)
        _check(variable, before, after)
        return mean1 - mean0, slope1 - slope0

    return f"{variable}: {start} → {end}", effect


def _slope(fit: FitDesign, variable: str) -> tuple[float, Floats]:
    """Mean derivative, by central differences in the variable."""
    assert fit.data is not None
    x = fit.data[variable].to_numpy(dtype=float)
    step = 1e-4 * float(x.std() or 1.0)
    below, above = (
        fit.rows(fit.data.assign(**{variable: x - step})),
        fit.rows(fit.data.assign(**{variable: x + step})),
    )
    _check(variable, below, above)
    (mean0, slope0), (mean1, slope1) = _mean(fit, below), _mean(fit, above)
    return (mean1 - mean0) / (2.0 * step), (slope1 - slope0) / (2.0 * step)


def _set(fit: FitDesign, variable: str, value: Any) -> Floats:
    """Design with the variable at one value in every row."""
    assert fit.data is not None
    column = fit.data[variable]
    if isinstance(column.dtype, pd.CategoricalDtype):
        if value not in column.cat.categories:
            raise PoolError(
                f"{variable!r} has no level {value!r}: it has {', '.join(map(str, column.cat.categories))}"
            )
        held: Any = pd.Categorical([value] * len(column), dtype=column.dtype)
    else:
        held = value
    return fit.rows(fit.data.assign(**{variable: held}))


def _mean(fit: FitDesign, rows: Floats) -> tuple[float, Floats]:
    """Mean prediction and its gradient in the coefficients."""
    eta = rows @ fit.coefficients
    return float(np.mean(fit.inverse_link(eta))), np.asarray(fit.slope(eta) @ rows / len(rows))


def _check(variable: str, before: Floats, after: Floats) -> None:
    """Refuse a variable that the design does not contain."""
    if np.array_equal(before, after):
        raise PoolError(f"{variable!r} is not in the model: it has no effect")
