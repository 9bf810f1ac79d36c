"""Group effects in blocks of rows: rows of the same groups need them through their cross products alone.

An effect of a group adds its column of Z times a number that all of the group's rows share, the effect of an earlier
variable (a link) a column of ones times another: columns of the cross products like those of the design.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import FactorTable
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["GroupTerm", "by_groups", "group_codes", "group_columns", "group_terms", "may_have_groups"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_LARGE = 2**40  # numbers of combinations are renumbered beyond


@dataclass(frozen=True)
class GroupTerm:
    """One effect of one group in a factor's predictor."""

    column: int  # of the factor's columns in the cross products
    source: str  # linear predictor whose effect it is
    grouping: str
    group: int
    position: int  # among the effects of the grouping
    coefficient: int  # of a link among the factor's coefficients, -1 of an effect of its own


def may_have_groups(factor: Factor, table: FactorTable, plan: Plan) -> bool:
    """Whether all effects in a factor are sampled, and none of its sampled cells has a slope that varies."""
    return all(
        not effect.source
        and not effect.slabs
        and plan.effect(factor.name, effect.grouping).treatment != "collapse"
        for effect in table.effects
    )


def group_codes(table: FactorTable) -> list[Ints]:
    """Return the groups of each row, (T,) each: of effects and of links."""
    return [*(effect.codes for effect in table.effects), *table.links.values()]


def by_groups(codes: list[Ints], n: int) -> Ints:
    """Return numbers of the combinations of groups, (n,)."""
    out = np.zeros(n, dtype=np.int64)
    for own in codes:
        out = out * (int(own.max(initial=0)) + 1) + own
        if int(out.max(initial=0)) > _LARGE:
            out = np.unique(out, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return out


def group_columns(factor: Factor, table: FactorTable) -> Floats:
    """Return the columns of Z beside those of the residual, (T, extra)."""
    extra = [effect.base[:, c] for effect in table.effects for c in _apart(factor, effect.base)]
    if table.links and factor.priors.intercept is None:
        extra.append(np.ones(table.n_rows))
    return np.column_stack([np.zeros((table.n_rows, 0)), *extra])


def group_terms(factor: Factor, table: FactorTable, row: int, width: int) -> tuple[GroupTerm, ...]:
    """Return the effects in the predictor of a row; `width` is that of the residual's own columns."""
    out = []
    at = width
    for effect in table.effects:
        q, apart = effect.base.shape[1], _apart(factor, effect.base)
        for c in range(q):
            column = 0
            if c in apart:
                column, at = at, at + 1
            out.append(GroupTerm(column, factor.keys[0], effect.grouping, int(effect.codes[row]), c, -1))
    ones = 0 if factor.priors.intercept is not None else at
    for m, link in enumerate(factor.links):
        group, coefficient = int(table.links[link.name][row]), factor.design.n_columns + m
        out.append(GroupTerm(ones, link.key, link.grouping, group, link.position, coefficient))
    return tuple(out)


def _apart(factor: Factor, z: Floats) -> list[int]:
    """Columns of Z that are not the residual's column of ones."""
    if factor.priors.intercept is None:
        return list(range(z.shape[1]))
    return [c for c in range(z.shape[1]) if not (z[:, c] == 1.0).all()]
