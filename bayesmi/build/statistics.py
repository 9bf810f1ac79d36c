"""Sufficient statistics of a Gaussian factor without latent cells: cost of the density independent of the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.factor_table import EffectTable, FactorTable
from bayesmi.model.factor import Factor

__all__ = ["GaussianStatistics", "gaussian_statistics", "group_cross", "residual_columns"]


@dataclass(frozen=True)
class GaussianStatistics:
    """Cross products of D = [1, X - centres, y - location]; a residual is D w with w = (location - a, -b, 1)."""

    gram: NDArray[np.float64]  # (p + 2, p + 2): D'D
    zx: NDArray[np.float64]  # (q, G, p + 2): Z'D by effect and group
    zz: NDArray[np.float64]  # (G, q, q)


def group_cross(effect: EffectTable) -> NDArray[np.float64]:
    """Return Z'Z by group, (G, q, q)."""
    q = effect.base.shape[1]
    cross = np.zeros((effect.n_groups, q, q))
    for a in range(q):
        for b in range(a, q):
            value = np.bincount(
                effect.codes, effect.base[:, a] * effect.base[:, b], minlength=effect.n_groups
            )
            cross[:, a, b] = cross[:, b, a] = value
    return cross


def residual_columns(factor: Factor, table: FactorTable) -> NDArray[np.float64]:
    """Return D = [1, X - centres, y - location], (T, p + 2); without an intercept [0, X, y]."""
    n = table.n_rows
    response = table.response - table.offset
    if factor.priors.intercept is not None:
        return np.column_stack([np.ones(n), table.base, response - factor.location])
    return np.column_stack([np.zeros(n), table.base, response])


def gaussian_statistics(
    factor: Factor,
    table: FactorTable,
    effect: EffectTable | None,
    rows: NDArray[np.intp] | None = None,
) -> GaussianStatistics:
    """Return the statistics, of all rows or (without group effects) of some."""
    design = residual_columns(factor, table)
    if rows is not None:
        design = design[rows]
    width = design.shape[1]
    if effect is None:
        return GaussianStatistics(design.T @ design, np.zeros((0, 0, width)), np.zeros((0, 0, 0)))
    q = effect.base.shape[1]
    cross = np.empty((q, effect.n_groups, width))
    for a in range(q):
        for j in range(width):
            cross[a, :, j] = np.bincount(
                effect.codes, effect.base[:, a] * design[:, j], minlength=effect.n_groups
            )
    return GaussianStatistics(design.T @ design, cross, group_cross(effect))
