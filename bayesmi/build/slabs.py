"""Slabs: where a latent cell enters a matrix affinely, by itself or through the mean of its group."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.open_means import OpenMean

__all__ = ["Slab", "slabs_of_cell", "slabs_of_means"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Slab:
    """Where a latent cell enters a matrix affinely: matrix[position] += slab * cell[index], in the given columns."""

    variable: str
    positions: Ints  # (k,) table rows
    index: Ints  # (k,) cells of the variable
    columns: Ints  # (c,)
    slab: Floats  # (k, c)


def slabs_of_cell(
    name: str, positions: Ints, index: Ints, values: Mapping[str, Floats], matrix: object
) -> list[Slab]:
    """Difference between the matrix with the cell at 1 and at 0, on the cell's rows."""
    at_zero = {key: column[positions] for key, column in values.items()}
    at_one = {**at_zero, name: np.ones(len(positions))}
    difference = matrix(at_one, len(positions)) - matrix(at_zero, len(positions))  # type: ignore[operator]
    columns = np.flatnonzero(np.any(difference != 0.0, axis=0))
    if not columns.size:
        return []
    return [Slab(name, positions, index, columns, np.ascontiguousarray(difference[:, columns]))]


def slabs_of_means(
    averages: Mapping[str, OpenMean], variables: Collection[str], values: Mapping[str, Floats], matrix: object
) -> tuple[Slab, ...]:
    """How missing cells enter a matrix through group means: each slab has one cell of a row's group."""
    out = []
    for name, average in averages.items():
        if name not in variables:
            continue
        for positions, index, weights in average.cells:
            for one in slabs_of_cell(
                name, positions, index, {**values, name: np.zeros(len(values[name]))}, matrix
            ):
                out.append(replace(one, variable=average.variable, slab=one.slab * weights[:, None]))
    return tuple(out)
