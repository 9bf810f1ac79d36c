"""The plan: for every group of missing cells and of group effects, what happens to it and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import counted
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families.selected import BY_DESIGN
from bayesmi.model.factor import Factor
from bayesmi.model.limited import interval_at, known_at
from bayesmi.model.selection import selected_column
from bayesmi.model.table import ModelTable
from bayesmi.plan.cell_group import CellGroup
from bayesmi.plan.cells import active_units, limited_units, unselected_units
from bayesmi.plan.constrained_grid import grids_of_systems
from bayesmi.plan.continuous import continuous_cells
from bayesmi.plan.effects import EffectGroup, check_collapse, effects_of, one_collapse
from bayesmi.plan.few_cells import better_sampled
from bayesmi.plan.grid import check_range, count_values, first_grid
from bayesmi.plan.held import HELD, hold_cells, refuse_beside_held
from bayesmi.plan.jointly import JointSet, integrate_jointly
from bayesmi.plan.levelset import count_combinations
from bayesmi.plan.overrides import (
    before_holding,
    check_asked,
    check_overrides,
    effect_key,
    moved,
    unheeded,
    whole_variables,
)
from bayesmi.plan.reasons import reason_for
from bayesmi.plan.systems import System, find_systems, usable_constraints
from bayesmi.plan.ties import held_units
from bayesmi.plan.values import CellValues

if TYPE_CHECKING:
    from bayesmi.model import Model

__all__ = ["CellGroup", "EffectGroup", "Plan", "make_plan"]

_BUDGET = 4_000_000  # expanded rows


@dataclass(frozen=True)
class Plan:
    """What happens to each missing cell and to the group effects.

    Attributes
    ----------
    cells : tuple of CellGroup
        Missing cells of a variable that are treated alike, with the reason.
    effects : tuple of EffectGroup
        How the group effects of each grouping in each factor are treated.
    active : mapping of str to ndarray of bool
        By variable, which of its units stand in the sampled density.
    n_expanded : int
        Weighted rows that the rows with summed cells expand to.
    grids : mapping of str to CellValues
        The values that cells on a grid, and counts, run over.
    remarks : tuple of str
        One line each.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> plan = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).plan()
    >>> [(group.variable, group.treatment, len(group.units)) for group in plan.cells]
    [('bmi', 'predict', 7), ('bmi', 'integrate', 2), ('chl', 'predict', 10)]
    """

    cells: tuple[CellGroup, ...]
    effects: tuple[EffectGroup, ...]
    active: Mapping[str, NDArray[np.bool_]]
    n_expanded: int
    grids: Mapping[str, CellValues]  # values that cells on a grid, and counts, run over, by variable
    finer: Mapping[str, float]  # how much finer and wider than at first, by variable
    wider: Mapping[str, float]
    remarks: tuple[str, ...]
    limits: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict
    )  # discrete variable -> lower and upper limits of its summed cells, on the family's scale of predictors
    systems: tuple[System, ...] = ()  # units whose missing parts an observed derived value ties together
    why_held: str = ""  # why cells are held and drawn in blocks, where some are
    joint: tuple[JointSet, ...] = ()  # models whose group effects are integrated out together
    held_grids: Mapping[str, CellValues] = field(default_factory=dict)  # of cells that are held at a point

    def joint_set(self, variable: str) -> JointSet | None:
        """Return the set of models that a variable's is in, out of which group effects are integrated together.

        Parameters
        ----------
        variable : str
            A modelled variable.

        Returns
        -------
        JointSet or None
            None where the variable is in no such set.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> pupils = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.2, "texp": 0.2}).data
        >>> plan = bmi.Model("teachpop ~ popular + (1 | school)", pupils).plan()
        >>> plan.joint_set("teachpop").variables
        ('popular', 'teachpop')
        """
        return next((own for own in self.joint if variable in own.variables), None)

    def units(self, variable: str, treatment: str) -> NDArray[np.intp]:
        """Return the units of a variable's cells under a treatment (possibly none).

        Parameters
        ----------
        variable : str
            A modelled variable.
        treatment : str
            "predict", "enumerate", "gibbs", "integrate", "grid" or "sample".

        Returns
        -------
        ndarray of int
            Positions of the rows, of a group-level variable those of the groups.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> plan = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).plan()
        >>> plan.units("bmi", "integrate").tolist(), len(plan.units("bmi", "sample"))
        ([2, 5], 0)
        """
        for group in self.cells:
            if group.variable == variable and group.treatment == treatment:
                return group.units
        return np.zeros(0, dtype=np.intp)

    def effect(self, variable: str, grouping: str) -> EffectGroup:
        """Return how the effects of a grouping are treated in a factor, or ("y[sigma]") in the model of its scale.

        Parameters
        ----------
        variable : str
            A modelled variable; ``y[sigma]`` for the model of its scale.
        grouping : str
            A grouping in its model.

        Returns
        -------
        EffectGroup

        Raises
        ------
        ModelError
            If no effects of the grouping are in that model.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> plan = bmi.Model("popular ~ sex + (1 | school)", bmi.datasets.load("popmis")).plan()
        >>> plan.effect("popular", "school").treatment
        'collapse'
        """
        for effect in self.effects:
            if effect.variable == variable and effect.grouping == grouping:
                return effect
        known = ", ".join(f"{one.grouping!r} in the model of {one.variable!r}" for one in self.effects)
        raise ModelError(
            f"no effects of {grouping!r} are in a model of {variable!r}; there are {known or 'none'}"
        )

    @property
    def holds(self) -> bool:
        """Whether some cells are held at a value and drawn in blocks."""
        return any(group.treatment == "gibbs" for group in self.cells)

    @property
    def n_latent_cells(self) -> int:
        """Number of cells that NUTS samples."""
        return sum(len(group.units) for group in self.cells if group.treatment == "sample")

    def __repr__(self) -> str:
        from bayesmi.plan.text import plan_text

        return plan_text(self)


def make_plan(
    model: Model,
    *,
    finer: Mapping[str, float] | None = None,
    wider: Mapping[str, float] | None = None,
    scales: ModelTable | None = None,
) -> Plan:
    """Decide the treatment of every missing cell and group effect of a model.

    Parameters
    ----------
    model : Model
        The joint model.
    finer, wider : mapping, optional
        By variable, how much finer and wider than at first its grid is to be.
    scales : ModelTable, optional
        The table that says where grids lie, of the same variables; by default the model's own.

    Raises
    ------
    ModelError
        If an override names something that is not there or cannot be treated so, or a predictor is not finite for every
        value that a missing cell can take.
    NotSupportedError
        If cells of two groupings would have to be summed, or the expansion is beyond the budget.
    """
    plain = whole_variables(model.treatments)
    rather_sampled: frozenset[str] = frozenset()
    while True:
        plan = _make_plan(model, finer or {}, wider or {}, scales, rather_sampled)
        more = better_sampled(model.factors, model.table, plan.cells, plan.effects, plain)
        if more <= rather_sampled:
            check_collapse(model.factors, plan.effects, plain)
            return plan
        rather_sampled |= more


def _make_plan(
    model: Model,
    finer: Mapping[str, float],
    wider: Mapping[str, float],
    scales: ModelTable | None,
    rather_sampled: Collection[str],
) -> Plan:
    """Make the plan in which Gaussian cells of some variables are sampled where they could be integrated."""
    factors, table = model.factors, model.table
    rough = (table if scales is None else scales).roughly()
    wanted = dict(model.treatments)
    plain = whole_variables(wanted)
    kept = [name for name, treatment in plain.items() if treatment in ("sample", "enumerate", "grid")]
    check_overrides(wanted, factors, table)
    constraints = usable_constraints(table, factors)
    held = held_units(constraints, factors, table)
    active = active_units(factors, table, kept=kept, held=held)
    alone = {
        **unselected_units(factors, table, active, kept=kept, held=held),
        **limited_units(factors, table, active, kept=kept, held=held),
    }
    with_cells = {name: mask & ~alone[name] if name in alone else mask for name, mask in active.items()}
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
    continuous = continuous_cells(
        factors,
        table,
        active,
        before_holding(plain, factors),
        constraints,
        with_cells,
        alone,
        rather_sampled,
    )
    tied = {name for constraint in constraints for name in constraint.open}
    continuous = moved(continuous, wanted, tied)
    for factor in factors:
        if factor.is_observation:
            continue
        averaged = any(one.variable == factor.variable for other in factors for one in other.means.values())
        cells += _cells_of(
            factor,
            table,
            with_cells[factor.variable],
            continuous.get(factor.variable, {}),
            averaged,
            factors,
            plain.get(factor.variable),
        )
    check_asked(plain, cells)
    for group in cells:
        if group.treatment == "predict" and not model.factor(group.variable).family.is_discrete:
            check_range(model.factor(group.variable), factors, rough)
    grids = {
        group.variable: first_grid(
            model.factor(group.variable),
            factors,
            rough,
            group.units,
            finer.get(group.variable, 1.0),
            wider.get(group.variable, 1.0),
        )
        for group in cells
        if group.treatment == "grid"
    }
    grids |= {
        group.variable: count_values(
            model.factor(group.variable), len(group.units), wider.get(group.variable, 1.0)
        )
        for group in cells
        if group.treatment == "enumerate" and not model.factor(group.variable).family.has_levels
    }
    levels = {factor.variable: np.asarray(factor.levels) for factor in factors if factor.family.is_discrete}
    levels |= {
        name: grid.values[0] for name, grid in grids.items() if grid.spacing is None and len(grid.values)
    }
    systems = find_systems(constraints, factors, table, continuous, levels)
    if systems:
        gridded = {group.variable: group.units for group in cells if group.treatment == "grid"}
        grids |= grids_of_systems(
            systems,
            {name: grid for name, grid in grids.items() if name in gridded},
            gridded,
            factors,
            rough,
            finer,
            wider,
        )
    tied_cells = _tied_cells(systems, table)
    holding = hold_cells(
        cells, factors, table, plain, tied_cells, grids,
        lambda some, own: _expanded_rows(some, factors, table, active, own, systems, tied_cells), _BUDGET,
    )  # fmt: skip
    cells = holding.cells
    if any(group.treatment == HELD for group in cells):
        refuse_beside_held(factors, getattr(model, "mechanisms", {}))
    _check_levels(cells, factors)
    treated = {
        how: frozenset(group.variable for group in cells if group.treatment in (how, other))
        for how, other in (("enumerate", "grid"), ("integrate", "solve"))
    }
    stood_in = table.roughly()
    effects = tuple(
        effects_of(part, factor, effect, factors, stood_in, treated, active, plain)
        for factor in factors
        for part in factor.parts
        for effect in part.effects
    )

    def anew(own: EffectGroup, kept: str | None, jointly: Sequence[str] = ()) -> EffectGroup:
        factor = next(one for one in factors if one.name == own.variable)
        effect = factor.effect(own.grouping)
        return effects_of(factor, factor, effect, factors, stood_in, treated, active, plain, kept, jointly)

    asked = {
        (factor.variable, effect.grouping)
        for factor in factors
        for effect in factor.effects
        if plain.get(effect_key(factor, effect)) == "collapse"
    }
    effects, joint = integrate_jointly(
        one_collapse(effects, asked, anew),
        factors,
        table,
        cells,
        systems,
        plain,
        lambda own, groupings: anew(own, None, groupings),
    )
    return Plan(
        tuple(cells),
        effects,
        active,
        holding.n_expanded,
        holding.grids,
        dict(finer),
        dict(wider),
        (*_remarks(model, cells), *unheeded(plain, cells)),
        _discrete_limits(cells, factors, table),
        systems,
        holding.words,
        joint,
        holding.held_grids,
    )


def _discrete_limits(
    cells: list[CellGroup], factors: tuple[Factor, ...], table: ModelTable
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Limits of the summed cells of levels and counts."""
    out = {}
    for group in cells:
        lower, upper, limited = interval_at(group.variable, group.level, table)
        if group.treatment == "enumerate" and limited[group.units].any():
            out[group.variable] = (
                np.where(limited, lower, -np.inf)[group.units],
                np.where(limited, upper, np.inf)[group.units],
            )
    return out


