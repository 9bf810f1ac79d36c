"""Log densities of the rows of a factor, and their derivatives, weighed by what each row stands for."""

from __future__ import annotations

import math

from bayesmi.kernel import layout as k
from bayesmi.kernel.families import (
    BERNOULLI,
    GAUSSIAN,
    NOMINAL,
    add_parameters,
    bernoulli_density,
    prepare,
    single_density,
    softmax_density,
)
from bayesmi.kernel.intervals import interval_rows
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import copy, total_of, weighted
from bayesmi.kernel.scales import scale_start, scaled_rows
from bayesmi.kernel.selection import add_selected, selected_rows

__all__ = ["rows_forward", "weigh_rows"]

_LOG_2PI = math.log(2 * math.pi)


@kernel
def rows_forward(f, i, at, n, aux, y, eta, d_eta, d_first, d_second, row_value):  # type: ignore[no-untyped-def]
    """Fill the log density of every row of a factor and its derivatives; return the sum over plain rows."""
    start, rows, counts = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_COUNTS]
    family, units, n_aux = i[at + k.F_FAMILY], i[at + k.F_UNITS], i[at + k.F_AUX_N]
    own = aux[n]
    # slices from 0 on: what the compiler knows not to be negative it takes several of at a time
    own_y, own_eta = y[start : start + rows], eta[start : start + rows]
    values, slopes = row_value[start : start + rows], d_eta[start : start + rows]
    firsts, seconds = d_first[start : start + rows], d_second[start : start + rows]
    if i[at + k.F_SCALE_EQUATION] >= 0:
        scaled_rows(f, i, at, own, y, eta, d_eta, d_first, d_second, row_value)
    elif i[at + k.F_SELECTION_EQUATION] >= 0:
        selected_rows(f, i, at, own, y, eta, d_eta, d_first, d_second, row_value)
    elif family == NOMINAL:
        n_predictors = i[at + k.F_PARTNERS] + 1
        for t in range(rows):
            values[t] = softmax_density(own_y[t], eta, start + t, rows, n_predictors, d_eta)
    elif family == GAUSSIAN:
        scale, log_scale = 1.0 / own[0], math.log(own[0]) + 0.5 * _LOG_2PI
        for t in range(rows):
            z = (own_y[t] - own_eta[t]) * scale
            values[t] = -0.5 * z * z - log_scale
            slopes[t] = z * scale
            firsts[t] = (z * z - 1.0) * scale
        if units >= 0:
            unit_of = i[units : units + rows]
            for t in range(rows):
                if unit_of[t] >= 0:
                    values[t] = 0.0
                    slopes[t] = 0.0
                    firsts[t] = 0.0
    elif family == BERNOULLI and i[at + k.F_TRIALS] < 0:
        for t in range(rows):
            values[t], slopes[t] = bernoulli_density(own_y[t], own_eta[t])
    else:
        prepare(family, own, n_aux)
        trials, place = 1.0, i[at + k.F_TRIALS]
        for t in range(rows):
            if place >= 0:
                trials = f[place + t]
            values[t], slopes[t], firsts[t], seconds[t] = single_density(
                family, own_y[t], trials, own_eta[t], own, n_aux
            )
    if i[at + k.F_INTERVALS] > 0:
        interval_rows(f, i, at, own, eta, d_eta, scale_start(i, at), values, slopes, firsts, seconds)
    total = 0.0
    if counts < 0:
        for t in range(rows):
            total += values[t]
    else:
        total = weighted(f[counts : counts + rows], values)
    return total


@kernel
def weigh_rows(f, i, at, n, y, weights, row_weight, d_eta, d_first, d_second, d_aux):  # type: ignore[no-untyped-def]
    """Weigh the derivatives of the rows of a factor: by plain rows and by the mass of the entries they stand for."""
    start, rows, counts = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_COUNTS]
    family, n_aux = i[at + k.F_FAMILY], i[at + k.F_AUX_N]
    mass, slopes = row_weight[start : start + rows], d_eta[start : start + rows]
    own_y, firsts = y[start : start + rows], d_first[start : start + rows]
    seconds = d_second[start : start + rows]
    if counts >= 0:
        copy(f[counts : counts + rows], mass)
        pairs, first_entry, first_row = i[at + k.F_PAIRS], i[at + k.F_PAIR_ENTRIES], i[at + k.F_PAIR_ROWS]
        entry_of, row_of = i[first_entry : first_entry + pairs], i[first_row : first_row + pairs]
        for pair in range(pairs):
            mass[row_of[pair]] += weights[entry_of[pair]]
        for t in range(rows):  # far out a derivative may be infinite
            slopes[t] = mass[t] * slopes[t] if mass[t] > 0.0 else 0.0
    if i[at + k.F_SELECTION_EQUATION] >= 0:
        add_selected(i, at, y, row_weight, d_first, d_second, d_aux[n])
    elif family == GAUSSIAN and n_aux > 0:
        d_aux[n, 0] += weighted(mass, firsts) if counts >= 0 else total_of(firsts)
    elif n_aux > 0:
        weight = 1.0
        for t in range(rows):
            if counts >= 0:
                weight = mass[t]
            if weight > 0.0:
                add_parameters(family, own_y[t], n_aux, weight * firsts[t], weight * seconds[t], d_aux[n])
