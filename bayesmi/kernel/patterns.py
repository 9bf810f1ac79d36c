"""Integrated cells of all rows that share a pattern, from the pattern's cross products: cost independent of the rows.

In a pattern every row has the same missing cells, the same factors k in them, the same groups (but those whose effects
leave with the cells: kernel/jointly.py), and residuals
r_k = r0_k - a_k'x with the same a_k; r0_k = D_k w_k is linear in static columns. With T = diag(t_k), A the rows a_k,
L = A'TA, V = L^-1, K = V A'T (the cells' means are K r0), P = I - A K, and S = sum over rows of r0 r0', which comes from
the cross products of all D_k:

    log f = n [ sum_k log(t_k / 2 pi) / 2 - log|L| / 2 + q log(2 pi) / 2 ] - tr(T S) / 2 + tr(V A'T S T A) / 2.

By Fisher's identity d/dw_k = -t_k sum_l P_kl D_k'D_l w_l, d/da_k = t_k [ (P S K')_k - n V a_k ], and d/d sigma_k =
[ t_k ((P S P')_kk + n a_k'V a_k) - n ] / sigma_k.
"""

from __future__ import annotations

import math

from bayesmi.kernel import layout as k
from bayesmi.kernel.cell_weights import cell_weight_backward, cell_weights
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.jointly import (
    add_to_groups,
    groups_backward,
    solve_groups,
    start_of,
    system_offset,
)
from bayesmi.kernel.matrices import inverse_of
from bayesmi.kernel.room import shaped

__all__ = ["patterns_density", "patterns_size"]

_LOG_2PI = math.log(2 * math.pi)


@kernel
def patterns_size(i):  # type: ignore[no-untyped-def]
    """Return the most numbers that a block keeps while it is worked on."""
    size = 0
    for block in range(i[k.G_PATTERNS]):
        at = i[i[k.G_PATTERN_TABLE] + block]
        q, members, width = i[at + k.T_CELLS], i[at + k.T_MEMBERS], i[at + k.T_WIDTH]
        size = max(size, (members + 4) * width + members * (5 * members + 6 * q + 2) + 2 * q * q)
    return size


@kernel
def patterns_density(f, i, a, beta, sigma, u, roots, d_a, d_beta, d_sigma, d_u, d_roots, h, square, work):  # type: ignore[no-untyped-def]
    """Return the log density of all pattern blocks, group effects integrated out of them, and add its derivatives.

    h and square (zeros) take what is known of the effects, work the numbers of one block after the other.
    """
    total = 0.0
    if i[k.G_SYSTEMS] > 0:
        for block in range(i[k.G_PATTERNS]):
            at = i[i[k.G_PATTERN_TABLE] + block]
            if i[at + k.T_SYSTEM] >= 0:
                _block_forward(f, i, at, a, beta, sigma, u, h, square, work)
        for number in range(i[k.G_SYSTEMS]):
            own, own_square = _of_system(i, number, h, square)
            total += solve_groups(i, i[k.G_SYSTEM_TABLE] + number * k.J_SIZE, roots, own, own_square, d_roots)
    for block in range(i[k.G_PATTERNS]):
        at = i[i[k.G_PATTERN_TABLE] + block]
        total += _block(f, i, at, a, beta, sigma, u, h, square, d_a, d_beta, d_sigma, d_u, work)
    return total


@kernel
def _of_system(i, number, h, square):  # type: ignore[no-untyped-def]
    """Return h (G, d) and H (G, d, d) of one set of effects."""
    first, first_square = system_offset(i, number)
    at = i[k.G_SYSTEM_TABLE] + number * k.J_SIZE
    groups, d = i[at + k.J_GROUPS], i[at + k.J_WIDTH]
    own_square = shaped(square[first_square : first_square + groups * d * d], (groups, d, d))
    return shaped(h[first : first + groups * d], (groups, d)), own_square


