"""Which missing cells carry information for the posterior, and which are barren and can be predicted afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.selected import BY_DESIGN
from bayesmi.model import Factor, ModelTable
from bayesmi.model.limited import known_at
from bayesmi.model.selection import selected_column

__all__ = ["active_units", "children_of", "limited_units", "unselected_units"]


def children_of(variable: str, factors: Sequence[Factor]) -> tuple[Factor, ...]:
    """Return the factors that need the variable's values."""
    return tuple(factor for factor in factors if variable in factor.parents)


def active_units(
    factors: Sequence[Factor],
    table: ModelTable,
    *,
    kept: Sequence[str] = (),
    held: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Mapping[str, NDArray[np.bool_]]:
    """Return for each modelled variable which units of its level have their factor in the likelihood.

    A missing cell is barren when every factor that it enters as a predictor has a barren response in that unit: then
    the sum or integral over it is one and it leaves the likelihood together with its own factor.

    Parameters
    ----------
    factors : sequence of Factor
        In the order of the product.
    table : ModelTable
        The data.
    kept : sequence of str
        Variables whose cells stay in the likelihood on purpose.
    held : mapping, optional
        Variable -> (units of its level,) cells that an observed derived value says something about.

    Returns
    -------
    mapping
        Variable -> (units of its level,) mask: observed, or missing and informative.
    """
    active: dict[str, NDArray[np.bool_]] = {}
    for factor in reversed(factors):
        name, level = factor.variable, factor.level
        rows = table.rows_of_level(level)
        unknown = table.unknown_at(name, level)
        absent = table.frame.columns[name].absent[rows]
        informative = _depended_on(factor, factors, table, active, held)
        if name in kept:
            informative[:] = True
        informative |= known_at(name, level, table)  # that it lies between limits is an observation
        if factor.selection is not None:  # so is that a value was not selected
            informative |= table.at(selected_column(name), level) != BY_DESIGN
        active[name] = ~absent & (~unknown | informative)
    return active


def unselected_units(
    factors: Sequence[Factor],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    *,
    kept: Sequence[str] = (),
    held: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Mapping[str, NDArray[np.bool_]]:
    """Return by variable the units that say nothing but that the value was not selected: it is integrated out of them."""
    out: dict[str, NDArray[np.bool_]] = {}
    for factor in factors:
        name, level = factor.variable, factor.level
        if factor.selection is None or name in kept:
            continue
        out[name] = (
            table.unknown_at(name, level) & active[name] & ~_depended_on(factor, factors, table, active, held)
        )
    return out


def limited_units(
    factors: Sequence[Factor],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    *,
    kept: Sequence[str] = (),
    held: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Mapping[str, NDArray[np.bool_]]:
    """Return by variable the units of which only limits are known: the probability of these stands in their place.

    Nothing else depends on their value. Levels and counts are summed instead, over those between the limits.
    """
    out: dict[str, NDArray[np.bool_]] = {}
    for factor in factors:
        name, level = factor.variable, factor.level
        limited = known_at(name, level, table)
        if not limited.any() or name in kept or factor.family.is_discrete:
            continue
        out[name] = limited & active[name] & ~_depended_on(factor, factors, table, active, held)
    return out


def _depended_on(
    factor: Factor,
    factors: Sequence[Factor],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    held: Mapping[str, NDArray[np.bool_]] | None,
) -> NDArray[np.bool_]:
    """Mark the units whose value something observed depends on: a later factor in the density, or a derived value."""
    out = np.zeros(len(table.rows_of_level(factor.level)), dtype=bool)
    if held and factor.variable in held:
        out |= held[factor.variable]
    for child in children_of(factor.variable, factors):
        out |= _lift(active[child.variable], child.level, factor.level, table)
        for mean in child.means.values():
            if mean.variable == factor.variable:  # of which every row of the group knows something
                group = table.groupings[mean.grouping]
                out |= group.any_of(active[child.variable])[group.codes]
    return out


def _lift(mask: NDArray[np.bool_], child_level: str, level: str, table: ModelTable) -> NDArray[np.bool_]:
    """Whether any of a child's units that lie in a unit of `level` is marked."""
    if child_level == level:
        return mask
    codes = table.codes_at(level, child_level)
    return np.bincount(codes[mask], minlength=len(table.groupings[level].labels)) > 0
