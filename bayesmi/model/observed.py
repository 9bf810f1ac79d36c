"""The factor of an observation: f(what was recorded | the variable), without anything to be estimated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import counted
from bayesmi.errors import ModelError
from bayesmi.families import Family, get_family
from bayesmi.families.logscale import LogScale
from bayesmi.formula import fit_design, fit_offsets, parse
from bayesmi.model.automatic import quoted
from bayesmi.model.factor import Factor, FactorPriors
from bayesmi.model.table import ModelTable
from bayesmi.observation import Observation

__all__ = [
    "check_observed",
    "levels_of_observed",
    "observation_factor",
    "observed_notices",
    "with_observations",
]

Floats = NDArray[np.float64]
_NO_PRIORS = FactorPriors(None, True, (), {}, True, {}, {})


def _error_column(column: str) -> str:
    """Name of the made column with the standard errors."""
    return f"sd of {column}"


def levels_of_observed(
    observations: Mapping[str, Observation], frame: IncompleteFrame, given: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the levels that variables take from what was recorded of them, where they have none yet.

    Raises
    ------
    ModelError
        If a variable would vary within the units of its measurement.
    """
    out: dict[str, str] = {}
    for name, own in observations.items():
        level = frame.columns[own.column].level
        wanted = (given or {}).get(name)
        if wanted is None:
            if level != frame.columns[name].level:
                out[name] = level
        elif level != "row" and wanted != level:
            raise ModelError(
                f"levels[{name!r}] is {wanted!r} and {own.column!r}, which measures it, is one a {level}: leave levels= out"
            )
    return out


def with_observations(table: ModelTable, observations: Mapping[str, Observation]) -> ModelTable:
    """Return the table with columns of standard errors, and stand-ins for what is never observed itself."""
    stand_ins: dict[str, Floats] = {}
    for name, own in observations.items():
        errors = own.standard_errors(name, table.frame)
        made = _error_column(own.column)
        if made in table.frame.columns:
            raise ModelError(
                f"column {made!r} has the name of the standard errors of {own.column!r}: rename it"
            )
        level = table.frame.columns[own.column].level
        rough = own.stand_ins(table.frame, errors)
        if level != "row":
            group = table.groupings[level]
            errors, rough = group.means(errors)[group.codes], group.means(rough)[group.codes]
        elif table.level(name) != "row":
            group = table.groupings[table.level(name)]
            rough = group.means(rough)[group.codes]
        table = table.with_made({made: (errors, level)})
        stand_ins[name] = rough
    return table.with_stand_ins(stand_ins)


def check_observed(observations: Mapping[str, Observation], used: Collection[str], of: str = "") -> None:
    """Refuse variables that no formula uses, and measurements that stand in one; `of` says whose it is.

    Raises
    ------
    ModelError
        With what to write.
    """
    for name, own in observations.items():
        if name not in used:
            raise ModelError(
                f"observations[{name!r}]: {name!r} is not in the formula; write it there, in place of {own.column!r}"
            )
        if own.column in used:
            where = f"the model of {of!r}" if of else "the model"
            raise ModelError(
                f"{own.column!r} stands in {where} and is the measurement of {name!r}: write {name!r} there"
            )


def observed_notices(observations: Mapping[str, Observation], table: ModelTable) -> tuple[str, ...]:
    """Say what happens to the variable and to its measurement."""
    lines = []
    for name, own in observations.items():
        holes = table.frame.columns[own.column].n_missing
        rest = (
            f"; its {counted(holes, 'missing cell')} {'stays' if holes == 1 else 'stay'} missing"
            if holes
            else ""
        )
        lines.append(
            f"{name!r} is imputed in every row, as a further column; {own.column!r}, its measurement, is not changed{rest}"
        )
    return tuple(lines)


def observation_factor(name: str, own: Observation, table: ModelTable) -> Factor:
    """Return the factor N(recorded | variable, sd²).

    Its mean is the variable with a coefficient that is known to be one, its log sd an offset.
    """
    made = _error_column(own.column)
    level = table.frame.columns[own.column].level
    gaussian: Family = get_family("gaussian")
    formula = parse(f"{quoted(own.column)} ~ 0 + {quoted(name)}")
    design = fit_design(formula.terms, False, table.variables([name]))
    seen = table.values[own.column][table.rows_of_level(level)]
    seen = seen[np.isfinite(seen)]
    factor = Factor(
        variable=own.column,
        role="observation",
        family=gaussian,
        level=level,
        formula=formula,
        design=design,
        offsets=fit_offsets((), {}),
        effects=(),
        links=(),
        column_names=(name,),
        centers=np.zeros(1),
        whitening=np.eye(1),
        location=float(seen.mean()),
        spread=float(seen.std(ddof=1)),
        priors=_NO_PRIORS,
        reasons=(f"{own.column} ~ N({name}, {own.words}): measurement error of known size",),
    )
    of_scale = parse(f"sigma ~ 0 + offset(log(`{made}`))")
    nothing = fit_design((), False, {})
    scale = replace(
        factor,
        family=cast(Family, LogScale()),
        formula=of_scale,
        design=nothing,
        offsets=fit_offsets(of_scale.offsets, table.variables([made])),
        column_names=(),
        centers=np.zeros(0),
        whitening=np.zeros((0, 0)),
        reasons=(),
        parameter="sigma",
    )
    return replace(factor, scale=scale)
