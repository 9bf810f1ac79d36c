"""Truncation: rows that never arrive, because their value lies outside of limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.observation.interval import Reader, check_limit, refuse_rows

__all__ = ["TruncatedRows", "truncated"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TruncatedRows:
    """See `truncated`."""

    column: str
    below: str | float | None = None
    above: str | float | None = None
    kind: ClassVar[str] = "truncated"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that it needs beside its own."""
        return tuple(dict.fromkeys(n for n in (self.below, self.above) if isinstance(n, str)))

    @property
    def words(self) -> str:
        """How it reads in the printout of a model."""
        ends = [
            f"{word} {limit if isinstance(limit, str) else f'{limit:g}'}"
            for word, limit in (("below", self.below), ("above", self.above))
            if limit is not None
        ]
        return "rows " + " or ".join(ends) + " never arrive"

    def limits(self, read: Reader) -> tuple[Floats, Floats]:
        """Return between which values each row could have arrived, -inf and inf where it always could.

        Raises
        ------
        ModelError
            If a recorded value lies outside, or the limits are in the wrong order.
        """
        recorded = read(self.column)
        ends = []
        for limit, open_ in ((self.below, -np.inf), (self.above, np.inf)):
            own = np.full(len(recorded), np.nan if limit is None else 0.0)
            if limit is not None:
                own = read(limit) if isinstance(limit, str) else np.full(len(recorded), limit)
                refuse_rows(
                    read, str(limit), np.full(len(own), not np.isfinite(own).any()),
                    "have no limit at all: fill the column in, or leave truncated() out",
                )  # fmt: skip
            ends.append(np.where(np.isfinite(own), own, open_))
        low, high = ends
        refuse_rows(
            read, self.column, ~(low < high), "have truncation limits in the wrong order: correct them"
        )
        with np.errstate(invalid="ignore"):
            outside = (recorded < low) | (recorded > high)
        refuse_rows(
            read, self.column, outside,
            f"hold values that could not have arrived ({self.words}): correct the limits or leave these rows out",
        )  # fmt: skip
        return low, high

    def to_dict(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        return {"kind": self.kind, "column": self.column, "below": self.below, "above": self.above}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TruncatedRows:
        """Return what `to_dict` wrote."""
        return truncated(plain["column"], below=plain["below"], above=plain["above"])


def truncated(
    column: str, *, below: str | float | None = None, above: str | float | None = None
) -> TruncatedRows:
    """Say that rows whose value lies below or above a limit never came into the table.

    Parameters
    ----------
    column : str
        The variable: the response of the analysis model.
    below, above : str or float, optional
        Limit below (above) which a row would not be in the table: a column with that of each row, or one number. An empty
        cell leaves its side open, and the model says of how many rows.

    Returns
    -------
    TruncatedRows
        To be given as ``Model(observations={"y": truncated("y", below=0)})``, beside censoring as a pair:
        ``{"time": (censored("time", event="died"), truncated("time", below="entry"))}``.

    Raises
    ------
    ModelError
        If no limit is given.

    Notes
    -----
    Each row's likelihood is divided by the probability of arriving, F(above) - F(below), given its predictors. Models of
    incomplete predictors describe the rows that arrived. The posterior is that of the population without truncation;
    imputed and replicated values are those of rows that arrive.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.truncated("height", below=160).words
    'rows below 160 never arrive'
    """
    name = f"truncated({column!r})"
    if not isinstance(column, str) or not column:
        raise ModelError(f"truncated() needs the name of the column, not {column!r}")
    low, high = check_limit(name, "below", below), check_limit(name, "above", above)
    if low is None and high is None:
        raise ModelError(f"{name}: give below= or above=")
    if column in (low, high):
        raise ModelError(f"{name}: a limit cannot be the column itself")
    if isinstance(low, float) and isinstance(high, float) and not low < high:
        raise ModelError(f"{name}: below={low:g} must lie under above={high:g}")
    return TruncatedRows(column, low, high)
