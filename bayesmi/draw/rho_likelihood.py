"""Log likelihood along rho of a selection model, at the other parameters of posterior draws.

Of rows that are seen the density depends on rho; of others only where their value is needed (summed, on a grid, sampled) because
something else depends on it: integrated out it leaves the probability of not being seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import FactorTable
from bayesmi.build.tables import Tables
from bayesmi.draw.likelihood_ratio import marginal_log_likelihood
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks, predictors, responses, scales
from bayesmi.draw.weights import restricted
from bayesmi.families.selected import NOT_SELECTED_KNOWN, SELECTED, Selected
from bayesmi.model import Model
from bayesmi.model.factor import Factor
from bayesmi.priors import Prior

__all__ = ["integrated_log_likelihood", "log_integral", "log_prior", "rho_log_likelihood"]

Floats = NDArray[np.float64]
_STEP = (
    0.8  # sds between nodes at which the likelihood is evaluated for an integral over rho, on Fisher's scale
)
_FEWEST, _MOST = 9, 60
_FINER = 16  # points of the integral a node, by cubic splines between these


def rho_log_likelihood(
    model: Model, tables: Tables, draws: PosteriorDraws, variable: str, rho: Sequence[float]
) -> Floats:
    """Return log f(observed | parameters, rho) up to what does not depend on rho, (R, S).

    Parameters
    ----------
    model : Model
        With a `Heckman` mechanism of the variable; its own rho, fixed or not, is not looked at.
    tables : Tables
        Of the plan that the draws come from.
    draws : PosteriorDraws
        S draws with all group effects.
    variable : str
        Whose rho.
    rho : sequence of float
        R values between -1 and 1.
    """
    expansion = tables.expansion
    inside = np.zeros(model.table.n_rows, dtype=bool)  # rows whose density is a sum
    inside[expansion.rows[expansion.rows >= 0]] = True
    if expansion.group_level:
        inside[:] = True
    out = np.zeros((len(rho), draws.n))
    table = tables.factors[variable]
    plain = np.flatnonzero((np.arange(table.n_rows) < table.n_plain) & ~inside[table.units])
    factors = [_at(model, variable, value) for value in rho]
    factor = model.factor(variable)
    if plain.size:
        for piece in chunks(draws.n, max(1, table.n_rows)):
            out[:, piece] += _plain(factor, table, draws.take(piece), plain, rho)
    if inside.any():
        units = np.flatnonzero(inside)
        some = tables if inside.all() else restricted(model.factors, model.table, tables, "row", units)
        width = max((one.n_rows for one in some.factors.values()), default=1) + some.expansion.n
        for piece in chunks(draws.n, max(1, width)):
            own = draws.take(piece)
            for k, changed in enumerate(factors):
                out[k, piece] += marginal_log_likelihood(changed, some, own)
    return out


def integrated_log_likelihood(
    model: Model,
    tables: Tables,
    draws: PosteriorDraws,
    variable: str,
    prior: Prior,
    between: tuple[float, float, float],
) -> Floats:
    """Return the log of the likelihood integrated over rho under its prior, (S,), up to what does not depend on rho.

    Parameters
    ----------
    model, tables, draws, variable
        As for `rho_log_likelihood`.
    prior : Prior
        Of rho: LKJ, or a Beta of (rho + 1) / 2.
    between : tuple of float
        Range of the integral on Fisher's scale, outside of which the posterior has nothing, and the sd of rho there.
    """
    from scipy.interpolate import CubicSpline

    low, high, sd = between
    count = int(np.clip(np.ceil((high - low) / (_STEP * sd)), _FEWEST, _MOST))
    nodes = np.linspace(low, high, count)
    z = np.linspace(low, high, _FINER * (count - 1) + 1)
    values = CubicSpline(nodes, rho_log_likelihood(model, tables, draws, variable, np.tanh(nodes).tolist()))(
        z
    )
    return log_integral(values, z, log_prior(prior, z))


def log_prior(prior: Prior, z: Floats) -> Floats:
    """Return the log density of Fisher's z of a correlation with a prior, LKJ or Beta of (correlation + 1) / 2."""
    from scipy.special import betaln

    from bayesmi.families.selected import prior_of_half

    half = prior_of_half(prior).parameters
    a, b = float(half["alpha"]), float(half["beta"])
    below, above = -np.logaddexp(0.0, -2.0 * z), -np.logaddexp(0.0, 2.0 * z)  # log of half and of 1 - half
    return np.asarray(a * below + b * above + np.log(2.0) - betaln(a, b))


def log_integral(values: Floats, z: Floats, log_weight: Floats) -> Floats:
    """Return the log of the integral of exp(values + log_weight) over z, (S,), by the trapezoid rule; values (Z, S)."""
    whole = values + log_weight[:, None]
    top = whole.max(axis=0)
    return np.asarray(top + np.log(np.trapezoid(np.exp(whole - top), z, axis=0)))


def _at(model: Model, variable: str, rho: float) -> tuple[Factor, ...]:
    """The factors with a known rho of one variable."""
    return tuple(
        replace(factor, family=replace(factor.family, rho=float(rho)))  # type: ignore[type-var]
        if factor.variable == variable
        else factor
        for factor in model.factors
    )


def _plain(
    factor: Factor, table: FactorTable, draws: PosteriorDraws, rows: NDArray[np.intp], rho: Sequence[float]
) -> Floats:
    """Sum over rows of log P(seen or not | value), (R, S)."""
    family = factor.family
    assert isinstance(family, Selected)
    kinds = np.asarray(table.known["selected"])[rows]
    rows = rows[(kinds == SELECTED) | (kinds == NOT_SELECTED_KNOWN)]
    known = replace(factor, family=replace(family, rho=0.0))
    width = table.n_rows
    own = {name: _columns(values, rows, width) for name, values in scales(known, table, draws).items()}
    y = _columns(responses(table, draws), rows, width)
    eta = predictors(factor, table, draws)[:, rows]
    return np.stack(
        [replace(family, rho=float(value)).log_share(np, y, eta, own).sum(axis=1) for value in rho]
    )


def _columns(values: Floats, rows: NDArray[np.intp], width: int) -> Floats:
    """Take rows of what has one number a row; what is the same for all stays."""
    if values.ndim == 1:
        return values[rows]
    return values[:, rows] if values.ndim == 2 and values.shape[1] == width else values
