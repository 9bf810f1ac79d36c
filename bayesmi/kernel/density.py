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
from bayesmi.kernel.effects import (
    collapse_groups,
    effects_density,
    effects_from,
    root_backward,
    root_forward,
    unseen_groups,
)
from bayesmi.kernel.families import (
    BERNOULLI,
    GAUSSIAN,
    NOMINAL,
    PREPARED,
    add_parameters,
    bernoulli_density,
    prepare,
    single_density,
    softmax_density,
)
from bayesmi.kernel.gaussian_rows import gaussian_backward, gaussian_forward
from bayesmi.kernel.integrals import integrate_units, units_backward
from bayesmi.kernel.intervals import interval_rows
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import dot, weighted
from bayesmi.kernel.patterns import patterns_density
from bayesmi.kernel.priors import log_prior
from bayesmi.kernel.regression import regression_backward, regression_forward, regression_size
from bayesmi.kernel.scales import scale_start, scaled_rows
from bayesmi.kernel.selection import add_selected, selected_rows
from bayesmi.kernel.special import softplus

__all__ = ["density"]

_LOG_2PI = math.log(2 * math.pi)
_NOTHING = -50.0  # log of a share that is below the rounding of a sum


@kernel
def _effect_record(i, factor, effect):  # type: ignore[no-untyped-def]
    return i[i[i[k.G_FACTOR_TABLE] + factor] + k.F_EFFECT_TABLE] + effect * k.E_SIZE


@kernel
def _link_spread(x, f, i, link):  # type: ignore[no-untyped-def]
    """Return h(s) of a link (see build/links.py), its derivative by the x of s, and the place of that x."""
    if i[link + k.L_SCALE] < 0:
        return 1.0, 0.0, 0
    source = _effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
    position, scaling = i[link + k.L_POSITION], i[link + k.L_SCALE]
    place = i[source + k.E_SD_X] + position
    scale = f[i[source + k.E_SD_SCALES] + position]
    typical, floor = f[scaling], f[scaling + 1]
    ratio = scale * softplus(x[place]) / typical
    spread = math.sqrt(ratio * ratio + floor * floor)
    return spread, ratio / spread * scale / typical * math.exp(-softplus(-x[place])), place


@kernel
def _coefficients(x, f, i, at, beta, n):  # type: ignore[no-untyped-def]
    """Coefficients of factor n on the scale of the data, links after the design's columns."""
    p = i[at + k.F_COLUMNS] + i[at + k.F_LINKS]
    start = i[at + k.F_COEFFICIENTS_X]
    whitening = i[at + k.F_WHITENING]
    for j in range(p):
        value = 1.0 if start < 0 else 0.0
        for c in range(p if start >= 0 else 0):
            value += f[whitening + j * p + c] * x[start + c]
        beta[n, j] = value
    for m in range(i[at + k.F_LINKS]):
        spread_of_link, _, _ = _link_spread(x, f, i, i[at + k.F_LINK_TABLE] + m * k.L_SIZE)
        beta[n, i[at + k.F_COLUMNS] + m] /= spread_of_link


@kernel
def _scaled_parameters(x, f, i, at, a, beta, aux, sigma, n):  # type: ignore[no-untyped-def]
    """Intercept, coefficients and the family's parameters of factor n on the scale of the data."""
    location, spread = f[i[at + k.F_SCALE]], f[i[at + k.F_SCALE] + 1]
    if i[at + k.F_INTERCEPT_X] >= 0:
        a[n] = location + spread * x[i[at + k.F_INTERCEPT_X]]
    _coefficients(x, f, i, at, beta, n)
    for record in range(i[at + k.F_AUX]):
        one = i[at + k.F_AUX_TABLE] + record * k.A_SIZE
        place, first, own = i[one + k.A_X], i[one + k.A_START], i[one + k.A_F]
        transform = i[one + k.A_TRANSFORM]
        for j in range(i[one + k.A_N]):
            if transform == k.TRANSFORM_LOG:
                aux[n, first + j] = math.exp(x[place + j])
            elif transform == k.TRANSFORM_LOGIT:
                aux[n, first + j] = 1.0 / (1.0 + math.exp(-x[place + j]))
            elif transform == k.TRANSFORM_ORDERED and j > i[one + k.A_ANCHOR]:
                aux[n, first + j] = aux[n, first + j - 1] + f[own + j] * math.exp(x[place + j])
            else:
                aux[n, first + j] = f[own + j] + x[place + j]
        if transform == k.TRANSFORM_ORDERED:
            for j in range(i[one + k.A_ANCHOR] - 1, -1, -1):
                aux[n, first + j] = aux[n, first + j + 1] - f[own + j] * math.exp(x[place + j])
    for j in range(i[at + k.F_CONSTANTS_N]):
        aux[n, i[at + k.F_AUX_N] + j] = f[i[at + k.F_CONSTANTS] + j]
    if i[at + k.F_AUX_N] > 0:
        sigma[n] = aux[n, 0]


@kernel
def _group_sds(x, f, i, at):  # type: ignore[no-untyped-def]
    """Group sds: as exp(x) near zero, linear farther out, where a half-normal prior would be a wall for exp(x)."""
    q = i[at + k.E_Q]
    sds = np.empty(q)
    for a in range(q):
        sds[a] = f[i[at + k.E_SD_SCALES] + a] * softplus(x[i[at + k.E_SD_X] + a])
    return sds