def _check_levels(cells: list[CellGroup], factors: tuple[Factor, ...]) -> None:
    """Refuse summed cells of two different groupings, and of one above another modelled one."""
    levels: dict[str, str] = {}
    for group in cells:
        if group.treatment in ("enumerate", "grid", "solve", "gibbs") and group.level != "row":
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


def _cells_of(
    factor: Factor,
    table: ModelTable,
    active: NDArray[np.bool_],
    continuous: Mapping[str, NDArray[np.bool_]],
    averaged: bool,
    factors: Sequence[Factor],
    asked: str | None,
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
        if factor.selection is not None:
            reason = "drawn given that it was not selected"
            by_design = table.at(selected_column(factor.variable), factor.level)[barren] == BY_DESIGN
            if by_design.any():
                reason += (
                    f" ({counted(int(by_design.sum()), 'row')} by design: from the population of clusters)"
                )
        limited = int(known_at(factor.variable, factor.level, table)[barren].sum())
        if limited:
            kept = "the probability of being there stands in the likelihood"
            known = (
                f"{limited:,} between limits: {kept}" if limited < barren.size else f"between limits: {kept}"
            )
            reason = known + (f"; of the others: {reason}" if limited < barren.size else "")
        groups.append(CellGroup(factor.variable, "predict", factor.level, barren, reason))
    if factor.family.is_discrete and informative.size:
        how = "two values" if len(factor.levels) == 2 else f"{len(factor.levels)} values"
        if not factor.family.has_levels:
            how = f"counts from 0 to {factor.levels[-1]:g}"
        limited = int(interval_at(factor.variable, factor.level, table)[2][informative].sum())
        if limited:
            how += f", of {limited:,} those between their limits"
        groups.append(
            CellGroup(factor.variable, "enumerate", factor.level, informative, f"{how}: summed out exactly")
        )
    inside = interval_at(factor.variable, factor.level, table)[2]
    for treatment, units in continuous.items():
        reason = reason_for(factor, treatment, factors, asked=asked, averaged=averaged)
        limited = int((inside & units).sum())
        if limited:
            how = "by differences of Phi" if treatment == "integrate" else "each over a grid inside of them"
            reason = f"{limited:,} between limits, {how}" + (
                f"; of the others: {reason}" if limited < units.sum() else ""
            )
        groups.append(CellGroup(factor.variable, treatment, factor.level, np.flatnonzero(units), reason))
    return groups


def _tied_cells(systems: tuple[System, ...], table: ModelTable) -> dict[str, NDArray[np.bool_]]:
    """Return by variable the cells that are summed with their system, (units of its level,)."""
    tied: dict[str, NDArray[np.bool_]] = {}
    for system in systems:
        n_units = len(table.rows_of_level(system.level))
        for name in (*system.discrete, *system.grid):
            tied.setdefault(name, np.zeros(n_units, dtype=bool))[system.units] = True
    return tied


def _expanded_rows(
    cells: Sequence[CellGroup],
    factors: tuple[Factor, ...],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    grids: Mapping[str, CellValues],
    systems: tuple[System, ...],
    tied: Mapping[str, NDArray[np.bool_]],
) -> tuple[float, float]:
    """Entries of the expansion, and of the largest row."""
    n_levels = {factor.variable: len(factor.levels) for factor in factors}
    count = np.zeros(table.n_rows)  # log of the combinations
    above: dict[str, NDArray[np.float64]] = {}
    summed = [group for group in cells if group.treatment in ("enumerate", "grid")]
    for group in summed:
        units = group.units
        grid = grids.get(group.variable)
        added = np.log(np.full(len(units), n_levels[group.variable]) if grid is None else grid.sizes)
        if group.variable in tied:
            free = ~tied[group.variable][units]
            units, added = units[free], added[free]
        if group.level == "row":
            count[units] += added
        else:
            own = above.setdefault(group.level, np.zeros(len(table.groupings[group.level].labels)))
            own[units] += added
    for system in systems:
        if not system.discrete and not system.grid:
            continue
        points = float(np.prod([float(grids[name].values.shape[1]) for name in system.grid]))
        added = np.log(count_combinations(system, table) * points)
        if system.level == "row":
            count[system.units] += added
        else:
            own = above.setdefault(system.level, np.zeros(len(table.groupings[system.level].labels)))
            own[system.units] += added
    total = 0.0
    for level, own in above.items():
        names = {group.variable for group in cells if group.level == level}
        total += float(np.exp(own[own > 0]).sum())
        below = np.zeros(table.n_rows, dtype=bool)
        for factor in factors:
            if factor.level == "row" and names & factor.parents:
                below |= active[factor.variable]
        for system in systems:
            if system.level == "row" and system.above:
                below[system.units] = True
        count += np.where(below, own[table.groupings[level].codes], 0.0)
    total += float(np.exp(count[count > 0]).sum()) if (count > 0).any() else 0.0
    return total, float(np.exp(count.max(initial=0.0)))


def _remarks(model: Model, cells: list[CellGroup]) -> tuple[str, ...]:
    remarks = [
        f"{name} is not missing at random: {one.words}"
        for name, one in getattr(model, "mechanisms", {}).items()
    ]
    if not any(group.treatment != "deduce" for group in cells):
        remarks.append("nothing is missing in the variables of the model: imputation adds nothing")
    elif len(model.factors) == 1 and model.factors[0].selection is None and not model.factors[0].limits:
        remarks.append(
            f"only the outcome {model.response!r} is incomplete and nothing is auxiliary: the model on the observed "
            "rows alone gives the same answer; completed data sets add only Monte Carlo error to it"
        )
    return tuple(remarks)
