"""Rows of a factor in the program: design, response, what they count for, their order and their limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.distinct import DistinctRows
from bayesmi.build.factor_table import FactorTable
from bayesmi.build.writer import Writer
from bayesmi.families.interval import kernel_ends
from bayesmi.kernel import layout as k
from bayesmi.kernel.families import BERNOULLI, GAUSSIAN
from bayesmi.model.factor import Factor
from bayesmi.model.limited import ARRIVAL, INTERVAL

__all__ = ["kernel_response", "write_limits", "write_order", "write_rows"]


def write_rows(
    writer: Writer, record: list[int], factor: Factor, key: str, table: FactorTable, distinct: DistinctRows
) -> int:
    """Write a factor's rows, and the design by their classes; returns the work."""
    members, columns = distinct.members, table.base.shape[1]
    record[k.F_CLASSES] = len(members)
    design = table.base[members]
    record[k.F_OWN] = len(distinct.own)
    if distinct.classes is not None:
        record[k.F_CLASS_CODES] = writer.integers(distinct.classes)
        record[k.F_OWN_COLUMNS] = writer.integers(distinct.own)
        record[k.F_OWN_DESIGN] = writer.floats(table.base[np.ix_(distinct.first, distinct.own)].T)
        design[:, distinct.own] = 0.0
    record[k.F_DESIGN] = writer.floats(design)
    offset = table.offset[members]
    if key in table.shifts:
        offset = offset + table.shifts[key][members]
    record[k.F_OFFSET] = writer.floats(offset)
    record[k.F_RESPONSE] = writer.floats(kernel_response(factor, table)[distinct.first])
    if table.pair_rows.size or (distinct.counts != 1.0).any():
        record[k.F_COUNTS] = writer.floats(distinct.counts)
    record[k.F_PAIR_ENTRIES] = writer.integers(table.pair_entries)
    record[k.F_PAIR_ROWS] = writer.integers(distinct.row_of[table.pair_rows])
    each = 2 * len(distinct.own) + 20
    return distinct.n * each + 2 * len(members) * columns + 2 * len(table.pair_rows)


def write_order(record: list[int], table: FactorTable, distinct: DistinctRows) -> None:
    """Say where the plain rows of a Gaussian or binary factor come first and others stand for one entry each, in order."""
    special = (k.F_SCALE_EQUATION, k.F_SELECTION_EQUATION, k.F_COLLAPSED, k.F_TRIALS)
    if (
        record[k.F_MODE] != k.MODE_ROWS
        or record[k.F_FAMILY] not in (GAUSSIAN, BERNOULLI)
        or any(record[one] >= 0 for one in special)
        or record[k.F_INTERVALS]
        or len(table.response_positions)
        or (table.integral_unit >= 0).any()
    ):
        return
    rows, entries = distinct.row_of[table.pair_rows], table.pair_entries
    plain = distinct.n - len(rows)
    in_order = plain >= 0 and (
        np.array_equal(rows, np.arange(plain, distinct.n))
        and np.array_equal(entries, np.arange(len(entries)) + (entries[0] if len(entries) else 0))
        and not distinct.counts[plain:].any()
    )
    if in_order:
        record[k.F_PLAIN] = plain
        record[k.F_PLAIN_TOTAL] = round(float(distinct.counts[:plain].sum()))
        record[k.F_FIRST_ENTRY] = int(entries[0]) if len(entries) else 0


def write_limits(
    writer: Writer, record: list[int], factor: Factor, table: FactorTable, distinct: DistinctRows
) -> None:
    """Write the rows whose density is, or is divided by, the probability of an interval."""
    rows, ends = [np.zeros((0, 2), dtype=np.int64)], [np.zeros((0, 2))]
    for which, divides in ((INTERVAL, 0), (ARRIVAL, 1)):
        if which[0] not in table.known:
            continue
        lower, upper = (table.known[key][distinct.first] for key in which)
        on = np.flatnonzero((lower <= upper) & (np.isfinite(lower) | np.isfinite(upper)))
        rows.append(np.column_stack([on, np.full(len(on), divides)]))
        ends.append(np.column_stack(kernel_ends(factor.family, lower[on], upper[on])))
    record[k.F_INTERVALS] = sum(len(part) for part in rows)
    record[k.F_INTERVAL_ROWS] = writer.integers(np.concatenate(rows))
    record[k.F_INTERVAL_ENDS] = writer.floats(np.concatenate(ends))


def kernel_response(factor: Factor, table: FactorTable) -> NDArray[np.float64]:
    """Response as the kernel wants it, 0 where latent."""
    response = table.response.copy()
    known = np.ones(table.n_rows, dtype=bool)
    known[table.response_positions] = False
    known[table.integrated_response] = False
    if "selected" in table.known:
        known &= table.known["selected"] != k.NOT_SELECTED
    if "lower" in table.known:
        known &= table.known["lower"] > table.known["upper"]
    response[known] = factor.family.to_kernel(response[known])
    return response