@kernel
def _regression_sd(x, f, i, at):  # type: ignore[no-untyped-def]
    """Return the sd of the groups in a group-level regression, its derivative by its x, and the place of that x."""
    record = i[at + k.F_REGRESSION]
    effect = i[at + k.F_EFFECT_TABLE] + i[record + k.R_EFFECT] * k.E_SIZE
    place = i[effect + k.E_SD_X] + i[record + k.R_POSITION]
    scale = f[i[effect + k.E_SD_SCALES] + i[record + k.R_POSITION]]
    return scale * softplus(x[place]), scale * math.exp(-softplus(-x[place])), place


@kernel
def _partials(x, f, i, block, pairs):  # type: ignore[no-untyped-def]
    """(partial correlation + 1) / 2 of the effects in a block."""
    if i[block + 2] < 0:
        return f[i[block + 3] : i[block + 3] + pairs].copy()
    return 1.0 / (1.0 + np.exp(-x[i[block + 2] : i[block + 2] + pairs]))


@kernel
def _shift(x, f, i, at, g, c, p, location, a, beta, n):  # type: ignore[no-untyped-def]
    """What the fixed effects contribute to a centred effect (see build/centring.py)."""
    value = 0.0
    if i[at + k.E_SHIFT_INTERCEPT] == c:
        threshold = i[at + k.E_SHIFT_THRESHOLD]
        value += a[n] - location if threshold < 0 else -x[threshold]
    if i[at + k.E_SHIFT] >= 0:
        first = i[at + k.E_SHIFT] + (c * i[at + k.E_GROUPS] + g) * p
        for j in range(p):
            value += f[first + j] * beta[n, j]
    return value


@kernel
def _selection_of(i, factor):  # type: ignore[no-untyped-def]
    """Return the number of a factor's selection equation, its record, and how many columns it has."""
    n = i[factor + k.F_SELECTION_EQUATION]
    at = i[i[k.G_FACTOR_TABLE] + n]
    return n, at, i[at + k.F_COLUMNS]


@kernel
def _shift_elsewhere(f, i, factor, at, g, c, a, beta):  # type: ignore[no-untyped-def]
    """What the fixed effects of the selection equation contribute to one of its centred effects."""
    value = 0.0
    if i[at + k.E_ELSEWHERE_SHIFT] >= 0:
        n, own, p = _selection_of(i, factor)
        if i[at + k.E_ELSEWHERE_INTERCEPT] == c:
            value += a[n] - f[i[own + k.F_SCALE]]
        first = i[at + k.E_ELSEWHERE_SHIFT] + ((c - i[at + k.E_ELSEWHERE]) * i[at + k.E_GROUPS] + g) * p
        for j in range(p):
            value += f[first + j] * beta[n, j]
    return value


@kernel
def _effect_forward(x, f, i, factor, at, roots, corrs, a, beta, n, u):  # type: ignore[no-untyped-def]
    """Root of one grouping's covariance, and its effects if they are sampled."""
    if i[at + k.E_TREATMENT] == k.SHARED:
        return
    p, location = i[factor + k.F_COLUMNS], f[i[factor + k.F_SCALE]]
    q, n_groups = i[at + k.E_Q], i[at + k.E_GROUPS]
    root = roots[i[at + k.E_L] : i[at + k.E_L] + q * q].reshape(q, q)
    corr = corrs[i[at + k.E_L] : i[at + k.E_L] + q * q].reshape(q, q)
    sds = _group_sds(x, f, i, at)
    for b in range(i[at + k.E_BLOCKS]):
        block = i[at + k.E_BLOCK_TABLE] + 4 * b
        start, stop = i[block], i[block + 1]
        pairs = (stop - start) * (stop - start - 1) // 2
        root_forward(start, stop, _partials(x, f, i, block, pairs), sds, root, corr)
    if i[at + k.E_TREATMENT] == k.COLLAPSE:
        return
    raw, place, n_centred = i[at + k.E_EFFECTS_X], i[at + k.E_U], i[at + k.E_CENTRED]
    for g in range(n_groups):
        for c in range(n_centred):
            if c >= i[at + k.E_ELSEWHERE]:
                shift = _shift_elsewhere(f, i, factor, at, g, c, a, beta)
            else:
                shift = _shift(x, f, i, at, g, c, p, location, a, beta, n)
            u[place + g * q + c] = f[i[at + k.E_SCALE]] * x[raw + g * q + c] - shift
    if n_centred > 0:
        _shift_by_cells(x, f, i, at, n, beta, u)
        _shift_by_links(i, factor, at, n, beta, u)
    if n_centred < q or i[at + k.E_UNSEEN] >= 0:
        size = n_groups * q
        own = u[place : place + size].reshape(n_groups, q)
        effects_from(x[raw : raw + size].reshape(n_groups, q), root, n_centred, unseen_groups(i, at), own)


