"""Group effects of new rows: those of the fit where it has the group, else drawn given what is observed of the group.

u | observed of its rows, theta: the missing cells of the rows are summed and integrated out, so that effects come first and
cells follow given these. One grouping: its groups do not depend on each other. Of a grouping inside another the outer effects
are drawn with the inner ones integrated out, where all is Gaussian; else groupings take turns.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.errors import NotSupportedError
from bayesmi.likelihood.densities import by_group, densities, sum_combinations
from bayesmi.likelihood.latents import Latents, find_latents
from bayesmi.likelihood.part import Part
from bayesmi.likelihood.units import unit_log_likelihood
from bayesmi.newrows.slices import draw_latents, gaussian_of

__all__ = ["draw_new_effects", "effects_at", "needs_turns"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]
_TURNS = 40


def effects_at(draws: PosteriorDraws, known: Mapping[str, Ints], rng: np.random.Generator) -> PosteriorDraws:
    """Return the draws with the group effects of other groups: the fit's own, and of new ones draws from the population.

    Parameters
    ----------
    draws : PosteriorDraws
        Of the fit, with its group effects; sampled cells are left out.
    known : mapping
        Grouping -> (groups,) number at the fit, -1 for a new group.
    rng : numpy.random.Generator
        For new groups.
    """
    factors: dict[str, FactorDraws] = {}
    for key, own in draws.factors.items():
        effects = {}
        for grouping, u in own.effects.items():
            codes = known[grouping]
            at = u[:, np.maximum(codes, 0)]
            new = codes < 0
            noise = rng.standard_normal((draws.n, int(new.sum()), u.shape[2]))
            at[:, new] = np.einsum("sij,sgj->sgi", own.root(grouping), noise)
            effects[grouping] = at
        factors[key] = replace(own, effects=effects)
    return PosteriorDraws(draws.n_chains, draws.n_draws, factors, {})


def needs_turns(part: Part, new: Mapping[str, Mask]) -> bool:
    """Whether cluster cells have to be drawn before effects can be: groups that share a summed cell depend on each other."""
    above = part.tables.expansion.group_level
    return bool(above) and any(above != g and not part.table.contains(g, above) for g in new)


def draw_new_effects(
    part: Part,
    draws: PosteriorDraws,
    new: Mapping[str, Mask],
    rng: np.random.Generator,
    redraw: Callable[[PosteriorDraws], Part] | None = None,
) -> PosteriorDraws:
    """Return the draws with the effects of new groups drawn given the observed cells of their rows.

    Parameters
    ----------
    part : Part
        The factors as laid out on the new rows.
    draws : PosteriorDraws
        With effects of all groups, those of new ones from the population.
    new : mapping
        Grouping -> (groups,) which are new.
    rng : numpy.random.Generator
        Its own stream.
    redraw : callable, optional
        Gives the part with cluster cells drawn at these effects, where `needs_turns` says so (one draw at a time).
    """
    blocks = [block for g in _outer_first(part, new) if (block := _block(part, g, new[g])) is not None]
    if not blocks:
        return draws
    if needs_turns(part, new):
        assert redraw is not None
        for _ in range(_TURNS):
            now = redraw(draws)
            for block in blocks:
                z, _ = draw_latents(
                    block.density(now, draws), block.shape(draws), rng, start=block.where(draws)
                )
                draws = block.put(draws, z)
        return draws
    if len(blocks) > 1:
        nested = _nested(part, blocks, draws, rng)
        if nested is not None:
            return nested
    for turn in range(_TURNS if len(blocks) > 1 else 1):
        for block in blocks:
            start = block.where(draws) if turn else None
            z, _ = draw_latents(block.density(part, draws), block.shape(draws), rng, start=start)
            draws = block.put(draws, z)
    return draws


@dataclass(frozen=True)
class _Block:
    """The effects of the new groups of one grouping, standard normal a priori."""

    stage: Latents
    new: Mask

    def shape(self, draws: PosteriorDraws) -> tuple[int, int, int]:
        return draws.n, int(self.new.sum()), self.stage.n

    def where(self, draws: PosteriorDraws) -> Floats:
        """Return the standard effects that the draws hold, (S, new groups, D)."""
        level, out = self.stage.level, []
        for key, _ in self.stage.effects:
            own = draws.factors[key]
            u = own.effects[level][:, self.new]
            out.append(np.linalg.solve(own.root(level)[:, None], u[..., None])[..., 0])
        return np.concatenate(out, axis=2)

    def put(self, draws: PosteriorDraws, z: Floats) -> PosteriorDraws:
        """Return the draws with standard effects z (S, new groups, D) of the new groups."""
        level, factors, at = self.stage.level, dict(draws.factors), 0
        for key, q in self.stage.effects:
            own = factors[key]
            u = own.effects[level].copy()
            u[:, self.new] = np.einsum("sij,svj->svi", own.root(level), z[:, :, at : at + q])
            factors[key] = replace(own, effects={**own.effects, level: u})
            at += q
        return replace(draws, factors=factors)

    def density(self, part: Part, draws: PosteriorDraws) -> Callable[[Floats], Floats]:
        """Return the log density of standard effects given everything else, (S, new groups)."""

        def value(z: Floats) -> Floats:
            terms = sum_combinations(part, densities(part, self.put(draws, z)))
            whole = by_group(part.table, terms, self.stage.level)[:, self.new]
            return np.asarray(whole - 0.5 * (z**2).sum(axis=2))

        return value

    def marginal(self, part: Part, draws: PosteriorDraws, inner: list[str]) -> Callable[[Floats], Floats]:
        """Return the same with the effects of groupings inside integrated out."""

        def value(z: Floats) -> Floats:
            found = unit_log_likelihood(part, self.put(draws, z), self.stage.level, effects_of=inner)
            if found.quadrature:
                raise NotSupportedError("not Gaussian")
            return np.asarray(found.values[:, self.new] - 0.5 * (z**2).sum(axis=2))

        return value


def _block(part: Part, grouping: str, new: Mask) -> _Block | None:
    stage = find_latents(part, grouping, [grouping])
    return None if stage is None or not stage.effects else _Block(stage, new)


def _outer_first(part: Part, new: Mapping[str, Mask]) -> list[str]:
    return sorted(new, key=lambda name: len(part.table.groupings[name].labels))


def _nested(
    part: Part, blocks: list[_Block], draws: PosteriorDraws, rng: np.random.Generator
) -> PosteriorDraws | None:
    """Draw outer effects with inner ones integrated out, then these; None where not all is Gaussian and nested."""
    names = [block.stage.level for block in blocks]
    if not all(part.table.contains(outer, inner) for outer, inner in itertools.pairwise(names)):
        return None
    try:
        for i, block in enumerate(blocks):
            inner = names[i + 1 :]
            density = block.marginal(part, draws, inner) if inner else block.density(part, draws)
            if gaussian_of(density, block.shape(draws)) is None:
                return None
            z, _ = draw_latents(density, block.shape(draws), rng)
            draws = block.put(draws, z)
    except NotSupportedError:
        return None
    return draws
