"""Rows of a factor whose scale differs from row to row: the logarithm of its first parameter is a linear predictor.

The scale's predictor is a record of its own (`F_SCALE_EQUATION`) on the same rows: what is returned as derivative by the
parameter becomes d eta of that record, and goes from there to coefficients and group effects like any other.
"""

from __future__ import annotations

import math

from bayesmi.kernel import layout as k
from bayesmi.kernel.families import GAUSSIAN, STUDENT, prepare, single_density
from bayesmi.kernel.jit import kernel

__all__ = ["scale_start", "scaled_rows"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@kernel
def scale_start(i, at):  # type: ignore[no-untyped-def]
    """Return where the rows of a factor's scale begin in the work vectors, -1 where it has one scale for all rows."""
    number = i[at + k.F_SCALE_EQUATION]
    if number < 0:
        return -1
    return i[i[i[k.G_FACTOR_TABLE] + number] + k.F_ROW_START]


@kernel
def scaled_rows(f, i, at, own, y, eta, d_eta, d_first, d_second, row_value):  # type: ignore[no-untyped-def]
    """Fill the log density of every row, and its derivatives by both predictors and by the family's other parameter."""
    start, rows, units = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_UNITS]
    family, n_aux, place = i[at + k.F_FAMILY], i[at + k.F_AUX_N], i[at + k.F_TRIALS]
    scales = scale_start(i, at)
    if family == STUDENT:  # what it prepares does not depend on the scale
        prepare(family, own, n_aux)
    for t in range(rows):
        log_scale = eta[scales + t]
        d_first[start + t] = 0.0  # it has become d eta of the scale
        if units >= 0 and i[units + t] >= 0:
            row_value[start + t] = 0.0
            d_eta[start + t] = 0.0
            d_eta[scales + t] = 0.0
        elif family == GAUSSIAN:
            inverse = math.exp(-log_scale)
            z = (y[start + t] - eta[start + t]) * inverse
            row_value[start + t] = -0.5 * z * z - log_scale - _HALF_LOG_2PI
            d_eta[start + t] = z * inverse
            d_eta[scales + t] = z * z - 1.0
        else:
            own[0] = math.exp(log_scale)
            if family != STUDENT:
                prepare(family, own, n_aux)
            trials = 1.0 if place < 0 else f[place + t]
            row_value[start + t], d_eta[start + t], first, d_second[start + t] = single_density(
                family, y[start + t], trials, eta[start + t], own, n_aux
            )
            d_eta[scales + t] = first * own[0]
