"""Covariance roots of group effects, and Gaussian group effects integrated out, with derivatives.

Collapse: y_g ~ N(eta_g, sigma² I + Z_g S Z_g') with S = L L'. With t = 1 / sigma², A = Z'Z, M = I + t L'A L,
w = t L'Z'r (r = y - eta) and s = M^-1 w, Woodbury gives

    log f(y) = -1/2 sum_g [ n_g log(2 pi / t) + log |M_g| + t r_g'r_g - w_g's_g ],

finite as S goes to zero. Derivatives: d/d(Z'r) = t L s; d/dL = t [ Z'r s' - A L (M^-1 + s s') ];
d/dt = n / 2t - r'r / 2 - tr(M^-1 L'A L) / 2 + s'L'Z'r - s'L'A L s / 2.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel.jit import kernel
from bayesmi.kernel.layout import E_GROUPS, E_UNSEEN
from bayesmi.kernel.matrices import inverse_of

__all__ = [
    "collapse_groups",
    "effects_density",
    "effects_from",
    "root_backward",
    "root_forward",
    "standardise",
    "unseen_groups",
]


@kernel
def root_forward(start, stop, half, sds, root, corr):  # type: ignore[no-untyped-def]
    """Fill one block of L (q, q) and of the correlation's Cholesky factor from half = (partial + 1) / 2 and sds."""
    k = 0
    for i in range(start, stop):
        rest = 1.0
        for j in range(start, i):
            entry = (2.0 * half[k] - 1.0) * math.sqrt(rest)
            corr[i, j] = entry
            root[i, j] = sds[i] * entry
            rest -= entry * entry
            k += 1
        corr[i, i] = math.sqrt(max(rest, 1e-300))
        root[i, i] = sds[i] * corr[i, i]


@kernel
def root_backward(start, stop, half, sds, corr, d_root, d_half, d_sds):  # type: ignore[no-untyped-def]
    """Add derivatives with respect to half and sds, given those with respect to L."""
    k = 0
    for i in range(start, stop):
        for j in range(start, i + 1):
            d_sds[i] += d_root[i, j] * corr[i, j]
        first = k
        n = i - start
        rests = np.empty(n + 1)
        rests[0] = 1.0
        for j in range(n):
            rests[j + 1] = rests[j] - corr[i, start + j] ** 2
        d_rest = d_root[i, i] * sds[i] / (2.0 * corr[i, i])
        for j in range(n - 1, -1, -1):
            partial = 2.0 * half[first + j] - 1.0
            root_rest = math.sqrt(max(rests[j], 1e-300))
            d_entry = d_root[i, start + j] * sds[i] - 2.0 * corr[i, start + j] * d_rest
            d_half[first + j] += 2.0 * d_entry * root_rest
            d_rest += d_entry * partial / (2.0 * root_rest)
        k += n


@kernel
def standardise(h, square, root, hl, w, q_matrix):  # type: ignore[no-untyped-def]
    """Fill H L, w = L'h and L'H L of one group: h and H for u = L z become those for z."""
    d = len(h)
    for row in range(d):
        for column in range(d):
            value = 0.0
            for c in range(column, d):
                value += square[row, c] * root[c, column]
            hl[row, column] = value
    for row in range(d):
        for column in range(d):
            value = 0.0
            for c in range(row, d):
                value += root[c, row] * hl[c, column]
            q_matrix[row, column] = value
        value = 0.0
        for c in range(row, d):
            value += root[c, row] * h[c]
        w[row] = value


@kernel
def collapse_groups(zz, zr, root, precision, d_zr, d_root):  # type: ignore[no-untyped-def]
    """Return (sum over groups of -1/2 log|M| + 1/2 w's, derivative with respect to the precision).

    zz (G, q, q), zr (G, q); fills d_zr (G, q) and adds to d_root (q, q).
    """
    n_groups, q = zr.shape
    if q == 1:
        return _collapse_intercepts(zz, zr, root, precision, d_zr, d_root)
    total = 0.0
    d_precision = 0.0
    m = np.empty((q, q))
    inverse = np.empty((q, q))
    al = np.empty((q, q))
    lal = np.empty((q, q))
    lz = np.empty(q)
    s = np.empty(q)
    for g in range(n_groups):
        a = zz[g]
        standardise(zr[g], a, root, al, lz, lal)
        for i in range(q):
            for j in range(q):
                m[i, j] = precision * lal[i, j] + (1.0 if i == j else 0.0)
        log_det = 2.0 * inverse_of(m, q, inverse)
        quadratic = 0.0
        for i in range(q):
            value = 0.0
            for j in range(q):
                value += inverse[i, j] * lz[j]
            s[i] = precision * value
            quadratic += precision * lz[i] * s[i]
        total += 0.5 * (quadratic - log_det)
        for i in range(q):
            value = 0.0
            for j in range(i + 1):
                value += root[i, j] * s[j]
            d_zr[g, i] = precision * value
            d_precision += s[i] * lz[i]
            for j in range(q):
                d_precision -= 0.5 * (inverse[i, j] + s[i] * s[j]) * lal[j, i]
            for j in range(i + 1):
                value = zr[g, i] * s[j]
                for k in range(q):
                    value -= al[i, k] * (inverse[k, j] + s[k] * s[j])
                d_root[i, j] += precision * value
    return total, d_precision