@kernel
def _product(left, right, transposed, out):  # type: ignore[no-untyped-def]
    """Fill out with left times right, or times right transposed."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            value = 0.0
            for c in range(left.shape[1]):
                value += left[i, c] * (right[j, c] if transposed else right[c, j])
            out[i, j] = value


@kernel
def _of_members(work, start, members, q):  # type: ignore[no-untyped-def]
    """Return the parts of the work of a block that say how its cells enter: t, A, T A, K, V, P, and where what is left begins.

    Each view costs as much as a dozen products.
    """
    cells, both = members * q, members * members
    first = start + members
    rest = first + 3 * cells
    return (
        work[start:first],
        shaped(work[first : first + cells], (members, q)),
        shaped(work[first + cells : first + 2 * cells], (members, q)),
        shaped(work[first + 2 * cells : rest], (q, members)),
        shaped(work[rest : rest + q * q], (q, q)),
        shaped(work[rest + q * q : rest + q * q + both], (members, members)),
        rest + q * q + both,
    )


@kernel
def _coefficients(f, i, at, a, beta, u, w):  # type: ignore[no-untyped-def]
    """Fill the coefficients of all members, in their places; effects that are integrated out are at zero."""
    table = i[at + k.T_MEMBER_TABLE]
    w[:] = 0.0
    for m in range(i[at + k.T_MEMBERS]):
        member = table + m * k.M_SIZE
        n, start = i[member + k.M_FACTOR], i[member + k.M_START]
        record = i[i[k.G_FACTOR_TABLE] + n]
        p = i[record + k.F_COLUMNS]
        if i[record + k.F_INTERCEPT_X] >= 0:
            w[start] = f[i[record + k.F_SCALE]] - a[n]
        for j in range(p):
            w[start + 1 + j] = -beta[n, j]
        w[start + p + 1] = 1.0
        for number in range(i[member + k.M_TERMS]):
            term = i[member + k.M_TERM_TABLE] + 3 * number
            slope = 1.0 if i[term + 2] < 0 else beta[n, i[term + 2]]
            w[start + i[term]] -= slope * u[i[term + 1]]


@kernel
def _cells(f, i, at, beta, sigma, u, t, weights, scaled, means, v_matrix, p_matrix, precision):  # type: ignore[no-untyped-def]
    """Fill t, A, T A, K, V and P of a block; return half the log determinant of the cells' precision."""
    members, q, table = i[at + k.T_MEMBERS], i[at + k.T_CELLS], i[at + k.T_MEMBER_TABLE]
    for m in range(members):
        member = table + m * k.M_SIZE
        n = i[member + k.M_FACTOR]
        t[m] = 1.0 / (sigma[n] * sigma[n])
        cell_weights(f, i, member, q, beta, u, weights[m])
        for v in range(q):
            scaled[m, v] = weights[m, v] * t[m]
    half_log_determinant = 0.0
    if q > 0:
        for v in range(q):
            for c in range(v + 1):
                value = 0.0
                for m in range(members):
                    value += weights[m, v] * scaled[m, c]
                precision[v, c] = value
        half_log_determinant = inverse_of(precision, q, v_matrix)
        _product(v_matrix, scaled, True, means)
    _product(weights, means, False, p_matrix)
    for m in range(members):
        for other in range(members):
            p_matrix[m, other] = (1.0 if m == other else 0.0) - p_matrix[m, other]
    return half_log_determinant


@kernel
def _block_forward(f, i, at, a, beta, sigma, u, h, square, work):  # type: ignore[no-untyped-def]
    """Add a block to what it says of the effects that are integrated out."""
    q, members, width = i[at + k.T_CELLS], i[at + k.T_MEMBERS], i[at + k.T_WIDTH]
    w, r = work[:width], work[width : 2 * width]
    t, weights, scaled, means, v_matrix, p_matrix, rest = _of_members(work, 2 * width, members, q)
    _coefficients(f, i, at, a, beta, u, w)
    _cells(
        f,
        i,
        at,
        beta,
        sigma,
        u,
        t,
        weights,
        scaled,
        means,
        v_matrix,
        p_matrix,
        shaped(work[rest : rest + q * q], (q, q)),
    )
    own, own_square = _of_system(i, i[at + k.T_SYSTEM], h, square)
    add_to_groups(f, i, at, beta, w, t, p_matrix, r, own, own_square)


