"""Integrated cells in the rows of a factor, those solved from them, and how they enter its matrices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.integrals import Integrals
from bayesmi.build.slabs import Slab, slabs_of_cell
from bayesmi.model.factor import Factor

__all__ = ["IntegratedCells", "integrated_cells", "integrated_slabs"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class IntegratedCells:
    """The integrated cells that a factor's rows have in them, and those that are affine in these."""

    unit: Ints  # (T,) or -1
    cells: Mapping[str, Ints]  # integrated variable -> table rows
    solved: Mapping[str, tuple[Ints, Floats, Floats]]  # solved variable -> table rows, base, slopes


def integrated_cells(
    factor: Factor, integrals: Integrals | None, units: Ints, expanded: Ints, n_plain: int
) -> IntegratedCells:
    """Find the integrated cells of the units, and those solved from them, in the rows of a factor."""
    unit = np.full(len(units), -1, dtype=np.intp)
    cells: dict[str, Ints] = {}
    solved: dict[str, tuple[Ints, Floats, Floats]] = {}
    if integrals is None or factor.level != "row" or not integrals.names:
        return IntegratedCells(unit, cells, solved)
    own = integrals.unit_of(units, expanded, n_plain)
    for name in (*sorted(factor.parents), factor.variable):
        if name in integrals.position:
            positions = np.flatnonzero(integrals.position[name][units] >= 0)
            if positions.size:
                cells[name] = positions
                unit[positions] = own[positions]
        if name in integrals.solved:
            one = integrals.solved[name]
            positions = np.flatnonzero((own >= 0) & one.stands[own])
            if positions.size:
                solved[name] = (positions, one.base[own[positions]], one.slopes[own[positions]])
                unit[positions] = own[positions]
    return IntegratedCells(unit, cells, solved)


def integrated_slabs(
    matrix: Callable[[Mapping[str, Floats], int], Floats],
    variables: Collection[str],
    integrals: Integrals | None,
    units: Ints,
    inside: IntegratedCells,
    values: Mapping[str, Floats],
) -> tuple[Slab, ...]:
    """How integrated cells enter a matrix of these variables, by themselves and through the cells solved from them."""
    if integrals is None:
        return ()
    out: list[Slab] = []
    for name in integrals.names:
        moves = np.zeros(len(units), dtype=bool)
        if name in variables and name in inside.cells:
            moves[inside.cells[name]] = True
        through: dict[str, Floats] = {}
        for other, (positions, _, slopes) in inside.solved.items():
            if other not in variables:
                continue
            place = integrals.place[name][units[positions]]
            step = np.where(place >= 0, slopes[np.arange(len(positions)), np.maximum(place, 0)], 0.0)
            through[other] = np.zeros(len(units))
            through[other][positions] = step
            moves[positions[step != 0.0]] = True
        positions = np.flatnonzero(moves)
        if not positions.size:
            continue
        index = integrals.position[name][units[positions]]
        if not through:
            out += slabs_of_cell(name, positions, index, values, matrix)
            continue
        at_zero = {key: column[positions] for key, column in values.items()}
        at_one = dict(at_zero)
        if name in variables:
            at_one[name] = at_one[name] + (integrals.position[name][units[positions]] >= 0)
        for other, step in through.items():
            at_one[other] = at_one[other] + step[positions]
        difference = matrix(at_one, len(positions)) - matrix(at_zero, len(positions))
        columns = np.flatnonzero(np.any(difference != 0.0, axis=0))
        if columns.size:
            out.append(Slab(name, positions, index, columns, np.ascontiguousarray(difference[:, columns])))
    return tuple(out)
