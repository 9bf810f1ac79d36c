"""Measurement error with a known standard deviation: x ~ N(x_true, sd²), the classical error model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import name_rows
from bayesmi.errors import ModelError

__all__ = ["Measured", "measured"]

Floats = NDArray[np.float64]
_LEAST_RELIABILITY = 0.05  # so that stand-ins vary even where the errors explain all there is


@dataclass(frozen=True)
class Measured:
    """See `measured`."""

    column: str
    sd: str | float
    kind: ClassVar[str] = "measured"

    @property
    def columns(self) -> tuple[str, ...]:
        """The measurements and, where it is one, the column of their standard deviations."""
        return (self.column, self.sd) if isinstance(self.sd, str) else (self.column,)

    @property
    def words(self) -> str:
        """The error's standard deviation in words."""
        return f"sd {self.sd}" if isinstance(self.sd, str) else f"sd {self.sd:g}"

    def standard_errors(self, variable: str, frame: IncompleteFrame) -> Floats:
        """Return the error's sd by row, (n,), NaN where nothing was measured.

        Raises
        ------
        ModelError
            If the measurements or their sds are no numbers, or an sd is missing or not positive where there is a measurement.
        """
        for name in self.columns:
            if not frame.columns[name].is_numeric:
                raise ModelError(
                    f"observations[{variable!r}]: column {name!r} is {frame.columns[name].kind}; measured() needs numbers"
                )
        seen = frame.columns[self.column].observed
        if not isinstance(self.sd, str):
            return np.where(seen, self.sd, np.nan)
        known = frame.columns[self.sd]
        for wrong, what in ((~known.observed, "is missing"), (~(known.values > 0.0), "is not positive")):
            bad = seen & wrong
            if bad.any():
                raise ModelError(
                    f"observations[{variable!r}]: {self.sd!r} {what} in {name_rows(frame.index, bad)}, where {self.column!r} is "
                    f"measured: give its standard deviation there, or blank {self.column!r}"
                )
        return np.where(seen, known.values, np.nan)

    def stand_ins(self, frame: IncompleteFrame, errors: Floats) -> Floats:
        """Return the measurements shrunk to their mean, so that they vary as much as what they measure."""
        column = frame.columns[self.column]
        values = np.where(column.observed, column.values, np.nan)
        seen = column.observed
        if seen.sum() < 2:
            return values
        mean, variance = float(values[seen].mean()), float(values[seen].var(ddof=1))
        noise = float((errors[seen] ** 2).mean())
        reliability = max(_LEAST_RELIABILITY, 1.0 - noise / variance) if variance > 0.0 else 1.0
        return np.asarray(mean + math.sqrt(reliability) * (values - mean))

    def to_dict(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        return {"kind": self.kind, "column": self.column, "sd": self.sd}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Measured:
        """Return what `to_dict` wrote."""
        return measured(plain["column"], sd=plain["sd"])


def measured(column: str, *, sd: str | float) -> Measured:
    """Say that a column holds a variable with measurement error of known size.

    Parameters
    ----------
    column : str
        Column with the measurements; it may have missing cells and is never changed.
    sd : str or float
        Standard deviation of the error, in the measurements' units: a column, or one number for all rows.

    Returns
    -------
    Measured
        To be given as ``Model(observations={"x_true": measured("x", sd="x_se")})``: the key is a new variable, the one
        that formulas use; it is unknown in every row and comes as a further column of every completed data set.

    Raises
    ------
    ModelError
        If the sd is no column's name and no positive number.

    Notes
    -----
    x ~ N(x_true, sd²) given everything else (classical, non-differential error; Carroll, Ruppert, Stefanski & Crainiceanu
    2006, chapter 9). What x_true depends on is a model of its own, written or given like that of an incomplete covariate.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.measured("sodium", sd=4.5)
    Measured(column='sodium', sd=4.5)
    """
    if not isinstance(column, str) or not column:
        raise ModelError(f"measured() needs the name of the column with measurements, not {column!r}")
    if isinstance(sd, str) and sd:
        if sd == column:
            raise ModelError(
                f"measured({column!r}, sd={sd!r}): the standard deviation cannot be the measurement itself"
            )
        return Measured(column, sd)
    if isinstance(sd, bool) or not isinstance(sd, int | float | np.integer | np.floating):
        raise ModelError(f"measured({column!r}): sd= is a column or a positive number, not {sd!r}")
    if not (math.isfinite(float(sd)) and float(sd) > 0.0):
        raise ModelError(f"measured({column!r}): sd={sd!r} must be a positive number")
    return Measured(column, float(sd))
