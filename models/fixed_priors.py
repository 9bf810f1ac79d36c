"""Priors that are written down in a module and know nothing of the data."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm

Priors = Mapping[str, tuple[str, float] | tuple[str, float, float]]


def parameter(priors: Priors, name: str, **options: Any) -> Any:
    """Make the random variable of that name inside a model context.

    Parameters
    ----------
    priors
        PyMC's distribution and its arguments by posterior name.
    name
        Which one.
    **options
        For PyMC: dims, shape, transform, initval.

    Returns
    -------
    TensorVariable

    Examples
    --------
    >>> with pm.Model():
    ...     parameter({"x": ("Normal", 0.0, 1.0)}, "x").name
    'x'
    """
    distribution, *arguments = priors[name]
    return getattr(pm, distribution)(name, *(np.float64(value) for value in arguments), **options)
