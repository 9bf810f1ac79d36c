"""All adapters, asked in this order. A new one is a file and a line here."""

from __future__ import annotations

from typing import Any

from bayesmi.adapters import (
    lifelines,
    linear_model,
    mixed_model,
    pair,
    posterior,
    scikit_learn,
    statsmodels_model,
    tidy,
)
from bayesmi.adapters.extract import Adapter, Extract, Likelihood
from bayesmi.errors import NotSupportedError, PoolError

__all__ = ["ADAPTERS", "adapter_for", "extract", "likelihood"]

ADAPTERS: tuple[Adapter, ...] = (
    pair.ADAPTER,
    tidy.ADAPTER,
    mixed_model.ADAPTER,
    linear_model.ADAPTER,
    statsmodels_model.ADAPTER,
    lifelines.ADAPTER,
    posterior.ADAPTER,
    scikit_learn.ADAPTER,
)


def adapter_for(result: Any) -> Adapter:
    """Find the adapter that reads a result.

    Parameters
    ----------
    result : object
        What an analysis function returned.

    Returns
    -------
    Adapter

    Raises
    ------
    PoolError
        If none does; the message says what to return instead.
    """
    for adapter in ADAPTERS:
        if adapter.recognises(result):
            return adapter
    hint = "return a fitted result, an (estimates, covariance) pair or a table with term, estimate, std.error"
    if result is None:
        raise PoolError(f"the function returned nothing: {hint}")
    if hasattr(result, "fit") and not hasattr(result, "params"):
        hint = "this is a model that is not fitted: return model.fit()"
    kind = f"{type(result).__module__}.{type(result).__qualname__}".removeprefix("builtins.")
    raise PoolError(f"cannot read estimates out of {kind}: {hint}")


def extract(result: Any) -> Extract:
    """Read estimates and covariance out of any known result.

    Parameters
    ----------
    result : object
        A statsmodels or lifelines result, an (estimates, covariance) pair, or a tidy table.

    Returns
    -------
    Extract

    Raises
    ------
    PoolError
        If the result is of no known kind.

    Examples
    --------
    >>> extract(({"x": 1.0}, [[0.25]])).estimates.to_dict()
    {'x': 1.0}
    """
    return adapter_for(result).extract(result)


def likelihood(result: Any) -> Likelihood:
    """Log-likelihood of a result as a function of its parameters, for D3 and D4.

    Parameters
    ----------
    result : object
        A fit by maximum likelihood; REML fits are refitted.

    Returns
    -------
    Likelihood

    Raises
    ------
    NotSupportedError
        If the kind of result has none.
    """
    adapter = adapter_for(result)
    if adapter.likelihood is None:
        raise NotSupportedError(f"no likelihood can be read out of a {adapter.name}: use method='D1' or 'D2'")
    return adapter.likelihood(result)
