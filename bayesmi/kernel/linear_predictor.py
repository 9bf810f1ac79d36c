"""Linear predictors of the rows of a factor: design, sampled cells, links, sampled group effects; forward and backward."""

from __future__ import annotations

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.cells import add_cell_gradient, cell_value
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.links import effect_record
from bayesmi.kernel.matrices import dot
from bayesmi.kernel.room import shaped

__all__ = ["linear_predictor", "linear_predictor_backward", "own_classes"]


@kernel
def own_classes(i, at, by_class):  # type: ignore[no-untyped-def]
    """Part of a factor in the work vector of classes; nothing where each row is a class of its own."""
    n = i[at + k.F_CLASSES] if i[at + k.F_CLASS_CODES] >= 0 else 0
    return by_class[i[at + k.F_CLASS_START] : i[at + k.F_CLASS_START] + n]


@kernel
def linear_predictor(x, f, i, at, n, a, beta, u, eta, by_class):  # type: ignore[no-untyped-def]
    """Fill eta of one factor, by classes of its rows; collapsed effects are left out."""
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    if codes < 0:
        _class_predictor(x, f, i, at, n, a, beta, u, eta[start : start + rows])
        return
    out = own_classes(i, at, by_class)
    _class_predictor(x, f, i, at, n, a, beta, u, out)
    if i[at + k.F_PLAIN] >= 0:  # rows follow with their residuals
        return
    own, class_of = eta[start : start + rows], i[codes : codes + rows]
    for t in range(rows):
        own[t] = out[class_of[t]]
    for j in range(i[at + k.F_OWN]):
        slope, first = beta[n, i[i[at + k.F_OWN_COLUMNS] + j]], i[at + k.F_OWN_DESIGN] + j * rows
        column = f[first : first + rows]
        for t in range(rows):
            own[t] += slope * column[t]


@kernel
def _class_predictor(x, f, i, at, n, a, beta, u, out):  # type: ignore[no-untyped-def]
    """Fill the linear predictor of the rows of the design."""
    rows, columns = i[at + k.F_CLASSES], i[at + k.F_COLUMNS]
    design, offset = i[at + k.F_DESIGN], i[at + k.F_OFFSET]
    slopes, intercept = beta[n], a[n]
    matrix = shaped(f[design : design + rows * columns], (rows, columns))
    known = f[offset : offset + rows]
    for t in range(rows):
        value = intercept + known[t]
        for j in range(columns):
            value += matrix[t, j] * slopes[j]
        out[t] = value
    for s in range(i[at + k.F_SLABS]):
        slab = i[at + k.F_SLAB_TABLE] + s * k.S_SIZE
        c = i[slab + k.S_COLUMNS_N]
        for row in range(i[slab + k.S_N]):
            weight = 0.0
            for j in range(c):
                weight += f[i[slab + k.S_WEIGHTS] + row * c + j] * beta[n, i[i[slab + k.S_COLUMNS] + j]]
            value = cell_value(x, f, i, i[slab + k.S_VARIABLE], i[i[slab + k.S_INDEX] + row])
            out[i[i[slab + k.S_POSITIONS] + row]] += weight * value
    for m in range(i[at + k.F_LINKS]):
        link = i[at + k.F_LINK_TABLE] + m * k.L_SIZE
        source = effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
        q, codes = i[source + k.E_Q], i[link + k.L_CODES]
        first, slope = i[source + k.E_U] + i[link + k.L_POSITION], slopes[columns + m]
        group = i[codes : codes + rows]
        for t in range(rows):
            out[t] += slope * u[first + group[t] * q]
    for e in range(i[at + k.F_EFFECTS]):
        effect = i[at + k.F_EFFECT_TABLE] + e * k.E_SIZE
        if i[effect + k.E_TREATMENT] == k.COLLAPSE:
            continue
        q, codes, z, first = i[effect + k.E_Q], i[effect + k.E_CODES], i[effect + k.E_Z], i[effect + k.E_U]
        group, own_z = i[codes : codes + rows], shaped(f[z : z + rows * q], (rows, q))
        for t in range(rows):
            place = first + group[t] * q
            value = 0.0
            for j in range(q):
                value += own_z[t, j] * u[place + j]
            out[t] += value
        for s in range(i[effect + k.E_SLABS]):
            slab = i[effect + k.E_SLAB_TABLE] + s * k.S_SIZE
            c = i[slab + k.S_COLUMNS_N]
            for row in range(i[slab + k.S_N]):
                t = i[i[slab + k.S_POSITIONS] + row]
                place = i[effect + k.E_U] + i[i[effect + k.E_CODES] + t] * q
                weight = 0.0
                for j in range(c):
                    weight += f[i[slab + k.S_WEIGHTS] + row * c + j] * u[place + i[i[slab + k.S_COLUMNS] + j]]
                value = cell_value(x, f, i, i[slab + k.S_VARIABLE], i[i[slab + k.S_INDEX] + row])
                out[t] += weight * value


