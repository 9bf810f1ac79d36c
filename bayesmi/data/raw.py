"""One column as it was stored, before anybody decides what kind of variable it is."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Storage = Literal["float", "integer", "bool", "text", "category", "other"]

LARGEST_EXACT_INTEGER = 2**53


@dataclass(frozen=True, eq=False)
class RawColumn:
    """What both pandas and polars columns are read into.

    `numbers` for float, integer and bool storage (NaN where missing); `codes` (-1 where missing) and
    `labels` for text and categories, labels in sorted or declared order and only those that occur; neither
    for other storage, which is carried along untouched and described by `reason`.
    """

    name: str
    storage: Storage
    missing: NDArray[np.bool_]
    numbers: NDArray[np.float64] | None = None
    codes: NDArray[np.intp] | None = None
    labels: tuple[Hashable, ...] = ()
    has_order: bool = False
    is_ordered: bool = False
    empty_levels: tuple[Hashable, ...] = ()
    reason: str = ""
    notices: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Float, integer or bool storage."""
        return self.numbers is not None


def drop_empty_levels(
    codes: NDArray[np.intp], labels: tuple[Hashable, ...]
) -> tuple[NDArray[np.intp], tuple[Hashable, ...], tuple[Hashable, ...]]:
    """Codes over the levels that occur, those levels, and the levels that do not occur."""
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    used = counts > 0
    if used.all():
        return codes, labels, ()
    renumber = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.intp)
    kept = tuple(label for label, u in zip(labels, used, strict=True) if u)
    empty = tuple(label for label, u in zip(labels, used, strict=True) if not u)
    return renumber[codes], kept, empty


def too_large(numbers: NDArray[np.float64]) -> bool:
    """Whole numbers that float64 cannot hold one by one: identifiers, never measurements."""
    return bool(numbers.size) and bool(np.nanmax(np.abs(numbers), initial=0.0) > LARGEST_EXACT_INTEGER)
