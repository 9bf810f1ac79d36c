"""Values of groups in a regression, sampled as what prior and rows leave open; with derivatives.

t = X b + u, b ~ N(0, D), u ~ N(0, s²): t ~ N(0, C), C = s²I + X D X' = F F'. The rows say of group g about N(t_g; y_g, 1 / w_g),
so that a, t = F a, has about the precision M = I + F'WF = L L' and mean M^-1 F'W y: NUTS sees z, a = M^-1 F'W y + L'^-1 z.
Non-centred where w is small against 1 / C, centred where it is large, and what is between as s and X move.
"""

from __future__ import annotations

import numpy as np

from bayesmi.kernel.conditional import conditional_backward, conditional_forward
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import cholesky, cholesky_backward

__all__ = ["adaptive_backward", "adaptive_forward"]


@kernel
def adaptive_forward(design, precision, sd, said, weight, z, factor, root, r, a, t):  # type: ignore[no-untyped-def]
    """Fill F (G, G), L (G, G), L^-1 F'Wy, a and t (G); return the log Jacobian of t by z."""
    n_groups, p = design.shape
    for g in range(n_groups):
        for b in range(g + 1):
            value = sd * sd if b == g else 0.0
            for j in range(p):
                value += design[g, j] * design[b, j] / precision[j]
            factor[g, b] = value
    total = cholesky(factor)
    for g in range(n_groups):
        r[g] = 0.0
        for b in range(g, n_groups):
            r[g] += factor[b, g] * weight[b] * said[b]
        for c in range(g + 1):
            value = 1.0 if c == g else 0.0
            for b in range(g, n_groups):
                value += factor[b, g] * weight[b] * factor[b, c]
            root[g, c] = value
    total += conditional_forward(root, r, z, a)
    for g in range(n_groups):
        t[g] = 0.0
        for b in range(g + 1):
            t[g] += factor[g, b] * a[b]
    return total


@kernel
def adaptive_backward(design, precision, sd, said, weight, factor, root, r, a, d_t, d_z, d_said, d_design):  # type: ignore[no-untyped-def]
    """Fill the derivatives by z and by what the rows say, add to that by X; return that by sd."""
    n_groups, p = design.shape
    d_a, d_c = np.zeros(n_groups), np.empty(n_groups)
    for g in range(n_groups):
        for b in range(g + 1):
            d_a[b] += factor[g, b] * d_t[g]
    d_m = np.empty((n_groups, n_groups))
    conditional_backward(root, r, a, d_a, d_z, d_c, d_m)
    d_factor = np.zeros((n_groups, n_groups))
    for b in range(n_groups):
        d_said[b] = 0.0
        for g in range(b + 1):
            d_said[b] += weight[b] * factor[b, g] * d_c[g]
            value = d_t[b] * a[g] + weight[b] * said[b] * d_c[g]
            for c in range(b + 1):
                value += 2.0 * weight[b] * factor[b, c] * d_m[c, g]
            d_factor[b, g] = value
        d_factor[b, b] += 1.0 / factor[b, b]
    d_cov = np.empty((n_groups, n_groups))
    cholesky_backward(factor, d_factor, d_cov)
    d_sd = 0.0
    for g in range(n_groups):
        d_sd += 2.0 * sd * d_cov[g, g]
        for j in range(p):
            value = 0.0
            for b in range(n_groups):
                value += d_cov[g, b] * design[b, j]
            d_design[g, j] += 2.0 * value / precision[j]
    return d_sd
