"""Limits of values in the joint model: between which a missing value lies, and outside of which no row arrives.

A factor whose variable has limits knows them row by row from columns that are made for it, and says so (`Factor.limits`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import counted, name_rows
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families import Family
from bayesmi.families.interval import can_be_limited
from bayesmi.mechanism import Delta, Heckman
from bayesmi.model.table import ModelTable
from bayesmi.observation.limits import FrameReader, Limited, intervals_of, recorded_column
from bayesmi.observation.truncated import TruncatedRows

__all__ = [
    "ARRIVAL",
    "INTERVAL",
    "check_limits",
    "has_interval",
    "interval_at",
    "known_at",
    "limit_columns",
    "limit_kinds",
    "limit_notices",
    "plainly_missing",
    "with_limits",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
INTERVAL = ("lower", "upper")
ARRIVAL = ("arrives from", "arrives to")
_RESPONSE_ONLY = (
    "observations[{!r}]: truncated() is supported for the response of the analysis model, which is {!r}"
)


def limit_columns(name: str, which: tuple[str, str]) -> tuple[str, str]:
    """Names of the made columns with the limits of a variable."""
    return f"{which[0]}({name})", f"{which[1]}({name})"


def with_limits(table: ModelTable, limits: Mapping[str, Limited]) -> ModelTable:
    """Return the table with columns of limits, and stand-ins of variables that are mostly known by intervals.

    Raises
    ------
    ModelError
        If limits contradict each other or recorded values, or nothing arrives between them.
    """
    for name, limited in limits.items():
        column = table.frame.columns[name]
        if column.kind in ("nominal", "binary", "identifier"):
            raise ModelError(
                f"observations[{name!r}]: {name!r} is {column.kind}, and limits are for continuous, count and ordinal variables"
            )
        reader = FrameReader(table.frame, name)
        found = intervals_of(table.frame, limited)
        made: dict[str, tuple[Floats, str]] = {}
        first, last = np.full(table.n_rows, -np.inf), np.full(table.n_rows, np.inf)
        if limited.arrival is not None:
            if column.categories is not None or column.kind == "count":
                raise NotSupportedError(
                    f"observations[{name!r}]: truncated() is supported for continuous variables; {name!r} is {column.kind}"
                )
            first, last = limited.arrival.limits(reader)
            made |= {
                key: (ends, column.level)
                for key, ends in zip(limit_columns(name, ARRIVAL), (first, last), strict=True)
            }
        if found is not None:
            late = found.known & column.observed
            if late.any():
                raise ModelError(
                    f"observations[{name!r}] comes too late for an IncompleteFrame: {name_rows(table.frame.index, late)} hold "
                    "limits and not values; give the table itself to Model()"
                )
            known = found.known & table.unknown[name]
            lower, upper = reader.codes(found.lower, found.upper)
            lower = np.where(known, np.maximum(lower, first), -np.inf)
            upper = np.where(known, np.minimum(upper, last), np.inf)
            if column.level != "row":
                lower, upper = _in_group(lower, upper, table, column.level)
            empty = known & (lower > upper if reader.is_discrete(name) else lower >= upper)
            if column.categories is not None:
                empty |= known & _without_level(lower, upper, table.levels_of(name))
            if empty.any():
                better = (
                    f" or name the levels that nobody was seen with, kinds={{{name!r}: ('ordinal', [...])}}"
                    if column.categories is not None
                    else ""
                )
                raise ModelError(
                    f"observations[{name!r}]: no value lies between the limits of {name_rows(table.frame.index, empty)}: correct "
                    f"them{better}"
                )
            made |= {
                key: (ends, column.level)
                for key, ends in zip(limit_columns(name, INTERVAL), (lower, upper), strict=True)
            }
            table = _with_stand_ins(table, name, lower, upper)
        if limited.arrival is not None:
            made |= _where_rows_arrive(name, column.level, made, table)
        table = table.with_made(made)
    return table


def _where_rows_arrive(
    name: str, level: str, made: Mapping[str, tuple[Floats, str]], table: ModelTable
) -> dict[str, tuple[Floats, str]]:
    """Return limits of cells with those of arrival where they have none: what is plainly missing arrived too."""
    arrival = [made[key][0] for key in limit_columns(name, ARRIVAL)]
    unknown = table.unknown[name]
    if not (unknown & (np.isfinite(arrival[0]) | np.isfinite(arrival[1]))).any():
        return {}
    keys, meet = limit_columns(name, INTERVAL), (np.maximum, np.minimum)
    own = [
        made[key][0] if key in made else np.full(table.n_rows, end)
        for key, end in zip(keys, (-np.inf, np.inf), strict=True)
    ]
    return {
        key: (np.where(unknown, both(ends, first), ends), level)
        for key, ends, first, both in zip(keys, own, arrival, meet, strict=True)
    }


def _in_group(lower: Floats, upper: Floats, table: ModelTable, level: str) -> tuple[Floats, Floats]:
    """What all rows of a group say together."""
    codes = table.groupings[level].codes
    n = len(table.groupings[level].labels)
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(low, codes, lower)
    np.minimum.at(high, codes, upper)
    return low[codes], high[codes]


def _without_level(lower: Floats, upper: Floats, levels: Sequence[float]) -> Mask:
    """Where no level of the model lies between limits, (n,)."""
    codes = np.asarray(levels, dtype=float)
    return ~((codes >= lower[:, None]) & (codes <= upper[:, None])).any(axis=1)


def _with_stand_ins(table: ModelTable, name: str, lower: Floats, upper: Floats) -> ModelTable:
    """Take middles of intervals as rough values where there are more of them than values."""
    values = table.values[name]
    between = ~np.isfinite(values) & np.isfinite(lower) & np.isfinite(upper)
    seen = np.isfinite(values)
    if between.sum() > seen.sum():
        middle = 0.5 * (np.where(between, lower, 0.0) + np.where(between, upper, 0.0))
        return table.with_stand_ins({name: np.where(between, middle, values)})
    if len(np.unique(values[seen])) >= 2:
        return table
    one_sided = ~seen & (np.isfinite(lower) | np.isfinite(upper))
    ends = np.where(np.isfinite(lower), lower, upper)
    middle = np.where(between, 0.5 * (ends + np.where(between, upper, 0.0)), ends)
    return table.with_stand_ins({name: np.where(one_sided, middle, values)})


def limit_kinds(name: str, limited: Limited, table: ModelTable) -> tuple[tuple[str, str], ...]:
    """Which limits a variable's factor has to know."""
    kinds = []
    if limit_columns(name, INTERVAL)[0] in table.made:
        kinds.append(INTERVAL)
    if limited.arrival is not None:
        kinds.append(ARRIVAL)
    return tuple(kinds)