@kernel
def _shift_by_links(i, factor, at, n, beta, u):  # type: ignore[no-untyped-def]
    """Take the effects of earlier variables, which are there already, out of a centred effect of the same groups."""
    q = i[at + k.E_Q]
    for number in range(i[at + k.E_LINKS]):
        m, c = i[i[at + k.E_LINK_TABLE] + 2 * number], i[i[at + k.E_LINK_TABLE] + 2 * number + 1]
        link = i[factor + k.F_LINK_TABLE] + m * k.L_SIZE
        source = _effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
        first, step = i[source + k.E_U] + i[link + k.L_POSITION], i[source + k.E_Q]
        slope = beta[n, i[factor + k.F_COLUMNS] + m]
        for g in range(i[at + k.E_GROUPS]):  # those of unseen groups are filled afterwards
            u[i[at + k.E_U] + g * q + c] -= slope * u[first + g * step]


@kernel
def _shift_by_links_backward(i, factor, at, n, beta, u, unseen, d_own, d_beta, d_u):  # type: ignore[no-untyped-def]
    for number in range(i[at + k.E_LINKS]):
        m, c = i[i[at + k.E_LINK_TABLE] + 2 * number], i[i[at + k.E_LINK_TABLE] + 2 * number + 1]
        link = i[factor + k.F_LINK_TABLE] + m * k.L_SIZE
        source = _effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
        first, step = i[source + k.E_U] + i[link + k.L_POSITION], i[source + k.E_Q]
        column = i[factor + k.F_COLUMNS] + m
        for g in range(i[at + k.E_GROUPS]):
            if len(unseen) > 0 and unseen[g] == 1:
                continue
            d_beta[n, column] -= d_own[g, c] * u[first + g * step]
            d_u[first + g * step] -= d_own[g, c] * beta[n, column]


@kernel
def _shift_by_cells(x, f, i, at, n, beta, u):  # type: ignore[no-untyped-def]
    """Take sampled cells of a group's own variables out of its centred effect."""
    for number in range(i[at + k.E_CELLS]):
        entry = i[at + k.E_CELL_TABLE] + 5 * number
        place = i[at + k.E_U] + i[entry] * i[at + k.E_Q] + i[entry + 1]
        value = f[i[at + k.E_CELL_WEIGHTS] + number] * beta[n, i[entry + 2]]
        u[place] -= value * _cell(x, f, i, i[entry + 3], i[entry + 4])


@kernel
def _shift_by_cells_backward(x, f, i, at, n, beta, d_own, d_beta, gradient):  # type: ignore[no-untyped-def]
    for number in range(i[at + k.E_CELLS]):
        entry = i[at + k.E_CELL_TABLE] + 5 * number
        d = d_own[i[entry], i[entry + 1]] * f[i[at + k.E_CELL_WEIGHTS] + number]
        column = i[entry + 2]
        d_beta[n, column] -= d * _cell(x, f, i, i[entry + 3], i[entry + 4])
        _add_cell_gradient(f, i, i[entry + 3], i[entry + 4], -d * beta[n, column], gradient)


@kernel
def _cell(x, f, i, variable, index):  # type: ignore[no-untyped-def]
    """Value of a sampled cell on the scale of the data."""
    record = i[k.G_CELL_TABLE] + variable * k.C_SIZE
    return f[i[record + k.C_F]] + f[i[record + k.C_F] + 1] * x[i[record + k.C_X] + index]


@kernel
def _add_cell_gradient(f, i, variable, index, value, gradient):  # type: ignore[no-untyped-def]
    record = i[k.G_CELL_TABLE] + variable * k.C_SIZE
    gradient[i[record + k.C_X] + index] += f[i[record + k.C_F] + 1] * value


@kernel
def _own_classes(i, at, by_class):  # type: ignore[no-untyped-def]
    """Part of a factor in the work vector of classes; nothing where each row is a class of its own."""
    n = i[at + k.F_CLASSES] if i[at + k.F_CLASS_CODES] >= 0 else 0
    return by_class[i[at + k.F_CLASS_START] : i[at + k.F_CLASS_START] + n]


@kernel
def _linear_predictor(x, f, i, at, n, a, beta, u, eta, by_class):  # type: ignore[no-untyped-def]
    """Fill eta of one factor, by classes of its rows; collapsed effects are left out."""
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    if codes < 0:
        _class_predictor(x, f, i, at, n, a, beta, u, eta[start : start + rows])
        return
    out = _own_classes(i, at, by_class)
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
    matrix = f[design : design + rows * columns].reshape(rows, columns)
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
            value = _cell(x, f, i, i[slab + k.S_VARIABLE], i[i[slab + k.S_INDEX] + row])
            out[i[i[slab + k.S_POSITIONS] + row]] += weight * value
    for m in range(i[at + k.F_LINKS]):
        link = i[at + k.F_LINK_TABLE] + m * k.L_SIZE
        source = _effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
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
        group, own_z = i[codes : codes + rows], f[z : z + rows * q].reshape(rows, q)
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
                value = _cell(x, f, i, i[slab + k.S_VARIABLE], i[i[slab + k.S_INDEX] + row])
                out[t] += weight * value


@kernel
def _response(x, f, i, at, y):  # type: ignore[no-untyped-def]
    """Fill the response of one factor, sampled cells in their places."""
    start, rows, response = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_RESPONSE]
    y[start : start + rows] = f[response : response + rows]
    for row in range(i[at + k.F_RESPONSE_CELLS]):
        t = i[i[at + k.F_RESPONSE_POSITIONS] + row]
        y[start + t] = _cell(x, f, i, i[at + k.F_RESPONSE_VARIABLE], i[i[at + k.F_RESPONSE_INDEX] + row])


