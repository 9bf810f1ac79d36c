"""How messages name rows and near-misses, so that every error says the same thing the same way."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHOWN = 5


def name_rows(index: pd.Index, where: NDArray[np.bool_] | NDArray[np.intp], shown: int = SHOWN) -> str:
    """First rows by index label; by position when labels repeat, since a label would not identify a row."""
    positions = np.flatnonzero(where) if where.dtype == np.bool_ else where
    total = len(positions)
    first = positions[:shown]
    if index.is_unique:
        labels = [str(plain(index[int(i)])) for i in first]
        word = "row" if total == 1 else "rows"
    else:
        labels = [str(int(i)) for i in first]
        word = "row position" if total == 1 else "row positions"
    more = f" and {total - len(labels)} more" if total > len(labels) else ""
    return f"{word} {', '.join(labels)}{more}"


def list_some(items: Iterable[Any], shown: int = 6) -> str:
    """Quoted items in a row, cut short."""
    items = list(items)
    text = ", ".join(repr(plain(item)) for item in items[:shown])
    return text + (f", … ({len(items)} in all)" if len(items) > shown else "")


def did_you_mean(name: object, known: Sequence[str]) -> str:
    """Advice after an unknown name: the nearest known one, else all that are known."""
    close = difflib.get_close_matches(str(name), known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are {list_some(known, 12)}" if known else "there are none"


def unknown_name(said: str, names: Iterable[str], known: Sequence[str]) -> str:
    """Return a line about the first name that is not known, or nothing: "formulas['x'] names 'agee': did you mean 'age'?"."""
    for name in sorted(names):
        if name not in known:
            return f"{said} names {name!r}: {did_you_mean(name, known)}"
    return ""


def plain(value: Any) -> Any:
    """Return a numpy scalar as the Python one, so that messages and labels read 3 and not np.int64(3)."""
    return value.item() if isinstance(value, np.generic) else value


def short_number(value: float) -> str:
    """Return a number as one would write it: 3 rather than 3.0."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:g}"


def counted(n: int, noun: str) -> str:
    """'1 cell', '2 cells'."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