def has_interval(name: str, table: ModelTable) -> bool:
    """Whether some cells of a variable are known to lie between limits."""
    return bool(known_at(name, "row", table).any())


def known_at(name: str, level: str, table: ModelTable) -> Mask:
    """Return the units of which limits say more than that their rows arrive: that is an observation."""
    lower, upper, limited = interval_at(name, level, table)
    if limit_columns(name, ARRIVAL)[0] not in table.made:
        return limited
    first, last = (table.at(key, level) for key in limit_columns(name, ARRIVAL))
    return np.asarray(limited & ((lower > first) | (upper < last)))


def interval_at(name: str, level: str, table: ModelTable) -> tuple[Floats, Floats, Mask]:
    """Return lower and upper limits of a variable's units, those of arrival included, and where an unknown one has any."""
    n = len(table.rows_of_level(level))
    if limit_columns(name, INTERVAL)[0] not in table.made:
        return np.full(n, -np.inf), np.full(n, np.inf), np.zeros(n, dtype=bool)
    lower, upper = (table.at(key, level) for key in limit_columns(name, INTERVAL))
    limited = table.unknown_at(name, level) & (np.isfinite(lower) | np.isfinite(upper))
    return lower, upper, limited


def plainly_missing(name: str, table: ModelTable) -> Mask:
    """Return the rows in which nothing at all is known of a variable's value, (n,): missing, and without limits."""
    return np.asarray(table.unknown[name] & ~known_at(name, "row", table))


