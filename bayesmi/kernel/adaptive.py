"""Values of groups and coefficients of their regression, sampled as what prior and rows leave open; with derivatives.

t = X b + u, b = D^½ w_b, u = s w_u, w standard normal a priori. The rows say of group g about N(t_g; y_g, 1 / c_g): then w has
about the precision M = I + A'CA, A = [X D^½, sI], and mean M^-1 A'Cy. NUTS sees z, w = mean + L'^-1 z: non-centred where rows
say little against the prior, centred where they say much, and what is between as s and X move. Coefficients come first: then no
pivot of L is small, and the map turns no faster than s and X do.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel.conditional import conditional_backward, conditional_forward
from bayesmi.kernel.jit import kernel

__all__ = ["adaptive_backward", "adaptive_forward"]


@kernel
def adaptive_forward(design, precision, sd, said, weight, z, root, r, w, b, t):  # type: ignore[no-untyped-def]
    """Fill L (P + G, P + G), L^-1 A'Cy, w, b (P) and t (G); return the log Jacobian of (b, t) by z, less its constant."""
    n_groups, p = design.shape
    for j in range(p):
        scale = 1.0 / math.sqrt(precision[j])
        r[j] = 0.0
        for g in range(n_groups):
            r[j] += scale * design[g, j] * weight[g] * said[g]
            root[p + g, j] = sd * weight[g] * design[g, j] * scale
        for c in range(j + 1):
            value = 0.0
            for g in range(n_groups):
                value += design[g, j] * weight[g] * design[g, c]
            root[j, c] = value * scale / math.sqrt(precision[c]) + (1.0 if c == j else 0.0)
    for g in range(n_groups):
        r[p + g] = sd * weight[g] * said[g]
        for c in range(g):
            root[p + g, p + c] = 0.0
        root[p + g, p + g] = 1.0 + sd * sd * weight[g]
    total = conditional_forward(root, r, z, w) + n_groups * math.log(sd)
    for j in range(p):
        b[j] = w[j] / math.sqrt(precision[j])
    for g in range(n_groups):
        t[g] = sd * w[p + g]
        for j in range(p):
            t[g] += design[g, j] * b[j]
    return total


@kernel
def adaptive_backward(design, precision, sd, said, weight, root, r, w, b, d_b, d_t, d_z, d_said, d_design):  # type: ignore[no-untyped-def]
    """Fill the derivatives by z, by what the rows say and by X; return that by sd."""
    n_groups, p = design.shape
    n = p + n_groups
    d_w, d_c, d_m = np.empty(n), np.empty(n), np.empty((n, n))
    d_sd = n_groups / sd
    for j in range(p):
        value = d_b[j]
        for g in range(n_groups):
            value += d_t[g] * design[g, j]
            d_design[g, j] = d_t[g] * b[j]
        d_w[j] = value / math.sqrt(precision[j])
    for g in range(n_groups):
        d_w[p + g] = sd * d_t[g]
        d_sd += d_t[g] * w[p + g]
    conditional_backward(root, r, w, d_w, d_z, d_c, d_m)
    for g in range(n_groups):
        own = d_c[p + g]
        d_said[g] = weight[g] * sd * own
        d_sd += weight[g] * said[g] * own + 2.0 * sd * weight[g] * d_m[p + g, p + g]
        for j in range(p):
            scale = 1.0 / math.sqrt(precision[j])
            value = said[g] * d_c[j] + 2.0 * sd * d_m[p + g, j]
            for c in range(p):
                value += 2.0 * d_m[j, c] * design[g, c] / math.sqrt(precision[c])
            d_design[g, j] += weight[g] * scale * value
            d_said[g] += weight[g] * scale * design[g, j] * d_c[j]
            d_sd += 2.0 * weight[g] * scale * design[g, j] * d_m[p + g, j]
    return d_sd
