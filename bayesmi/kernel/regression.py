"""Coefficients of group-level regressions, sampled as what the groups' values leave open; with derivatives.

Centred effects v_g (see build/regression.py) follow v = X b + u, u_g ~ N(0, s²), b ~ N(0, D). Given v and s the coefficients
are Gaussian with precision M = X'X / s² + D^-1 and mean M^-1 X'v / s² (conditional.py). Where the rows' information about the
groups is known, roughly, values and coefficients are sampled together given what the rows say (adaptive.py).
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.adaptive import adaptive_backward, adaptive_forward
from bayesmi.kernel.centring import unseen_groups
from bayesmi.kernel.conditional import conditional_backward, conditional_forward
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import copy_rows
from bayesmi.kernel.room import shaped
from bayesmi.kernel.special import softplus

__all__ = ["regression_backward", "regression_forward", "regression_sd", "regression_size"]


@kernel
def _effect_of(i, at, record):  # type: ignore[no-untyped-def]
    return i[at + k.F_EFFECT_TABLE] + i[record + k.R_EFFECT] * k.E_SIZE


@kernel
def _places(f, i, at):  # type: ignore[no-untyped-def]
    """Return groups, effects, coefficients, the first value in x with its unit, and F of the columns' weights in the values."""
    record = i[at + k.F_REGRESSION]
    effect, position = _effect_of(i, at, record), i[record + k.R_POSITION]
    n_groups = i[effect + k.E_GROUPS]
    weights = i[effect + k.E_SHIFT] + position * n_groups * i[at + k.F_COLUMNS]
    first, scale = i[effect + k.E_EFFECTS_X] + position, f[i[effect + k.E_SCALE]]
    return n_groups, i[effect + k.E_Q], i[record + k.R_P], first, scale, weights


@kernel
def _source_of(i, at, record, number):  # type: ignore[no-untyped-def]
    """Return the column of a link, and the first place and the step of the effects that it stands for."""
    entry = i[record + k.R_LINK_TABLE] + 2 * number
    link = i[at + k.F_LINK_TABLE] + i[entry + 1] * k.L_SIZE
    factor = i[i[k.G_FACTOR_TABLE] + i[link + k.L_FACTOR]]
    source = i[factor + k.F_EFFECT_TABLE] + i[link + k.L_EFFECT] * k.E_SIZE
    return i[entry], i[source + k.E_U] + i[link + k.L_POSITION], i[source + k.E_Q]


@kernel
def regression_size(i, at):  # type: ignore[no-untyped-def]
    """Return how far the work vector of regressions is used by that of a factor."""
    record = i[at + k.F_REGRESSION]
    n_groups, p = i[_effect_of(i, at, record) + k.E_GROUPS], i[record + k.R_P]
    size = (n_groups + p + 2) * p + 2 * n_groups
    if i[record + k.R_INFORMATION] >= 0:
        size += (n_groups + p + 2) * (n_groups + p)
    return i[record + k.R_WORK] + size


@kernel
def regression_sd(x, f, i, at):  # type: ignore[no-untyped-def]
    """Return the sd of the groups in a group-level regression, its derivative by its x, and the place of that x."""
    record = i[at + k.F_REGRESSION]
    effect = i[at + k.F_EFFECT_TABLE] + i[record + k.R_EFFECT] * k.E_SIZE
    place = i[effect + k.E_SD_X] + i[record + k.R_POSITION]
    scale = f[i[effect + k.E_SD_SCALES] + i[record + k.R_POSITION]]
    return scale * softplus(x[place]), scale * math.exp(-softplus(-x[place])), place


