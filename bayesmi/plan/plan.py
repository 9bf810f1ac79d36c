"""The plan: for every group of missing cells and of group effects, what happens to it and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.model.table import ModelTable
from bayesmi.plan.cells import active_units
from bayesmi.plan.continuous import continuous_cells
from bayesmi.plan.grid import check_range, count_values, first_grid
from bayesmi.plan.values import CellValues

if TYPE_CHECKING:
    from bayesmi.model import Model

__all__ = ["CellGroup", "EffectGroup", "Plan", "make_plan"]

_BUDGET = 4_000_000  # expanded rows
_INFORMATIVE = (
    3.0  # information of a group's rows over that of the prior, from which centred effects mix better
)
_INFORMATIVE_BESIDE_LINKS = 30.0


@dataclass(frozen=True)
class CellGroup:
    """Missing cells of one variable that are dealt with alike."""

    variable: str
    treatment: str  # "predict", "enumerate", "integrate", "grid", "sample", "deduce"
    level: str
    units: NDArray[np.intp]  # positions among the units of the level
    reason: str


@dataclass(frozen=True)
class EffectGroup:
    """Group effects of one grouping in one factor."""

    variable: str
    grouping: str
    treatment: str  # "collapse", "centred", "noncentred"
    n_groups: int
    n_effects: int
    reason: str


@dataclass(frozen=True)
class Plan:
    """What happens to each missing cell and to the group effects."""

    cells: tuple[CellGroup, ...]
    effects: tuple[EffectGroup, ...]
    active: Mapping[str, NDArray[np.bool_]]
    n_expanded: int
    grids: Mapping[str, CellValues]  # values that cells on a grid, and counts, run over, by variable
    finer: Mapping[str, float]  # how much finer and wider than at first, by variable
    wider: Mapping[str, float]
    remarks: tuple[str, ...]

    def units(self, variable: str, treatment: str) -> NDArray[np.intp]:
        """Return the units of a variable's cells under a treatment (possibly none)."""
        for group in self.cells:
            if group.variable == variable and group.treatment == treatment:
                return group.units
        return np.zeros(0, dtype=np.intp)

    def effect(self, variable: str, grouping: str) -> EffectGroup:
        """Return how the effects of a grouping in a factor are treated."""
        return next(e for e in self.effects if e.variable == variable and e.grouping == grouping)

    @property
    def n_latent_cells(self) -> int:
        """Number of cells that NUTS samples."""
        return sum(len(group.units) for group in self.cells if group.treatment == "sample")

    def __repr__(self) -> str:
        from bayesmi.plan.text import plan_text

        return plan_text(self)


def make_plan(
    model: Model, *, finer: Mapping[str, float] | None = None, wider: Mapping[str, float] | None = None
) -> Plan:
    """Decide the treatment of every missing cell and group effect of a model.

    Parameters
    ----------
    model : Model
        The joint model.
    finer, wider : mapping, optional
        By variable, how much finer and wider than at first its grid is to be.

    Raises
    ------
    ModelError
        If an override names something that is not there or cannot be treated so, or a predictor is not finite for every
        value that a missing cell can take.
    NotSupportedError
        If cells of two groupings would have to be summed, or the expansion is beyond the budget.
    """
    factors, table = model.factors, model.table
    wanted = dict(model.treatments)
    kept = [name for name, treatment in wanted.items() if treatment in ("sample", "enumerate", "grid")]
    _check_overrides(wanted, factors, table)
    active = active_units(factors, table, kept=kept)
    cells: list[CellGroup] = []
    for name, column in table.frame.columns.items():
        if not any(factor.variable == name or name in factor.parents for factor in factors):
            continue
        deduced = np.flatnonzero(column.missing & ~table.unknown.get(name, column.missing))
        if deduced.size:
            reason = f"constant in its {column.level} and observed in another row of it"
            if name in table.solved:
                reason = "follows from an observed derived value"
            cells.append(CellGroup(name, "deduce", "row", deduced, reason))
    continuous = continuous_cells(factors, table, active, wanted)
    for factor in factors:
        cells += _cells_of(factor, table, active[factor.variable], continuous.get(factor.variable, {}))
    _check_asked(wanted, cells)
    _check_levels(cells, factors)
    for group in cells:
        if group.treatment == "predict" and not model.factor(group.variable).family.is_discrete:
            check_range(model.factor(group.variable), factors, table)
    grids = {
        group.variable: first_grid(
            model.factor(group.variable),
            factors,
            table,
            len(group.units),
            active,
            (finer or {}).get(group.variable, 1.0),
            (wider or {}).get(group.variable, 1.0),
        )
        for group in cells
        if group.treatment == "grid"
    }
    grids |= {
        group.variable: count_values(
            model.factor(group.variable), len(group.units), (wider or {}).get(group.variable, 1.0)
        )
        for group in cells
        if group.treatment == "enumerate" and not model.factor(group.variable).family.has_levels
    }
    n_expanded = _expanded_rows(cells, factors, table, active, grids)
    effects = tuple(
        _effects_of(factor, effect, factors, table, cells, active[factor.variable], wanted)
        for factor in factors
        for effect in factor.effects
    )
    asked = {
        (factor.variable, effect.grouping)
        for factor in factors
        for effect in factor.effects
        if wanted.get(_effect_key(factor, effect)) == "collapse"
    }
    return Plan(
        tuple(cells),
        _one_collapse(effects, asked),
        active,
        n_expanded,
        grids,
        dict(finer or {}),
        dict(wider or {}),
        _remarks(model, cells),
    )


