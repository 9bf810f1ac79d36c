"""Log likelihood of each row or group: sums over combinations, then integrals over sampled cells and group effects."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.errors import NotSupportedError
from bayesmi.likelihood.densities import Densities, Terms, by_group, densities, sum_combinations
from bayesmi.likelihood.inside import find_inside
from bayesmi.likelihood.integral import Density, Nodes, adaptive_integral, is_quadratic, quadratic_integral
from bayesmi.likelihood.latents import Latents, find_latents
from bayesmi.likelihood.part import Part

__all__ = ["UnitLogLikelihood", "unit_log_likelihood"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_MOST_LATENTS = 3  # in a quadrature
_DEFAULT_NODES = Nodes()
_VERIFIED = 2  # draws at which a quadratic is checked to be one


@dataclass(frozen=True)
class UnitLogLikelihood:
    """Values for S draws, and how they were found."""

    values: Floats  # (S, units)
    quadrature: tuple[str, ...]  # levels at which nodes were needed; nothing else is approximate


def unit_log_likelihood(
    part: Part,
    draws: PosteriorDraws,
    unit: str,
    *,
    effects_of: Collection[str] = (),
    nodes: Nodes = _DEFAULT_NODES,
) -> UnitLogLikelihood:
    """Return the log likelihood of a part of the model by unit.

    Parameters
    ----------
    part : Part
        The factors.
    draws : PosteriorDraws
        S draws with all group effects; their sampled cells are not used.
    unit : str
        "row", or a grouping.
    effects_of : collection of str
        Groupings whose effects are integrated out; those of others stay as drawn.
    nodes : Nodes
        Of a quadrature.

    Raises
    ------
    NotSupportedError
        If a quadrature would have more than three dimensions, or levels to integrate at do not lie in each other.
    """
    levels = _in_order(part, {part.level_of_cells(name) for name in part.tables.n_cells}, effects_of)
    stages = [stage for level in levels if (stage := find_latents(part, level, effects_of)) is not None]
    used: list[str] = []
    terms = _terms(part, draws, stages, nodes, used)
    values = terms.rows if unit == "row" else by_group(part.table, terms, unit)
    return UnitLogLikelihood(values, tuple(dict.fromkeys(used)))


def _in_order(part: Part, with_cells: Collection[str], effects_of: Collection[str]) -> list[str]:
    """Levels to integrate at, rows first, each inside the next."""
    table = part.table
    levels = list(dict.fromkeys([*with_cells, *effects_of]))
    grouped = sorted(
        (level for level in levels if level != "row"), key=lambda g: -len(table.groupings[g].labels)
    )
    summed = part.tables.expansion.group_level
    chain = list(grouped) if not summed or summed in grouped else [*grouped, summed]
    chain.sort(key=lambda g: -len(table.groupings[g].labels))
    for inner, outer in itertools.pairwise(chain):
        if not table.contains(outer, inner):
            raise NotSupportedError(
                f"missing cells or group effects of {inner} and of {outer} would both have to be integrated out, and neither "
                "lies in the other: the nearest that is supported is a unit whose groupings are nested"
            )
    inside = [level for level in grouped if summed and part.table.contains(summed, level)]
    if len(inside) > 1:
        raise NotSupportedError(
            f"missing cells of {summed} are summed out, and inside them cells or effects of {' and of '.join(inside)} would "
            "have to be integrated out: the nearest that is supported is one of the two"
        )
    return [*(["row"] if "row" in levels else []), *grouped]


def _terms(
    part: Part, draws: PosteriorDraws, stages: Sequence[Latents], nodes: Nodes, used: list[str]
) -> Terms:
    """Log likelihood with everything at the stages' levels integrated out, the innermost first."""
    if not stages or stages[-1].level == "row" or _is_inside(part, stages[-1]):
        return sum_combinations(part, _densities(part, draws, stages, nodes, used))
    stage, inner = stages[-1], stages[:-1]
    touched = np.flatnonzero(stage.touched)
    base = _terms(
        part, stage.put(part, draws, np.zeros((draws.n, len(stage.has), stage.n))), inner, nodes, used
    )

    def density(z: Floats) -> Floats:
        whole = np.zeros((z.shape[0], len(stage.has), stage.n))
        whole[:, touched] = z
        some = draws if z.shape[0] == draws.n else draws.take(np.arange(z.shape[0]))
        found = _terms(part, stage.put(part, some, whole), inner, nodes, used)
        values = by_group(part.table, found, stage.level) + stage.log_scale(part, whole)
        return values[:, touched]

    integrated = _integral(part, density, draws, stage, touched, np.arange(len(touched)), nodes, used)
    groups = dict(base.groups)
    rows = base.rows.copy()
    inside = part.table.rows_of_units(touched, stage.level)
    rows[:, inside] = 0.0
    for level, own in base.groups.items():
        if level == stage.level or part.table.contains(stage.level, level):
            at = np.arange(own.shape[1]) if level == stage.level else part.table.codes_at(stage.level, level)
            groups[level] = np.where(np.isin(at, touched), 0.0, own)
    own = groups.get(stage.level, np.zeros((draws.n, len(stage.has))))
    groups[stage.level] = own.copy()
    groups[stage.level][:, touched] += integrated
    return Terms(rows, groups)