@kernel
def _collapsed_rows(f, i, at, n, sigma, y, eta, roots, d_roots, d_eta, d_sigma):  # type: ignore[no-untyped-def]
    """Log density of a factor whose effects are integrated out, from its rows."""
    start, rows = i[at + k.F_ROW_START], i[at + k.F_ROWS]
    effect = i[at + k.F_EFFECT_TABLE] + i[at + k.F_COLLAPSED] * k.E_SIZE
    q, n_groups = i[effect + k.E_Q], i[effect + k.E_GROUPS]
    codes, z = i[effect + k.E_CODES], i[effect + k.E_Z]
    group, own_z = i[codes : codes + rows], f[z : z + rows * q].reshape(rows, q)
    own_y, own_eta, own_d = y[start : start + rows], eta[start : start + rows], d_eta[start : start + rows]
    zr = np.zeros((n_groups, q))
    rr = 0.0
    for t in range(rows):
        r = own_y[t] - own_eta[t]
        rr += r * r
        g = group[t]
        for j in range(q):
            zr[g, j] += own_z[t, j] * r
    d_zr = np.empty((n_groups, q))
    total, d_sigma[n] = _collapse(f, i, effect, rows, rr, zr, sigma[n], roots, d_roots, d_zr)
    precision = 1.0 / (sigma[n] * sigma[n])
    for t in range(rows):
        value = precision * (own_y[t] - own_eta[t])
        g = group[t]
        for j in range(q):
            value -= own_z[t, j] * d_zr[g, j]
        own_d[t] = value
    return total


@kernel
def _collapse(f, i, effect, rows, rr, zr, sigma, roots, d_roots, d_zr):  # type: ignore[no-untyped-def]
    """Return (log density, d sigma) given the residuals' statistics; fill d_zr and add to the root's derivative."""
    q, n_groups = i[effect + k.E_Q], i[effect + k.E_GROUPS]
    place = i[effect + k.E_L]
    root = roots[place : place + q * q].reshape(q, q)
    d_root = d_roots[place : place + q * q].reshape(q, q)
    zz = f[i[effect + k.E_ZZ] : i[effect + k.E_ZZ] + n_groups * q * q].reshape(n_groups, q, q)
    precision = 1.0 / (sigma * sigma)
    total, d_precision = collapse_groups(zz, zr, root, precision, d_zr, d_root)
    total -= 0.5 * (rows * (_LOG_2PI + 2.0 * math.log(sigma)) + rr * precision)
    d_precision += 0.5 * rows / precision - 0.5 * rr
    return total, -2.0 * d_precision * precision / sigma


@kernel
def _statistics(f, i, at, n, a, beta, sigma, roots, d_roots, d_a, d_beta, d_sigma):  # type: ignore[no-untyped-def]
    """Log density of a Gaussian factor without latent cells from its sufficient statistics."""
    p = i[at + k.F_COLUMNS]
    width = p + 2
    w = np.empty(width)
    has_intercept = i[at + k.F_INTERCEPT_X] >= 0
    w[0] = f[i[at + k.F_SCALE]] - a[n] if has_intercept else 0.0
    for j in range(p):
        w[1 + j] = -beta[n, j]
    w[width - 1] = 1.0
    d_w = np.zeros(width)
    gram = f[i[at + k.F_GRAM] : i[at + k.F_GRAM] + width * width].reshape(width, width)
    precision = 1.0 / (sigma[n] * sigma[n])
    rr = 0.0
    for row in range(width):
        value = 0.0
        for column in range(width):
            value += gram[row, column] * w[column]
        rr += value * w[row]
        d_w[row] = -precision * value
    rows = i[at + k.F_ROWS]
    if i[at + k.F_COLLAPSED] < 0:
        total = -0.5 * (rows * (_LOG_2PI + 2.0 * math.log(sigma[n])) + rr * precision)
        d_sigma[n] = (rr * precision - rows) / sigma[n]
    else:
        effect = i[at + k.F_EFFECT_TABLE] + i[at + k.F_COLLAPSED] * k.E_SIZE
        q, n_groups = i[effect + k.E_Q], i[effect + k.E_GROUPS]
        size = q * n_groups * width
        zx = f[i[effect + k.E_ZX] : i[effect + k.E_ZX] + size].reshape(q, width, n_groups)
        zr = np.zeros((n_groups, q))
        for b in range(q):
            for column in range(width):
                value, of_groups = w[column], zx[b, column]
                for g in range(n_groups):
                    zr[g, b] += value * of_groups[g]
        d_zr = np.empty((n_groups, q))
        total, d_sigma[n] = _collapse(f, i, effect, rows, rr, zr, sigma[n], roots, d_roots, d_zr)
        own = np.empty(n_groups)
        for b in range(q):
            for g in range(n_groups):
                own[g] = d_zr[g, b]
            for column in range(width):
                d_w[column] += dot(own, zx[b, column])
    if has_intercept:
        d_a[n] -= d_w[0]
    for j in range(p):
        d_beta[n, j] -= d_w[1 + j]
    return total


