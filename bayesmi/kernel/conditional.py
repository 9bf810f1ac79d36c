"""A Gaussian vector sampled as a standard normal one: h = M^-1 c + L'^-1 z with the precision M = L L', and derivatives.

With r = L^-1 c this is L'^-1 (r + z), and the log Jacobian -sum log L_jj. Backward, a bar for derivatives of the sampled density:
bar z = L^-1 bar h, bar c = L'^-1 bar z, bar L = -h bar z' - bar c r' - diag(1 / L).
"""

from __future__ import annotations

import numpy as np

from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import cholesky, cholesky_backward, solve_lower, solve_upper

__all__ = ["conditional_backward", "conditional_forward"]


@kernel
def conditional_forward(precision, r, z, h):  # type: ignore[no-untyped-def]
    """Put L in the place of the precision, L^-1 c in that of c (in r), fill h; return the log Jacobian."""
    log_diagonal = cholesky(precision, len(h))
    solve_lower(precision, r)
    for j in range(len(h)):
        h[j] = r[j] + z[j]
    solve_upper(precision, h)
    return -log_diagonal


@kernel
def conditional_backward(root, r, h, d_h, d_z, d_c, d_precision):  # type: ignore[no-untyped-def]
    """Fill the derivatives by z, by c and by the precision (symmetric), given those by h."""
    p = len(h)
    d_root = np.zeros((p, p))
    for j in range(p):
        d_z[j] = d_h[j]
    solve_lower(root, d_z)
    for j in range(p):
        d_c[j] = d_z[j]
    solve_upper(root, d_c)
    for j in range(p):
        for c in range(j + 1):
            d_root[j, c] = -h[j] * d_z[c] - d_c[j] * r[c]
        d_root[j, j] -= 1.0 / root[j, j]
    cholesky_backward(root, d_root, d_precision)
