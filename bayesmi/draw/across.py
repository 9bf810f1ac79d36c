"""Group effects of the two equations of a selection model: their density along their correlation, and their layout in draws.

Correlated, they are one vector that the outcome's equation holds; independent, each equation holds its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.draw.rho_likelihood import log_integral, log_prior
from bayesmi.model import Model
from bayesmi.model.factor import Factor
from bayesmi.priors import Prior

__all__ = [
    "common_groupings",
    "correlations_across",
    "group_log_density",
    "has_pairs",
    "integrated_group_density",
    "laid_out_for",
]

Floats = NDArray[np.float64]
_POINTS = 801  # of an integral over Fisher's z of the correlation
_REACH = 4.0  # of it


def common_groupings(factor: Factor) -> tuple[str, ...]:
    """Return the groupings that have effects in both equations."""
    part = factor.selection
    if part is None:
        return ()
    own = {effect.grouping for effect in part.effects} | {effect.grouping for effect in part.shared}
    return tuple(effect.grouping for effect in factor.effects if effect.grouping in own)


def has_pairs(factor: Factor) -> bool:
    """Whether every common grouping has one effect in each equation."""
    return all(sum(_sizes(factor, grouping)) == 2 for grouping in common_groupings(factor))


def group_log_density(factor: Factor, draws: PosteriorDraws, correlation: Sequence[float]) -> Floats:
    """Return the log density of the pairs of group effects at known correlations, up to a constant, (C, S).

    Parameters
    ----------
    factor : Factor
        The variable's, with its selection, laid out as the draws are.
    draws : PosteriorDraws
        S draws with group effects.
    correlation : sequence of float
        C values, of all common groupings at once.
    """
    c = np.asarray(correlation, dtype=float)[:, None]
    out = np.zeros((len(c), draws.n))
    for grouping in common_groupings(factor):
        a, b = _pair(factor, grouping, draws)
        aa, bb, ab = (np.einsum("sg,sg->s", x, y) for x, y in ((a, a), (b, b), (a, b)))
        out += -0.5 * a.shape[1] * np.log1p(-(c**2)) - 0.5 * (aa + bb - 2.0 * c * ab) / (1.0 - c**2)
    return out


def integrated_group_density(factor: Factor, draws: PosteriorDraws, eta: Mapping[str, float]) -> Floats:
    """Return the log of that density integrated over LKJ priors, grouping by grouping, (S,)."""
    z = np.linspace(-_REACH, _REACH, _POINTS)
    total = np.zeros(draws.n)
    for grouping in common_groupings(factor):
        a, b = _pair(factor, grouping, draws)
        aa, bb, ab = (np.einsum("sg,sg->s", x, y) for x, y in ((a, a), (b, b), (a, b)))
        c = np.tanh(z)[:, None]
        values = -0.5 * a.shape[1] * np.log1p(-(c**2)) - 0.5 * (aa + bb - 2.0 * c * ab) / (1.0 - c**2)
        total += log_integral(values, z, log_prior(Prior("LKJ", eta[grouping]), z))
    return total


def correlations_across(factor: Factor, draws: PosteriorDraws) -> dict[tuple[str, str], Floats]:
    """Return draws, (S,), of the correlations between effects of the two equations that are in one vector.

    Keys are (grouping, "Intercept~~selection_1").
    """
    out: dict[tuple[str, str], Floats] = {}
    for effect in factor.effects:
        first = effect.n_effects - effect.elsewhere
        matrix = draws.factors[factor.keys[0]].correlations.get(effect.grouping)
        if not effect.elsewhere or matrix is None:
            continue
        for label, (i, j) in zip(effect.pair_labels, effect.correlated_pairs, strict=True):
            if j < first <= i:
                out[effect.grouping, label] = matrix[:, i, j]
    return out


def laid_out_for(model: Model, draws: PosteriorDraws, variables: Sequence[str]) -> PosteriorDraws:
    """Return the draws as a model with other known correlations of some variables' equations holds them."""
    factors = dict(draws.factors)
    for name in variables:
        factor = model.factor(name)
        assert factor.selection is not None
        key, own_key = factor.keys[0], factor.selection.keys[0]
        for grouping in common_groupings(factor):
            factors[key], factors[own_key] = _moved(factor, grouping, factors[key], factors[own_key], draws.n)
        known = {p.name for p in factor.parameters}
        kept = {p: values for p, values in factors[key].scales.items() if p in known}
        factors[key] = replace(factors[key], scales=kept)
    return replace(draws, factors=factors)


def _sizes(factor: Factor, grouping: str) -> tuple[int, int]:
    """Number of effects in the outcome's and in the selection's equation."""
    outer = factor.effect(grouping)
    if outer.elsewhere:
        return outer.n_effects - outer.elsewhere, outer.elsewhere
    assert factor.selection is not None
    return outer.n_effects, factor.selection.effect(grouping).n_effects


def _pair(factor: Factor, grouping: str, draws: PosteriorDraws) -> tuple[Floats, Floats]:
    """Standardised effects of both equations, (S, G) each, however the draws hold them."""
    assert factor.selection is not None
    own, other = draws.factors[factor.keys[0]], draws.factors[factor.selection.keys[0]]
    if own.effects[grouping].shape[2] == 2:
        both = own.effects[grouping] / own.sds[grouping][:, None, :]
        return both[:, :, 0], both[:, :, 1]
    return tuple(one.effects[grouping][:, :, 0] / one.sds[grouping][:, [0]] for one in (own, other))  # type: ignore[return-value]


def _moved(
    factor: Factor, grouping: str, own: FactorDraws, other: FactorDraws, n: int
) -> tuple[FactorDraws, FactorDraws]:
    """Effects of one grouping in the layout of the factor."""
    effect = factor.effect(grouping)
    first, second = _sizes(factor, grouping)
    together = own.effects[grouping].shape[2] == first + second and grouping not in other.effects
    if effect.elsewhere and not together:
        sds = np.concatenate([own.sds[grouping], other.sds[grouping]], axis=1)
        effects = np.concatenate([own.effects[grouping], other.effects[grouping]], axis=2)
        own = _put(own, grouping, sds, effects, own.correlations.get(grouping))
        other = _without(other, grouping)
    elif not effect.elsewhere and together:
        sds, effects = own.sds[grouping], own.effects[grouping]
        whole = own.correlations[grouping]
        other = _put(other, grouping, sds[:, first:], effects[:, :, first:], whole[:, first:, first:])
        own = _put(own, grouping, sds[:, :first], effects[:, :, :first], whole[:, :first, :first])
    if effect.known_correlation is not None:
        matrix = np.tile(
            np.array([[1.0, effect.known_correlation], [effect.known_correlation, 1.0]]), (n, 1, 1)
        )
        own = replace(own, correlations={**own.correlations, grouping: matrix})
    return own, other


def _put(
    draws: FactorDraws, grouping: str, sds: Floats, effects: Floats, correlation: Floats | None
) -> FactorDraws:
    correlations = dict(draws.correlations)
    if correlation is not None:
        correlations[grouping] = correlation
    return replace(
        draws,
        sds={**draws.sds, grouping: sds},
        effects={**draws.effects, grouping: effects},
        correlations=correlations,
    )


def _without(draws: FactorDraws, grouping: str) -> FactorDraws:
    def kept(values: Mapping[str, Floats]) -> dict[str, Floats]:
        return {key: own for key, own in values.items() if key != grouping}

    return replace(
        draws, sds=kept(draws.sds), effects=kept(draws.effects), correlations=kept(draws.correlations)
    )
