"""How much of an answer is its priors: draws reweighted to slightly stronger and weaker priors of the parameters."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.errors import ModelError
from bayesmi.model import Factor
from bayesmi.predictive.distributions import scipy_distribution
from bayesmi.priors import Prior

__all__ = ["log_prior", "prior_sensitivity"]

Floats = NDArray[np.float64]


def prior_sensitivity(factors: Sequence[Factor], draws: PosteriorDraws, terms: Floats) -> Floats:
    """Return how fast each quantity's distribution moves as the priors are raised to a power near one.

    Parameters
    ----------
    factors : sequence of Factor
        Of the joint model.
    draws : PosteriorDraws
        All draws.
    terms : ndarray, shape (S, k)
        The quantities.

    Returns
    -------
    ndarray, shape (k,)
        0 where all priors are flat or a quantity is fixed, NaN where there are too few draws. Above .05 the prior has a say
        (Kallioinen et al. 2023).

    Notes
    -----
    Power scaling of Kallioinen, Paananen, Bürkner and Vehtari (2023, Statistics and Computing 34, 57) as ArviZ's ``psense``:
    the derivative of the cumulative Jensen-Shannon distance in log2 of the power. Scaled are the priors of parameters: not the
    models of incomplete cells, nor those of group effects, which belong to the likelihood.
    """
    import arviz_stats as azs

    out = np.zeros(terms.shape[1])
    weight = log_prior(factors, draws)
    moves = np.ptp(terms, axis=0) > 0.0
    if np.ptp(weight) == 0.0 or not moves.any() or not np.isfinite(weight).all():
        return out
    shape = (draws.n_chains, draws.n_draws)
    dims = ("chain", "draw")
    values = {f"t{j}": (dims, terms[:, j].reshape(shape)) for j in np.flatnonzero(moves)}
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset(values), "log_prior": xr.Dataset({"p": (dims, weight.reshape(shape))})}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = azs.psense(tree, group="prior")
    except ValueError:  # a generalised Pareto distribution fits no tail of so few draws
        return np.where(moves, np.nan, 0.0)
    out[moves] = [float(found[name]) for name in values]
    return out


def log_prior(factors: Sequence[Factor], draws: PosteriorDraws) -> Floats:
    """Return the log density, (S,), of the parameters under their proper priors, up to a constant."""
    total = np.zeros(draws.n)
    for factor in factors:
        for part in factor.parts:
            for prior, values in _pairs(part, draws):
                try:
                    density = scipy_distribution(prior, part.variable).logpdf(values)
                except ModelError:  # improper: it has no say
                    continue
                total += density.reshape(draws.n, -1).sum(axis=1)
            for grouping, eta in part.priors.correlations.items():
                for key in part.keys:
                    matrix = draws.factors[key].correlations.get(grouping)
                    if matrix is not None and matrix.shape[-1] > 1:
                        total += (eta - 1.0) * np.linalg.slogdet(matrix)[1]
    return total


def _pairs(factor: Factor, draws: PosteriorDraws) -> Iterator[tuple[Prior, Floats]]:
    """Yield priors and the draws that they are of."""
    priors, n_design = factor.priors, factor.design.n_columns
    for key in factor.keys:
        own = draws.factors[key]
        if priors.intercept is not None and own.intercept is not None:
            yield (
                priors.intercept,
                own.centred_intercept(factor) if priors.intercept_at_means else own.intercept,
            )
        for j, prior in enumerate(priors.coefficients[:n_design]):  # of an observation none is estimated
            yield prior, own.coefficients[:, j]
        for grouping, sds in own.sds.items():
            for j, prior in enumerate(priors.group_sds.get(grouping, ())):
                yield prior, sds[:, j]
    first = draws.factors[factor.keys[0]]
    for parameter in factor.parameters:
        values = first.scales.get(parameter.name)
        if values is None or parameter.name not in priors.scales or parameter.transform == "correlation":
            continue
        if parameter.transform == "ordered" and priors.scales_at_means and factor.n_coefficients:
            values = values - (first.coefficients @ factor.centers)[:, None]
        yield priors.scales[parameter.name], values
