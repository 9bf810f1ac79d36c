"""Group effects of several equations integrated out together, given the pattern blocks of the rows they are in.

With the cells of a block integrated out (kernel/patterns.py) its rows have the log density -tr(M A G A') / 2 and what does not
depend on A, where M = T P, G are the cross products of the block's columns and A the coefficients of its members on these. The
effects u of a group add -slope u to a coefficient each ("term": a member m, a column c, a slope s, one for effects of the member
itself and the coefficient of a link otherwise). Summed over blocks,

    log f = log f at u = 0 + sum_g [ h_g'u_g - u_g'H_g u_g / 2 ],
    h_g = sum_terms s C_g[c] . r_m,  r_m = the coefficients at u = 0 times M_m,member of the column,
    H_g = sum_terms,terms' s s' M_mm' C_g[c, c'],

C_g the cross products of the columns of the terms with all columns in group g. With u = L z, z ~ N(0, I), Q = I + L'H L and
w = L'h, integrated out that is sum_g [ w'Q^-1 w - log|Q| ] / 2, finite as L goes to zero. Its derivatives by h and by H are
the mean v = L Q^-1 w of u_g, and -(L Q^-1 L' + v v') / 2; by L it is h z' - H L (Q^-1 + z z') with z = Q^-1 w. From
these those by A (through r), by s, and by M, which is dM = -(M dA K + its transpose) + P' dT P.

Where groups lie in outer groups whose effects leave too, u_g holds both, the outer ones last: inner effects go first, group by
group, which leaves a quadratic in those of the outer group; h and H become mean and mean products of u_g all the same.
"""

from __future__ import annotations

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import copy, copy_rows, inverse_of
from bayesmi.kernel.room import shaped
from bayesmi.kernel.roots import standardise

__all__ = ["add_to_groups", "groups_backward", "solve_groups", "start_of", "system_offset", "systems_size"]


@kernel
def system_offset(i, number):  # type: ignore[no-untyped-def]
    """Return where the groups of a set begin among all numbers h, and among all numbers H."""
    means, squares = 0, 0
    for n in range(number):
        at = i[k.G_SYSTEM_TABLE] + n * k.J_SIZE
        groups, width = i[at + k.J_GROUPS], i[at + k.J_WIDTH]
        means += groups * width
        squares += groups * width * width
    return means, squares


@kernel
def systems_size(i):  # type: ignore[no-untyped-def]
    """Return how many numbers h and H there are."""
    return system_offset(i, i[k.G_SYSTEMS])


@kernel
def start_of(i, table, m, members, width):  # type: ignore[no-untyped-def]
    """Return the first of the stacked columns of a member, or the number of all after the last."""
    return i[table + m * k.M_SIZE + k.M_START] if m < members else width


@kernel
def _slope(i, member, coefficient, beta):  # type: ignore[no-untyped-def]
    return 1.0 if coefficient < 0 else beta[i[member + k.M_FACTOR], coefficient]


@kernel
def _weigh(i, table, members, width, m, t, p_matrix, w, r):  # type: ignore[no-untyped-def]
    """Fill r: every coefficient of the block times M between the member m and its own."""
    for other in range(members):
        value = t[m] * p_matrix[m, other]
        for column in range(
            start_of(i, table, other, members, width), start_of(i, table, other + 1, members, width)
        ):
            r[column] = value * w[column]


@kernel
def add_to_groups(f, i, at, beta, w, t, p_matrix, r, h, square):  # type: ignore[no-untyped-def]
    """Add a block to h (G, d) and H (G, d, d) of its set; r is work of the block's width."""
    groups, beside, width = i[at + k.T_GROUPS], i[at + k.T_BESIDE], i[at + k.T_WIDTH]
    table, members, terms = i[at + k.T_MEMBER_TABLE], i[at + k.T_MEMBERS], i[at + k.T_TERMS]
    cross = shaped(
        f[i[at + k.T_CROSS] : i[at + k.T_CROSS] + groups * beside * width], (groups, beside, width)
    )
    for number in range(terms):
        term = i[at + k.T_TERM_TABLE] + 4 * number
        m, c, slot = i[term], i[term + 1], i[term + 2]
        slope = _slope(i, table + m * k.M_SIZE, i[term + 3], beta)
        _weigh(i, table, members, width, m, t, p_matrix, w, r)
        for row in range(groups):
            g = i[i[at + k.T_GROUP_TABLE] + row]
            value = 0.0
            for column in range(width):
                value += cross[row, c, column] * r[column]
            h[g, slot] += slope * value
        for other in range(terms):
            second = i[at + k.T_TERM_TABLE] + 4 * other
            own = _slope(i, table + i[second] * k.M_SIZE, i[second + 3], beta)
            weight = slope * own * t[m] * p_matrix[m, i[second]]
            column = i[i[at + k.T_BESIDE_COLUMNS] + i[second + 1]]
            for row in range(groups):
                square[i[i[at + k.T_GROUP_TABLE] + row], slot, i[second + 2]] += (
                    weight * cross[row, c, column]
                )


