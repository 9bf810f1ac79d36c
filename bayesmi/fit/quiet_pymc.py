"""PyMC without its own words: the progress and the checks are ours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet_pymc"]


@contextmanager
def quiet_pymc() -> Iterator[None]:
    """Keep PyMC's log to errors, and leave out what nobody can do anything about.

    That numba cannot compile a density that is compiled already, and that PyMC forks a process that has threads.
    """
    logger = logging.getLogger("pymc")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Numba will use object mode", UserWarning)
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)