@kernel
def _rows_backward(x, f, i, at, n, beta, u, d_eta, by_class, d_a, d_beta, d_u, gradient):  # type: ignore[no-untyped-def]
    """From d eta of one factor to its parameters, effects and sampled cells."""
    start, rows, codes = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_CLASS_CODES]
    own = d_eta[start : start + rows]
    if codes < 0:
        _classes_backward(x, f, i, at, n, beta, u, own, d_a, d_beta, d_u, gradient)
        return
    out = _own_classes(i, at, by_class)
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
    matrix = f[design : design + rows * columns].reshape(rows, columns)
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
            cell = _cell(x, f, i, variable, index)
            weight = 0.0
            for j in range(c):
                column = i[i[slab + k.S_COLUMNS] + j]
                number = f[i[slab + k.S_WEIGHTS] + row * c + j]
                weight += number * beta[n, column]
                d_beta[n, column] += value * number * cell
            _add_cell_gradient(f, i, variable, index, value * weight, gradient)
    for m in range(i[at + k.F_LINKS]):
        link = i[at + k.F_LINK_TABLE] + m * k.L_SIZE
        source = _effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
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
        group, own_z = i[codes : codes + rows], f[z : z + rows * q].reshape(rows, q)
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
                cell = _cell(x, f, i, variable, index)
                weight = 0.0
                for j in range(c):
                    column = i[i[slab + k.S_COLUMNS] + j]
                    number = f[i[slab + k.S_WEIGHTS] + row * c + j]
                    weight += number * u[place + column]
                    d_u[place + column] += own[t] * number * cell
                _add_cell_gradient(f, i, variable, index, own[t] * weight, gradient)


@kernel
def _parameters_backward(x, f, i, at, n, a, beta, aux, d_a, d_beta, d_aux, gradient):  # type: ignore[no-untyped-def]
    """Priors of one factor's parameters, and their gradient on the sampler's scale; returns the log priors."""
    total = 0.0
    if i[at + k.F_COEFFICIENTS_X] < 0:
        return total
    columns = i[at + k.F_COLUMNS]
    p = columns + i[at + k.F_LINKS]
    for j in range(p):
        place = i[at + k.F_COEFFICIENT_PRIORS] + j * k.P_SIZE
        value, slope = log_prior(f[place : place + k.P_SIZE], beta[n, j])
        total += value
        d_beta[n, j] += slope
    if i[at + k.F_INTERCEPT_X] >= 0:
        at_prior = a[n]
        centers = i[at + k.F_CENTERS]
        if i[at + k.F_INTERCEPT_AT_MEANS] == 0:
            for j in range(p):
                at_prior -= f[centers + j] * beta[n, j]
        place = i[at + k.F_INTERCEPT_PRIOR]
        value, slope = log_prior(f[place : place + k.P_SIZE], at_prior)
        total += value
        d_a[n] += slope
        if i[at + k.F_INTERCEPT_AT_MEANS] == 0:
            for j in range(p):
                d_beta[n, j] -= slope * f[centers + j]
        gradient[i[at + k.F_INTERCEPT_X]] += d_a[n] * f[i[at + k.F_SCALE] + 1]
    for record in range(i[at + k.F_AUX]):
        one = i[at + k.F_AUX_TABLE] + record * k.A_SIZE
        total += _aux_backward(x, f, i, at, one, n, p, beta, aux, d_beta, d_aux, gradient)
    for m in range(i[at + k.F_LINKS]):
        spread, slope, place = _link_spread(x, f, i, i[at + k.F_LINK_TABLE] + m * k.L_SIZE)
        total -= math.log(spread)
        gradient[place] -= (d_beta[n, columns + m] * beta[n, columns + m] + 1.0) * slope / spread
        d_beta[n, columns + m] /= spread
    start = i[at + k.F_COEFFICIENTS_X]
    whitening = i[at + k.F_WHITENING]
    for j in range(p):
        for c in range(p):
            gradient[start + c] += f[whitening + j * p + c] * d_beta[n, j]
    return total


@kernel
def _aux_backward(x, f, i, at, one, n, p, beta, aux, d_beta, d_aux, gradient):  # type: ignore[no-untyped-def]
    """Priors and Jacobian of one of the family's parameters, and their gradient; returns the log priors."""
    total = 0.0
    place, first, own = i[one + k.A_X], i[one + k.A_START], i[one + k.A_F]
    count, transform, prior = i[one + k.A_N], i[one + k.A_TRANSFORM], i[one + k.A_PRIOR]
    shift = 0.0
    if i[one + k.A_AT_MEANS] == 0:
        for j in range(p):
            shift += f[i[at + k.F_CENTERS] + j] * beta[n, j]
    for j in range(count):
        value, slope = log_prior(f[prior : prior + k.P_SIZE], aux[n, first + j] + shift)
        total += value
        d_aux[n, first + j] += slope
        if i[one + k.A_AT_MEANS] == 0:
            for c in range(p):
                d_beta[n, c] += slope * f[i[at + k.F_CENTERS] + c]
    anchor = i[one + k.A_ANCHOR]
    later = 0.0  # derivative of everything that lies above an ordered number
    if transform == k.TRANSFORM_ORDERED:
        below = 0.0  # and of everything below it
        for j in range(anchor):
            below += d_aux[n, first + j]
            total += x[place + j]
            gradient[place + j] += 1.0 - below * f[own + j] * math.exp(x[place + j])
        gradient[place + anchor] += below
    for j in range(count - 1, -1, -1):
        d = d_aux[n, first + j]
        if transform == k.TRANSFORM_LOG:
            total += x[place + j]
            gradient[place + j] += d * aux[n, first + j] + 1.0
        elif transform == k.TRANSFORM_LOGIT:
            h = aux[n, first + j]
            total += math.log(h) + math.log1p(-h)
            gradient[place + j] += d * h * (1.0 - h) + 1.0 - 2.0 * h
        elif transform == k.TRANSFORM_ORDERED:
            later += d
            if j > anchor:
                total += x[place + j]
                gradient[place + j] += later * f[own + j] * math.exp(x[place + j]) + 1.0
            elif j == anchor:
                gradient[place + j] += later
        else:
            gradient[place + j] += d
    return total


