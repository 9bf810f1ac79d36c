"""`observations=` of variables that stand in the table themselves: censored, rounded, truncated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError, ModelError
from bayesmi.observation.censored import Censored
from bayesmi.observation.interval import Interval
from bayesmi.observation.rounded import Rounded
from bayesmi.observation.truncated import TruncatedRows

__all__ = [
    "FrameReader",
    "Limited",
    "is_limit",
    "kinds_of_limited",
    "read_limits",
    "recorded_column",
    "split_observations",
    "with_recorded",
]

Floats = NDArray[np.float64]
_KINDS: dict[str, Any] = {one.kind: one for one in (Censored, Rounded, TruncatedRows)}


def recorded_column(name: str) -> str:
    """Name of the column that keeps what was recorded of a variable."""
    return f"{name}_recorded"


@dataclass(frozen=True)
class Limited:
    """What is known of a variable beside its values."""

    variable: str
    interval: Censored | Rounded | None
    arrival: TruncatedRows | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that it needs beside its own."""
        parts = [one for one in (self.interval, self.arrival) if one is not None]
        return tuple(dict.fromkeys(name for one in parts for name in one.columns))

    @property
    def words(self) -> str:
        """How it reads in the printout of a model."""
        kinds = {"censored": "censored ", "rounded": "", "truncated": ""}
        return "; ".join(
            kinds[one.kind] + one.words for one in (self.interval, self.arrival) if one is not None
        )

    def to_plain(self) -> list[dict[str, Any]]:
        """Return it as plain data."""
        return [dict(one.to_dict()) for one in (self.interval, self.arrival) if one is not None]


def is_limit(given: Any) -> bool:
    """Whether a value of `observations=` speaks of a column that is in the table, and not of a new variable."""
    if isinstance(given, Mapping):
        return given.get("kind") in _KINDS
    if isinstance(given, list | tuple):
        return bool(given) and all(is_limit(one) for one in given)
    return isinstance(given, Censored | Rounded | TruncatedRows)


def split_observations(
    given: Mapping[str, Any] | None, columns: Collection[str]
) -> tuple[dict[str, Limited], Mapping[str, Any] | None]:
    """Read what `observations=` says of columns that are in the table, and leave the rest of it."""
    if not isinstance(given, Mapping):
        return {}, given
    own = {name: value for name, value in given.items() if is_limit(value)}
    rest = {name: value for name, value in given.items() if name not in own}
    return read_limits(own, columns), rest


def read_limits(given: Mapping[str, Any], columns: Collection[str]) -> dict[str, Limited]:
    """Read ``{"conc": censored("conc", below="lod")}``.

    Raises
    ------
    ModelError
        If a column is not in the table, the key is another one than the column's, or a variable is said to be censored twice.
    """
    out: dict[str, Limited] = {}
    for name, value in given.items():
        several = list(value) if isinstance(value, list | tuple) else [value]
        parts = [_KINDS[one["kind"]].from_dict(one) if isinstance(one, Mapping) else one for one in several]
        for one in parts:
            if one.column != name:
                raise ModelError(
                    f"observations[{name!r}]: {one.kind}({one.column!r}) is about {one.column!r}: the key is the column itself"
                )
        limited = Limited(
            name,
            _only(
                name, [one for one in parts if not isinstance(one, TruncatedRows)], "censored() or rounded()"
            ),
            _only(name, [one for one in parts if isinstance(one, TruncatedRows)], "truncated()"),
        )
        for column in (name, *limited.columns):
            if column not in columns:
                raise ModelError(
                    f"observations[{name!r}] names {column!r}, which is not a column of the table: "
                    f"{did_you_mean(column, list(columns))}"
                )
        out[name] = limited
    return out


def _only(name: str, parts: list[Any], what: str) -> Any:
    if len(parts) > 1:
        raise ModelError(f"observations[{name!r}] has {what} twice: put all limits into one")
    return parts[0] if parts else None


