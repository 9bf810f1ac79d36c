"""PyMC without its own words: the progress and the checks are ours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet_pymc"]


@contextmanager
def quiet_pymc() -> Iterator[None]:
    """Keep PyMC's log to errors, and leave out that numba cannot compile a density that is compiled already."""
    logger = logging.getLogger("pymc")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Numba will use object mode", UserWarning)
            yield
    finally:
        logger.setLevel(level)
