"""Random streams: every purpose and every imputation has its own, so order, laziness and workers do not matter."""

from __future__ import annotations

import numpy as np

from bayesmi.errors import BayesmiError

__all__ = [
    "BY",
    "CUT",
    "DELTA",
    "EFFECTS",
    "IMPUTE",
    "MATCH",
    "NEW_ROWS",
    "PREDICT",
    "PRIOR",
    "REDRAW",
    "REPLICATE",
    "SAMPLE",
    "SPACING",
    "check_seed",
    "fresh_seed",
    "stream",
]

SAMPLE, EFFECTS, SPACING, IMPUTE, REPLICATE, PRIOR, BY = range(7)
NEW_ROWS, PREDICT = 40, 41
MATCH, CUT = 50, 51
DELTA, REDRAW = 130, 131  # and 1000 more for each further variable


def check_seed(seed: int | None) -> int:
    """Return the seed as an int, or a fresh one; refuse anything else."""
    if seed is None:
        return fresh_seed()
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise BayesmiError(f"seed must be a whole number, zero or positive, not {seed!r}")
    return int(seed)


def fresh_seed() -> int:
    """Return a seed from the machine's entropy, small enough to write down."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def stream(seed: int, purpose: int, i: int = 0) -> np.random.Generator:
    """Return the generator of a purpose and index."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, i)))