@kernel
def linear_predictor_backward(x, f, i, at, n, beta, u, d_eta, by_class, d_a, d_beta, d_u, gradient):  # type: ignore[no-untyped-def]
    """From d eta of one factor to its parameters, effects and sampled cells."""
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    own = d_eta[start : start + rows]
    if codes < 0:
        _classes_backward(x, f, i, at, n, beta, u, own, d_a, d_beta, d_u, gradient)
        return
    out = own_classes(i, at, by_class)
    if i[at + k.F_PLAIN] >= 0:  # they are there already
        _classes_backward(x, f, i, at, n, beta, u, out, d_a, d_beta, d_u, gradient)
        return
    out[:] = 0.0
    class_of = i[codes : codes + rows]
    for t in range(rows):
        out[class_of[t]] += own[t]
    for j in range(i[at + k.F_OWN]):
        first = i[at + k.F_OWN_DESIGN] + j * rows
        d_beta[n, i[i[at + k.F_OWN_COLUMNS] + j]] += dot(own, f[first : first + rows])
    _classes_backward(x, f, i, at, n, beta, u, out, d_a, d_beta, d_u, gradient)


@kernel
def _classes_backward(x, f, i, at, n, beta, u, own, d_a, d_beta, d_u, gradient):  # type: ignore[no-untyped-def]
    """From the derivatives by the linear predictors of the design's rows to parameters, effects and sampled cells."""
    rows, columns = i[at + k.F_CLASSES], i[at + k.F_COLUMNS]
    design = i[at + k.F_DESIGN]
    slopes = np.zeros(columns)
    matrix = shaped(f[design : design + rows * columns], (rows, columns))
    total = 0.0
    for t in range(rows):
        value = own[t]
        total += value
        for j in range(columns):
            slopes[j] += value * matrix[t, j]
    d_a[n] += total
    for j in range(columns):
        d_beta[n, j] += slopes[j]
    for s in range(i[at + k.F_SLABS]):
        slab = i[at + k.F_SLAB_TABLE] + s * k.S_SIZE
        c = i[slab + k.S_COLUMNS_N]
        variable = i[slab + k.S_VARIABLE]
        for row in range(i[slab + k.S_N]):
            value = own[i[i[slab + k.S_POSITIONS] + row]]
            index = i[i[slab + k.S_INDEX] + row]
            cell = cell_value(x, f, i, variable, index)
            weight = 0.0
            for j in range(c):
                column = i[i[slab + k.S_COLUMNS] + j]
                number = f[i[slab + k.S_WEIGHTS] + row * c + j]
                weight += number * beta[n, column]
                d_beta[n, column] += value * number * cell
            add_cell_gradient(f, i, variable, index, value * weight, gradient)
    for m in range(i[at + k.F_LINKS]):
        link = i[at + k.F_LINK_TABLE] + m * k.L_SIZE
        source = effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
        q, codes = i[source + k.E_Q], i[link + k.L_CODES]
        first, slope = i[source + k.E_U] + i[link + k.L_POSITION], beta[n, columns + m]
        total = 0.0
        group = i[codes : codes + rows]
        for t in range(rows):
            place = first + group[t] * q
            total += own[t] * u[place]
            d_u[place] += own[t] * slope
        d_beta[n, columns + m] += total
    for e in range(i[at + k.F_EFFECTS]):
        effect = i[at + k.F_EFFECT_TABLE] + e * k.E_SIZE
        if i[effect + k.E_TREATMENT] == k.COLLAPSE:
            continue
        q, codes, z, first = i[effect + k.E_Q], i[effect + k.E_CODES], i[effect + k.E_Z], i[effect + k.E_U]
        group, own_z = i[codes : codes + rows], shaped(f[z : z + rows * q], (rows, q))
        for t in range(rows):
            place = first + group[t] * q
            for j in range(q):
                d_u[place + j] += own[t] * own_z[t, j]
        for s in range(i[effect + k.E_SLABS]):
            slab = i[effect + k.E_SLAB_TABLE] + s * k.S_SIZE
            c = i[slab + k.S_COLUMNS_N]
            variable = i[slab + k.S_VARIABLE]
            for row in range(i[slab + k.S_N]):
                t = i[i[slab + k.S_POSITIONS] + row]
                place = i[effect + k.E_U] + i[i[effect + k.E_CODES] + t] * q
                index = i[i[slab + k.S_INDEX] + row]
                cell = cell_value(x, f, i, variable, index)
                weight = 0.0
                for j in range(c):
                    column = i[i[slab + k.S_COLUMNS] + j]
                    number = f[i[slab + k.S_WEIGHTS] + row * c + j]
                    weight += number * u[place + column]
                    d_u[place + column] += own[t] * number * cell
                add_cell_gradient(f, i, variable, index, own[t] * weight, gradient)
