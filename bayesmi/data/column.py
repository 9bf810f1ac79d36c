"""One column as the model sees it: numbers, masks, kind and level."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.kinds import Kind, Wanted


@dataclass(frozen=True, eq=False)
class Column:
    """A column of an incomplete table.

    Parameters
    ----------
    name
        The column's name.
    kind
        Continuous, count, binary, nominal, ordinal or identifier.
    level
        ``"row"``, or the grouping within which the column is constant, for example ``"school"``.
    values
        Shape (n,), read-only. Numbers as they are; codes 0 … K-1 for categories; NaN where missing or absent.
        All NaN for identifiers, which are carried along and never modelled.
    missing
        Shape (n,). The cells to impute.
    absent
        Shape (n,). Cells that do not apply and cells outside ``where=``: never imputed, in no factor.
    categories
        Labels of the codes; None for numbers and booleans.
    support
        The two numbers of a numeric binary column, such as (0.0, 1.0) or (1.0, 2.0).
    is_named
        Whether ``kinds=`` names the levels, so that those that never occur are possible too.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmi.data import IncompleteFrame
    >>> frame = IncompleteFrame.from_table(pd.DataFrame({"smokes": ["yes", None, "no", "no"]}))
    >>> frame.columns["smokes"]
    Column('smokes', binary, level 'row', 3 observed, 1 missing, categories 'no', 'yes')
    """

    name: str
    kind: Kind
    level: str
    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    categories: tuple[Hashable, ...] | None = None
    support: tuple[float, ...] | None = None
    is_named: bool = False

    def __post_init__(self) -> None:
        for field in ("values", "missing", "absent"):
            array = getattr(self, field).view()
            array.flags.writeable = False
            object.__setattr__(self, field, array)

    @property
    def is_numeric(self) -> bool:
        """Whether it enters formulas as the number (booleans as 0 and 1)."""
        return self.categories is None and self.kind is not Kind.IDENTIFIER

    @property
    def is_constant(self) -> bool:
        """Whether no two observed values differ."""
        seen = self.values[self.observed]
        return not seen.size or bool(np.ptp(seen) == 0)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Shape (n,). Cells that are neither missing nor absent."""
        return ~(self.missing | self.absent)

    @property
    def plain_kind(self) -> Any:
        """What ``kinds=`` says of such a column, as plain data: a word, or a word and its levels where these are named."""
        return Wanted(self.kind, self.categories if self.is_named else None).plain

    @property
    def never_seen(self) -> tuple[Hashable, ...]:
        """Levels in the coding that no cell has."""
        seen = set(np.unique(self.values[self.observed]).tolist())
        return tuple(label for code, label in enumerate(self.categories or ()) if code not in seen)

    @property
    def n_missing(self) -> int:
        """Number of cells to impute."""
        return int(self.missing.sum())

    @property
    def n_absent(self) -> int:
        """Number of cells that do not apply or lie outside ``where=``."""
        return int(self.absent.sum())

    @property
    def n_observed(self) -> int:
        """Number of observed cells."""
        return len(self.missing) - self.n_missing - self.n_absent

    def __repr__(self) -> str:
        parts = [repr(self.name), self.kind.value, f"level {self.level!r}", f"{self.n_observed} observed"]
        parts.append(f"{self.n_missing} missing")
        if self.n_absent:
            parts.append(f"{self.n_absent} absent")
        if self.categories is not None:
            shown = ", ".join(repr(c) for c in self.categories[:4])
            parts.append(f"categories {shown}" + (", …" if len(self.categories) > 4 else ""))
        elif self.support is not None:
            parts.append(f"values {self.support[0]:g} and {self.support[1]:g}")
        return f"Column({', '.join(parts)})"
