"""Sampled cells in the program: their records, and where they enter matrices."""

from __future__ import annotations

from collections.abc import Mapping

from bayesmi.build.slabs import Slab
from bayesmi.build.tables import Tables
from bayesmi.build.writer import Writer
from bayesmi.kernel import layout as k
from bayesmi.model.factor import Factor

__all__ = ["write_cells", "write_slabs"]


def write_cells(
    writer: Writer, factors: tuple[Factor, ...], tables: Tables
) -> dict[str, tuple[int, list[int]]]:
    """Write the records of sampled cells: variable -> (number, record)."""
    cells: dict[str, tuple[int, list[int]]] = {}
    for factor in factors:
        n = tables.n_cells.get(factor.variable, 0)
        if n:
            record = [0] * k.C_SIZE
            record[k.C_X] = writer.parameter(f"cell::{factor.variable}", (n,))
            record[k.C_N] = n
            record[k.C_F] = writer.floats([factor.location, factor.spread])
            cells[factor.variable] = (len(cells), record)
    return cells


def write_slabs(writer: Writer, slabs: tuple[Slab, ...], cells: Mapping[str, tuple[int, list[int]]]) -> int:
    """Write where sampled cells enter a matrix; return where the records stand."""
    out: list[int] = []
    for slab in slabs:
        record = [0] * k.S_SIZE
        record[k.S_VARIABLE] = cells[slab.variable][0]
        record[k.S_N] = len(slab.positions)
        record[k.S_POSITIONS] = writer.integers(slab.positions)
        record[k.S_INDEX] = writer.integers(slab.index)
        record[k.S_COLUMNS_N] = len(slab.columns)
        record[k.S_COLUMNS] = writer.integers(slab.columns)
        record[k.S_WEIGHTS] = writer.floats(slab.slab)
        out += record
    return writer.integers(out or [0])
