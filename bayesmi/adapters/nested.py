"""Nested fits compared: the numbers that D1 to D4 need, read out of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np

from bayesmi.adapters.extract import Extract, Likelihood
from bayesmi.adapters.registry import adapter_for, likelihood
from bayesmi.errors import NotSupportedError, PoolError
from bayesmi.pool import Estimates, FTest, d2, d3, d4
from bayesmi.pool.constraints import wald_test
from bayesmi.pool.read import read_estimates

__all__ = ["compare_fits"]


class _Fits(Protocol):
    """What is used of `Analyses`."""

    @property
    def results(self) -> tuple[Any, ...]: ...
    @property
    def extracts(self) -> tuple[Extract, ...]: ...


def compare_fits(
    full: _Fits,
    null: _Fits,
    method: str,
    *,
    use: Literal["wald", "likelihood"] = "wald",
    ariv: Literal["default", "positive", "robust"] = "default",
    dfcom: float | None = None,
    convention: Literal["mitml", "mice"] = "mitml",
) -> FTest:
    """Test the fits of a model against those of a smaller one.

    Parameters
    ----------
    full, null : Analyses
        Of the same data sets.
    method : {"D1", "D2", "D3", "D4"}
    use, ariv, dfcom, convention
        See `bayesmi.Analyses.compare`.

    Returns
    -------
    FTest

    Raises
    ------
    PoolError
        If the models are not nested, or an option does not belong to the method.
    """
    if method not in ("D1", "D2", "D3", "D4"):
        raise PoolError(f"method {method!r} is not known: use 'D1', 'D2', 'D3' or 'D4'")
    if dfcom is not None and method != "D1":
        raise PoolError(f"dfcom has no place in {method}: leave it out, or use 'D1'")
    if ariv != "default" and (method in ("D1", "D2") or (method == "D3" and ariv == "robust")):
        raise PoolError(f"ariv={ariv!r} has no place in {method}: leave it out")
    if convention not in ("mitml", "mice"):
        raise PoolError(f"convention {convention!r} is not known: use 'mitml' or 'mice'")
    if convention == "mice" and method == "D1" and dfcom is None:
        dfcom = _residual(full)
    if method == "D1" or (method == "D2" and use == "wald"):
        estimates = _additional(full, null)
        return wald_test(estimates, np.inf if dfcom is None else dfcom, method=method)
    if convention == "mice" and method == "D3":
        return _d3_of_mice(full, null, ariv)
    large, small = [likelihood(fit) for fit in full.results], [likelihood(fit) for fit in null.results]
    k, terms = _difference(large[0], small[0])
    own, own_null = _at_own(large), _at_own(small)
    if method == "D2":
        return d2(np.maximum(0.0, 2.0 * (own - own_null)), k, terms=terms)
    if method == "D3":
        pooled = 2.0 * (_at_mean(large) - _at_mean(small))
        return d3(
            2.0 * (own - own_null),
            pooled,
            k,
            ariv="positive" if ariv == "positive" else "default",
            terms=terms,
        )
    return d4(
        own,
        own_null,
        _stacked(full.results),
        _stacked(null.results),
        k,
        n_parameters=len(large[0].parameters),
        ariv=ariv,
        terms=terms,
        full_shares=_at_mean(large),
        null_shares=_at_mean(small),
    )


def _additional(full: _Fits, null: _Fits) -> Estimates:
    """Estimates of the coefficients that the smaller model lacks."""
    large = read_estimates([(one.estimates, one.covariance) for one in full.extracts])
    smaller = [str(term) for term in null.extracts[0].estimates.index]
    _check_nested(large.terms, smaller)
    return large.select([term for term in large.terms if term not in smaller], joint=True)


def _check_nested(large: Sequence[str], smaller: Sequence[str]) -> None:
    """Every coefficient of the smaller model is in the larger, and not the other way round."""
    for term in smaller:
        if term not in large:
            raise PoolError(f"the models are not nested: the smaller one has {term!r}, the larger does not")
    if len(large) == len(smaller):
        raise PoolError("both models have the same coefficients: for random effects use method='D3' or 'D4'")


def _difference(large: Likelihood, small: Likelihood) -> tuple[int, tuple[str, ...]]:
    """Count the additional parameters and name the additional coefficients."""
    for term in small.terms:
        if term not in large.terms:
            raise PoolError(f"the models are not nested: the smaller one has {term!r}, the larger does not")
    k = len(large.parameters) - len(small.parameters)
    if k < 1:
        raise PoolError("the models are not nested: the larger one has no more parameters than the smaller")
    return k, tuple(term for term in large.terms if term not in small.terms)


def _at_own(fits: Sequence[Likelihood]) -> np.ndarray:
    """Log-likelihood of each data set at its own maximum."""
    return np.array([fit.log_likelihood(fit.parameters) for fit in fits])


def _at_mean(fits: Sequence[Likelihood]) -> np.ndarray:
    """Log-likelihood of each data set at the mean of the parameters."""
    mean = np.mean([fit.parameters for fit in fits], axis=0)
    return np.array([fit.log_likelihood(mean) for fit in fits])


def _residual(fits: _Fits) -> float:
    """Residual degrees of freedom, as mice counts them: of the first fit."""
    first = fits.extracts[0].dfcom_choices.get("residual")
    return float("inf") if first is None or isinstance(first, Mapping) else float(first)


def _d3_of_mice(full: _Fits, null: _Fits, ariv: str) -> FTest:
    """Likelihood ratios with the coefficients held at their means; intercept and variance estimated in each data set."""
    large, small = [likelihood(fit) for fit in full.results], [likelihood(fit) for fit in null.results]
    k, terms = _difference(large[0], small[0])
    at_mean = []
    for fits, likelihoods in ((full, large), (null, small)):
        adapter, p = adapter_for(fits.results[0]), len(likelihoods[0].terms)
        if adapter.held is None:
            raise NotSupportedError(
                f"mice's D3 is wrong for a {adapter.name} (it estimates the variances anew): use convention='mitml'"
            )
        mean = np.mean([one.parameters[:p] for one in likelihoods], axis=0)
        at_mean.append(np.array([adapter.held(fit, mean) for fit in fits.results]))
    own = 2.0 * (_at_own(large) - _at_own(small))
    pooled = 2.0 * (at_mean[0] - at_mean[1])
    return d3(own, pooled, k, ariv="positive" if ariv == "positive" else "default", terms=terms)


def _stacked(results: Sequence[Any]) -> float:
    """Log-likelihood of one fit to all data sets stacked."""
    adapter = adapter_for(results[0])
    if adapter.stacked is None:
        raise NotSupportedError(f"no stacked fit can be made of a {adapter.name}: use method='D1' or 'D3'")
    return adapter.stacked(results)
