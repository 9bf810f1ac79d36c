"""Adapters: read estimates, covariance, df and variance components out of foreign results."""

from __future__ import annotations

from bayesmi.adapters.extract import Adapter, Extract, Likelihood
from bayesmi.adapters.registry import ADAPTERS, adapter_for, extract, likelihood

__all__ = ["ADAPTERS", "Adapter", "Extract", "Likelihood", "adapter_for", "extract", "likelihood"]