def _effect_key(factor: Factor, effect: GroupEffect) -> str:
    """Return the name by which treatments= speaks of a grouping's effects."""
    return f"{factor.prefix}1|{effect.grouping}"


def _check_overrides(wanted: Mapping[str, str], factors: tuple[Factor, ...], table: ModelTable) -> None:
    by_name = {factor.variable: factor for factor in factors}
    effects = {_effect_key(factor, effect) for factor in factors for effect in factor.effects}
    for name, treatment in wanted.items():
        if name in effects:
            if treatment not in ("collapse", "centred", "noncentred"):
                raise ModelError(
                    f"treatments[{name!r}] is 'collapse', 'centred' or 'noncentred', not {treatment!r}"
                )
            continue
        if name not in by_name:
            known = ", ".join([*(n for n in by_name if table.is_incomplete(n)), *sorted(effects)])
            raise ModelError(
                f"treatments[{name!r}]: no such incomplete variable or group effect; there are {known}"
            )
        discrete = by_name[name].family.is_discrete
        allowed: tuple[str, ...] = ("predict", "grid")
        if discrete:
            allowed = ("predict", "enumerate")
        elif by_name[name].family.is_gaussian_identity:
            allowed = ("predict", "integrate", "grid", "sample")
        if treatment not in allowed:
            raise ModelError(
                f"treatments[{name!r}] can be {' or '.join(map(repr, allowed))}, not {treatment!r}"
            )


def _check_asked(wanted: Mapping[str, str], cells: list[CellGroup]) -> None:
    """Refuse to predict cells that carry information, and to integrate cells that are not linear."""
    for group in cells:
        asked = wanted.get(group.variable)
        if asked == "integrate" and group.treatment == "sample":
            raise ModelError(
                f"treatments[{group.variable!r}]='integrate': {len(group.units)} of its cells do not enter Gaussian means "
                "linearly; leave it out, or say 'sample'"
            )
        if asked == "predict" and group.treatment in ("sample", "enumerate", "integrate", "grid"):
            raise ModelError(
                f"treatments[{group.variable!r}]='predict': {len(group.units)} of its cells stand in rows with an observed "
                f"outcome and carry information; leave it out, or say {group.treatment!r}"
            )


def _check_levels(cells: list[CellGroup], factors: tuple[Factor, ...]) -> None:
    """Refuse summed cells of two different groupings, and of one above another modelled one."""
    levels: dict[str, str] = {}
    for group in cells:
        if group.treatment in ("enumerate", "grid") and group.level != "row":
            levels.setdefault(group.level, group.variable)
            for factor in factors:
                if factor.level not in ("row", group.level) and group.variable in factor.parents:
                    raise NotSupportedError(
                        f"missing values of {group.variable!r} (one a {group.level}) would have to be summed out of the model of "
                        f"{factor.variable!r} (one a {factor.level}), which is supported for models of rows; the nearest "
                        f"that is: formulas={{{factor.variable!r}: '~ …'}} without {group.variable!r}"
                    )
    if len(levels) > 1:
        (one, first), (other, second) = list(levels.items())[:2]
        family = next(factor.family for factor in factors if factor.variable == second)
        nearest = f"a Gaussian model, families={{{second!r}: 'gaussian'}}"
        if family.is_gaussian_identity:
            nearest = f"a linear effect of {second!r}, without products with other incomplete variables"
        raise NotSupportedError(
            f"missing values of {first!r} (one a {one}) and of {second!r} (one a {other}) would both have to be summed out, "
            f"which is supported for one grouping; the nearest that is: {nearest}"
        )