@dataclass(frozen=True)
class FrameReader:
    """Numbers of the columns of a table; levels of an ordinal variable and of its limits as their codes or numbers."""

    frame: IncompleteFrame
    of: str

    @property
    def index(self) -> pd.Index:
        """Row labels."""
        return self.frame.index

    def __call__(self, name: str) -> Floats:
        """Return a column as numbers, (n,), NaN where missing; what was recorded, of one that was blanked.

        Raises
        ------
        ModelError
            If it holds no numbers, or labels that are no levels of the variable.
        """
        kept = recorded_column(name)
        column = self.frame.columns[kept if name == self.of and kept in self.frame.columns else name]
        values = np.where(column.observed, column.values, np.nan)
        if column.kind == "identifier":
            labels = column.categories or [str(one) for one in self.frame.original()[name]]
            raise ModelError(self._no_numbers(name, labels))
        if column.categories is None:
            return values
        known = np.isfinite(values)
        codes = values[known].astype(np.intp)
        numbers = _numbers(column.categories)
        if numbers is not None:
            values[known] = numbers[codes]
            return values
        levels = self.frame.columns[self.of].categories
        if column.kind in ("nominal", "identifier") and self.frame.columns[self.of].kind != "ordinal":
            raise ModelError(self._no_numbers(name, column.categories))
        if levels is None or not set(column.categories) <= set(levels):
            raise ModelError(
                f"observations[{self.of!r}]: {name!r} holds labels that are no levels of {self.of!r}"
            )
        values[known] = np.array([float(levels.index(label)) for label in column.categories])[codes]
        return values

    def _no_numbers(self, name: str, labels: Collection[Any]) -> str:
        marked = next((label for label in labels if str(label).strip()[:1] in "<>"), None)
        if marked is None:
            return f"observations[{self.of!r}]: column {name!r} holds text ({next(iter(labels))!r}), and limits need numbers"
        return (
            f"observations[{self.of!r}]: column {name!r} holds text such as {marked!r}: make it two columns, the number "
            f"(data[{name!r}].str.lstrip('<>').astype(float)) and whether it is a limit (data[{name!r}].str.startswith('<')), "
            f"and say censored({name!r}, below={name!r}, where='is_limit')"
        )

    def is_discrete(self, name: str) -> bool:
        """Whether a column has levels or counts."""
        column = self.frame.columns[name]
        return column.categories is not None or column.kind == "count"

    def codes(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """Return limits of a variable with numbers as levels as limits of its codes."""
        categories = self.frame.columns[self.of].categories
        numbers = _numbers(categories) if categories is not None else None
        if numbers is None:
            return lower, upper
        low, high = np.searchsorted(numbers, lower), np.searchsorted(numbers, upper, side="right") - 1
        return (
            np.where(np.isfinite(lower), low, lower).astype(float),
            np.where(np.isfinite(upper), high, upper).astype(float),
        )


def _numbers(categories: Collection[Any]) -> Floats | None:
    """The labels as increasing numbers, None where they are not."""
    if not all(isinstance(label, bool | int | float | np.integer | np.floating) for label in categories):
        return None
    numbers = np.array([float(label) for label in categories])
    return numbers if (np.diff(numbers) > 0).all() else None


def intervals_of(frame: IncompleteFrame, limited: Limited) -> Interval | None:
    """Return the limits of each row on the scale of the column's values, None of a variable that is truncated only."""
    if limited.interval is None:
        return None
    return limited.interval.intervals(FrameReader(frame, limited.variable))


def with_recorded(data: Any, limits: Mapping[str, Limited], kinds: Mapping[str, Any] | None = None) -> Any:
    """Return the table with recorded limits in columns of their own, and empty cells in their places.

    Raises
    ------
    ModelError
        If limits contradict each other, or such a column exists.
    """
    for name, limited in limits.items():
        needed = [name, *limited.columns]
        kept = recorded_column(name)
        present = [str(column) for column in data.columns]
        if kept in present:
            needed.append(kept)
        chosen = data.select(needed) if _is_polars(data) else data[needed]
        own_kinds = {key: kind for key, kind in (kinds or {}).items() if key in needed}
        try:
            frame = IncompleteFrame.from_table(chosen, kinds=own_kinds or None)
        except DataError as problem:
            if "infinite" in str(problem):
                raise ModelError(
                    f"observations[{name!r}]: {problem}; an open side of a limit is an empty cell"
                ) from None
            raise
        found = intervals_of(frame, limited)
        if found is None or not found.blanked.any():
            continue
        still = found.blanked & frame.columns[name].observed
        if kept in present:
            if still.any():
                raise ModelError(
                    f"observations[{name!r}] keeps what was recorded in the column {kept!r}, and there is one: rename it"
                )
            continue
        data = _blanked(data, name, kept, found.blanked)
    return data


def kinds_of_limited(data: Any, limits: Mapping[str, Limited]) -> dict[str, str]:
    """Return the kind of numeric variables of which at most two values are left once limits are taken out: continuous."""
    out = {}
    for name in limits:
        if recorded_column(name) not in [str(column) for column in data.columns]:
            continue
        chosen = data.select([name]) if _is_polars(data) else data[[name]]
        column = IncompleteFrame.from_table(chosen).columns[name]
        if column.categories is None and len(np.unique(column.values[column.observed])) <= 2:
            out[name] = "continuous"
    return out


def _is_polars(data: Any) -> bool:
    return type(data).__module__.startswith("polars")


def _blanked(data: Any, name: str, kept: str, blanked: NDArray[np.bool_]) -> Any:
    if _is_polars(data):
        import polars as pl

        own = pl.when(pl.Series(~blanked)).then(pl.col(name)).otherwise(None)
        return data.with_columns(pl.col(name).alias(kept), own.alias(name))
    data = data.assign(**{kept: data[name]})
    return data.assign(**{name: data[name].where(~blanked)})
