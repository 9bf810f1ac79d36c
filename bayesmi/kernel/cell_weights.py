"""How integrated cells enter a member (a row of a factor, or all its rows in a pattern): forward and backward.

A member's record begins with its factor; the place of its entries is the third of its numbers.
"""

from __future__ import annotations

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel

__all__ = ["cell_weight_backward", "cell_weights"]


@kernel
def cell_weights(f, i, member, q, beta, u, a):  # type: ignore[no-untyped-def]
    """Fill a: minus the derivative of the member's residual with respect to each cell."""
    n, entries = i[member], i[member + k.MEMBER_ENTRIES]
    for v in range(q):
        entry = entries + v * k.ENTRY_SIZE
        value = f[i[entry + k.ENTRY_CONSTANT]]
        for j in range(i[entry]):
            value += f[i[entry + k.ENTRY_WEIGHTS] + j] * beta[n, i[i[entry + k.ENTRY_COLUMNS] + j]]
        for j in range(i[entry + k.ENTRY_EFFECTS]):
            value += f[i[entry + k.ENTRY_SLOPES] + j] * u[i[i[entry + k.ENTRY_PLACES] + j]]
        a[v] = value


@kernel
def cell_weight_backward(f, i, member, v, value, d_beta, d_u):  # type: ignore[no-untyped-def]
    """From the derivative by the weight of cell v in a member to coefficients and group effects."""
    n, entry = i[member], i[member + k.MEMBER_ENTRIES] + v * k.ENTRY_SIZE
    for j in range(i[entry]):
        d_beta[n, i[i[entry + k.ENTRY_COLUMNS] + j]] += value * f[i[entry + k.ENTRY_WEIGHTS] + j]
    for j in range(i[entry + k.ENTRY_EFFECTS]):
        d_u[i[i[entry + k.ENTRY_PLACES] + j]] += value * f[i[entry + k.ENTRY_SLOPES] + j]
