"""How large the work arrays are that a program needs."""

from __future__ import annotations

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.regression import regression_size

__all__ = ["work_sizes"]


@kernel
def work_sizes(i):  # type: ignore[no-untyped-def]
    """Return most coefficients and parameters of a factor, and the sizes of all roots, effects, classes and regressions."""
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
    return widest, most_aux, roots_size, effects_size, classes, regressions