def _is_inside(part: Part, stage: Latents) -> bool:
    """Whether the sum over clusters' combinations stands outside the integral over a stage's latents.

    It does where the groups lie inside these clusters, and for the clusters' own latents where each combination leaves
    a quadratic: that integral is exact, while that of the sum would need nodes.
    """
    summed = part.tables.expansion.group_level
    if not summed or stage.level == "row":
        return False
    return stage.is_gaussian if stage.level == summed else part.table.contains(summed, stage.level)


def _densities(
    part: Part, draws: PosteriorDraws, stages: Sequence[Latents], nodes: Nodes, used: list[str]
) -> Densities:
    """Log densities with everything integrated out that lies inside the sums over combinations of clusters."""
    if not stages:
        return densities(part, draws)
    stage, inner = stages[-1], stages[:-1]
    if stage.level == "row":
        return _over_rows(part, draws, stage, nodes, used)
    touched = np.flatnonzero(stage.touched)
    found = find_inside(part, stage.level, touched)

    def density(z: Floats) -> Floats:
        whole = np.zeros((z.shape[0], len(stage.has), stage.n))
        whole[:, touched] = z
        some = draws if z.shape[0] == draws.n else draws.take(np.arange(z.shape[0]))
        own = _densities(part, stage.put(part, some, whole), inner, nodes, used)
        return found.values(part, own) + stage.log_scale(part, whole)[:, found.group]

    integrated = _integral(part, density, draws, stage, touched, found.owner, nodes, used)
    at_zero = stage.put(part, draws, np.zeros((draws.n, len(stage.has), stage.n)))
    return found.replaced(part, _densities(part, at_zero, inner, nodes, used), integrated)


def _over_rows(part: Part, draws: PosteriorDraws, stage: Latents, nodes: Nodes, used: list[str]) -> Densities:
    """Integrate over the sampled cells of rows, in each combination of summed cells by itself."""
    of = part.tables.expansion.rows
    in_entries = np.zeros(part.table.n_rows, dtype=bool)
    in_entries[of[of >= 0]] = True
    touched = np.flatnonzero(stage.touched)
    number = np.full(part.table.n_rows, -1, dtype=np.intp)
    number[touched] = np.arange(len(touched))
    rows = touched[~in_entries[touched]]
    entries = np.flatnonzero((of >= 0) & stage.touched[of])
    owner = np.concatenate([number[rows], number[of[entries]]])

    def density(z: Floats) -> Floats:
        whole = np.zeros((z.shape[0], len(stage.has), stage.n))
        whole[:, touched] = z
        some = draws if z.shape[0] == draws.n else draws.take(np.arange(z.shape[0]))
        found = densities(part, stage.put(part, some, whole))
        scale = stage.log_scale(part, whole)[:, touched][:, owner]
        return np.concatenate([found.rows[:, rows], found.entries[:, entries]], axis=1) + scale

    found = densities(part, stage.put(part, draws, np.zeros((draws.n, len(stage.has), stage.n))))
    integrated = _integral(part, density, draws, stage, touched, owner, nodes, used)
    of_rows, of_entries = found.rows.copy(), found.entries.copy()
    of_rows[:, rows] = integrated[:, : len(rows)]
    of_entries[:, entries] = integrated[:, len(rows) :]
    return Densities(of_rows, found.groups, of_entries)


def _integral(
    part: Part,
    density: Density,
    draws: PosteriorDraws,
    stage: Latents,
    touched: Ints,
    owner: Ints,
    nodes: Nodes,
    used: list[str],
) -> Floats:
    size = (len(touched), stage.n)
    if stage.is_gaussian and is_quadratic(density, min(_VERIFIED, draws.n), *size):
        return quadratic_integral(density, draws.n, *size)
    if stage.n > _MOST_LATENTS:
        parts = [f"{q} effects of {stage.level} in the model of {key}" for key, q in stage.effects]
        parts += [f"cells of {name}" for name in dict.fromkeys(stage.cells)]
        raise NotSupportedError(
            f"{stage.n} unknowns of each {stage.level} would have to be integrated out numerically ({', '.join(parts)}), more "
            f"than {_MOST_LATENTS}: the nearest that is supported is a log likelihood given the group effects, "
            "without marginal="
        )
    used.append(stage.level)
    return adaptive_integral(density, draws.n, *size, owner, nodes.at(stage.n))
