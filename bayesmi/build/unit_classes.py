"""Classes of units of the integrals into whose rows the cells enter alike: with the same constants and weights.

Of these the density needs the precision of the cells once a class, and of each unit its residuals only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.integrals import Integrals
from bayesmi.build.numbering import members_of, number_rows
from bayesmi.build.tables import Tables
from bayesmi.model.factor import Factor

__all__ = ["UnitClass", "unit_classes"]

Ints = NDArray[np.intp]
_FEW = 8  # units below which they cost less one by one


@dataclass(frozen=True)
class UnitClass:
    """N units and the rows of factors in them."""

    units: Ints  # (N,)
    rows: Mapping[str, Ints]  # variables of the factors and their table rows, (N,) each


def unit_classes(factors: tuple[Factor, ...], tables: Tables) -> tuple[UnitClass, ...]:
    """Return the classes; units in none of them are to be done one by one.

    A unit is in none where a cell of it lies between limits or enters through group effects, or where the scale of one of its
    factors has a model.
    """
    integrals = tables.integrals
    if not integrals.n:
        return ()
    eligible = integrals.limited < 0
    columns: list[NDArray[np.generic]] = [integrals.expanded >= 0]
    row_of: dict[str, Ints] = {}
    for factor in factors:
        table = tables.factors[factor.variable]
        rows = np.flatnonzero(table.integral_unit >= 0)
        if not rows.size:
            continue
        unit = table.integral_unit[rows]
        here = np.full(integrals.n, -1, dtype=np.intp)
        here[unit] = rows
        row_of[factor.variable] = here
        eligible[unit[here[unit] != rows]] = False  # more than one row of the factor
        if factor.scale is not None or any(effect.integrated for effect in table.effects):
            eligible[unit] = False
            continue
        columns.append(here >= 0)
        columns += _entering(factor, tables, integrals)
    code = number_rows(columns)
    assert code is not None
    many = eligible & (np.bincount(code, weights=eligible)[code] >= _FEW)
    at = np.flatnonzero(many)
    if not at.size:
        return ()
    classes = members_of(np.unique(code[at], return_inverse=True)[1])
    return tuple(
        UnitClass(
            at[members],
            {name: here[at[members]] for name, here in row_of.items() if here[at[members[0]]] >= 0},
        )
        for members in classes
    )


def _entering(factor: Factor, tables: Tables, integrals: Integrals) -> list[NDArray[np.generic]]:
    """How the cells of each unit enter the rows of one factor: columns over units that agree where they enter alike."""
    table = tables.factors[factor.variable]
    columns: list[NDArray[np.generic]] = []

    def over_units(positions: Ints, values: NDArray[np.generic], elsewhere: float) -> None:
        out = np.full(integrals.n, elsewhere)
        out[table.integral_unit[positions]] = values
        columns.append(out)

    own = table.integrated_response
    if own.size:
        over_units(own, integrals.place[factor.variable][table.units[own]], -1.0)
    own = table.solved_response
    if own.size:
        over_units(own, np.ones(own.size), 0.0)
        for slope in table.response_slopes.T:
            over_units(own, slope, 0.0)
    for slab in table.integrated:
        over_units(slab.positions, integrals.place[slab.variable][table.units[slab.positions]], -1.0)
        for weights in slab.slab.T:
            over_units(slab.positions, weights, 0.0)
    return columns
