"""Draws from the prior, and tables replicated from the prior and from the posterior."""

from __future__ import annotations

from typing import Any

__all__ = ["posterior_predictive", "prior_predictive"]


def __getattr__(name: str) -> Any:
    # `fit` uses the replications, and the predictive distributions use `fit`: neither may wait for the other
    if name in __all__:
        from bayesmi.predictive import predictive

        return getattr(predictive, name)
    raise AttributeError(f"module 'bayesmi.predictive' has no attribute {name!r}")
