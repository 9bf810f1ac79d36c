"""Deltas of imputations through mice's verbs: which they are, which rows they move, and the tables without them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import BayesmiNotice
from bayesmi.imputations import Imputations
from bayesmi.imputations.delta_after import moved_cells
from bayesmi.mechanism import Delta

__all__ = ["Shifts", "merge_deltas", "shifts_of"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shifts:
    """What imputations hold of their deltas: none where they have none.

    Parameters
    ----------
    tables
        The m completed tables without any delta.
    deltas
        By variable.
    moved
        By variable with a delta the rows that it is about, (n,).
    """

    tables: Sequence[Any]
    deltas: Mapping[str, Delta] = field(default_factory=dict)
    moved: Mapping[str, Mask] = field(default_factory=dict)


def shifts_of(thing: Any, tables: Sequence[Any]) -> Shifts:
    """Return the deltas of imputations, or of a plain table, whose completed tables are these."""
    if not isinstance(thing, Imputations):
        return Shifts(tables)
    draws: Any = thing._draws
    deltas: Mapping[str, Delta] = getattr(draws, "deltas", {})
    if not deltas:
        return Shifts(tables)
    before = [thing.frame.fill(draws.before(i), integer_valued=thing.integer_valued) for i in range(thing.m)]
    moved = {}
    for name in deltas:
        moved[name] = np.zeros(thing.frame.n_rows, dtype=bool)
        moved[name][thing.frame.columns[name].missing] = moved_cells(draws, thing.frame, name)
    return Shifts(before, deltas, moved)


def merge_deltas(verb: str, parts: Sequence[Shifts], *, same_rows: bool = False) -> dict[str, Delta]:
    """Return the deltas of imputations put together; a variable that is shifted in two ways has none, and that is said.

    Where the parts are of the same rows, no delta beside one is a second way too.
    """
    out: dict[str, Delta] = {}
    for name in dict.fromkeys(name for part in parts for name in part.deltas):
        found = [part.deltas.get(name) for part in parts if same_rows or name in part.deltas]
        if found[0] is not None and all(delta == found[0] for delta in found):
            out[name] = found[0]
            continue
        warnings.warn(
            f"{verb}: {name!r} has different deltas: realised_difference() says what each came to only before they are "
            "put together",
            BayesmiNotice,
            stacklevel=3,
        )
    return out