@kernel
def _collapse_intercepts(zz, zr, root, precision, d_zr, d_root):  # type: ignore[no-untyped-def]
    """Do the same for one effect a group: M and S are numbers."""
    sd = root[0, 0]
    variance = sd * sd
    total, d_precision, d_sd = 0.0, 0.0, 0.0
    product = 1.0  # of numbers below one, whose logarithm is taken before it underflows: one for many groups
    for g in range(len(zr)):
        a, r = zz[g, 0, 0], zr[g, 0]
        spread = variance * a
        inverse = 1.0 / (1.0 + precision * spread)
        s = precision * sd * r * inverse
        total += 0.5 * precision * sd * r * s
        product *= inverse
        if product < 1e-100:
            total += 0.5 * math.log(product)
            product = 1.0
        d_zr[g, 0] = precision * sd * s
        both = inverse + s * s
        d_precision += s * sd * r - 0.5 * both * spread
        d_sd += r * s - a * sd * both
    d_root[0, 0] += precision * d_sd
    return total + 0.5 * math.log(product), d_precision


@kernel
def unseen_groups(i, at):  # type: ignore[no-untyped-def]
    """Return which groups of centred effects are not centred, (G,), or nothing where all are."""
    place = i[at + E_UNSEEN]
    return i[place : place + i[at + E_GROUPS]] if place >= 0 else i[:0]


@kernel
def effects_from(raw, root, n_centred, unseen, u):  # type: ignore[no-untyped-def]
    """Fill the non-centred effects u (G, q), those from the n_centred-th on, given the centred ones before them.

    u_g = L z_g; raw (G, q) holds z of the non-centred effects, that of the others follows from u. Of groups that are marked in
    `unseen` (G or none) no effect is centred.
    """
    n_groups, q = u.shape
    z = np.empty(q)
    for g in range(n_groups):
        centred = 0 if len(unseen) > 0 and unseen[g] == 1 else n_centred
        for i in range(q):
            value = 0.0
            for j in range(i):
                value += root[i, j] * z[j]
            if i < centred:
                z[i] = (u[g, i] - value) / root[i, i]
            else:
                z[i] = raw[g, i]
                u[g, i] = value + root[i, i] * z[i]


@kernel
def effects_density(raw, root, n_centred, unseen, u, d_u, d_raw, d_root):  # type: ignore[no-untyped-def]
    """Return the log density of sampled effects without its constant, of u where centred, of z elsewhere.

    Adds to d_u of the centred effects, to d_raw of the others and to d_root (q, q).
    """
    n_groups, q = u.shape
    total = 0.0
    z, d_z = np.empty(q), np.empty(q)
    n_seen = n_groups
    for g in range(len(unseen)):
        n_seen -= unseen[g]
    for i in range(n_centred):
        total -= n_seen * math.log(root[i, i])
        d_root[i, i] -= n_seen / root[i, i]
    for g in range(n_groups):
        centred = 0 if len(unseen) > 0 and unseen[g] == 1 else n_centred
        for i in range(q):
            if i < centred:
                value = u[g, i]
                for j in range(i):
                    value -= root[i, j] * z[j]
                z[i] = value / root[i, i]
            else:
                z[i] = raw[g, i]
            total -= 0.5 * z[i] * z[i]
            d_z[i] = -z[i]
        for i in range(q - 1, -1, -1):
            if i < centred:
                d = d_z[i] / root[i, i]
                d_u[g, i] += d
                d = -d
            else:
                d = d_u[g, i]
                d_z[i] += d * root[i, i]
                d_raw[g, i] += d_z[i]
            for j in range(i):
                d_z[j] += d * root[i, j]
            for j in range(i + 1):
                d_root[i, j] += d * z[j]
    return total
