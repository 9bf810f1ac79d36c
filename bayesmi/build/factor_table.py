"""The table of one factor: its rows, static design and the places of latent cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.slabs import Slab

__all__ = ["EffectTable", "FactorTable"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class EffectTable:
    """Z of one grouping on a factor table."""

    grouping: str
    codes: Ints  # (T,)
    n_groups: int
    base: Floats  # (T, q)
    slabs: tuple[Slab, ...]
    integrated: tuple[Slab, ...] = ()  # where integrated cells enter
    source: str = ""  # linear predictor whose effects these are, where they are not its own


@dataclass(frozen=True)
class FactorTable:
    """One conditional on its rows: plain units first, expanded ones after."""

    variable: str
    units: Ints  # (T,) unit of the factor's level for each table row
    n_plain: int
    expanded: Ints  # (T - n_plain,) an entry of the expansion that it stands for
    pair_entries: Ints  # (P,) entries of the expansion that the expanded rows belong to
    pair_rows: Ints  # (P,) and the table row of each
    constant: Floats  # (T,) part of log f that depends on the response only
    known: Mapping[str, Floats]  # what the family knows of each row: "trials", (T,)
    response: Floats  # (T,) on the family's scale, 0 where latent
    response_positions: Ints  # (k,) rows whose response is a latent cell
    response_index: Ints  # (k,)
    values: Mapping[str, Floats]  # parents, (T,), 0 where latent
    latent: Mapping[str, tuple[Ints, Ints]]  # parent -> (positions, cell index)
    base: Floats  # (T, p) centred design, latent cells at 0
    slabs: tuple[Slab, ...]
    offset: Floats  # (T,)
    effects: tuple[EffectTable, ...]
    links: Mapping[str, Ints]  # link name -> (T,) group codes
    integrated: tuple[
        Slab, ...
    ]  # where integrated cells enter the design; index counts the variable's own cells
    integrated_response: Ints  # rows whose response is an integrated cell
    solved_response: Ints  # rows whose response is affine in the integrated cells of the unit
    response_slopes: Floats  # (solved rows, most cells)
    integral_unit: Ints  # (T,) unit of the integrals that the row belongs to, or -1
    scale: FactorTable | None = None  # the model of its scale, on the same rows
    selection: FactorTable | None = None  # and that of its being seen
    shifts: Mapping[str, Floats] = field(default_factory=dict)  # linear predictor -> (T,) that adds to it
    held: Mapping[str, tuple[Ints, Ints]] = field(
        default_factory=dict
    )  # variable with held cells, the response too -> (positions, index of the held cell)

    @property
    def n_rows(self) -> int:
        """Number of table rows, T."""
        return len(self.units)

    @property
    def has_limits(self) -> bool:
        """Whether some of its densities are, or are divided by, probabilities of intervals."""
        return "lower" in self.known or "arrives from" in self.known

    @property
    def is_static(self) -> bool:
        """Whether nothing in it is a latent cell, or held at a value that changes."""
        return (
            not self.latent
            and not self.held
            and not self.slabs
            and not self.response_positions.size
            and not (self.integral_unit >= 0).any()
        )

    def effect(self, grouping: str) -> EffectTable:
        """Return the effects of one grouping."""
        return next(effect for effect in self.effects if effect.grouping == grouping)