@kernel
def _stacked_root(i, system, roots, root):  # type: ignore[no-untyped-def]
    """Fill the root of the effects of a group and of the one around it, (d, d): those of the equations along the diagonal."""
    root[:, :] = 0.0
    first = 0
    for e in range(i[system + k.J_EQUATIONS]):
        place, q = i[i[system + k.J_TABLE] + 2 * e], i[i[system + k.J_TABLE] + 2 * e + 1]
        for row in range(q):
            for column in range(row + 1):
                root[first + row, first + column] = roots[place + row * q + column]
        first += q


@kernel
def _add_to_roots(i, system, d_root, d_roots):  # type: ignore[no-untyped-def]
    first = 0
    for e in range(i[system + k.J_EQUATIONS]):
        place, q = i[i[system + k.J_TABLE] + 2 * e], i[i[system + k.J_TABLE] + 2 * e + 1]
        for row in range(q):
            for column in range(row + 1):
                d_roots[place + row * q + column] += d_root[first + row, first + column]
        first += q


@kernel
def _inner(d, q_matrix, w, small, inverse, kz, beside):  # type: ignore[no-untyped-def]
    """Take the first d effects out: fill (I + Q_ii)^-1, its product with w_i, and with Q_io; return the log integral."""
    outer = len(w) - d
    for row in range(d):
        for column in range(d):
            small[row, column] = q_matrix[row, column] + (1.0 if row == column else 0.0)
    total = -inverse_of(small, d, inverse)
    for row in range(d):
        value = 0.0
        for c in range(d):
            value += inverse[row, c] * w[c]
        kz[row] = value
        total += 0.5 * value * w[row]
        for column in range(outer):
            value = 0.0
            for c in range(d):
                value += inverse[row, c] * q_matrix[c, d + column]
            beside[row, column] = value
    return total


@kernel
def _outer_groups(i, system, root, h, square, outer_z, outer_cov):  # type: ignore[no-untyped-def]
    """Fill mean and covariance of the standardised effects of outer groups, inner ones integrated out; return the log integral.

    With w, Q of a group's effects i and those of its outer group o: Q_o = I + sum_g [Q_oo - Q_oi (I + Q_ii)^-1 Q_io],
    w_o = sum_g [w_o - Q_oi (I + Q_ii)^-1 w_i].
    """
    width, d, outers = i[system + k.J_WIDTH], i[system + k.J_INNER], i[system + k.J_OUTERS]
    outer = width - d
    total = 0.0
    hl, q_matrix, w = np.empty((width, width)), np.empty((width, width)), np.empty(width)
    small, inverse = np.empty((d, d)), np.empty((d, d))
    kz, beside = np.empty(d), np.empty((d, outer))
    for s in range(outers):
        for c in range(outer):
            outer_z[s, c] = 0.0
            for column in range(outer):
                outer_cov[s, c, column] = 1.0 if c == column else 0.0
    for g in range(i[system + k.J_GROUPS]):
        s = i[i[system + k.J_OUTER_OF] + g]
        standardise(h[g], square[g], root, hl, w, q_matrix)
        total += _inner(d, q_matrix, w, small, inverse, kz, beside)
        for row in range(outer):
            value = w[d + row]
            for c in range(d):
                value -= q_matrix[d + row, c] * kz[c]
            outer_z[s, row] += value
            for column in range(outer):
                value = q_matrix[d + row, d + column]
                for c in range(d):
                    value -= q_matrix[d + row, c] * beside[c, column]
                outer_cov[s, row, column] += value
    own, own_inverse, own_w = np.empty((outer, outer)), np.empty((outer, outer)), np.empty(outer)
    for s in range(outers):
        copy_rows(outer_cov[s], own)
        copy(outer_z[s], own_w)
        total -= inverse_of(own, outer, own_inverse)
        copy_rows(own_inverse, outer_cov[s])
        for row in range(outer):
            value = 0.0
            for c in range(outer):
                value += own_inverse[row, c] * own_w[c]
            outer_z[s, row] = value
            total += 0.5 * value * own_w[row]
    return total


