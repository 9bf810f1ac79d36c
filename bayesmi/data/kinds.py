"""What kind of variable a column is: found from dtype and values, overridable, never guessed beyond that."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.raw import RawColumn
from bayesmi.data.wording import did_you_mean, list_some, plain, short_number
from bayesmi.errors import DataError


class Kind(StrEnum):
    """The six kinds of column.

    Notes
    -----
    Numeric columns with exactly two distinct observed values are binary, other numeric columns continuous.
    Counts, ordinal and nominal numbers are never guessed: they come from the dtype or from ``kinds=``.

    Examples
    --------
    >>> from bayesmi.data import Kind
    >>> Kind("binary") is Kind.BINARY
    True
    """

    CONTINUOUS = "continuous"
    COUNT = "count"
    BINARY = "binary"
    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, eq=False)
class Coding:
    """A column as numbers: kind, values (NaN = not observed), labels of codes, numbers of a binary."""

    kind: Kind
    values: NDArray[np.float64]
    categories: tuple[Hashable, ...] | None = None
    support: tuple[float, ...] | None = None
    is_named: bool = False


@dataclass(frozen=True)
class Wanted:
    """What a column is to be: its kind and, if these are said, its levels in order, whether they occur or not."""

    kind: Kind
    levels: tuple[Hashable, ...] | None = None

    @property
    def plain(self) -> Any:
        """The same as plain data, as a model file holds it: a word, or a word and a list of levels."""
        return str(self.kind) if self.levels is None else [str(self.kind), list(self.levels)]


def parse_kind(column: str, given: object) -> Wanted:
    """Read a kind by its word, or ``(word, levels)``.

    Raises
    ------
    DataError
        If the word is no kind, with the words listed; if levels are given to a kind that has none, fewer than two, or twice.
    """
    levels: tuple[Hashable, ...] | None = None
    kind = given
    if isinstance(given, tuple | list):
        if len(given) != 2 or isinstance(given[1], str) or not isinstance(given[1], Iterable):
            raise DataError(
                f"kinds={{{column!r}: {given!r}}}: a kind, or a kind with its levels, such as ('ordinal', range(1, 6))"
            )
        kind, levels = given[0], tuple(plain(level) for level in given[1])
    try:
        found = Kind(str(kind))
    except ValueError:
        words = [k.value for k in Kind]
        raise DataError(f"kinds={{{column!r}: {kind!r}}} is no kind: {did_you_mean(kind, words)}") from None
    if levels is not None:
        if found not in (Kind.ORDINAL, Kind.NOMINAL):
            raise DataError(
                f"kinds={{{column!r}: …}}: levels are said of ordinal and nominal columns, not of {found} ones"
            )
        if len(levels) < 2 or len(set(levels)) < len(levels):
            raise DataError(
                f"kinds={{{column!r}: …}}: two or more levels, each once, not {list_some(levels)}"
            )
    return Wanted(found, levels)


def code_column(raw: RawColumn, given: Wanted | None) -> Coding:
    """Return the coding of a column: the wanted kind where it is possible, else the kind that is found."""
    if given is None or given.levels is None:
        return _code(raw, given.kind if given is not None else None)
    ordered = replace(raw, has_order=True)  # the levels are given in their order
    coding = _code(ordered, given.kind)
    assert coding.categories is not None
    place = {level: code for code, level in enumerate(given.levels)}
    unknown = [level for level in coding.categories if level not in place]
    if unknown:
        raise DataError(
            f"column {raw.name!r} holds {list_some(unknown)}, not among the levels that kinds= gives ({list_some(given.levels)})"
        )
    if raw.storage == "category":
        undeclared = [level for level in given.levels if level not in (*raw.labels, *raw.empty_levels)]
        if undeclared:
            raise DataError(
                f"column {raw.name!r}: {list_some(undeclared)} are no categories of its dtype: use .cat.add_categories()"
            )
    codes = np.array([place[level] for level in coding.categories], dtype=np.float64)
    values = np.full(len(coding.values), np.nan)
    known = ~np.isnan(coding.values)
    values[known] = codes[coding.values[known].astype(np.intp)]
    return replace(coding, values=values, categories=given.levels, is_named=True)


def _code(raw: RawColumn, wanted: Kind | None) -> Coding:
    if wanted is Kind.IDENTIFIER:
        return _untouched(raw)
    if raw.storage == "other":
        if wanted is None:
            return _untouched(raw)
        raise _impossible(raw, wanted, f"it {raw.reason}; only 'identifier' is possible")
    if raw.is_number:
        return _code_number(raw, wanted)
    return _code_labels(raw, wanted)


def _untouched(raw: RawColumn) -> Coding:
    """Leave an identifier without numbers."""
    return Coding(Kind.IDENTIFIER, np.full(len(raw.missing), np.nan))


def _code_number(raw: RawColumn, wanted: Kind | None) -> Coding:
    """Numbers stay numbers, unless they are wanted as nominal or ordinal levels."""
    assert raw.numbers is not None
    values = raw.numbers
    if raw.storage == "bool":
        if wanted not in (None, Kind.BINARY):
            raise _impossible(raw, wanted, "it holds booleans; make it numbers first: astype('Int64')")
        return Coding(Kind.BINARY, values, support=(0.0, 1.0))
    observed = values[~raw.missing]
    support = two_values(observed)
    if wanted is None:
        kind = Kind.CONTINUOUS if support is None else Kind.BINARY
        return Coding(kind, values, support=support)
    if wanted is Kind.BINARY:
        if support is None:
            n = len(np.unique(observed))
            raise _impossible(raw, wanted, f"binary needs exactly two distinct observed values, it has {n}")
        return Coding(wanted, values, support=support)
    if wanted is Kind.COUNT:
        wrong = observed[(observed < 0) | (observed != np.floor(observed))]
        if len(wrong):
            reason = f"counts are whole numbers from 0 up and it holds {short_number(wrong[0])}"
            raise _impossible(raw, wanted, reason)
        return Coding(wanted, values)
    if wanted is Kind.CONTINUOUS:
        return Coding(wanted, values)
    return _levels_of_numbers(raw, wanted, observed)


def _levels_of_numbers(raw: RawColumn, wanted: Kind, observed: NDArray[np.float64]) -> Coding:
    """Nominal and ordinal numbers: codes over the sorted distinct values."""
    assert raw.numbers is not None
    distinct = np.unique(observed)
    codes = np.full(len(raw.numbers), np.nan)
    codes[~raw.missing] = np.searchsorted(distinct, observed)
    categories = tuple(int(v) if float(v).is_integer() else float(v) for v in distinct)
    return Coding(wanted, codes, categories=categories)


def _code_labels(raw: RawColumn, wanted: Kind | None) -> Coding:
    """Text and categories become codes; text whose values all differ is an identifier."""
    assert raw.codes is not None
    n_levels = len(raw.labels)
    if wanted is None:
        n_observed = int((~raw.missing).sum())
        if raw.storage == "text" and n_levels == n_observed and n_observed > 2:
            return _untouched(raw)
        if n_levels == 2:
            kind = Kind.BINARY
        else:
            kind = Kind.ORDINAL if raw.is_ordered else Kind.NOMINAL
    else:
        kind = wanted
        if kind in (Kind.CONTINUOUS, Kind.COUNT):
            raise _impossible(raw, kind, f"it holds labels ({list_some(raw.labels, 3)}), not numbers")
        if kind is Kind.BINARY and n_levels != 2:
            raise _impossible(raw, kind, f"binary needs exactly two observed levels, it has {n_levels}")
        if kind is Kind.ORDINAL and not raw.has_order:
            reason = "its labels have no order; say it: pd.Categorical(x, categories=[...], ordered=True)"
            raise _impossible(raw, kind, reason)
    codes = raw.codes.astype(np.float64)
    codes[raw.missing] = np.nan
    return Coding(kind, codes, categories=raw.labels)


def two_values(observed: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the two distinct values when there are exactly two; linear time, no sort."""
    if len(observed) < 2:
        return None
    low, high = float(observed.min()), float(observed.max())
    if low == high or not ((observed == low) | (observed == high)).all():
        return None
    return low + 0.0, high + 0.0


def _impossible(raw: RawColumn, wanted: Kind | None, reason: str) -> DataError:
    """One wording for every kind that a column cannot be."""
    return DataError(f"column {raw.name!r} cannot be {wanted}: {reason}")