@kernel
def _pieces(i, at, work):  # type: ignore[no-untyped-def]
    """Return X, L, L^-1 X'v / s², the coefficients, what the groups show, what other columns contribute, and the rest."""
    record = i[at + k.F_REGRESSION]
    n, p = i[_effect_of(i, at, record) + k.E_GROUPS], i[record + k.R_P]
    own = work[i[record + k.R_WORK] : regression_size(i, at)]
    design, root = shaped(own[: n * p], (n, p)), shaped(own[n * p : (n + p) * p], (p, p))
    after = (n + p) * p
    r, b = own[after : after + p], own[after + p : after + 2 * p]
    after += 2 * p
    return design, root, r, b, own[after : after + n], own[after + n : after + 2 * n], own[after + 2 * n :]


@kernel
def _adaptive_pieces(n, own):  # type: ignore[no-untyped-def]
    """Return L, L^-1 A'Cy and w of the groups' values and the coefficients."""
    square = n * n
    return shaped(own[:square], (n, n)), own[square : square + n], own[square + n : square + 2 * n]


@kernel
def regression_forward(x, f, i, at, sd, beta_n, u, work, point):  # type: ignore[no-untyped-def]
    """Fill the coefficients of one factor, and its groups' values, in `point`; return the log Jacobian.

    `sd` of the groups, `beta_n` the other coefficients, `u` the effects of earlier factors; `work` keeps what the way back needs.
    """
    record, columns = i[at + k.F_REGRESSION], i[at + k.F_COLUMNS]
    n_groups, q, p, raw, scale, weights = _places(f, i, at)
    design, root, r, b, shown, others, more = _pieces(i, at, work)
    static, inverse = i[record + k.R_STATIC], i[record + k.R_PRECISION]
    copy_rows(shaped(f[static : static + n_groups * p], (n_groups, p)), design)
    unseen = unseen_groups(i, _effect_of(i, at, record))
    for number in range(i[record + k.R_LINKS]):
        column, first, step = _source_of(i, at, record, number)
        for g in range(n_groups):
            if len(unseen) == 0 or unseen[g] == 0:
                design[g, column] = u[first + g * step]
    for g in range(n_groups):
        others[g] = 0.0
        for number in range(i[record + k.R_REST]):
            j = i[i[record + k.R_REST_TABLE] + number]
            others[g] += f[weights + g * columns + j] * beta_n[j]
        shown[g] = scale * x[raw + g * q] - others[g]
    if i[record + k.R_INFORMATION] >= 0:
        weight = f[i[record + k.R_INFORMATION] : i[record + k.R_INFORMATION] + n_groups]
        said, z = np.empty(n_groups), np.empty(p + n_groups)
        for j in range(p):
            z[j] = x[i[i[record + k.R_PLACES] + j]]
        for g in range(n_groups):
            said[g] = f[i[record + k.R_SAID] + g] - others[g]
            z[p + g] = x[raw + g * q]
        joint, joint_r, w = _adaptive_pieces(p + n_groups, more)
        total = adaptive_forward(
            design, f[inverse : inverse + p], sd, said, weight, z, joint, joint_r, w, b, shown
        )
        for g in range(n_groups):
            point[raw + g * q] = (shown[g] + others[g]) / scale
        for j in range(p):
            point[i[i[record + k.R_PLACES] + j]] = f[i[record + k.R_UNITS] + j] * b[j]
        return total
    precision = 1.0 / (sd * sd)
    z = np.empty(p)
    for j in range(p):
        z[j] = x[i[i[record + k.R_PLACES] + j]]
        r[j] = 0.0
        for g in range(n_groups):
            r[j] += precision * design[g, j] * shown[g]
        for c in range(j + 1):
            value = f[inverse + j] if c == j else 0.0
            for g in range(n_groups):
                value += precision * design[g, j] * design[g, c]
            root[j, c] = value
    total = conditional_forward(root, r, z, b)
    for j in range(p):
        point[i[i[record + k.R_PLACES] + j]] = f[i[record + k.R_UNITS] + j] * b[j]
    return total