def check_limits(
    limits: Mapping[str, Limited],
    families: Mapping[str, Family],
    response: str,
    mechanisms: Mapping[str, Any],
    measured: Collection[str],
    table: ModelTable,
) -> None:
    """Refuse limits that the model cannot have.

    Raises
    ------
    ModelError, NotSupportedError
        If a variable with limits has no factor or a mechanism other than a delta, or is truncated and not the response.
    """
    for name, limited in limits.items():
        if name not in families and not table.is_incomplete(name):
            if limited.arrival is not None and name != response:
                raise NotSupportedError(_RESPONSE_ONLY.format(name, response))
            continue  # nothing is limited in these rows
        if name not in families:
            raise ModelError(
                f"observations[{name!r}]: {name!r} has no model; limits are for the response, for variables of the formula "
                "and for auxiliary ones"
            )
        if name in measured:
            raise NotSupportedError(
                f"observations[{name!r}]: limits and measurements of one variable are not supported together"
            )
        if name in mechanisms:
            _check_beside(name, limited, mechanisms[name], table)
        if limited.arrival is not None and name != response:
            raise NotSupportedError(_RESPONSE_ONLY.format(name, response))
        if not families[name].is_discrete and not can_be_limited(families[name]):
            raise NotSupportedError(
                f"observations[{name!r}]: limits are not supported for the family {families[name].name!r}"
            )
        _check_support(name, families[name], table)


def _check_support(name: str, family: Family, table: ModelTable) -> None:
    """Refuse limits between which a family has no values: the density would be zero."""
    if family.has_levels:
        return
    low, high = (0.0, np.inf) if family.is_discrete else family.support[:2]
    lower, upper, known = interval_at(name, "row", table)
    if family.is_discrete:  # whole numbers from zero up
        ends = np.floor(upper) < np.maximum(np.ceil(lower), low)
    else:
        ends = (upper <= low) | (lower >= high)
    if (known & ends).any():
        raise ModelError(
            f"observations[{name!r}]: no {family.name} value ({low:g} to {high:g}) lies between the limits of "
            f"{name_rows(table.frame.index, known & ends)}: correct them, or choose another family"
        )


def _check_beside(name: str, limited: Limited, mechanism: Any, table: ModelTable) -> None:
    """Refuse a mechanism of a variable with limits, but a delta, which moves cells without limits."""
    label = f"observations[{name!r}] beside mechanisms[{name!r}]"
    if isinstance(mechanism, Heckman):
        raise NotSupportedError(
            f"{label}: a value known by limits is neither seen nor not seen by the selection equation of Heckman(); the nearest "
            "that is supported: a Delta, or Heckman() with the limits of other variables"
        )
    if not isinstance(mechanism, Delta):
        raise NotSupportedError(
            f"{label}: whether a value known by limits counts as missing in {type(mechanism).__name__}() is not said; the "
            "nearest that is supported: a Delta, or the mechanism with the limits of other variables"
        )
    if limited.arrival is not None:
        raise NotSupportedError(
            f"{label}: rows of {name!r} arrive between limits only, which shifted values would leave; the nearest that is "
            "supported: a Delta beside censored() or rounded()"
        )
    if not plainly_missing(name, table).any():
        raise ModelError(
            f"{label}: every missing value of {name!r} is known by limits, which a shift would leave: there is nothing to shift"
        )


def limit_notices(limits: Mapping[str, Limited], table: ModelTable) -> tuple[str, ...]:
    """Say how many cells are known by limits only, and which are plainly missing."""
    lines = []
    for name, limited in limits.items():
        lines += [] if limited.arrival is None else _open_notices(limited.arrival, table)
        if limited.interval is None:
            continue
        lower, upper, _ = interval_at(name, "row", table)
        known = known_at(name, "row", table)
        plain = int((table.unknown[name] & ~known).sum())
        counts = [
            (int((known & ~np.isfinite(lower)).sum()), "below a limit"),
            (int((known & ~np.isfinite(upper)).sum()), "above a limit"),
            (int((known & np.isfinite(lower) & np.isfinite(upper)).sum()), "between limits"),
        ]
        text = ", ".join(f"{counted(n, 'value')} {what}" for n, what in counts if n) or "no value is limited"
        if plain:
            text += (
                f"; {counted(plain, 'cell')} without limits {'is' if plain == 1 else 'are'} plainly missing"
            )
        if recorded_column(name) in table.frame.columns:
            text += f"; {recorded_column(name)!r} keeps what was recorded"
        lines.append(f"{name!r}: {text}")
    return tuple(lines)


def _open_notices(arrival: TruncatedRows, table: ModelTable) -> list[str]:
    """Say in how many rows a column of limits is empty, which leaves that side open."""
    lines = []
    for column, side in ((arrival.below, "low"), (arrival.above, "high")):
        if not isinstance(column, str):
            continue
        empty = int((~np.isfinite(table.frame.columns[column].values)).sum())
        if empty:
            lines.append(
                f"{column!r} is empty in {counted(empty, 'row')}: {'it' if empty == 1 else 'they'} could have arrived with "
                f"any {side} value of {arrival.column!r}"
            )
    return lines
