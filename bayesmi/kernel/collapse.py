"""Gaussian group effects integrated out of the rows of a factor, with derivatives.

y_g ~ N(eta_g, sigma² I + Z_g S Z_g') with S = L L'. With t = 1 / sigma², A = Z'Z, M = I + t L'A L,
w = t L'Z'r (r = y - eta) and s = M^-1 w, Woodbury gives

    log f(y) = -1/2 sum_g [ n_g log(2 pi / t) + log |M_g| + t r_g'r_g - w_g's_g ],

finite as S goes to zero. Derivatives: d/d(Z'r) = t L s; d/dL = t [ Z'r s' - A L (M^-1 + s s') ];
d/dt = n / 2t - r'r / 2 - tr(M^-1 L'A L) / 2 + s'L'Z'r - s'L'A L s / 2.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import inverse_of
from bayesmi.kernel.room import shaped
from bayesmi.kernel.roots import standardise

__all__ = ["collapse_effects", "collapsed_rows"]

_LOG_2PI = math.log(2 * math.pi)


@kernel
def _collapse_groups(zz, zr, root, precision, d_zr, d_root):  # type: ignore[no-untyped-def]
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
                for c in range(q):
                    value -= al[i, c] * (inverse[c, j] + s[c] * s[j])
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
def collapse_effects(f, i, effect, rows, rr, zr, sigma, roots, d_roots, d_zr):  # type: ignore[no-untyped-def]
    """Return (log density, d sigma) given the residuals' statistics; fill d_zr and add to the root's derivative."""
    q, n_groups = i[effect + k.E_Q], i[effect + k.E_GROUPS]
    place = i[effect + k.E_L]
    root = shaped(roots[place : place + q * q], (q, q))
    d_root = shaped(d_roots[place : place + q * q], (q, q))
    zz = shaped(f[i[effect + k.E_ZZ] : i[effect + k.E_ZZ] + n_groups * q * q], (n_groups, q, q))
    precision = 1.0 / (sigma * sigma)
    total, d_precision = _collapse_groups(zz, zr, root, precision, d_zr, d_root)
    total -= 0.5 * (rows * (_LOG_2PI + 2.0 * math.log(sigma)) + rr * precision)
    d_precision += 0.5 * rows / precision - 0.5 * rr
    return total, -2.0 * d_precision * precision / sigma


@kernel
def collapsed_rows(f, i, at, n, sigma, y, eta, roots, d_roots, d_eta, d_sigma):  # type: ignore[no-untyped-def]
    """Log density of a factor whose effects are integrated out, from its rows."""
    start, rows = i[at + k.F_ROW_START], i[at + k.F_ROWS]
    effect = i[at + k.F_EFFECT_TABLE] + i[at + k.F_COLLAPSED] * k.E_SIZE
    q, n_groups = i[effect + k.E_Q], i[effect + k.E_GROUPS]
    codes, z = i[effect + k.E_CODES], i[effect + k.E_Z]
    group, own_z = i[codes : codes + rows], shaped(f[z : z + rows * q], (rows, q))
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
    total, d_sigma[n] = collapse_effects(f, i, effect, rows, rr, zr, sigma[n], roots, d_roots, d_zr)
    precision = 1.0 / (sigma[n] * sigma[n])
    for t in range(rows):
        value = precision * (own_y[t] - own_eta[t])
        g = group[t]
        for j in range(q):
            value -= own_z[t, j] * d_zr[g, j]
        own_d[t] = value
    return total
