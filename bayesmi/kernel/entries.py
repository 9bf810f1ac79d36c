"""Entries of the expansion: one for each combination of the summed cells of a unit; their log weights and weights."""

from __future__ import annotations

import math

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel

__all__ = ["add_to_entries", "unit_weights"]

_NOTHING = -50.0  # log of a share that is below the rounding of a sum


@kernel
def add_to_entries(i, at, row_value, log_weights):  # type: ignore[no-untyped-def]
    """Add the log density of a factor's rows to the entries of the expansion that they belong to."""
    start, pairs = i[at + k.F_ROW_START], i[at + k.F_PAIRS]
    first_entry, first_row = i[at + k.F_PAIR_ENTRIES], i[at + k.F_PAIR_ROWS]
    entry_of, row_of = i[first_entry : first_entry + pairs], i[first_row : first_row + pairs]
    values = row_value[start : start + i[at + k.F_ROWS]]
    for pair in range(pairs):
        log_weights[entry_of[pair]] += values[row_of[pair]]


@kernel
def unit_weights(i, log_weights, weights):  # type: ignore[no-untyped-def]
    """Return the sum of log-sum-exp over units; fill the weight of each combination.

    A unit below a summed cell of its group adds to the entry of the group's combination instead.
    """
    total = 0.0
    for b in range(i[k.G_BLOCKS]):
        block = i[k.G_BLOCK_TABLE] + b * k.B_SIZE
        n, start, parents = i[block + k.B_COMBINATIONS], i[block + k.B_START], i[block + k.B_PARENTS]
        for row in range(i[block + k.B_ROWS]):
            first = start + row * n
            logs, shares = log_weights[first : first + n], weights[first : first + n]
            top = logs[0]
            for c in range(1, n):
                top = max(top, logs[c])
            mass = 0.0
            for c in range(n):
                below = logs[c] - top
                shares[c] = math.exp(below) if below > _NOTHING else 0.0
                mass += shares[c]
            parent = i[parents + row]
            if parent < 0:
                total += top + math.log(mass)
            else:
                log_weights[parent] += top + math.log(mass)
            inverse = 1.0 / mass
            for c in range(n):
                shares[c] *= inverse
    for b in range(i[k.G_BLOCKS] - 1, -1, -1):
        block = i[k.G_BLOCK_TABLE] + b * k.B_SIZE
        n = i[block + k.B_COMBINATIONS]
        for row in range(i[block + k.B_ROWS]):
            parent = i[i[block + k.B_PARENTS] + row]
            if parent >= 0:
                first = i[block + k.B_START] + row * n
                for c in range(n):
                    weights[first + c] *= weights[parent]
    return total
