"""What the user asked of the plan: treatments by variable, by group of cells, and of group effects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.model.table import ModelTable
from bayesmi.plan.cell_group import CellGroup

__all__ = [
    "before_holding",
    "check_asked",
    "check_overrides",
    "effect_key",
    "moved",
    "unheeded",
    "whole_variables",
]

_MOVES = {"integrate": ("sample", "grid"), "sample": ("grid",)}


def whole_variables(wanted: Mapping[str, Any]) -> dict[str, str]:
    """Return the treatments that are asked for all cells of a variable, or for group effects."""
    each = {name: _as_whole(treatment) for name, treatment in wanted.items()}
    return {name: treatment for name, treatment in each.items() if not isinstance(treatment, Mapping)}


def _as_whole(treatment: Any) -> Any:
    """Return what a mapping says of all cells of a variable: summed cells are one group."""
    return "gibbs" if treatment in ({"enumerate": "gibbs"}, {"grid": "gibbs"}) else treatment


def before_holding(wanted: Mapping[str, str], factors: Sequence[Factor]) -> dict[str, str]:
    """Return the treatments in which continuous cells that are to be held are put on their grids first."""
    continuous = {factor.variable for factor in factors if not factor.family.is_discrete}
    return {name: "grid" if how == "gibbs" and name in continuous else how for name, how in wanted.items()}


def moved(
    continuous: Mapping[str, Mapping[str, NDArray[np.bool_]]],
    wanted: Mapping[str, Any],
    tied: Collection[str],
) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return the treatments of continuous cells with those moved for which a group was named, {"integrate": "sample"}.

    Raises
    ------
    ModelError
        If there is no such group, or its cells cannot be treated so.
    """
    out = {name: dict(groups) for name, groups in continuous.items()}
    for name, moves in wanted.items():
        if not isinstance(_as_whole(moves), Mapping):
            continue
        groups = out.get(name, {})
        for before, after in moves.items():
            label = f"treatments[{name!r}][{before!r}]"
            if before not in groups:
                there = ", ".join(map(repr, groups)) or "none that can be moved"
                raise ModelError(f"{label}: no cells of {name!r} are treated so; its groups are {there}")
            if after not in _MOVES.get(before, ()):
                if before not in _MOVES:
                    raise ModelError(
                        f"{label}={after!r}: cells that are treated so cannot be treated otherwise one by one; leave it out"
                    )
                allowed = " or ".join(map(repr, _MOVES[before]))
                raise ModelError(f"{label} can be {allowed}, not {after!r}")
            if name in tied:
                raise ModelError(
                    f"{label}: its cells are tied to others by an observed derived value; leave it out"
                )
            mask = groups.pop(before)
            groups[after] = groups[after] | mask if after in groups else mask
    return out


def effect_key(factor: Factor, effect: GroupEffect) -> str:
    """Return the name by which treatments= speaks of a grouping's effects."""
    return f"{factor.prefix}1|{effect.grouping}"


def check_overrides(wanted: Mapping[str, Any], factors: tuple[Factor, ...], table: ModelTable) -> None:
    """Refuse names that are not there, and treatments that a family's cells cannot have."""
    by_name = {factor.variable: factor for factor in factors if not factor.is_observation}
    effects = {effect_key(p, effect) for factor in factors for p in factor.parts for effect in p.effects}
    for name, asked in wanted.items():
        treatment = _as_whole(asked)
        if name in effects:
            if treatment not in ("collapse", "adaptive", "centred", "partly centred", "noncentred"):
                raise ModelError(
                    f"treatments[{name!r}] is 'collapse', 'adaptive', 'centred', 'partly centred' or 'noncentred', not "
                    f"{treatment!r}"
                )
            continue
        if isinstance(treatment, Mapping) and name in by_name and table.is_incomplete(name):
            continue  # by groups of cells: see `moved`
        if name not in by_name:
            known = ", ".join([*(n for n in by_name if table.is_incomplete(n)), *sorted(effects)])
            raise ModelError(
                f"treatments[{name!r}]: no such incomplete variable or group effect; there are {known}"
            )
        discrete = by_name[name].family.is_discrete
        allowed: tuple[str, ...] = ("predict", "grid", "gibbs")
        if discrete:
            allowed = (
                ("predict", "enumerate", "gibbs")
                if by_name[name].family.has_levels
                else ("predict", "enumerate")
            )
        elif by_name[name].family.is_gaussian_identity:
            allowed = ("predict", "integrate", "grid", "sample", "gibbs")
        if treatment not in allowed:
            raise ModelError(
                f"treatments[{name!r}] can be {' or '.join(map(repr, allowed))}, not {treatment!r}"
            )


def check_asked(wanted: Mapping[str, str], cells: Sequence[CellGroup]) -> None:
    """Refuse to predict cells that carry information, and to integrate cells that are not linear."""
    for group in cells:
        asked = wanted.get(group.variable)
        if asked == "integrate" and group.treatment == "sample":
            raise ModelError(
                f"treatments[{group.variable!r}]='integrate': {len(group.units)} of its cells do not enter Gaussian means "
                "linearly; leave it out, or say 'sample'"
            )
        if asked == "predict" and group.treatment == "solve":
            raise ModelError(
                f"treatments[{group.variable!r}]='predict': {len(group.units)} of its cells follow from an observed derived "
                "value; leave it out"
            )
        if asked == "predict" and group.treatment in ("sample", "enumerate", "integrate", "grid"):
            raise ModelError(
                f"treatments[{group.variable!r}]='predict': {len(group.units)} of its cells stand in rows with an observed "
                f"outcome and carry information; leave it out, or say {group.treatment!r}"
            )


def unheeded(wanted: Mapping[str, str], cells: Sequence[CellGroup]) -> tuple[str, ...]:
    """Say which treatments were asked for and have no cell, as all of the variable are predicted or deduced."""
    lines = []
    for name, asked in wanted.items():
        there = {group.treatment for group in cells if group.variable == name}
        if there and there <= {"predict", "deduce", "solve"} and asked not in there:
            lines.append(
                f"treatments[{name!r}]={asked!r} has no effect: all missing cells of {name!r} are predicted or deduced"
            )
    return tuple(lines)