@kernel
def _block(f, i, at, a, beta, sigma, u, h, square, d_a, d_beta, d_sigma, d_u, work):  # type: ignore[no-untyped-def]
    rows, q, members, width = i[at + k.T_ROWS], i[at + k.T_CELLS], i[at + k.T_MEMBERS], i[at + k.T_WIDTH]
    gram = shaped(f[i[at + k.T_GRAM] : i[at + k.T_GRAM] + width * width], (width, width))
    table, both, cells = i[at + k.T_MEMBER_TABLE], members * members, members * q
    w, d_w = work[:width], work[width : 2 * width]
    gw = shaped(work[4 * width : (4 + members) * width], (members, width))
    t, weights, scaled, means, v_matrix, p_matrix, rest = _of_members(work, (4 + members) * width, members, q)
    s = shaped(work[rest : rest + both], (members, members))
    ps = shaped(work[rest + both : rest + 2 * both], (members, members))
    of_sets = rest + 2 * both
    rest = of_sets + 2 * both + cells
    va = shaped(work[rest : rest + cells], (members, q))
    d_weights = shaped(work[rest + cells : rest + 2 * cells], (members, q))
    precision = shaped(work[rest + 2 * cells : rest + 2 * cells + q * q], (q, q))
    d_t = work[rest + 2 * cells + q * q : rest + 2 * cells + q * q + members]
    _coefficients(f, i, at, a, beta, u, w)
    half_log_determinant = _cells(
        f, i, at, beta, sigma, u, t, weights, scaled, means, v_matrix, p_matrix, precision
    )
    for m in range(members):
        own = gw[m]
        own[:] = 0.0
        for column in range(start_of(i, table, m, members, width), start_of(i, table, m + 1, members, width)):
            value = w[column]
            for row in range(width):
                own[row] += gram[column, row] * value  # gram is symmetric
        for other in range(members):
            value = 0.0
            for row in range(
                start_of(i, table, other, members, width), start_of(i, table, other + 1, members, width)
            ):
                value += w[row] * own[row]
            s[other, m] = value
    _product(p_matrix, s, False, ps)
    value = 0.5 * q * _LOG_2PI - half_log_determinant
    total = 0.0
    for m in range(members):
        value += 0.5 * math.log(t[m]) - 0.5 * _LOG_2PI
        total -= 0.5 * t[m] * ps[m, m]  # tr(TS) - tr(V A'TSTA) = tr(T P S)
    total += rows * value
    _product(weights, v_matrix, False, va)
    for m in range(members):
        for column in range(start_of(i, table, m, members, width), start_of(i, table, m + 1, members, width)):
            value = 0.0
            for other in range(members):
                value -= p_matrix[m, other] * gw[other, column]
            d_w[column] = t[m] * value
        spread = 0.0
        for v in range(q):
            spread += weights[m, v] * va[m, v]
            value = -rows * va[m, v]
            for c in range(members):
                value += ps[m, c] * means[v, c]
            d_weights[m, v] = value * t[m]
        value = rows * spread
        for c in range(members):
            value += ps[m, c] * p_matrix[m, c]
        d_t[m] = 0.5 * (rows / t[m] - value)
    if i[at + k.T_SYSTEM] >= 0:
        own_h, own_square = _of_system(i, i[at + k.T_SYSTEM], h, square)
        r, x = work[2 * width : 3 * width], work[3 * width : 4 * width]
        d_m = shaped(work[of_sets : of_sets + both], (members, members))
        dp = shaped(work[of_sets + both : of_sets + 2 * both], (members, members))
        dk = shaped(work[of_sets + 2 * both : of_sets + 2 * both + cells], (members, q))
        d_m[:, :] = 0.0
        groups_backward(f, i, at, beta, w, t, p_matrix, own_h, own_square, r, x, d_beta, d_w, d_m)
        _matrix_backward(members, q, t, means, p_matrix, d_m, dp, dk, d_weights, d_t)
    _push(f, i, at, beta, sigma, u, t, d_w, d_weights, d_t, d_a, d_beta, d_sigma, d_u)
    return total


@kernel
def _matrix_backward(members, q, t, means, p_matrix, d_m, dp, dk, d_weights, d_t):  # type: ignore[no-untyped-def]
    """Add derivatives by A and T, given those by M = T P; dp and dk are work."""
    for m in range(members):
        for other in range(m):
            value = 0.5 * (d_m[m, other] + d_m[other, m])
            d_m[m, other] = d_m[other, m] = value
    _product(d_m, p_matrix, True, dp)  # D P'
    for m in range(members):
        value = 0.0
        for c in range(members):
            value += p_matrix[m, c] * dp[c, m]
        d_t[m] += value
    _product(d_m, means, True, dk)  # D K'
    for m in range(members):
        for v in range(q):
            value = 0.0
            for c in range(members):
                value += p_matrix[m, c] * dk[c, v]
            d_weights[m, v] -= 2.0 * t[m] * value


@kernel
def _push(f, i, at, beta, sigma, u, t, d_w, d_weights, d_t, d_a, d_beta, d_sigma, d_u):  # type: ignore[no-untyped-def]
    """Add derivatives by a block's coefficients, weights and precisions to those by the parameters."""
    table, q = i[at + k.T_MEMBER_TABLE], i[at + k.T_CELLS]
    for m in range(i[at + k.T_MEMBERS]):
        member = table + m * k.M_SIZE
        n, start = i[member + k.M_FACTOR], i[member + k.M_START]
        record = i[i[k.G_FACTOR_TABLE] + n]
        if i[record + k.F_INTERCEPT_X] >= 0:
            d_a[n] -= d_w[start]
        for j in range(i[record + k.F_COLUMNS]):
            d_beta[n, j] -= d_w[start + 1 + j]
        for number in range(i[member + k.M_TERMS]):
            term = i[member + k.M_TERM_TABLE] + 3 * number
            d, place, coefficient = d_w[start + i[term]], i[term + 1], i[term + 2]
            if coefficient < 0:
                d_u[place] -= d
            else:
                d_u[place] -= d * beta[n, coefficient]
                d_beta[n, coefficient] -= d * u[place]
        for v in range(q):
            cell_weight_backward(f, i, member, v, d_weights[m, v], d_beta, d_u)
        d_sigma[n] -= 2.0 * d_t[m] * t[m] / sigma[n]