@kernel
def _centred_backward(x, f, i, factor, at, n, beta, u, d_own, d_x, d_a, d_beta, d_u, gradient):  # type: ignore[no-untyped-def]
    """Hand the derivatives of centred effects on to what they are sampled together with."""
    scale, p, shift = f[i[at + k.E_SCALE]], i[factor + k.F_COLUMNS], i[at + k.E_SHIFT]
    _shift_by_cells_backward(x, f, i, at, n, beta, d_own, d_beta, gradient)
    unseen = unseen_groups(i, at)
    _shift_by_links_backward(i, factor, at, n, beta, u, unseen, d_own, d_beta, d_u)
    n_groups = len(d_own)
    for g in range(n_groups):
        if len(unseen) > 0 and unseen[g] == 1:
            continue
        for c in range(i[at + k.E_CENTRED]):
            d = d_own[g, c]
            d_x[g, c] += scale * d
            if c >= i[at + k.E_ELSEWHERE]:
                if i[at + k.E_ELSEWHERE_SHIFT] >= 0:
                    other, _, columns = _selection_of(i, factor)
                    if i[at + k.E_ELSEWHERE_INTERCEPT] == c:
                        d_a[other] -= d
                    first = i[at + k.E_ELSEWHERE_SHIFT]
                    first += ((c - i[at + k.E_ELSEWHERE]) * n_groups + g) * columns
                    for j in range(columns):
                        d_beta[other, j] -= d * f[first + j]
                continue
            if i[at + k.E_SHIFT_INTERCEPT] == c:
                if i[at + k.E_SHIFT_THRESHOLD] < 0:
                    d_a[n] -= d
                else:
                    gradient[i[at + k.E_SHIFT_THRESHOLD]] += d
            if shift >= 0:
                first = shift + (c * n_groups + g) * p
                for j in range(p):
                    d_beta[n, j] -= d * f[first + j]


@kernel
def _effect_backward(x, f, i, factor, at, n, roots, corrs, u, d_u, d_roots, beta, d_a, d_beta, gradient):  # type: ignore[no-untyped-def]
    """Priors of one grouping's effects and covariance, and their gradient; returns the log priors."""
    total = 0.0
    if i[at + k.E_TREATMENT] == k.SHARED:
        return total
    q, n_groups = i[at + k.E_Q], i[at + k.E_GROUPS]
    place = i[at + k.E_L]
    root = roots[place : place + q * q].reshape(q, q)
    corr = corrs[place : place + q * q].reshape(q, q)
    d_root = d_roots[place : place + q * q].reshape(q, q)
    if i[at + k.E_TREATMENT] != k.COLLAPSE:
        raw, first, size = i[at + k.E_EFFECTS_X], i[at + k.E_U], n_groups * q
        own = u[first : first + size].reshape(n_groups, q)
        d_own = d_u[first : first + size].reshape(n_groups, q)
        own_x, d_x = x[raw : raw + size].reshape(n_groups, q), gradient[raw : raw + size].reshape(n_groups, q)
        n_centred = i[at + k.E_CENTRED]
        unseen = unseen_groups(i, at)
        total += effects_density(own_x, root, n_centred, unseen, own, d_own, d_x, d_root)
        total -= 0.5 * _LOG_2PI * size
        if n_centred > 0:
            _centred_backward(x, f, i, factor, at, n, beta, u, d_own, d_x, d_a, d_beta, d_u, gradient)
    sds = _group_sds(x, f, i, at)
    d_sds = np.zeros(q)
    for b in range(i[at + k.E_BLOCKS]):
        block = i[at + k.E_BLOCK_TABLE] + 4 * b
        start, stop = i[block], i[block + 1]
        pairs = (stop - start) * (stop - start - 1) // 2
        half = _partials(x, f, i, block, pairs)
        d_half = np.zeros(pairs)
        root_backward(start, stop, half, sds, corr, d_root, d_half, d_sds)
        if i[block + 2] < 0:
            continue
        logits = x[i[block + 2] : i[block + 2] + pairs]
        for pair in range(pairs):
            shape = f[i[block + 3] + 2 * pair]
            constant = f[i[block + 3] + 2 * pair + 1]
            h = half[pair]
            # log h and log (1 - h) from the logit, which do not underflow
            log_h = -math.log1p(math.exp(-abs(logits[pair]))) + min(logits[pair], 0.0)
            log_rest = log_h - logits[pair]
            total += constant + shape * (log_h + log_rest)
            gradient[i[block + 2] + pair] += shape * (1.0 - 2.0 * h) + d_half[pair] * h * (1.0 - h)
    for a in range(q):
        record = i[at + k.E_SD_PRIORS] + a * k.P_SIZE
        value, slope = log_prior(f[record : record + k.P_SIZE], sds[a])
        place = i[at + k.E_SD_X] + a
        share = math.exp(-softplus(-x[place]))  # the logistic function of x
        total += value - softplus(-x[place])
        gradient[place] += (d_sds[a] + slope) * f[i[at + k.E_SD_SCALES] + a] * share + 1.0 - share
    return total


