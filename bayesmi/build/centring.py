"""Hierarchical centring: centred group effects are sampled together with the fixed effects that live on them.

A centred intercept u_g is nearly collinear with the intercept and with the coefficients of group-level predictors, a
centred slope with the slope itself: NUTS then moves along a ridge. It sees v_g = u_g + (what these contribute in group g)
instead, v_g being what the rows of the group determine (Gelfand, Sahu & Carlin 1995). These are the intercept, or the first
threshold of ordered levels, fixed effects of group-level predictors, sampled cells of a group's own variables, and effects
of earlier variables in the same groups (links): with few large groups a link's coefficient would otherwise have to move all
effects at once. Of any other column it takes the mean in the group: a group's intercept is best known at its own predictors,
not at those of all. The map has Jacobian one: priors and posterior stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import EffectTable, FactorTable
from bayesmi.build.slabs import Slab
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["Centring", "centrings", "thresholds_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellShift:
    """A sampled cell times a coefficient in the effect of one group."""

    group: int
    effect: int
    column: int
    variable: str
    index: int
    weight: float


@dataclass(frozen=True)
class Centring:
    """How the fixed effects of a factor enter the sampled effects of one grouping: v = u + weights @ coefficients + a."""

    weights: Floats  # (q, G, p)
    intercept: int  # the effect that takes the intercept (less the location) or minus the threshold that is free, or -1
    cells: tuple[CellShift, ...]  # sampled cells that are the same for all rows of a group
    links: tuple[tuple[int, int], ...]  # (link, effect): effects of earlier variables in the same groups
    columns: tuple[int, ...] = ()  # design columns that the group's intercept absorbs whole


def centrings(factor: Factor, table: FactorTable, plan: Plan) -> dict[str, Centring]:
    """Return the centring of each grouping with centred effects.

    A column belongs to the grouping with the fewest groups for which it is constant, or a multiple of the column of a
    varying slope, within each group.
    """
    own_effects = [effect for effect in table.effects if not effect.source]
    chosen = [effect for effect in own_effects if plan.effect(factor.name, effect.grouping).n_centred]
    chosen.sort(key=lambda effect: effect.n_groups)
    p = factor.design.n_columns
    integrated = {int(j) for slab in table.integrated for j in slab.columns}
    free = list(range(p))
    intercept_free = factor.priors.intercept is not None or thresholds_of(factor) is not None
    raw = table.base + factor.centers[:p]
    last = chosen[-1] if chosen else None
    out: dict[str, Centring] = {}
    for effect in chosen:
        spec = factor.effect(effect.grouping)
        q, n_centred = effect.base.shape[1], plan.effect(factor.name, effect.grouping).n_centred
        weights = np.zeros((q, effect.n_groups, p))
        varying = {int(c) for slab in (*effect.slabs, *effect.integrated) for c in slab.columns}
        first = spec.names.index("1") if "1" in spec.names[:n_centred] else -1
        order = (
            [first, *(c for c in range(n_centred) if c != first)] if first >= 0 else list(range(n_centred))
        )
        cells: list[CellShift] = []
        absorbed: list[int] = []
        for j in list(free):
            alike = next(
                (c for c in sorted(varying) if c < n_centred and columns_alike(raw, table, effect, j, c)),
                None,
            )
            if alike is not None:
                weights[alike, :, j] = 1.0
                if first >= 0:
                    weights[first, :, j] -= factor.centers[j]
                free.remove(j)
                continue
            mine = None if j in integrated else _cells(table, effect, j, first)
            if mine is None:
                continue
            for c in order if not mine else [first]:
                if c in varying:
                    continue
                multiple = _multiple(raw[:, j], effect, c)
                if multiple is None or (c != first and first < 0 and factor.centers[j] != 0.0):
                    continue
                weights[c, :, j] = multiple
                if first >= 0:  # columns are centred: the constant goes to the intercept
                    weights[first, :, j] -= factor.centers[j]
                cells += mine
                free.remove(j)
                if c == first:
                    absorbed.append(j)
                break
        if first >= 0 and first not in varying and effect is last:
            weights[first][:, free] = known_means(table, effect)[:, free]
        takes = first if intercept_free and first >= 0 else -1
        intercept_free = intercept_free and takes < 0
        links = () if first < 0 or first in varying else _links(factor, effect.grouping, first)
        if takes >= 0 or weights.any() or links:
            out[effect.grouping] = Centring(weights, takes, tuple(cells), links, tuple(absorbed))
    return out


def _without_cells(table: FactorTable) -> NDArray[np.bool_]:
    """Where the design (rows, columns) holds numbers, not cells."""
    known = np.ones(table.base.shape, dtype=bool)
    for slab in (*table.slabs, *table.integrated):
        known[np.ix_(slab.positions, slab.columns)] = False
    return known


def known_means(table: FactorTable, effect: EffectTable) -> Floats:
    """Mean of each column of the design in each group, (G, p), zero where nothing of it is known."""
    known = _without_cells(table)
    columns = [_group_means(table.base[:, j], known[:, j], effect) for j in range(table.base.shape[1])]
    return np.column_stack([np.zeros((effect.n_groups, 0)), *columns])


def _group_means(column: Floats, known: NDArray[np.bool_], effect: EffectTable) -> Floats:
    """Mean of a column in each group, zero where nothing of it is known."""
    count = np.bincount(effect.codes[known], minlength=effect.n_groups)
    total = np.bincount(effect.codes[known], column[known], minlength=effect.n_groups)
    return np.divide(total, count, out=np.zeros(effect.n_groups), where=count > 0)


def thresholds_of(factor: Factor) -> str | None:
    """Name of the thresholds that stand in place of an intercept."""
    return next((own.name for own in factor.parameters if own.transform == "ordered"), None)


def columns_alike(raw: Floats, table: FactorTable, effect: EffectTable, j: int, c: int) -> bool:
    """Whether a column of the design is one of Z, with the same cells in it: a fixed slope and its varying part."""
    if not np.array_equal(raw[:, j], effect.base[:, c]):
        return False
    return all(
        _same_cells(common, j, own, c)
        for common, own in ((table.slabs, effect.slabs), (table.integrated, effect.integrated))
    )


def _same_cells(common: tuple[Slab, ...], j: int, own: tuple[Slab, ...], c: int) -> bool:
    """Whether two columns of two matrices have the same cells in the same rows, with the same weights."""
    mine, others = _cells_in(common, j), _cells_in(own, c)
    return mine.keys() == others.keys() and all(
        np.array_equal(a, b) for name in mine for a, b in zip(mine[name], others[name], strict=True)
    )


def _cells_in(slabs: tuple[Slab, ...], column: int) -> dict[str, tuple[NDArray[Any], ...]]:
    """Rows, cells and weights in one column, by variable and the number of its slab."""
    found = ((slab, np.flatnonzero(slab.columns == column)) for slab in slabs)
    own = [(slab, slab.slab[:, at[0]]) for slab, at in found if at.size]
    return {
        f"{n} {slab.variable}": (slab.positions, slab.index, weights) for n, (slab, weights) in enumerate(own)
    }


def _links(factor: Factor, grouping: str, first: int) -> tuple[tuple[int, int], ...]:
    """Links of the factor that are constant in the groups."""
    return tuple((m, first) for m, link in enumerate(factor.links) if link.grouping == grouping)


def _cells(table: FactorTable, effect: EffectTable, column: int, first: int) -> list[CellShift] | None:
    """Sampled cells in a column, one a group; None if they are not the same for all rows of their group."""
    out: list[CellShift] = []
    size = np.bincount(effect.codes, minlength=effect.n_groups)
    for slab in table.slabs:
        if column not in slab.columns:
            continue
        if first < 0:
            return None
        weight = slab.slab[:, slab.columns.tolist().index(column)]
        codes = effect.codes[slab.positions]
        for g in np.unique(codes):
            rows = np.flatnonzero(codes == g)
            whole = len(rows) == size[g]
            if not whole or np.ptp(slab.index[rows]) or np.ptp(weight[rows]) > 1e-12 * abs(weight[rows[0]]):
                return None
            out.append(
                CellShift(
                    int(g), first, column, slab.variable, int(slab.index[rows[0]]), float(weight[rows[0]])
                )
            )
    return out


def _multiple(column: Floats, effect: EffectTable, c: int) -> Floats | None:
    """The w_g with column = w_g times the c-th column of Z in each group, or None if there is none."""
    z = effect.base[:, c]
    square = np.bincount(effect.codes, z * z, minlength=effect.n_groups)
    cross = np.bincount(effect.codes, z * column, minlength=effect.n_groups)
    w = np.divide(cross, square, out=np.zeros(effect.n_groups), where=square > 0)
    size = float(np.abs(column).max(initial=0.0))
    if size == 0.0 or np.abs(column - z * w[effect.codes]).max(initial=0.0) > 1e-9 * size:
        return None
    return w
