"""What is to be made missing: patterns, frequencies, weights, types and odds, checked and in one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesmi.ampute.probabilities import TYPES, Type
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError

__all__ = ["Plan", "read_plan", "read_prop"]

Floats = NDArray[np.float64]
_KNOWN: dict[str, Type] = {word: word for word in TYPES}


@dataclass(frozen=True, eq=False)
class Plan:
    """Patterns (k, p) with 0 = missing, and what belongs to each; `weights` and `odds` are None under MCAR."""

    patterns: NDArray[np.int64]
    freq: Floats
    prop: float
    weights: Floats | None
    types: tuple[Type, ...]
    odds: Floats | None
    notices: tuple[str, ...] = ()


def read_prop(prop: float) -> float:
    """Proportion from 0 to 1; from 1 up to 100 it is a percentage, as in mice."""
    if isinstance(prop, bool) or not isinstance(prop, int | float | np.number) or not 0 <= prop <= 100:
        raise DataError(f"prop = {prop!r}: give a proportion from 0 to 1, or a percentage up to 100")
    return float(prop) / 100 if prop > 1 else float(prop)


def read_plan(
    names: list[str],
    prop: float,
    patterns: Any,
    freq: Sequence[float] | None,
    mech: str,
    weights: ArrayLike | pd.DataFrame | None,
    types: str | Sequence[str] | None,
    odds: ArrayLike | None,
    bycases: bool,
) -> Plan:
    """Check the arguments of `ampute` and put them into one form."""
    matrix = _patterns(patterns, names)
    k = len(matrix)
    shares, notices = _freq(freq, k)
    plan = Plan(
        matrix,
        shares,
        read_prop(prop),
        _weights(weights, mech, matrix, names),
        _types(types, k),
        _odds(odds, k),
        notices,
    )
    full = matrix.all(axis=1)
    if full.all():
        raise DataError("every pattern is complete: put a 0 where a variable is to be missing")
    if full.any():
        plan = _without_complete(plan, full)
    if mech == "MAR" and (plan.patterns == 0).all(axis=1).any():
        number = int(np.flatnonzero((plan.patterns == 0).all(axis=1))[0]) + 1
        raise DataError(
            f"pattern {number} makes every variable missing: under MAR nothing is left that missingness could depend on; "
            "use MCAR or MNAR"
        )
    if not bycases:
        plan = replace(plan, prop=_prop_of_cases(plan))
    if mech == "MAR" and plan.weights is not None:
        wrong = np.argwhere((plan.weights != 0) & (plan.patterns == 0))
        if len(wrong):
            i, j = wrong[0]
            line = f"pattern {i + 1} has a weight on {names[j]!r}, which it makes missing: that is MNAR, whatever mech= says"
            plan = replace(plan, notices=(*plan.notices, line))
    return plan


def _patterns(given: Any, names: list[str]) -> NDArray[np.int64]:
    """Shape (k, p); one pattern for each variable by default."""
    p = len(names)
    if given is None:
        return (1 - np.eye(p)).astype(np.int64)
    if isinstance(given, pd.DataFrame):
        return _zeros_and_ones(_by_name("patterns", given, names))
    rows = list(given)
    if rows and all(not isinstance(row, str) and _all_text(row) for row in rows):
        return np.array([_from_names(row, names) for row in rows], dtype=np.int64)
    if rows and all(isinstance(row, str) for row in rows):
        return np.array([_from_names(rows, names)], dtype=np.int64)
    return _zeros_and_ones(_shaped("patterns", given, p))


def _all_text(row: Any) -> bool:
    """Whether a pattern is given by the names of its missing variables."""
    items = list(row) if isinstance(row, Sequence | set | frozenset) else []
    return bool(items) and all(isinstance(item, str) for item in items)


def _from_names(missing: Any, names: list[str]) -> list[int]:
    """Zeros at the named variables."""
    for name in missing:
        if name not in names:
            raise DataError(f"patterns= names {name!r}, no column of the table: {did_you_mean(name, names)}")
    return [0 if name in missing else 1 for name in names]


def _shaped(argument: str, given: Any, p: int) -> Floats:
    """Shape (k, p); a flat sequence is read row by row."""
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{argument}= must hold numbers, one row for each pattern and one column for each of {p}"
        ) from None
    if numbers.ndim == 1 and numbers.size and numbers.size % p == 0:
        numbers = numbers.reshape(-1, p)
    if numbers.ndim != 2 or numbers.shape[1] != p or not len(numbers):
        raise DataError(
            f"{argument}= has shape {numbers.shape}: give one row for each pattern and {p} columns"
        )
    return numbers


def _by_name(argument: str, given: pd.DataFrame, names: list[str]) -> Floats:
    """Columns in the order of the table."""
    if set(given.columns) != set(names):
        raise DataError(f"{argument}= is a table whose columns are not those of the data")
    return _shaped(argument, given[names].to_numpy(), len(names))


def _zeros_and_ones(numbers: Floats) -> NDArray[np.int64]:
    """Refuse anything but 0 (missing) and 1 (observed)."""
    wrong = np.argwhere((numbers != 0) & (numbers != 1))
    if len(wrong):
        raise DataError(
            f"patterns= holds {numbers[tuple(wrong[0])]:g} in pattern {wrong[0][0] + 1}: 0 is missing, 1 observed"
        )
    return numbers.astype(np.int64)


def _freq(given: Sequence[float] | None, k: int) -> tuple[Floats, tuple[str, ...]]:
    """Relative frequencies that add up to one."""
    if given is None:
        return np.full(k, 1 / k), ()
    shares = np.asarray(given, dtype=np.float64)
    if shares.shape != (k,):
        raise DataError(f"freq= has shape {shares.shape}: give one number for each of the {k} patterns")
    if not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise DataError("freq= must hold numbers from 0 up, not all 0")
    total = float(shares.sum())
    line = f"freq= adds up to {total:g} and is divided by it"
    return shares / total, () if abs(total - 1) < 1e-6 else (line,)


def _weights(
    given: ArrayLike | pd.DataFrame | None, mech: str, patterns: NDArray[np.int64], names: list[str]
) -> Floats | None:
    """By default 1 on what stays observed (MAR), or on what is made missing (MNAR)."""
    if mech == "MCAR":
        if given is not None:
            raise DataError(
                "weights= say what missingness depends on, and under MCAR it depends on nothing: leave them out"
            )
        return None
    if given is None:
        return (patterns == (1 if mech == "MAR" else 0)).astype(np.float64)
    numbers = (
        _by_name("weights", given, names)
        if isinstance(given, pd.DataFrame)
        else _shaped("weights", given, len(names))
    )
    if len(numbers) != len(patterns):
        raise DataError(f"weights= has {len(numbers)} rows for {len(patterns)} patterns")
    if not np.isfinite(numbers).all():
        raise DataError("weights= must be finite")
    return numbers


def _types(given: str | Sequence[str] | None, k: int) -> tuple[Type, ...]:
    """One for each pattern."""
    if given is None:
        return tuple([_KNOWN["RIGHT"]] * k)
    words = [given] * k if isinstance(given, str) else list(given)
    words = [str(word).upper() for word in (words * k if len(words) == 1 else words)]
    for word in words:
        if word not in _KNOWN:
            raise DataError(f"type {word!r} is not known: {did_you_mean(word, list(TYPES))}")
    if len(words) != k:
        raise DataError(f"type= has {len(words)} entries for {k} patterns: give one, or one for each")
    return tuple(_KNOWN[word] for word in words)


def _odds(given: ArrayLike | None, k: int) -> Floats | None:
    """Shape (k, groups), NaN where a pattern has fewer groups; one row stands for all patterns."""
    if given is None:
        return None
    numbers = np.atleast_2d(np.asarray(given, dtype=np.float64))
    if len(numbers) == 1:
        numbers = np.repeat(numbers, k, axis=0)
    if numbers.ndim != 2 or len(numbers) != k:
        raise DataError(
            f"odds= has shape {numbers.shape}: give one row of odds, or one for each of the {k} patterns"
        )
    if (numbers < 0).any() or (np.nansum(numbers, axis=1) <= 0).any():
        raise DataError("odds= must be numbers from 0 up, in each pattern one above 0")
    return numbers


def _without_complete(plan: Plan, full: NDArray[np.bool_]) -> Plan:
    """Rows of complete patterns stay complete: the others share a smaller proportion."""
    lost = float(plan.freq[full].sum())
    kept = ~full
    if lost >= 1:
        raise DataError("freq= gives all rows to complete patterns: nothing would be missing")
    prop = plan.prop * (1 - lost)
    line = f"complete patterns take {lost:g} of the rows: the proportion of incomplete rows becomes {prop:g}"
    return Plan(
        plan.patterns[kept],
        plan.freq[kept] / (1 - lost),
        prop,
        None if plan.weights is None else plan.weights[kept],
        tuple(t for t, keep in zip(plan.types, kept, strict=True) if keep),
        None if plan.odds is None else plan.odds[kept],
        (*plan.notices, line),
    )


def _prop_of_cases(plan: Plan) -> float:
    """Proportion of incomplete rows that gives the proportion of missing cells."""
    p = plan.patterns.shape[1]
    per_row = float(plan.freq @ (p - plan.patterns.sum(axis=1)))
    prop = plan.prop * p / per_row
    if prop > 1:
        raise DataError(
            f"{plan.prop:.0%} of the cells cannot be missing: these patterns make {per_row:g} of {p} cells of a row missing, "
            f"that is at most {per_row / p:.1%}"
        )
    return prop
