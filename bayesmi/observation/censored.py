"""Censoring: a value of which is only known that it lies below, above or between limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.observation.interval import Interval, Reader, check_limit, refuse_rows

__all__ = ["Censored", "censored"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Limit = str | float | None


@dataclass(frozen=True)
class Censored:
    """See `censored`."""

    column: str
    below: Limit = None
    above: Limit = None
    between: tuple[str | float, str | float] | None = None
    where: str | None = None
    event: str | None = None
    kind: ClassVar[str] = "censored"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that it needs beside its own."""
        ends = self.between or (self.below, self.above)
        named = [*ends, self.where, self.event]
        return tuple(dict.fromkeys(n for n in named if isinstance(n, str) and n != self.column))

    @property
    def words(self) -> str:
        """How it reads in the printout of a model."""
        if self.event is not None:
            return f"above the recorded value where {self.event} is 0"
        if self.between is not None:
            text = f"between {_shown(self.between[0])} and {_shown(self.between[1])}"
        else:
            parts = [
                f"{word} {_shown(limit)}"
                for word, limit in (("below", self.below), ("above", self.above))
                if limit is not None
            ]
            text = " or ".join(parts)
        return text + (f" where {self.where} is 1" if self.where else "")

    def intervals(self, read: Reader) -> Interval:
        """Return the limits of each row, and which recorded values are limits and not values.

        Raises
        ------
        ModelError
            If limits contradict each other or a recorded value; the message names the rows.
        """
        recorded = read(self.column)
        n = len(recorded)
        lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
        flagged = self._flagged(read, recorded)
        if self.between is not None:
            return self._between(read, recorded, flagged)
        below = _limits(self.column if self.event is not None and self.above is None else None, read, n)
        low_end = _limits(self.below, read, n)
        high_end = below if self.event is not None else _limits(self.above, read, n)
        left = self._side(recorded, low_end, self.below, flagged, -1.0, read, high_end)
        right = self._side(
            recorded,
            high_end,
            self.column if self.event is not None else self.above,
            flagged,
            1.0,
            read,
            low_end,
        )
        both = left & right
        refuse_rows(
            read, self.column, both,
            "have limits below and above and no value: say which holds, with between= two columns or where= a flag",
        )  # fmt: skip
        upper[left], lower[right] = low_end[left], high_end[right]
        if flagged is not None:
            refuse_rows(
                read, self.column, flagged & ~left & ~right,
                f"are marked as censored by {self.where or self.event!r} and have no limit there: give one, or unmark them",
            )  # fmt: skip
        censored = left | right
        return Interval(lower, upper, censored, censored & np.isfinite(recorded))

    def _flagged(self, read: Reader, recorded: Floats) -> Mask | None:
        """Rows that a column marks as censored; None without one."""
        name = self.where or self.event
        if name is None:
            return None
        marks = read(name)
        refuse_rows(
            read,
            name,
            ~np.isfinite(marks) & np.isfinite(recorded),
            "are missing where a value is recorded: fill them in",
        )
        refuse_rows(
            read, name, np.isfinite(marks) & ~np.isin(marks, (0.0, 1.0)),
            "hold other values than 0 and 1: " + ("1 marks an event" if self.event else "1 marks a censored value"),
        )  # fmt: skip
        return (marks == 0.0) if self.event is not None else (marks == 1.0)

    def _side(
        self,
        recorded: Floats,
        limit: Floats,
        source: Limit,
        flagged: Mask | None,
        sign: float,
        read: Reader,
        other: Floats,
    ) -> Mask:
        """Rows that are censored on one side; `sign` 1: above the limit."""
        if source is None:
            return np.zeros(len(recorded), dtype=bool)
        known, empty = np.isfinite(limit), ~np.isfinite(recorded)
        with np.errstate(invalid="ignore"):
            beyond = known & (sign * (recorded - limit) > 0)
            at = known & (recorded == limit)
            opposite = np.isfinite(other) & (sign * (recorded - other) <= 0) & ~at
        if flagged is not None:
            contradicts = flagged & known & ~empty & ~at & ~beyond & ~opposite
            side = "above" if sign > 0 else "below"
            refuse_rows(
                read, self.column, contradicts,
                f"are marked as censored {side} a limit that the recorded value lies on the other side of: correct one of them",
            )  # fmt: skip
            return flagged & known & (empty | at | beyond) & ~opposite
        refuse_rows(
            read, self.column, beyond,
            f"hold values {'above' if sign > 0 else 'below'} their limit ({_shown(source)}): blank them, record the limit "
            "itself, or give where= a column that says which values are censored",
        )  # fmt: skip
        return at | (empty & known) if isinstance(source, str) else at

    def _between(self, read: Reader, recorded: Floats, flagged: Mask | None) -> Interval:
        assert self.between is not None
        n = len(recorded)
        low, high = (_limits(limit, read, n) for limit in self.between)
        lower, upper = np.where(np.isfinite(low), low, -np.inf), np.where(np.isfinite(high), high, np.inf)
        stated = np.isfinite(low) | np.isfinite(high)
        censored = stated & ~np.isfinite(recorded) if flagged is None else flagged & stated
        text = f"{_shown(self.between[0])} and {_shown(self.between[1])}"
        refuse_rows(
            read, self.column, lower > upper, f"have a lower limit above the upper one ({text}): correct them"
        )
        refuse_rows(
            read, self.column, censored & (lower == upper) & np.logical_not(read.is_discrete(self.column)),
            f"have two equal limits ({text}): that is a value; write it into {self.column!r}",
        )  # fmt: skip
        with np.errstate(invalid="ignore"):
            outside = ~censored & stated & ((recorded < lower) | (recorded > upper))
        refuse_rows(
            read, self.column, outside, f"hold values outside of their limits ({text}): correct one of them"
        )
        if flagged is not None:
            refuse_rows(
                read, self.column, flagged & ~stated,
                f"are marked as censored by {self.where!r} and have no limit there: give one, or unmark them",
            )  # fmt: skip
        return Interval(
            np.where(censored, lower, -np.inf),
            np.where(censored, upper, np.inf),
            censored,
            censored & np.isfinite(recorded),
        )

    def to_dict(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        return {
            "kind": self.kind,
            "column": self.column,
            "below": self.below,
            "above": self.above,
            "between": list(self.between) if self.between is not None else None,
            "where": self.where,
            "event": self.event,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Censored:
        """Return what `to_dict` wrote."""
        return censored(plain["column"], **{k: v for k, v in plain.items() if k not in ("kind", "column")})


def _limits(limit: Limit, read: Reader, n: int) -> Floats:
    if limit is None:
        return np.full(n, np.nan)
    return read(limit) if isinstance(limit, str) else np.full(n, float(limit))


def _shown(limit: Limit) -> str:
    return limit if isinstance(limit, str) else f"{limit:g}"


def censored(
    column: str,
    *,
    below: str | float | None = None,
    above: str | float | None = None,
    between: tuple[str | float, str | float] | None = None,
    where: str | None = None,
    event: str | None = None,
) -> Censored:
    """Say that of some values of a column only limits are known.

    Parameters
    ----------
    column : str
        The variable. A recorded value that is a limit and not a value is drawn like a missing one; the column
        ``<column>_recorded`` of completed tables keeps what was recorded.
    below, above : str or float, optional
        Limit below (above) which a value was not told: a column with a limit for each row, or one number. A row is censored
        where the value is recorded as the limit itself, and, for limits in a column, where the value is missing and the
        limit is not. A missing value without a limit is plainly missing.
    between : pair of str or float, optional
        Columns of lower and upper limits; one that is missing is open. A row is censored where its value is missing and a
        limit is not.
    where : str, optional
        Column with 1 where a value is censored and 0 where it is not: it alone decides then, and `below` or `above` may be
        the column itself (the value recorded is the limit).
    event : str, optional
        Of survival times: column with 1 where the event was seen at the recorded time, 0 where it came later.

    Returns
    -------
    Censored
        To be given as ``Model(observations={"conc": censored("conc", below="lod")})``.

    Raises
    ------
    ModelError
        If no limit is given, or limits that exclude each other.

    Notes
    -----
    A row contributes the probability of its interval, F(upper) - F(lower) (Tobin 1958; Amemiya 1984). Limits of counts and
    ordered levels belong to their interval: ``below=4`` is at most 4. Censoring is taken as unrelated to the value beyond the
    limits.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.censored("conc", below="lod").words
    'below lod'
    >>> bmi.censored("time", event="died").words
    'above the recorded value where died is 0'
    """
    name = f"censored({column!r})"
    if not isinstance(column, str) or not column:
        raise ModelError(f"censored() needs the name of the censored column, not {column!r}")
    if event is not None and (
        below is not None or above is not None or between is not None or where is not None
    ):
        raise ModelError(
            f"{name}: event= says all of right censoring; leave below=, above=, between= and where= out"
        )
    if between is not None:
        if below is not None or above is not None:
            raise ModelError(f"{name}: give between= or below= and above=, not both")
        if isinstance(between, str) or len(tuple(between)) != 2:
            raise ModelError(f"{name}: between= is a pair, such as ('lower', 'upper'), not {between!r}")
        between = tuple(check_limit(name, "between", limit) for limit in between)  # type: ignore[assignment]
    elif event is None and below is None and above is None:
        raise ModelError(f"{name}: give below=, above=, between= or event=")
    below, above = check_limit(name, "below", below), check_limit(name, "above", above)
    for key, limit in (("below", below), ("above", above)):
        if limit == column and where is None:
            raise ModelError(
                f"{name}: {key}={column!r} is the column itself: say which values are limits, with where= a column of 0 and 1"
            )
    if isinstance(below, float) and isinstance(above, float) and not below < above:
        raise ModelError(f"{name}: below={below:g} must lie under above={above:g}")
    for key, text in (("where", where), ("event", event)):
        if text is not None and (not isinstance(text, str) or not text or text == column):
            raise ModelError(f"{name}: {key}= is a column of 0 and 1, not {text!r}")
    return Censored(column, below, above, between, where, event)