_REASONS = {
    "integrate": "linear in the means of Gaussian variables: integrated out in closed form",
    "grid": "its effect is not linear, or its family not Gaussian: summed over a grid",
    "sample": "continuous: a latent for NUTS",
}


def _cells_of(
    factor: Factor,
    table: ModelTable,
    active: NDArray[np.bool_],
    continuous: Mapping[str, NDArray[np.bool_]],
) -> list[CellGroup]:
    unknown = table.unknown_at(factor.variable, factor.level)
    informative = np.flatnonzero(unknown & active)
    barren = np.flatnonzero(
        unknown & ~active & ~table.frame.columns[factor.variable].absent[table.rows_of_level(factor.level)]
    )
    groups = []
    if barren.size:
        reason = (
            "missing outcome: nothing depends on it"
            if factor.role == "analysis"
            else "nothing observed depends on it"
            if factor.role == "auxiliary"
            else "the outcome is missing too: nothing observed depends on it"
        )
        groups.append(CellGroup(factor.variable, "predict", factor.level, barren, reason))
    if factor.family.is_discrete and informative.size:
        how = "two values" if len(factor.levels) == 2 else f"{len(factor.levels)} values"
        if not factor.family.has_levels:
            how = f"counts from 0 to {factor.levels[-1]:g}"
        groups.append(
            CellGroup(factor.variable, "enumerate", factor.level, informative, f"{how}: summed out exactly")
        )
    for treatment, units in continuous.items():
        groups.append(
            CellGroup(factor.variable, treatment, factor.level, np.flatnonzero(units), _REASONS[treatment])
        )
    return groups


def _expanded_rows(
    cells: list[CellGroup],
    factors: tuple[Factor, ...],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    grids: Mapping[str, CellValues],
) -> int:
    """Entries of the expansion; refuses what is beyond the budget."""
    sizes = {factor.variable: len(factor.levels) for factor in factors}
    sizes |= {name: grid.values.shape[1] for name, grid in grids.items()}
    count = np.zeros(table.n_rows)  # log of the combinations
    above: dict[str, NDArray[np.float64]] = {}
    summed = [group for group in cells if group.treatment in ("enumerate", "grid")]
    for group in summed:
        if group.level == "row":
            count[group.units] += np.log(sizes[group.variable])
        else:
            own = above.setdefault(group.level, np.zeros(len(table.groupings[group.level].labels)))
            own[group.units] += np.log(sizes[group.variable])
    total = 0.0
    for level, own in above.items():
        names = {group.variable for group in summed if group.level == level}
        total += float(np.exp(own[own > 0]).sum())
        below = np.zeros(table.n_rows, dtype=bool)
        for factor in factors:
            if factor.level == "row" and names & factor.parents:
                below |= active[factor.variable]
        count += np.where(below, own[table.groupings[level].codes], 0.0)
    total += float(np.exp(count[count > 0]).sum()) if (count > 0).any() else 0.0
    if total > _BUDGET:
        most = np.exp(float(count.max()))
        names_ = ", ".join(dict.fromkeys(group.variable for group in summed))
        raise NotSupportedError(
            f"summing out the cells of {names_} needs {total:,.0f} weighted rows (up to {most:,.0f} for one row), more than "
            f"{_BUDGET:,}: take variables out of the model, or give treatments= for some"
        )
    return round(total)


def _effects_of(
    factor: Factor,
    effect: GroupEffect,
    factors: tuple[Factor, ...],
    table: ModelTable,
    cells: list[CellGroup],
    active: NDArray[np.bool_],
    wanted: Mapping[str, str],
) -> EffectGroup:
    n_groups = len(table.groupings[effect.grouping].labels)
    obstacle = _collapse_obstacle(factor, effect, factors, table, cells)
    asked = wanted.get(_effect_key(factor, effect))
    if asked == "collapse" and obstacle:
        raise ModelError(f"treatments[{_effect_key(factor, effect)!r}]: cannot collapse: {obstacle}")
    if asked == "collapse" or (asked is None and obstacle is None):
        return EffectGroup(
            factor.variable, effect.grouping, "collapse", n_groups, effect.n_effects,
            "Gaussian: integrated out in closed form, drawn back",
        )  # fmt: skip
    per_group = np.bincount(table.codes_at(effect.grouping, factor.level)[active], minlength=n_groups)
    # with a link the group sd can go to zero where the link explains the groups: a funnel for centred effects
    least = _INFORMATIVE_BESIDE_LINKS if factor.links else _INFORMATIVE
    strength = "much" if _information(factor, effect, table) >= least else "little"
    chosen = asked or ("centred" if strength == "much" else "noncentred")
    why = f"{obstacle or 'asked for'}; {strength} information per group (median {int(np.median(per_group))} rows)"
    return EffectGroup(factor.variable, effect.grouping, chosen, n_groups, effect.n_effects, why)


