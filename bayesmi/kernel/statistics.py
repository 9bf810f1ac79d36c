"""A Gaussian factor without latent cells, from its sufficient statistics: what it costs does not depend on the rows."""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.collapse import collapse_effects
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import dot
from bayesmi.kernel.room import shaped

__all__ = ["statistics_density"]

_LOG_2PI = math.log(2 * math.pi)


@kernel
def statistics_density(f, i, at, n, a, beta, sigma, roots, d_roots, d_a, d_beta, d_sigma):  # type: ignore[no-untyped-def]
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
    gram = shaped(f[i[at + k.F_GRAM] : i[at + k.F_GRAM] + width * width], (width, width))
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
        zx = shaped(f[i[effect + k.E_ZX] : i[effect + k.E_ZX] + size], (q, width, n_groups))
        zr = np.zeros((n_groups, q))
        for b in range(q):
            for column in range(width):
                value, of_groups = w[column], zx[b, column]
                for g in range(n_groups):
                    zr[g, b] += value * of_groups[g]
        d_zr = np.empty((n_groups, q))
        total, d_sigma[n] = collapse_effects(f, i, effect, rows, rr, zr, sigma[n], roots, d_roots, d_zr)
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
