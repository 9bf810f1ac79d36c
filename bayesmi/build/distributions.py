"""Priors as PyMC distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesmi.priors import Prior

__all__ = ["distribution"]


def distribution(prior: Prior, name: str, **kwargs: Any) -> Any:
    """Return PyMC's random variable of a prior, in the current model context."""
    # np.float64: PyTensor turns a Python float into single precision
    arguments: dict[str, Any] = {key: np.float64(value) for key, value in prior.parameters.items()}
    return getattr(pm, prior.name)(name, **arguments, **kwargs)