@kernel
def _unit_weights(i, log_weights, weights):  # type: ignore[no-untyped-def]
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


@kernel
def _rows_forward(f, i, at, n, aux, y, eta, d_eta, d_first, d_second, row_value):  # type: ignore[no-untyped-def]
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
def _add_to_entries(i, at, row_value, log_weights):  # type: ignore[no-untyped-def]
    """Add the log density of a factor's rows to the entries of the expansion that they belong to."""
    start, pairs = i[at + k.F_ROW_START], i[at + k.F_PAIRS]
    first_entry, first_row = i[at + k.F_PAIR_ENTRIES], i[at + k.F_PAIR_ROWS]
    entry_of, row_of = i[first_entry : first_entry + pairs], i[first_row : first_row + pairs]
    values = row_value[start : start + i[at + k.F_ROWS]]
    for pair in range(pairs):
        log_weights[entry_of[pair]] += values[row_of[pair]]


@kernel
def _weigh_rows(f, i, at, n, y, weights, row_weight, d_eta, d_first, d_second, d_aux):  # type: ignore[no-untyped-def]
    """Weigh the derivatives of the rows of a factor: by plain rows and by the mass of the entries they stand for."""
    start, rows, counts = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_COUNTS]
    family, n_aux = i[at + k.F_FAMILY], i[at + k.F_AUX_N]
    mass, slopes = row_weight[start : start + rows], d_eta[start : start + rows]
    own_y, firsts = y[start : start + rows], d_first[start : start + rows]
    seconds = d_second[start : start + rows]
    if counts >= 0:
        mass[:] = f[counts : counts + rows]
        pairs, first_entry, first_row = i[at + k.F_PAIRS], i[at + k.F_PAIR_ENTRIES], i[at + k.F_PAIR_ROWS]
        entry_of, row_of = i[first_entry : first_entry + pairs], i[first_row : first_row + pairs]
        for pair in range(pairs):
            mass[row_of[pair]] += weights[entry_of[pair]]
        for t in range(rows):  # far out a derivative may be infinite
            slopes[t] = mass[t] * slopes[t] if mass[t] > 0.0 else 0.0
    if i[at + k.F_SELECTION_EQUATION] >= 0:
        add_selected(i, at, y, row_weight, d_first, d_second, d_aux[n])
    elif family == GAUSSIAN and n_aux > 0:
        d_aux[n, 0] += weighted(mass, firsts) if counts >= 0 else firsts.sum()
    elif n_aux > 0:
        weight = 1.0
        for t in range(rows):
            if counts >= 0:
                weight = mass[t]
            if weight > 0.0:
                add_parameters(family, own_y[t], n_aux, weight * firsts[t], weight * seconds[t], d_aux[n])


