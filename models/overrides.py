"""Named constants that a caller may override one by one."""

from collections.abc import Mapping

import numpy as np


def override(defaults: Mapping[str, float], given: Mapping[str, float] | None) -> dict[str, float]:
    """Replace defaults by what was given, and refuse names that do not exist.

    Parameters
    ----------
    defaults
        Every name with its value.
    given
        The values to put in their place; None for none.

    Returns
    -------
    dict
        All names with their values.

    Raises
    ------
    TypeError
        If a given name is not among the defaults.

    Notes
    -----
    The values are NumPy doubles: PyTensor takes a Python ``2.5`` for a single-precision constant, and its
    logarithm would be off in the eighth digit.

    Examples
    --------
    >>> override({"x": 1.0, "sigma": 2.0}, {"sigma": 0.5})["sigma"]
    np.float64(0.5)
    """
    given = dict(given or {})
    unknown = [name for name in given if name not in defaults]
    if unknown:
        raise TypeError(f"unknown name {unknown[0]!r}; choose from {', '.join(defaults)}")
    return {name: np.float64(given.get(name, value)) for name, value in defaults.items()}
