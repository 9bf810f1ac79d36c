"""What is integrated over at a level: cells that NUTS samples, and group effects, on a scale of order one.

A cell is location + spread z; the effects of a group are L z with L L' their covariance, so that z is standard normal a
priori.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.likelihood.part import Part

__all__ = ["Latents", "find_latents"]

Floats = NDArray[np.float64]
_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Latents:
    """The latents of the units of a level: D numbers a unit, some of which a unit may lack."""

    level: str
    effects: tuple[tuple[str, int], ...]  # linear predictor and number of its effects of the grouping `level`
    cells: tuple[
        str, ...
    ]  # variables with sampled cells, one a number: a variable stands as often as a unit may have cells
    has: NDArray[np.bool_]  # (units, D)
    is_gaussian: bool  # whether log f is quadratic in them

    @property
    def n(self) -> int:
        """Latents a unit, D."""
        return self.has.shape[1]

    @property
    def touched(self) -> NDArray[np.bool_]:
        """Units that have any."""
        return np.asarray(self.has.any(axis=1))

    def put(self, part: Part, draws: PosteriorDraws, z: Floats) -> PosteriorDraws:
        """Return the draws with the latents at z, (S, units, D)."""
        factors, cells = dict(draws.factors), dict(draws.cells)
        at = 0
        for key, q in self.effects:
            own = factors[key]
            u = np.einsum("sij,svj->svi", own.root(self.level), z[:, :, at : at + q])
            factors[key] = replace(own, effects={**own.effects, self.level: u})
            at += q
        for name in dict.fromkeys(self.cells):
            factor = part.factor(name)
            units, rank = part.places_of_cells(name)
            cells[name] = factor.location + factor.spread * z[:, units, at + rank]
            at += self.cells.count(name)
        return replace(draws, factors=factors, cells=cells)

    def log_scale(self, part: Part, z: Floats) -> Floats:
        """Return what z adds to the log density, (S, units).

        That is the priors of effects, the cells' scale, and a standard normal for what a unit lacks.
        """
        total = np.zeros(z.shape[:2])
        n_effects = sum(q for _, q in self.effects)
        for d in range(self.n):
            normal = -0.5 * z[:, :, d] ** 2 - _HALF_LOG_2PI
            if d < n_effects:
                total += normal
            else:
                spread = part.factor(self.cells[d - n_effects]).spread
                total += np.where(self.has[:, d], np.log(spread), normal)
        return total


def find_latents(part: Part, level: str, effects_of: Collection[str]) -> Latents | None:
    """Return the latents at a level; group effects of the groupings in `effects_of` only."""
    effects = tuple(
        (key, effect.n_effects)
        for whole in part.factors
        if level in effects_of and part.tables.factors[whole.variable].n_rows
        for factor in whole.parts
        for effect in factor.effects
        if effect.grouping == level
        for key in factor.keys
    )
    places = {factor.variable: part.places_of_cells(factor.variable) for factor in part.sampled_at(level)}
    cells = tuple(name for name, (_, rank) in places.items() for _ in range(int(rank.max()) + 1))
    if not effects and not cells:
        return None
    n_units = len(part.table.rows_of_level(level))
    has = np.zeros((n_units, sum(q for _, q in effects) + len(cells)), dtype=bool)
    has[:, : has.shape[1] - len(cells)] = True
    for name, (units, rank) in places.items():
        has[units, has.shape[1] - len(cells) + cells.index(name) + rank] = True
    return Latents(level, effects, cells, has, _is_gaussian(part, level, bool(effects), cells))


def _is_gaussian(part: Part, level: str, with_effects: bool, cells: tuple[str, ...]) -> bool:
    """Whether every density that depends on the latents is Gaussian with a mean that is linear in them."""
    latent = set(part.tables.n_cells) | set(part.tables.integrals.names)
    latent |= {name for factor in part.factors for name in factor.means}
    moving = set(cells)  # latent cells whose density depends on the latents of this level
    for factor in part.factors:
        depends = factor.variable in cells or bool(factor.parents & moving)
        if factor.scale_parents & moving:
            return False  # the residual sd depends on a latent cell
        if with_effects:
            if factor.scale is not None and any(e.grouping == level for e in factor.scale.effects):
                return False
            depends |= any(effect.grouping == level for effect in factor.effects)
            depends |= any(link.grouping == level for link in factor.links)
            for effect in factor.effects:
                if effect.grouping == level and effect.variables & latent:
                    return False  # an effect times a latent cell
        if not depends:
            continue
        if factor.variable in latent:
            moving.add(factor.variable)
        table = part.tables.factors[factor.variable]
        if not factor.family.is_gaussian_identity or (table.expanded.size and _is_summed(part, level)):
            return False
    return True


def _is_summed(part: Part, level: str) -> bool:
    """Whether a sum over combinations stands inside the integral at a level."""
    expansion = part.tables.expansion
    if level != expansion.group_level:
        return level != "row"
    return any(
        block.n_units and block.n_combinations > 1 and expansion.rows[block.start] >= 0
        for block in expansion.blocks
    )
