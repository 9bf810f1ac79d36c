"""The log density and its gradient: one compiled program for every model.

The structure of a model and all its numbers are data (see `layout.py`), so that the kernel is compiled once for a
machine and cached on disk: a new model, another mask or more rows cost no compilation. Reverse mode by hand, in five
steps: parameters forward, rows forward, weights of the combinations of summed cells, rows backward, parameters
backward.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.alike import alike_backward, integrate_alike
from bayesmi.kernel.cells import fill_response, response_backward
from bayesmi.kernel.collapse import collapsed_rows
from bayesmi.kernel.effects import effect_backward, effect_forward
from bayesmi.kernel.entries import add_to_entries, unit_weights
from bayesmi.kernel.families import PREPARED
from bayesmi.kernel.integrals import integrate_units, units_backward
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.linear_predictor import linear_predictor, linear_predictor_backward, own_classes
from bayesmi.kernel.matrices import copy
from bayesmi.kernel.ordered_rows import ordered_backward, ordered_forward
from bayesmi.kernel.parameters import parameters_backward, scaled_coefficients, scaled_parameters
from bayesmi.kernel.patterns import patterns_density
from bayesmi.kernel.regression import regression_backward, regression_forward, regression_sd
from bayesmi.kernel.room import take, take_rows, uncounted
from bayesmi.kernel.rows import rows_forward, weigh_rows
from bayesmi.kernel.selection import selection_of
from bayesmi.kernel.sizes import room_sizes, work_sizes
from bayesmi.kernel.statistics import statistics_density

__all__ = ["density"]


@kernel
def density(x, f, i, gradient):  # type: ignore[no-untyped-def]
    """Return the log density of the program (f, i) at the unconstrained x and fill its gradient."""
    sizes = work_sizes(i)
    n_zeros, n_room = room_sizes(i, sizes)
    zeros, room = np.zeros(n_zeros), np.empty(n_room + len(x))
    value = _evaluate(x, f, i, gradient, sizes, uncounted(zeros), uncounted(room))
    if len(zeros) + len(room) < 0:  # never: both are needed until here
        return math.nan
    return value


@kernel
def _evaluate(x, f, i, gradient, sizes, zeros, room):  # type: ignore[no-untyped-def]
    n_factors, rows = i[k.G_FACTORS], i[k.G_ROWS]
    table = i[k.G_FACTOR_TABLE]
    gradient[:] = 0.0
    widest, most_aux, roots_size, effects_size, classes, regressions, h_size, square_size, block_size = sizes
    a, at_zero = take(zeros, 0, n_factors)
    d_a, at_zero = take(zeros, at_zero, n_factors)
    d_sigma, at_zero = take(zeros, at_zero, n_factors)
    aux, at_zero = take_rows(zeros, at_zero, n_factors, 3 * most_aux + PREPARED)
    d_aux, at_zero = take_rows(zeros, at_zero, n_factors, most_aux + 1)
    beta, at_zero = take_rows(zeros, at_zero, n_factors, widest)
    d_beta, at_zero = take_rows(zeros, at_zero, n_factors, widest)
    roots, at_zero = take(zeros, at_zero, roots_size)
    corrs, at_zero = take(zeros, at_zero, roots_size)
    d_roots, at_zero = take(zeros, at_zero, roots_size)
    u, at_zero = take(zeros, at_zero, effects_size)
    d_u, at_zero = take(zeros, at_zero, effects_size)
    h, at_zero = take(zeros, at_zero, h_size)
    square, _ = take(zeros, at_zero, square_size)
    sigma, at_room = take(room, 0, n_factors)
    point, at_room = take(room, at_room, len(x))
    eta, at_room = take(room, at_room, rows)
    y, at_room = take(room, at_room, rows)
    d_eta, at_room = take(room, at_room, rows)
    d_first, at_room = take(room, at_room, rows)
    d_second, at_room = take(room, at_room, rows)
    row_value, at_room = take(room, at_room, rows)
    by_class, at_room = take(room, at_room, classes)
    log_weights, at_room = take(room, at_room, i[k.G_EXPANDED])
    weights, at_room = take(room, at_room, i[k.G_EXPANDED])
    mean, at_room = take(room, at_room, i[k.G_UNIT_MEANS])
    cov, at_room = take(room, at_room, i[k.G_UNIT_SQUARES])
    work, at_room = take(room, at_room, regressions)
    block_work, _ = take(room, at_room, block_size)
    sigma[:] = 1.0
    copy(x, point)  # with the coefficients of group-level regressions in their places
    copy(f[i[k.G_BASE] : i[k.G_BASE] + i[k.G_EXPANDED]], log_weights)

    total = f[i[k.G_CONSTANT]]
    # parameters forward
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_REGRESSION] >= 0:
            sd, _, _ = regression_sd(x, f, i, at)
            # of columns beside the regression; the others are not there yet
            scaled_coefficients(x, f, i, at, beta, n)
            total += regression_forward(x, f, i, at, sd, beta[n], u, work, point)
        scaled_parameters(point, f, i, at, a, beta, aux, sigma, n)
        if i[at + k.F_SELECTION_EQUATION] >= 0 and i[at + k.F_EFFECTS] > 0:  # effects may be centred on it
            other, own, _ = selection_of(i, at)
            scaled_parameters(point, f, i, own, a, beta, aux, sigma, other)
        for e in range(i[at + k.F_EFFECTS]):
            effect = i[at + k.F_EFFECT_TABLE] + e * k.E_SIZE
            effect_forward(point, f, i, at, effect, roots, corrs, a, beta, n, u)

    # rows forward
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS:
            total += statistics_density(f, i, at, n, a, beta, sigma, roots, d_roots, d_a, d_beta, d_sigma)
            continue
        linear_predictor(point, f, i, at, n, a, beta, u, eta, by_class)
        if i[at + k.F_FAMILY] >= 0 and i[at + k.F_PLAIN] < 0:
            fill_response(point, f, i, at, y)
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS or i[at + k.F_FAMILY] < 0:
            continue
        if i[at + k.F_COLLAPSED] >= 0:
            total += collapsed_rows(f, i, at, n, sigma, y, eta, roots, d_roots, d_eta, d_sigma)
            continue
        if i[at + k.F_PLAIN] >= 0:
            classes_of = own_classes(i, at, by_class)
            total += ordered_forward(
                f, i, at, beta[n], aux[n, 0], eta, classes_of, d_eta, log_weights, d_aux[n]
            )
            continue
        total += rows_forward(f, i, at, n, aux, y, eta, d_eta, d_first, d_second, row_value)
        add_to_entries(i, at, row_value, log_weights)

    total += patterns_density(
        f, i, a, beta, sigma, u, roots, d_a, d_beta, d_sigma, d_u, d_roots, h, square, block_work
    )
    total += integrate_units(f, i, beta, u, sigma, y, eta, mean, cov, log_weights)
    total += integrate_alike(f, i, beta, u, sigma, y, eta, log_weights)

    # weights of the combinations of summed cells
    total += unit_weights(i, log_weights, weights)

    # rows backward
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS:
            continue
        if i[at + k.F_PLAIN] >= 0:
            classes_of = own_classes(i, at, by_class)
            ordered_backward(f, i, at, aux[n, 0], weights, d_eta, classes_of, d_beta[n], d_aux[n])
        elif i[at + k.F_COLLAPSED] < 0:
            weigh_rows(f, i, at, n, y, weights, row_value, d_eta, d_first, d_second, d_aux)
    units_backward(f, i, beta, u, sigma, y, eta, mean, cov, weights, d_eta, d_beta, d_u, d_sigma)
    alike_backward(f, i, beta, u, sigma, y, eta, weights, d_eta, d_beta, d_u, d_sigma)
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS:
            continue
        response_backward(f, i, at, d_eta, gradient)
        linear_predictor_backward(point, f, i, at, n, beta, u, d_eta, by_class, d_a, d_beta, d_u, gradient)

    # parameters backward: effects enter models and effects of later variables, so that these go first; those of an
    # outcome's equation may be centred on its selection equation, which comes after it
    for n in range(n_factors - 1, -1, -1):
        at = i[table + n]
        for turn in range(2):
            m = n if turn == 1 else i[at + k.F_OUTCOME]
            if m < 0 or (turn == 1 and i[at + k.F_SELECTION_EQUATION] >= 0):
                continue
            own = i[table + m]
            for e in range(i[own + k.F_EFFECTS]):
                effect = i[own + k.F_EFFECT_TABLE] + e * k.E_SIZE
                total += effect_backward(
                    point, f, i, own, effect, m, roots, corrs, u, d_u, d_roots, beta, d_a, d_beta, gradient
                )
        d_aux[n, 0] += d_sigma[n]
        total += parameters_backward(point, f, i, at, n, a, beta, aux, d_a, d_beta, d_aux, gradient)
        if i[at + k.F_REGRESSION] >= 0:
            sd, slope, place = regression_sd(x, f, i, at)
            gradient[place] += slope * regression_backward(x, f, i, at, sd, work, d_u, gradient)
    return total
