"""What `complete()` was asked for: which tables, and in which of mice's forms."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.errors import DataError
from bayesmi.imputations import layouts
from bayesmi.imputations.layouts import Order, Table

__all__ = ["Wanted", "lay_out", "read_action"]

_SHAPES = ("all", "long", "stacked", "broad", "repeated")


@dataclass(frozen=True)
class Wanted:
    """Numbers of the tables (0 is the incomplete one), and the form they are laid out in."""

    numbers: tuple[int, ...]
    shape: str


def read_action(action: Any, m: int, *, include: bool, order: str) -> Wanted:
    """Read the arguments of `Imputations.complete`, or say in one line what there is to choose from."""
    if order not in ("last", "first"):
        raise DataError(f"order={order!r}: choose 'last' (mice 3.16 and later) or 'first'")
    choice = DataError(f"complete({action!r}): choose 0 … {m}, or one of {', '.join(_SHAPES)}")
    if isinstance(action, str):
        if action not in _SHAPES:
            raise choice
        return Wanted(tuple(range(0 if include else 1, m + 1)), action)
    try:
        several = np.ndim(action) > 0 or isinstance(action, Iterator)
        numbers = [operator.index(i) for i in (action if several else [action])]
    except TypeError:
        raise choice from None
    if isinstance(action, bool) or not numbers:
        raise choice
    for number in numbers:
        if not 0 <= number <= m:
            raise DataError(
                f"complete({number}): there are {m} imputations, 1 … {m} (0: the incomplete table)"
            )
    if include and 0 not in numbers:
        numbers.insert(0, 0)
    return Wanted(tuple(numbers), "stacked")


def lay_out(tables: Mapping[int, Table], wanted: Wanted, index: pd.Index, order: Order) -> Any:
    """Lay tables out in a form; the incomplete one takes the dtypes of the completed ones where it is stacked."""
    if wanted.shape == "all":
        return dict(tables)
    completed = next((table for number, table in tables.items() if number), None)
    if 0 in tables and completed is not None:
        tables = {**tables, 0: layouts.harmonize(tables[0], completed)}
    match wanted.shape:
        case "long":
            return layouts.long(tables, index, order)
        case "stacked":
            return layouts.stacked([tables[number] for number in wanted.numbers])
        case "broad":
            return layouts.broad(tables)
    return layouts.repeated(tables)