@kernel
def solve_groups(i, system, roots, h, square, d_roots):  # type: ignore[no-untyped-def]
    """Return what the set adds to the log density; h becomes the means of the effects, H their mean products.

    Adds to the derivatives of the roots.
    """
    width, d = i[system + k.J_WIDTH], i[system + k.J_INNER]
    outers, outer = i[system + k.J_OUTERS], i[system + k.J_WIDTH] - i[system + k.J_INNER]
    root, d_root = np.empty((width, width)), np.zeros((width, width))
    _stacked_root(i, system, roots, root)
    outer_z, outer_cov = np.empty((outers, outer)), np.empty((outers, outer, outer))
    total = 0.0
    if outer > 0:
        total = _outer_groups(i, system, root, h, square, outer_z, outer_cov)
    hl, q_matrix, w = np.empty((width, width)), np.empty((width, width)), np.empty(width)
    small, inverse = np.empty((d, d)), np.empty((d, d))
    kz, beside = np.empty(d), np.empty((d, outer))
    both, z, crossed = np.empty((width, width)), np.empty(width), np.empty((d, outer))
    for g in range(i[system + k.J_GROUPS]):
        standardise(h[g], square[g], root, hl, w, q_matrix)
        own = _inner(d, q_matrix, w, small, inverse, kz, beside)
        total += own if outer == 0 else 0.0
        copy(kz, z)
        copy_rows(inverse, both)
        if outer > 0:  # z_i given z_o has mean kz - beside z_o
            s = i[i[system + k.J_OUTER_OF] + g]
            for row in range(d):
                for column in range(outer):
                    z[row] -= beside[row, column] * outer_z[s, column]
                    value = 0.0
                    for c in range(outer):
                        value += beside[row, c] * outer_cov[s, c, column]
                    crossed[row, column] = value
            for row in range(d):
                for column in range(d):
                    for c in range(outer):
                        both[row, column] += crossed[row, c] * beside[column, c]
                for column in range(outer):
                    both[row, d + column] = both[d + column, row] = -crossed[row, column]
            for row in range(outer):
                z[d + row] = outer_z[s, row]
                for column in range(outer):
                    both[d + row, d + column] = outer_cov[s, row, column]
        for row in range(width):
            for column in range(width):
                both[row, column] += z[row] * z[column]
        for row in range(width):
            for column in range(row + 1):
                value = h[g, row] * z[column]
                for c in range(width):
                    value -= hl[row, c] * both[c, column]
                d_root[row, column] += value
        for row in range(width):
            value = 0.0
            for c in range(row + 1):
                value += root[row, c] * z[c]
            h[g, row] = value
        for row in range(width):  # L E(z z') L'
            for column in range(width):
                value = 0.0
                for c in range(row + 1):
                    value += root[row, c] * both[c, column]
                hl[row, column] = value
        for row in range(width):
            for column in range(width):
                value = 0.0
                for c in range(column + 1):
                    value += hl[row, c] * root[column, c]
                square[g, row, column] = value
    _add_to_roots(i, system, d_root, d_roots)
    return total


@kernel
def groups_backward(f, i, at, beta, w, t, p_matrix, h, square, r, x, d_beta, d_w, d_m):  # type: ignore[no-untyped-def]
    """Add to the derivatives by a block's coefficients at u = 0, d_w, by its matrix M, d_m, and by coefficients of links.

    h and H as `solve_groups` leaves them; r and x are work of the block's width.
    """
    groups, beside, width = i[at + k.T_GROUPS], i[at + k.T_BESIDE], i[at + k.T_WIDTH]
    table, members, terms = i[at + k.T_MEMBER_TABLE], i[at + k.T_MEMBERS], i[at + k.T_TERMS]
    cross = shaped(
        f[i[at + k.T_CROSS] : i[at + k.T_CROSS] + groups * beside * width], (groups, beside, width)
    )
    for number in range(terms):
        term = i[at + k.T_TERM_TABLE] + 4 * number
        m, c, slot, coefficient = i[term], i[term + 1], i[term + 2], i[term + 3]
        slope = _slope(i, table + m * k.M_SIZE, coefficient, beta)
        _weigh(i, table, members, width, m, t, p_matrix, w, r)
        x[:] = 0.0
        for row in range(groups):
            value = h[i[i[at + k.T_GROUP_TABLE] + row], slot]
            for column in range(width):
                x[column] += value * cross[row, c, column]
        d_slope = 0.0
        for other in range(members):
            value = slope * t[m] * p_matrix[m, other]
            for column in range(
                start_of(i, table, other, members, width), start_of(i, table, other + 1, members, width)
            ):
                d_slope += x[column] * r[column]
                d_w[column] += value * x[column]
                d_m[m, other] += slope * x[column] * w[column]
        for other in range(terms):
            second = i[at + k.T_TERM_TABLE] + 4 * other
            own = _slope(i, table + i[second] * k.M_SIZE, i[second + 3], beta)
            column = i[i[at + k.T_BESIDE_COLUMNS] + i[second + 1]]
            value = 0.0
            for row in range(groups):
                value += square[i[i[at + k.T_GROUP_TABLE] + row], slot, i[second + 2]] * cross[row, c, column]
            d_slope -= own * t[m] * p_matrix[m, i[second]] * value
            d_m[m, i[second]] -= 0.5 * slope * own * value
        if coefficient >= 0:
            d_beta[i[table + m * k.M_SIZE + k.M_FACTOR], coefficient] += d_slope
