"""What is known of values that are not known exactly: an interval for each row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import name_rows
from bayesmi.errors import ModelError

__all__ = ["Interval", "Reader", "check_limit", "refuse_rows"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """Limits of each row; -inf and inf where nothing is known."""

    lower: Floats  # (n,)
    upper: Floats  # (n,)
    known: Mask  # (n,) rows of which an interval is known and no value
    blanked: Mask  # (n,) of these, rows where something is recorded that is no value


class Reader(Protocol):
    """Numbers of columns, NaN where missing."""

    @property
    def index(self) -> pd.Index:
        """Row labels."""
        ...

    def __call__(self, name: str) -> Floats:
        """Return a column as numbers, (n,); what was recorded, of one that was blanked."""
        ...

    def is_discrete(self, name: str) -> bool:
        """Whether a column has whole numbers or levels only, so that one value is an interval."""
        ...


_SINGULAR = {"hold": "holds", "have": "has", "are": "is"}


def refuse_rows(read: Reader, name: str, wrong: Mask, what: str) -> None:
    """Refuse rows of a column; `what` begins with hold, have or are.

    Raises
    ------
    ModelError
        If there are any.
    """
    if wrong.any():
        verb, _, rest = what.partition(" ")
        if np.count_nonzero(wrong) == 1:
            verb = _SINGULAR[verb]
        raise ModelError(f"column {name!r}: {name_rows(read.index, wrong)} {verb} {rest}")


def check_limit(of: str, key: str, limit: Any) -> str | float | None:
    """Return a limit: a column's name, a finite number, or None."""
    if limit is None or (isinstance(limit, str) and limit):
        return limit
    if isinstance(limit, bool) or not isinstance(limit, int | float | np.integer | np.floating):
        raise ModelError(f"{of}: {key}= is a column or a number, not {limit!r}")
    if not math.isfinite(float(limit)):
        raise ModelError(f"{of}: {key}={limit!r} must be a finite number; leave an open side out")
    return float(limit)
