"""Between the sampled form of an analysis model with latent group means and the form it is written in.

Written: a + b_w (x - mu) + b_b mu + delta'w with mu = alpha + gamma'w + u. Sampled: a' + b_w x + d u + delta''w. So
d = b_b - b_w, delta' = delta + d gamma and a' = a + d alpha; with x itself in place of its deviation d is the effect of mu.
A group mean of a second variable that is modelled given the first holds a multiple of the first one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.model.factor import Factor

__all__ = ["GroupPart", "as_sampled", "as_written", "group_parts", "written_factor"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroupPart:
    """The latent mean of one variable: constant + weights of group-level columns + weights of group effects."""

    variable: str
    constant: Floats  # (S,)
    columns: dict[str, Floats]  # name of a column of the analysis model -> (S,)
    effects: dict[str, Floats]  # variable -> (S,) weight of its group effects


def group_parts(factors: Sequence[Factor], draws: PosteriorDraws) -> tuple[GroupPart, ...]:
    """Return the latent means of the analysis model's variables, in the order of the product."""
    analysis = next(factor for factor in factors if factor.role == "analysis")
    named = {one.variable: one for one in analysis.contextual}
    parts: dict[str, GroupPart] = {}
    for factor in factors:
        if factor.variable not in named:
            continue
        own = draws.factors[factor.keys[0]]
        grouping = named[factor.variable].grouping
        constant = np.zeros(draws.n) if own.intercept is None else own.intercept.copy()
        columns: dict[str, Floats] = {}
        effects = {factor.variable: np.ones(draws.n)}

        def add(to: dict[str, Floats], name: str, value: Floats) -> None:
            to[name] = to[name] + value if name in to else value

        for j, name in enumerate(factor.column_names[: factor.design.n_columns]):
            slope = own.coefficients[:, j]
            if name in parts:
                constant = constant + slope * parts[name].constant
                for other, weight in parts[name].columns.items():
                    add(columns, other, slope * weight)
                for other, weight in parts[name].effects.items():
                    add(effects, other, slope * weight)
            elif name in named[factor.variable].balanced:
                constant = constant + slope * factor.centers[j]
            else:
                add(columns, name, slope)
        for m, link in enumerate(factor.links):
            if link.variable in parts and link.grouping == grouping and not link.slope:
                add(effects, link.variable, own.coefficients[:, factor.design.n_columns + m])
        parts[factor.variable] = GroupPart(factor.variable, constant, columns, effects)
    return tuple(parts.values())


def written_factor(factor: Factor) -> Factor:
    """Return the analysis model's factor with the names of its formula."""
    if not factor.contextual:
        return factor
    renamed = {one.variable: one.within for one in factor.contextual if one.within}
    called = {one.variable: one.between for one in factor.contextual}
    blocks = tuple(replace(block, name=renamed.get(block.name, block.name)) for block in factor.design.blocks)
    links = tuple(replace(link, called=called[link.variable]) for link in factor.links)
    n = factor.design.n_columns
    names = tuple(renamed.get(name, name) for name in factor.column_names[:n])
    return replace(
        factor,
        design=replace(factor.design, blocks=blocks),
        links=links,
        column_names=(*names, *(link.name for link in links)),
    )


def as_written(factors: Sequence[Factor], draws: PosteriorDraws) -> PosteriorDraws:
    """Return the draws with the analysis model's coefficients as its formula has them."""
    return _changed(factors, draws, to_written=True)


def as_sampled(factors: Sequence[Factor], draws: PosteriorDraws) -> PosteriorDraws:
    """Return draws of the written form in the sampled one."""
    return _changed(factors, draws, to_written=False)


def _changed(factors: Sequence[Factor], draws: PosteriorDraws, *, to_written: bool) -> PosteriorDraws:
    analysis = next(factor for factor in factors if factor.role == "analysis")
    if not analysis.contextual:
        return draws
    parts = group_parts(factors, draws)
    changed = dict(draws.factors)
    for key in analysis.keys:
        changed[key] = _equation(analysis, parts, draws.factors[key], to_written=to_written)
    return replace(draws, factors=changed)


def _equation(
    analysis: Factor, parts: Sequence[GroupPart], own: FactorDraws, *, to_written: bool
) -> FactorDraws:
    n = analysis.design.n_columns
    names = analysis.column_names[:n]
    place = {link.variable: n + m for m, link in enumerate(analysis.links)}
    within = {one.variable: names.index(one.variable) for one in analysis.contextual if one.within}
    coefficients = own.coefficients.copy()
    sign = -1.0 if to_written else 1.0
    beyond: dict[str, Floats] = {}  # of each mean, beside x
    if to_written:
        for part in reversed(parts):
            later = [other for other in parts if other.variable in beyond]
            value = own.coefficients[:, place[part.variable]].copy()
            for other in later:
                value -= beyond[other.variable] * other.effects.get(part.variable, 0.0)
            beyond[part.variable] = value
        for part in parts:
            x = within.get(part.variable)
            extra = 0.0 if x is None else own.coefficients[:, x]
            coefficients[:, place[part.variable]] = beyond[part.variable] + extra
    else:
        for part in parts:
            x = within.get(part.variable)
            extra = 0.0 if x is None else own.coefficients[:, x]
            beyond[part.variable] = own.coefficients[:, place[part.variable]] - extra
        for part in parts:
            coefficients[:, place[part.variable]] = sum(
                beyond[other.variable] * other.effects.get(part.variable, 0.0) for other in parts
            )
    constant = np.zeros(len(coefficients))
    for part in parts:
        constant += beyond[part.variable] * part.constant
        for name, weight in part.columns.items():
            coefficients[:, names.index(name)] += sign * beyond[part.variable] * weight
    intercept = None if own.intercept is None else own.intercept + sign * constant
    scales = dict(own.scales)
    if own.intercept is None:  # thresholds take its place
        for parameter in analysis.parameters:
            if parameter.per_level and parameter.name in scales:
                scales[parameter.name] = scales[parameter.name] - sign * constant[:, None]
    return replace(own, intercept=intercept, coefficients=coefficients, scales=scales)
