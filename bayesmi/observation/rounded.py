"""Rounding and heaping: a recorded value stands for the interval of values that are recorded so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayesmi.errors import ModelError
from bayesmi.observation.interval import Interval, Reader, check_limit, refuse_rows

__all__ = ["Rounded", "rounded"]

_HOW = {"nearest": (0.5, 0.5), "down": (0.0, 1.0), "up": (1.0, 0.0)}


@dataclass(frozen=True)
class Rounded:
    """See `rounded`."""

    column: str
    to: str | float
    how: str = "nearest"
    kind: ClassVar[str] = "rounded"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that it needs beside its own."""
        return (self.to,) if isinstance(self.to, str) else ()

    @property
    def words(self) -> str:
        """How it reads in the printout of a model."""
        size = self.to if isinstance(self.to, str) else f"{self.to:g}"
        return f"rounded {'to the nearest' if self.how == 'nearest' else self.how + ' to'} multiple of {size}"

    def intervals(self, read: Reader) -> Interval:
        """Return the interval of each recorded value.

        Raises
        ------
        ModelError
            If a precision is negative.
        """
        recorded = read(self.column)
        width = read(self.to) if isinstance(self.to, str) else np.full(len(recorded), self.to)
        seen = np.isfinite(recorded)
        if isinstance(self.to, str):
            refuse_rows(
                read, self.to, width < 0.0, "hold negative precisions: 0 or nothing stands for an exact value"
            )
        known = seen & np.isfinite(width) & (width > 0.0)
        under, over = _HOW[self.how]
        with np.errstate(invalid="ignore"):
            lower = np.where(known, recorded - under * width, -np.inf)
            upper = np.where(known, recorded + over * width, np.inf)
        return Interval(lower, upper, known, known)

    def to_dict(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        return {"kind": self.kind, "column": self.column, "to": self.to, "how": self.how}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Rounded:
        """Return what `to_dict` wrote."""
        return rounded(plain["column"], to=plain["to"], how=plain["how"])


def rounded(column: str, *, to: str | float, how: str = "nearest") -> Rounded:
    """Say that a column's values were rounded, all alike or each to a precision of its own (heaping).

    Parameters
    ----------
    column : str
        The variable. Every rounded value is drawn from its interval; ``<column>_recorded`` keeps what was recorded.
    to : str or float
        Width of the interval that a recorded value stands for, in the variable's units: a number, or a column with that of
        each row (5 where weights were told in steps of 5 kg, 1 where in kg; 0 or nothing: an exact value).
    how : {"nearest", "down", "up"}
        Where in its interval the recorded value is: in the middle, at its lower end (completed years), at its upper end.

    Returns
    -------
    Rounded
        To be given as ``Model(observations={"weight": rounded("weight", to="precision")})``.

    Raises
    ------
    ModelError
        If the width is no column and no positive number.

    Notes
    -----
    A row contributes the probability of the interval, F(x + w / 2) - F(x - w / 2) (Heitjan & Rubin 1990, of heaped ages, with
    the precision of each row taken as known).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.rounded("weight", to=5).words
    'rounded to the nearest multiple of 5'
    """
    name = f"rounded({column!r})"
    if not isinstance(column, str) or not column:
        raise ModelError(f"rounded() needs the name of the rounded column, not {column!r}")
    size = check_limit(name, "to", to)
    if size is None or size == column or (isinstance(size, float) and size <= 0.0):
        raise ModelError(f"{name}: to= is a column or a positive number, not {to!r}")
    if how not in _HOW:
        raise ModelError(f"{name}: how={how!r}: choose {', '.join(repr(one) for one in _HOW)}")
    return Rounded(column, size, how)