def _information(factor: Factor, effect: GroupEffect, table: ModelTable) -> float:
    """Median rows a group times ICC / (1 - ICC) of the observed response: data against prior information on an effect."""
    response = table.at(factor.variable, factor.level)
    codes = table.codes_at(effect.grouping, factor.level)
    seen = np.isfinite(response)
    y, codes = response[seen], codes[seen]
    sizes = np.bincount(codes)
    sizes = sizes[sizes > 0]
    n, n_groups = len(y), len(sizes)
    if n_groups < 2 or n <= n_groups:
        return 0.0
    count = np.bincount(codes)
    means = np.bincount(codes, weights=y) / np.maximum(count, 1)
    within = float(((y - means[codes]) ** 2).sum()) / (n - n_groups)
    between = float((count * (means - y.mean()) ** 2 * (count > 0)).sum()) / (n_groups - 1)
    typical = (n - float((sizes**2).sum()) / n) / (n_groups - 1)
    if within <= 0.0:
        return float("inf")
    return float(np.median(sizes)) * max(0.0, (between - within) / typical) / within


def _collapse_obstacle(
    factor: Factor,
    effect: GroupEffect,
    factors: tuple[Factor, ...],
    table: ModelTable,
    cells: list[CellGroup],
) -> str | None:
    """Say why the effects cannot be integrated out; None if they can."""
    if not factor.family.is_gaussian_identity:
        return f"{factor.family.name} likelihood"
    enumerated = {group.variable for group in cells if group.treatment in ("enumerate", "grid")}
    touched = sorted(enumerated & (factor.parents | {factor.variable}))
    if touched:
        return f"rows are summed over {', '.join(touched)}"
    integrated = {group.variable for group in cells if group.treatment == "integrate"}
    touched = sorted(integrated & (factor.parents | {factor.variable}))
    if touched:
        return f"rows are integrated over {', '.join(touched)}"
    latent = sorted(name for name in effect.variables if table.is_incomplete(name))
    if latent:
        return f"slope on the incomplete {', '.join(latent)}"
    for other in factors:
        if any(link.variable == factor.variable and link.grouping == effect.grouping for link in other.links):
            return f"the model of {other.variable} uses these effects"
    return None


def _one_collapse(
    effects: tuple[EffectGroup, ...], asked: Collection[tuple[str, str]]
) -> tuple[EffectGroup, ...]:
    """Keep one collapsed grouping a factor, the one asked for or with most effects; the others become explicit."""
    largest: dict[str, EffectGroup] = {}

    def rank(effect: EffectGroup) -> tuple[bool, int]:
        return (effect.variable, effect.grouping) in asked, effect.n_groups * effect.n_effects

    for effect in effects:
        if effect.treatment != "collapse":
            continue
        best = largest.get(effect.variable)
        if best is not None and rank(best)[0] and rank(effect)[0]:
            raise ModelError(
                f"treatments= asks to collapse the effects of {best.grouping} and of {effect.grouping} in the model of "
                f"{effect.variable}: one grouping a model can be integrated out, take one of the two"
            )
        if best is None or rank(effect) > rank(best):
            largest[effect.variable] = effect
    out = []
    for effect in effects:
        if effect.treatment == "collapse" and largest[effect.variable] is not effect:
            kept = largest[effect.variable].grouping
            effect = EffectGroup(
                effect.variable, effect.grouping, "noncentred", effect.n_groups, effect.n_effects,
                f"one grouping is integrated out, and that is {kept}",
            )  # fmt: skip
        out.append(effect)
    return tuple(out)


def _remarks(model: Model, cells: list[CellGroup]) -> tuple[str, ...]:
    remarks = [
        f"{name} is not missing at random: {one.words}"
        for name, one in getattr(model, "mechanisms", {}).items()
    ]
    if not any(group.treatment != "deduce" for group in cells):
        remarks.append("nothing is missing in the variables of the model: imputation adds nothing")
    elif len(model.factors) == 1:
        remarks.append(
            f"only the outcome {model.response!r} is incomplete and nothing is auxiliary: the model on the observed "
            "rows alone gives the same answer; completed data sets add only Monte Carlo error to it"
        )
    return tuple(remarks)