@kernel
def _values_backward(design, root, r, b, shown, sd, d_b, d_shown, d_design):  # type: ignore[no-untyped-def]
    """Put the derivative by z in the place of that by the coefficients, fill those by the values and X; return that by sd."""
    n_groups, p = design.shape
    precision, d_precision = 1.0 / (sd * sd), 0.0
    d_z, d_c, d_m = np.empty(p), np.empty(p), np.empty((p, p))
    conditional_backward(root, r, b, d_b, d_z, d_c, d_m)
    for j in range(p):
        d_b[j] = d_z[j]
    for g in range(n_groups):
        d_shown[g] = 0.0
        for j in range(p):
            entry = 0.0
            for c in range(p):
                entry += d_m[j, c] * design[g, c]
            d_precision += (entry + d_c[j] * shown[g]) * design[g, j]
            d_design[g, j] = precision * (2.0 * entry + d_c[j] * shown[g])
            d_shown[g] += precision * design[g, j] * d_c[j]
    return -2.0 * d_precision * precision / sd


@kernel
def regression_backward(x, f, i, at, sd, work, d_u, gradient):  # type: ignore[no-untyped-def]
    """Hand the derivatives by coefficients and values on to what is sampled and to earlier effects; return that by the sd."""
    record, columns = i[at + k.F_REGRESSION], i[at + k.F_COLUMNS]
    n_groups, q, p, raw, scale, weights = _places(f, i, at)
    design, root, r, b, shown, others, more = _pieces(i, at, work)
    inverse, unseen = i[record + k.R_PRECISION], unseen_groups(i, _effect_of(i, at, record))
    d_b, d_design = np.empty(p), np.empty((n_groups, p))
    d_shown, d_others = np.zeros(n_groups), np.zeros(n_groups)
    for j in range(p):
        d_b[j] = gradient[i[i[record + k.R_PLACES] + j]] * f[i[record + k.R_UNITS] + j]
    if i[record + k.R_INFORMATION] >= 0:
        weight = f[i[record + k.R_INFORMATION] : i[record + k.R_INFORMATION] + n_groups]
        said, d_x, d_said = np.empty(n_groups), np.empty(p + n_groups), np.empty(n_groups)
        for g in range(n_groups):
            said[g] = f[i[record + k.R_SAID] + g] - others[g]
            d_shown[g] = gradient[raw + g * q] / scale
        joint, joint_r, w = _adaptive_pieces(p + n_groups, more)
        inner = f[inverse : inverse + p]
        d_sd = adaptive_backward(
            design, inner, sd, said, weight, joint, joint_r, w, b, d_b, d_shown, d_x, d_said, d_design
        )
        for j in range(p):
            gradient[i[i[record + k.R_PLACES] + j]] = d_x[j]
        for g in range(n_groups):  # values are what the groups show and what other columns contribute
            gradient[raw + g * q] = d_x[p + g]
            d_others[g] = d_shown[g] - d_said[g]
    else:
        d_sd = _values_backward(design, root, r, b, shown, sd, d_b, d_shown, d_design)
        for j in range(p):
            gradient[i[i[record + k.R_PLACES] + j]] = d_b[j]
        for g in range(n_groups):
            gradient[raw + g * q] += scale * d_shown[g]
            d_others[g] = -d_shown[g]
    for number in range(i[record + k.R_LINKS]):
        column, first, step = _source_of(i, at, record, number)
        for g in range(n_groups):
            if len(unseen) == 0 or unseen[g] == 0:
                d_u[first + g * step] += d_design[g, column]
    width, start, whitening = columns + i[at + k.F_LINKS], i[at + k.F_COEFFICIENTS_X], i[at + k.F_WHITENING]
    for number in range(i[record + k.R_REST]):
        j = i[i[record + k.R_REST_TABLE] + number]
        d_rest = 0.0
        for g in range(n_groups):
            d_rest += f[weights + g * columns + j] * d_others[g]
        for c in range(columns):
            gradient[start + c] += f[whitening + j * width + c] * d_rest
    return d_sd