@kernel
def density(x, f, i, gradient):  # type: ignore[no-untyped-def]
    """Return the log density of the program (f, i) at the unconstrained x and fill its gradient."""
    n_factors, rows = i[k.G_FACTORS], i[k.G_ROWS]
    table = i[k.G_FACTOR_TABLE]
    gradient[:] = 0.0
    widest, roots_size, effects_size, most_aux, classes, regressions = 0, 0, 0, 0, 0, 0
    for n in range(n_factors):
        at = i[table + n]
        most_aux = max(most_aux, i[at + k.F_AUX_N] + i[at + k.F_CONSTANTS_N])
        if i[at + k.F_CLASS_CODES] >= 0:
            classes = max(classes, i[at + k.F_CLASS_START] + i[at + k.F_CLASSES])
        widest = max(widest, i[at + k.F_COLUMNS] + i[at + k.F_LINKS])
        if i[at + k.F_REGRESSION] >= 0:
            regressions = max(regressions, regression_size(i, at))
        for e in range(i[at + k.F_EFFECTS]):
            effect = i[at + k.F_EFFECT_TABLE] + e * k.E_SIZE
            q = i[effect + k.E_Q]
            if i[effect + k.E_TREATMENT] == k.SHARED:
                continue
            roots_size = max(roots_size, i[effect + k.E_L] + q * q)
            if i[effect + k.E_TREATMENT] != k.COLLAPSE:
                effects_size = max(effects_size, i[effect + k.E_U] + q * i[effect + k.E_GROUPS])
    a, sigma = np.zeros(n_factors), np.ones(n_factors)
    aux, d_aux = np.zeros((n_factors, 3 * most_aux + PREPARED)), np.zeros((n_factors, most_aux + 1))
    beta = np.zeros((n_factors, max(1, widest)))
    roots, corrs = np.zeros(roots_size), np.zeros(roots_size)
    u = np.zeros(effects_size)
    d_a, d_sigma = np.zeros(n_factors), np.zeros(n_factors)
    d_beta = np.zeros((n_factors, max(1, widest)))
    d_roots, d_u = np.zeros(roots_size), np.zeros(effects_size)
    eta, y, d_eta = np.empty(rows), np.empty(rows), np.empty(rows)
    d_first, d_second = np.empty(rows), np.empty(rows)
    sizes = i[i[k.G_UNIT_SIZES] : i[k.G_UNIT_SIZES] + i[k.G_UNITS]]
    mean, cov = np.empty(sizes.sum()), np.empty((sizes * sizes).sum())
    row_value, by_class = np.empty(rows), np.empty(classes)
    log_weights, weights = np.empty(i[k.G_EXPANDED]), np.empty(i[k.G_EXPANDED])
    log_weights[:] = f[i[k.G_BASE] : i[k.G_BASE] + i[k.G_EXPANDED]]
    point = x.copy()  # with the coefficients of group-level regressions in their places
    work = np.empty(regressions)

    total = f[i[k.G_CONSTANT]]
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_REGRESSION] >= 0:
            sd, _, _ = _regression_sd(x, f, i, at)
            _coefficients(
                x, f, i, at, beta, n
            )  # of columns beside the regression; the others are not there yet
            total += regression_forward(x, f, i, at, sd, beta[n], u, work, point)
        _scaled_parameters(point, f, i, at, a, beta, aux, sigma, n)
        if i[at + k.F_SELECTION_EQUATION] >= 0 and i[at + k.F_EFFECTS] > 0:  # effects may be centred on it
            other, own, _ = _selection_of(i, at)
            _scaled_parameters(point, f, i, own, a, beta, aux, sigma, other)
        for e in range(i[at + k.F_EFFECTS]):
            effect = i[at + k.F_EFFECT_TABLE] + e * k.E_SIZE
            _effect_forward(point, f, i, at, effect, roots, corrs, a, beta, n, u)

    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS:
            total += _statistics(f, i, at, n, a, beta, sigma, roots, d_roots, d_a, d_beta, d_sigma)
            continue
        _linear_predictor(point, f, i, at, n, a, beta, u, eta, by_class)
        if i[at + k.F_FAMILY] >= 0 and i[at + k.F_PLAIN] < 0:
            _response(point, f, i, at, y)
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS or i[at + k.F_FAMILY] < 0:
            continue
        if i[at + k.F_COLLAPSED] >= 0:
            total += _collapsed_rows(f, i, at, n, sigma, y, eta, roots, d_roots, d_eta, d_sigma)
            continue
        if i[at + k.F_PLAIN] >= 0:
            classes_of = _own_classes(i, at, by_class)
            total += gaussian_forward(
                f, i, at, beta[n], aux[n, 0], eta, classes_of, d_eta, log_weights, d_aux[n]
            )
            continue
        total += _rows_forward(f, i, at, n, aux, y, eta, d_eta, d_first, d_second, row_value)
        _add_to_entries(i, at, row_value, log_weights)

    total += patterns_density(f, i, a, beta, sigma, u, roots, d_a, d_beta, d_sigma, d_u, d_roots)
    total += integrate_units(f, i, beta, u, sigma, y, eta, mean, cov, log_weights)
    total += _unit_weights(i, log_weights, weights)

    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS:
            continue
        if i[at + k.F_PLAIN] >= 0:
            classes_of = _own_classes(i, at, by_class)
            gaussian_backward(f, i, at, aux[n, 0], weights, d_eta, classes_of, d_beta[n], d_aux[n])
        elif i[at + k.F_COLLAPSED] < 0:
            _weigh_rows(f, i, at, n, y, weights, row_value, d_eta, d_first, d_second, d_aux)
    units_backward(f, i, beta, u, sigma, y, eta, mean, cov, weights, d_eta, d_beta, d_u, d_sigma)
    for n in range(n_factors):
        at = i[table + n]
        if i[at + k.F_MODE] == k.MODE_STATISTICS:
            continue
        start = i[at + k.F_ROW_START]
        # a latent response enters as y - eta in every family that has latent cells
        for row in range(i[at + k.F_RESPONSE_CELLS]):
            t = i[i[at + k.F_RESPONSE_POSITIONS] + row]
            index = i[i[at + k.F_RESPONSE_INDEX] + row]
            _add_cell_gradient(f, i, i[at + k.F_RESPONSE_VARIABLE], index, -d_eta[start + t], gradient)
        _rows_backward(point, f, i, at, n, beta, u, d_eta, by_class, d_a, d_beta, d_u, gradient)

    # effects enter models and effects of later variables, so that these go first; those of an outcome's equation may be
    # centred on its selection equation, which comes after it
    for n in range(n_factors - 1, -1, -1):
        at = i[table + n]
        for turn in range(2):
            owner = n if turn == 1 else i[at + k.F_OUTCOME]
            if owner < 0 or (turn == 1 and i[at + k.F_SELECTION_EQUATION] >= 0):
                continue
            whose = i[table + owner]
            for e in range(i[whose + k.F_EFFECTS]):
                effect = i[whose + k.F_EFFECT_TABLE] + e * k.E_SIZE
                total += _effect_backward(
                    point,
                    f,
                    i,
                    whose,
                    effect,
                    owner,
                    roots,
                    corrs,
                    u,
                    d_u,
                    d_roots,
                    beta,
                    d_a,
                    d_beta,
                    gradient,
                )
        d_aux[n, 0] += d_sigma[n]
        total += _parameters_backward(point, f, i, at, n, a, beta, aux, d_a, d_beta, d_aux, gradient)
        if i[at + k.F_REGRESSION] >= 0:
            sd, slope, place = _regression_sd(x, f, i, at)
            gradient[place] += slope * regression_backward(x, f, i, at, sd, work, d_u, gradient)
    return total
