"""How large the work arrays are that a program needs."""

from __future__ import annotations

from bayesmi.kernel import layout as k
from bayesmi.kernel.families import PREPARED
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.jointly import systems_size
from bayesmi.kernel.patterns import patterns_size
from bayesmi.kernel.regression import regression_size

__all__ = ["room_sizes", "work_sizes"]


@kernel
def work_sizes(i):  # type: ignore[no-untyped-def]
    """Return the most coefficients and parameters of a factor, and sizes of what all share.

    These are of all roots, effects, classes and regressions, of what is known of effects that are integrated out together, and
    of the work on a pattern block.
    """
    table = i[k.G_FACTOR_TABLE]
    widest, roots_size, effects_size, most_aux, classes, regressions = 0, 0, 0, 0, 0, 0
    for n in range(i[k.G_FACTORS]):
        at = i[table + n]
        most_aux = max(most_aux, i[at + k.F_AUX_N] + i[at + k.F_CONSTANTS_N])
        if i[at + k.F_CLASS_CODES] >= 0:
            classes = max(classes, i[at + k.F_CLASS_START] + i[at + k.F_CLASSES])
        widest = max(widest, i[at + k.F_COLUMNS] + i[at + k.F_LINKS])
        if i[at + k.F_REGRESSION] >= 0:
            regressions = max(regressions, regression_size(i, at))
        for e in range(i[at + k.F_EFFECTS]):
            effect = i[at + k.F_EFFECT_TABLE] + e * k.E_SIZE
            q = i[effect + k.E_Q]
            if i[effect + k.E_TREATMENT] == k.SHARED:
                continue
            roots_size = max(roots_size, i[effect + k.E_L] + q * q)
            if i[effect + k.E_TREATMENT] != k.COLLAPSE:
                effects_size = max(effects_size, i[effect + k.E_U] + q * i[effect + k.E_GROUPS])
    h_size, square_size = systems_size(i)
    return (
        max(1, widest),
        most_aux,
        roots_size,
        effects_size,
        classes,
        regressions,
        h_size,
        square_size,
        patterns_size(i),
    )


@kernel
def room_sizes(i, sizes):  # type: ignore[no-untyped-def]
    """Return how much room they take in all, of what begins at zero and of what does not."""
    widest, most_aux, roots_size, effects_size, classes, regressions, h_size, square_size, block_size = sizes
    n_factors, entries = i[k.G_FACTORS], 2 * i[k.G_EXPANDED]
    by_factor = 3 + 2 * widest + (3 * most_aux + PREPARED) + (most_aux + 1)
    zeros = n_factors * by_factor + 3 * roots_size + 2 * effects_size + h_size + square_size
    cells = i[k.G_UNIT_MEANS] + i[k.G_UNIT_SQUARES]
    return zeros, n_factors + 6 * i[k.G_ROWS] + classes + entries + cells + regressions + block_size
