"""What the rows of a group say about its intercept, roughly: an estimate on the scale of the linear predictor, and how much.

With few groups neither centred nor non-centred effects do: which of the two mixes depends on the group, on the group sd and,
beside group-level predictors, on how much of the groups these explain. Adaptive effects and the coefficients of their regression
are sampled as w = m + L'^-1 z, w their standard normal form and m, L L' its mean and precision given the rows, as far as a normal
approximation holds, whatever the group sd is (kernel/adaptive.py; in the spirit of Papaspiliopoulos, Roberts & Sköld 2003, whose
weights are fixed). The map has its Jacobian in the density, so that rough numbers do: the posterior is what it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.ordinal import anchor_of
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.model.table import ModelTable

__all__ = ["MOST_GROUPS", "can_adapt", "groups_say"]

Floats = NDArray[np.float64]
MOST_GROUPS = 50  # a gradient costs the third power
_FAMILIES = (
    "gaussian", "student", "lognormal", "bernoulli", "probit", "beta", "poisson", "negativebinomial", "gamma", "exponential",
    "weibull", "ordinal", "ordinalprobit", "nominal",
)  # fmt: skip


def can_adapt(factor: Factor, effect: GroupEffect, table: ModelTable) -> bool:
    """Whether the intercepts of a grouping can be sampled adaptively: nothing else varies, all of it is known by group."""
    return (
        not factor.parameter
        and factor.selection is None
        and factor.family.name in _FAMILIES
        and effect.names == ("1",)
        and not effect.elsewhere
        and len(factor.effects) == 1
        and len(table.groupings[effect.grouping].labels) <= MOST_GROUPS
        and (factor.priors.intercept is not None or factor.family.name in ("ordinal", "ordinalprobit"))
        and not factor.offsets.n_columns
        and not any(
            table.is_incomplete(name) and table.level(name) != "row" for name in factor.design.variables
        )
    )


def _logit(share: Any) -> Any:
    return np.log(share) - np.log1p(-share)


def _probit(share: Any) -> Any:
    from scipy.special import ndtri

    return ndtri(share)


def groups_say(factor: Factor, effect: GroupEffect, table: ModelTable) -> tuple[tuple[Floats, Floats], ...]:
    """Return for each linear predictor the groups' estimates, over its location, and their information, (G,) each."""
    rows = table.rows_of_level(factor.level)
    y = factor.codes(table.values[factor.variable][rows])
    seen = np.isfinite(y)
    codes, y = table.codes_at(effect.grouping, factor.level)[seen], y[seen]
    n_groups = len(table.groupings[effect.grouping].labels)
    n = np.bincount(codes, minlength=n_groups).astype(float)
    link, location = factor.family.link, factor.location
    if link == "softmax":
        counts = np.stack(
            [np.bincount(codes[y == level], minlength=n_groups) for level in range(len(factor.keys) + 1)]
        ).astype(float)
        return tuple(
            (
                np.log((own + 0.5) / (counts[0] + 0.5)) - location,
                own * counts[0] / np.maximum(own + counts[0], 1.0),
            )
            for own in counts[1:]
        )
    if link.startswith("cumulative"):
        return (_ordered(factor, y, codes, n, link),)
    if link == "identity of the logarithm":
        y = np.log(y)
    total = np.bincount(codes, y, minlength=n_groups)
    mean = total / np.maximum(n, 1.0)
    if link in ("logit", "probit") and factor.family.is_discrete:
        share = (total + 0.5) / (n + 1.0)
        if link == "logit":
            return ((_logit(share) - location, n * share * (1.0 - share)),)
        at = _probit(share)
        return ((at - location, n * np.exp(-at * at) / (2.0 * np.pi * share * (1.0 - share))),)
    if link == "logit":  # of a mean between 0 and 1
        level = np.clip(np.where(n > 0, mean, 0.5), 0.01, 0.99)
        slope = level * (1.0 - level)
        return ((_logit(level) - location, _information(y, mean, codes, n, slope, slope)),)
    if link == "log":
        level = (total + 0.5 * factor.family.is_discrete) / np.maximum(n, 1.0)
        level = np.where((n > 0) & (level > 0.0), level, 1.0)
        variance = level if factor.family.is_discrete else level**2
        return ((np.log(level) - location, _information(y, mean, codes, n, level, variance)),)
    one = np.ones_like(mean)
    return ((np.where(n > 0, mean - location, 0.0), _information(y, mean, codes, n, one, one)),)


def _information(
    y: Floats, mean: Floats, codes: NDArray[np.intp], n: Floats, slope: Floats, variance: Floats
) -> Floats:
    """Information on the linear predictor, where the mean has a slope by it and the variance is known up to a factor."""
    spread = float(((y - mean[codes]) ** 2 / variance[codes]).sum()) / max(1.0, len(y) - float((n > 0).sum()))
    return np.asarray(n * slope**2 / (variance * (spread if spread > 0.0 else 1.0)))


def _ordered(
    factor: Factor, y: Floats, codes: NDArray[np.intp], n: Floats, link: str
) -> tuple[Floats, Floats]:
    """Shifts of the groups along the latent scale, over minus the start of the threshold that is free."""
    to_latent = _logit if link == "cumulative logit" else _probit
    (start,) = (factor.starts[own.name] for own in factor.parameters if own.transform == "ordered")
    levels, anchor = len(start) + 1, anchor_of(start)
    shift, weight, overall = np.zeros(len(n)), np.zeros(len(n)), 0.0
    for cut in range(1, levels):
        above = (np.bincount(codes[y >= cut], minlength=len(n)) + 0.5) / (n + 1.0)
        share = (float((y >= cut).sum()) + 0.5) / (len(y) + 1.0)
        mass = share * (1.0 - share)
        shift += mass * (to_latent(above) - to_latent(share))
        weight += mass
        overall = to_latent(share) if cut == anchor + 1 else overall
    cubes = sum(
        ((np.bincount(codes[y == level], minlength=len(n)) + 0.3) / (n + 0.3 * levels)) ** 3
        for level in range(levels)
    )
    information = n * (1.0 - cubes) / 3.0 * (1.0 if link == "cumulative logit" else 3.0)
    return overall + shift / weight + float(start[anchor]), information
