"""Integrated cells of all rows that share a pattern, from the pattern's cross products: cost independent of the rows.

In a pattern every row has the same missing cells, the same factors k in them, the same groups, and residuals
r_k = r0_k - a_k'x with the same a_k; r0_k = D_k w_k is linear in static columns. With T = diag(t_k), A the rows a_k,
L = A'TA, V = L^-1, K = V A'T (the cells' means are K r0), P = I - A K, and S = sum over rows of r0 r0', which comes from
the cross products of all D_k:

    log f = n [ sum_k log(t_k / 2 pi) / 2 - log|L| / 2 + q log(2 pi) / 2 ] - tr(T S) / 2 + tr(V A'T S T A) / 2.

By Fisher's identity d/dw_k = -t_k sum_l P_kl D_k'D_l w_l, d/da_k = t_k [ (P S K')_k - n V a_k ], and d/d sigma_k =
[ t_k ((P S P')_kk + n a_k'V a_k) - n ] / sigma_k.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import inverse_of

__all__ = ["patterns_density"]

_LOG_2PI = math.log(2 * math.pi)


@kernel
def patterns_density(f, i, a, beta, sigma, u, d_a, d_beta, d_sigma, d_u):  # type: ignore[no-untyped-def]
    """Return the log density of all pattern blocks and add its derivatives."""
    total, size = 0.0, 0
    for block in range(i[k.G_PATTERNS]):
        at = i[i[k.G_PATTERN_TABLE] + block]
        q, members, width = i[at + k.T_CELLS], i[at + k.T_MEMBERS], i[at + k.T_WIDTH]
        size = max(size, (members + 1) * width + 4 * members * (members + q + 1) + 2 * q * q)
    work = np.empty(size)  # of one block after the other: to ask for memory costs as much as a small product
    for block in range(i[k.G_PATTERNS]):
        at = i[i[k.G_PATTERN_TABLE] + block]
        total += _block(f, i, at, a, beta, sigma, u, d_a, d_beta, d_sigma, d_u, work)
    return total


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
def _start(i, table, m, members, width):  # type: ignore[no-untyped-def]
    """Return the first of the stacked columns of a member, or the number of all after the last."""
    return i[table + m * k.M_SIZE + k.M_START] if m < members else width


@kernel
def _block(f, i, at, a, beta, sigma, u, d_a, d_beta, d_sigma, d_u, work):  # type: ignore[no-untyped-def]
    rows, q, members, width = i[at + k.T_ROWS], i[at + k.T_CELLS], i[at + k.T_MEMBERS], i[at + k.T_WIDTH]
    gram = f[i[at + k.T_GRAM] : i[at + k.T_GRAM] + width * width].reshape(width, width)
    table, both, cells = i[at + k.T_MEMBER_TABLE], members * members, members * q
    w = work[:width]  # w_k of all members in their places
    gw = work[width : width + members * width].reshape(members, width)
    own_work = work[width + members * width :]
    s = own_work[:both].reshape(members, members)
    p_matrix = own_work[both : 2 * both].reshape(members, members)
    ps = own_work[2 * both : 3 * both].reshape(members, members)
    own_work = own_work[3 * both :]
    weights = own_work[:cells].reshape(members, q)
    scaled = own_work[cells : 2 * cells].reshape(members, q)  # T A
    means = own_work[2 * cells : 3 * cells].reshape(q, members)  # K
    va = own_work[3 * cells : 4 * cells].reshape(members, q)
    own_work = own_work[4 * cells :]
    v_matrix = own_work[: q * q].reshape(q, q)
    t = own_work[2 * q * q : 2 * q * q + members]
    w[:] = 0.0
    for m in range(members):
        member = table + m * k.M_SIZE
        n, start = i[member + k.M_FACTOR], i[member + k.M_START]
        record = i[i[k.G_FACTOR_TABLE] + n]
        p = i[record + k.F_COLUMNS]
        t[m] = 1.0 / (sigma[n] * sigma[n])
        if i[record + k.F_INTERCEPT_X] >= 0:
            w[start] = f[i[record + k.F_SCALE]] - a[n]
        for j in range(p):
            w[start + 1 + j] = -beta[n, j]
        w[start + p + 1] = 1.0
        for number in range(i[member + k.M_TERMS]):
            term = i[member + k.M_TERM_TABLE] + 3 * number
            slope = 1.0 if i[term + 2] < 0 else beta[n, i[term + 2]]
            w[start + i[term]] -= slope * u[i[term + 1]]
        for v in range(q):
            entry = i[member + k.M_ENTRIES] + v * k.ENTRY_SIZE
            weights[m, v] = f[i[entry + k.ENTRY_CONSTANT]]
            for j in range(i[entry]):
                weights[m, v] += (
                    f[i[entry + k.ENTRY_WEIGHTS] + j] * beta[n, i[i[entry + k.ENTRY_COLUMNS] + j]]
                )
            for j in range(i[entry + k.ENTRY_EFFECTS]):
                weights[m, v] += f[i[entry + k.ENTRY_SLOPES] + j] * u[i[i[entry + k.ENTRY_PLACES] + j]]
        for v in range(q):
            scaled[m, v] = weights[m, v] * t[m]
    for m in range(members):
        own = gw[m]
        own[:] = 0.0
        for column in range(_start(i, table, m, members, width), _start(i, table, m + 1, members, width)):
            value = w[column]
            for row in range(width):
                own[row] += gram[column, row] * value  # gram is symmetric
        for other in range(members):
            value = 0.0
            for row in range(
                _start(i, table, other, members, width), _start(i, table, other + 1, members, width)
            ):
                value += w[row] * own[row]
            s[other, m] = value
    half_log_determinant = 0.0
    if q > 0:
        precision = own_work[q * q : 2 * q * q].reshape(q, q)
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
    _product(p_matrix, s, False, ps)
    value = 0.5 * q * _LOG_2PI - half_log_determinant
    total = 0.0
    for m in range(members):
        value += 0.5 * math.log(t[m]) - 0.5 * _LOG_2PI
        total -= 0.5 * t[m] * ps[m, m]  # tr(TS) - tr(V A'TSTA) = tr(T P S)
    total += rows * value
    _product(weights, v_matrix, False, va)
    for m in range(members):
        member = table + m * k.M_SIZE
        n, start = i[member + k.M_FACTOR], i[member + k.M_START]
        record = i[i[k.G_FACTOR_TABLE] + n]
        p = i[record + k.F_COLUMNS]
        for other in range(members):
            value = t[m] * p_matrix[m, other]
            if i[record + k.F_INTERCEPT_X] >= 0:
                d_a[n] += value * gw[other, start]
            for j in range(p):
                d_beta[n, j] += value * gw[other, start + 1 + j]
            for number in range(i[member + k.M_TERMS]):
                term = i[member + k.M_TERM_TABLE] + 3 * number
                d, place, coefficient = value * gw[other, start + i[term]], i[term + 1], i[term + 2]
                if coefficient < 0:
                    d_u[place] += d
                else:
                    d_u[place] += d * beta[n, coefficient]
                    d_beta[n, coefficient] += d * u[place]
        spread = 0.0
        for v in range(q):
            spread += weights[m, v] * va[m, v]
            value = -rows * va[m, v]
            for c in range(members):
                value += ps[m, c] * means[v, c]
            value *= t[m]
            entry = i[member + k.M_ENTRIES] + v * k.ENTRY_SIZE
            for j in range(i[entry]):
                d_beta[n, i[i[entry + k.ENTRY_COLUMNS] + j]] += value * f[i[entry + k.ENTRY_WEIGHTS] + j]
            for j in range(i[entry + k.ENTRY_EFFECTS]):
                d_u[i[i[entry + k.ENTRY_PLACES] + j]] += value * f[i[entry + k.ENTRY_SLOPES] + j]
        value = rows * spread
        for c in range(members):
            value += ps[m, c] * p_matrix[m, c]
        d_sigma[n] += (t[m] * value - rows) / sigma[n]
    return total
