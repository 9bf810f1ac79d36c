"""Centred group effects: what fixed effects, cells and links contribute is sampled with them (see build/centring.py)."""

from __future__ import annotations

from bayesmi.kernel import layout as k
from bayesmi.kernel.cells import add_cell_gradient, cell_value
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.links import effect_record
from bayesmi.kernel.selection import selection_of

__all__ = ["centred_backward", "centred_forward", "unseen_groups"]


@kernel
def unseen_groups(i, at):  # type: ignore[no-untyped-def]
    """Return which groups of centred effects are not centred, (G,), or nothing where all are."""
    place = i[at + k.E_UNSEEN]
    return i[place : place + i[at + k.E_GROUPS]] if place >= 0 else i[:0]


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
def _shift_elsewhere(f, i, factor, at, g, c, a, beta):  # type: ignore[no-untyped-def]
    """What the fixed effects of the selection equation contribute to one of its centred effects."""
    value = 0.0
    if i[at + k.E_ELSEWHERE_SHIFT] >= 0:
        n, own, p = selection_of(i, factor)
        if i[at + k.E_ELSEWHERE_INTERCEPT] == c:
            value += a[n] - f[i[own + k.F_SCALE]]
        first = i[at + k.E_ELSEWHERE_SHIFT] + ((c - i[at + k.E_ELSEWHERE]) * i[at + k.E_GROUPS] + g) * p
        for j in range(p):
            value += f[first + j] * beta[n, j]
    return value


@kernel
def _shift_by_cells(x, f, i, at, n, beta, u):  # type: ignore[no-untyped-def]
    """Take sampled cells of a group's own variables out of its centred effect."""
    for number in range(i[at + k.E_CELLS]):
        entry = i[at + k.E_CELL_TABLE] + 5 * number
        place = i[at + k.E_U] + i[entry] * i[at + k.E_Q] + i[entry + 1]
        value = f[i[at + k.E_CELL_WEIGHTS] + number] * beta[n, i[entry + 2]]
        u[place] -= value * cell_value(x, f, i, i[entry + 3], i[entry + 4])


@kernel
def _shift_by_cells_backward(x, f, i, at, n, beta, d_own, d_beta, gradient):  # type: ignore[no-untyped-def]
    for number in range(i[at + k.E_CELLS]):
        entry = i[at + k.E_CELL_TABLE] + 5 * number
        d = d_own[i[entry], i[entry + 1]] * f[i[at + k.E_CELL_WEIGHTS] + number]
        column = i[entry + 2]
        d_beta[n, column] -= d * cell_value(x, f, i, i[entry + 3], i[entry + 4])
        add_cell_gradient(f, i, i[entry + 3], i[entry + 4], -d * beta[n, column], gradient)


@kernel
def _shift_by_links(i, factor, at, n, beta, u):  # type: ignore[no-untyped-def]
    """Take the effects of earlier variables, which are there already, out of a centred effect of the same groups."""
    q = i[at + k.E_Q]
    for number in range(i[at + k.E_LINKS]):
        m, c = i[i[at + k.E_LINK_TABLE] + 2 * number], i[i[at + k.E_LINK_TABLE] + 2 * number + 1]
        link = i[factor + k.F_LINK_TABLE] + m * k.L_SIZE
        source = effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
        first, step = i[source + k.E_U] + i[link + k.L_POSITION], i[source + k.E_Q]
        slope = beta[n, i[factor + k.F_COLUMNS] + m]
        for g in range(i[at + k.E_GROUPS]):  # those of unseen groups are filled afterwards
            u[i[at + k.E_U] + g * q + c] -= slope * u[first + g * step]


@kernel
def _shift_by_links_backward(i, factor, at, n, beta, u, unseen, d_own, d_beta, d_u):  # type: ignore[no-untyped-def]
    for number in range(i[at + k.E_LINKS]):
        m, c = i[i[at + k.E_LINK_TABLE] + 2 * number], i[i[at + k.E_LINK_TABLE] + 2 * number + 1]
        link = i[factor + k.F_LINK_TABLE] + m * k.L_SIZE
        source = effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
        first, step = i[source + k.E_U] + i[link + k.L_POSITION], i[source + k.E_Q]
        column = i[factor + k.F_COLUMNS] + m
        for g in range(i[at + k.E_GROUPS]):
            if len(unseen) > 0 and unseen[g] == 1:
                continue
            d_beta[n, column] -= d_own[g, c] * u[first + g * step]
            d_u[first + g * step] -= d_own[g, c] * beta[n, column]


@kernel
def centred_forward(x, f, i, factor, at, n, a, beta, u):  # type: ignore[no-untyped-def]
    """Fill the centred effects of one grouping: what is sampled less what the fixed effects, cells and links contribute."""
    p, location = i[factor + k.F_COLUMNS], f[i[factor + k.F_SCALE]]
    q, raw, place = i[at + k.E_Q], i[at + k.E_EFFECTS_X], i[at + k.E_U]
    for g in range(i[at + k.E_GROUPS]):
        for c in range(i[at + k.E_CENTRED]):
            if c >= i[at + k.E_ELSEWHERE]:
                shift = _shift_elsewhere(f, i, factor, at, g, c, a, beta)
            else:
                shift = _shift(x, f, i, at, g, c, p, location, a, beta, n)
            u[place + g * q + c] = f[i[at + k.E_SCALE]] * x[raw + g * q + c] - shift
    _shift_by_cells(x, f, i, at, n, beta, u)
    _shift_by_links(i, factor, at, n, beta, u)


@kernel
def centred_backward(x, f, i, factor, at, n, beta, u, d_own, d_x, d_a, d_beta, d_u, gradient):  # type: ignore[no-untyped-def]
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
                    other, _, columns = selection_of(i, factor)
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
