"""Links: group effects of an earlier variable as predictors; their coefficients are sampled in units of h(s) (build/links.py)."""

from __future__ import annotations

import math

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.special import softplus

__all__ = ["effect_record", "link_spread"]


@kernel
def effect_record(i, factor, effect):  # type: ignore[no-untyped-def]
    """Return the record of the effects of one grouping in a factor, both by number."""
    return i[i[i[k.G_FACTOR_TABLE] + factor] + k.F_EFFECT_TABLE] + effect * k.E_SIZE


@kernel
def link_spread(x, f, i, link):  # type: ignore[no-untyped-def]
    """Return h(s) of a link (see build/links.py), its derivative by the x of s, and the place of that x."""
    if i[link + k.L_SCALE] < 0:
        return 1.0, 0.0, 0
    source = effect_record(i, i[link + k.L_FACTOR], i[link + k.L_EFFECT])
    position, scaling = i[link + k.L_POSITION], i[link + k.L_SCALE]
    place = i[source + k.E_SD_X] + position
    scale = f[i[source + k.E_SD_SCALES] + position]
    typical, floor = f[scaling], f[scaling + 1]
    ratio = scale * softplus(x[place]) / typical
    spread = math.sqrt(ratio * ratio + floor * floor)
    return spread, ratio / spread * scale / typical * math.exp(-softplus(-x[place])), place
