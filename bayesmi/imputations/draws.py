"""Where the values of missing cells come from: the protocol, and draws that are held in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bayesmi.mechanism import Delta

__all__ = ["CellDraws", "ChangedDraws", "StoredDraws"]


@runtime_checkable
class CellDraws(Protocol):
    """Values of the missing cells of imputation i = 0 … m-1, all from one posterior draw.

    Imputation i must not depend on which imputations were asked for before, nor on the number of workers.
    """

    @property
    def m(self) -> int:
        """Number of imputations."""
        ...

    def cells(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Per column one number or code for each missing cell, in row order."""
        ...

    def origin(self, i: int) -> tuple[int, int]:
        """Position (chain, draw) of the posterior draw."""
        ...


@dataclass(frozen=True, eq=False)
class ChangedDraws:
    """What draws have in common that are made of others, imputation by imputation."""

    base: CellDraws

    @property
    def m(self) -> int:
        """Number of imputations."""
        return self.base.m

    def origin(self, i: int) -> tuple[int, int]:
        """Position (chain, draw) of the posterior draw."""
        return self.base.origin(i)


@dataclass(frozen=True, eq=False)
class StoredDraws:
    """Draws that are held in memory: read from a file, or taken out of a posterior at once.

    Parameters
    ----------
    values
        Per column an array of shape (m, n_missing), numbers or codes.
    origins
        m pairs (chain, draw).
    deltas
        Deltas that the values hold, by variable.
    without
        The same arrays without any delta, where there are deltas.
    moved
        By variable with a delta the missing cells that it is about, (n_missing,); the others are known by limits, or from
        elsewhere in the table.
    """

    values: Mapping[str, NDArray[np.float64]]
    origins: tuple[tuple[int, int], ...]
    deltas: Mapping[str, Delta] = field(default_factory=dict)
    without: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    moved: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # views: the arrays themselves stay as writeable as their owner has them
        object.__setattr__(self, "values", {name: _read_only(array) for name, array in self.values.items()})

    @property
    def m(self) -> int:
        """Number of imputations."""
        return len(self.origins)

    def cells(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Per column one number or code for each missing cell, in row order."""
        return {name: array[i] for name, array in self.values.items()}

    def before(self, i: int) -> Mapping[str, NDArray[np.float64]]:
        """Return the cells of imputation i without any delta."""
        return {name: self.without.get(name, array)[i] for name, array in self.values.items()}

    def origin(self, i: int) -> tuple[int, int]:
        """Position (chain, draw) of the posterior draw."""
        return self.origins[i]


def _read_only(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
