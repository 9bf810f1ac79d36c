"""Models of a scale: `sigma ~ x + (1 | g)` beside `y ~ x`, with the names of Bambi's distributional models.

log sigma of a row is a linear predictor with its own coefficients and group effects, log sigma = b0 + x'b + z'u, so that
exp(b) is the ratio of the residual sds of two rows that differ by one in x.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import FormulaError, ModelError
from bayesmi.families import Family
from bayesmi.families.logscale import LogScale, scale_parameter
from bayesmi.formula import Formula, fit_offsets, parse
from bayesmi.formula.terms import Term
from bayesmi.model.factor import Factor
from bayesmi.model.part import assemble_part
from bayesmi.model.table import ModelTable
from bayesmi.priors import Prior

__all__ = ["formula_texts", "merged", "read_scale", "rough_residuals", "with_scale"]

Floats = NDArray[np.float64]
_SPREAD = 0.4  # priors reach 2.5 times as far: sd 1 of log sigma, a factor of e
_INFORMATION = 2.0  # of one row on its log sigma, in a Gaussian model


def formula_texts(given: Any, label: str = "formula") -> tuple[str, ...]:
    """Return the texts of a formula that comes alone or with that of a scale.

    Raises
    ------
    FormulaError, ModelError
        If it is neither a text nor one or two texts.
    """
    if isinstance(given, str):
        return (given,)
    wanted = "a text, or two: ('y ~ x', 'sigma ~ x')"
    if not isinstance(given, Sequence):
        raise FormulaError(f"{label} must be {wanted}, not {type(given).__name__}")
    if not all(isinstance(text, str) for text in given):
        raise ModelError(f"{label} must be {wanted}, not {given!r}")
    if not 1 <= len(given) <= 2:
        raise ModelError(f"{label} is {wanted}; there are {len(given)}")
    return tuple(given)


def read_scale(text: str, variable: str, columns: Sequence[str]) -> Formula:
    """Read the formula of a scale; its left-hand side is the parameter's name.

    Raises
    ------
    ModelError
        If the left-hand side is absent, or a column.
    """
    formula = parse(text)
    name = formula.response.name if formula.response is not None else ""
    if not name:
        raise ModelError(f"formula {text!r} of the scale of {variable!r} needs its name: write 'sigma ~ …'")
    if name in columns:
        raise ModelError(
            f"formula {text!r} stands where a scale of {variable!r} is modelled and {name!r} is a column: write 'sigma ~ …', or "
            f"give the model of an incomplete covariate as formulas={{{name!r}: …}}"
        )
    if formula.response is not None and (
        formula.response.is_transformed or formula.response.trials is not None
    ):
        raise ModelError(
            f"formula {text!r}: on the left of a scale's model stands its name alone, such as 'sigma'"
        )
    return formula


def merged(formula: Formula, scale: Formula | None) -> Formula:
    """Return a formula with everything that either names on its right-hand side, for checks of columns and groupings."""
    if scale is None:
        return formula

    def new(own: tuple[Any, ...], more: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*own, *(one for one in more if one not in own))

    terms: tuple[Term, ...] = new(formula.terms, scale.terms)
    return replace(
        formula,
        terms=terms,
        offsets=new(formula.offsets, scale.offsets),
        groups=new(formula.groups, scale.groups),
    )


def with_scale(
    factor: Factor, formula: Formula, table: ModelTable, given: Mapping[str, Prior]
) -> tuple[Factor, tuple[str, ...]]:
    """Return the factor with a model of its scale, and notices about it.

    Default priors: intercept of log sigma at the predictors' observed means Normal(log s, 1), s the residual sd in the
    observed rows (of other parameters their rough value there); coefficients Normal(0, 1 / sd of the predictor); group
    sds HalfNormal(1 / sd of the slope's column); correlations LKJ(2).

    Raises
    ------
    ModelError
        If the family has no such parameter, or a predictor is constant or wholly missing.
    """
    assert formula.response is not None
    asked = formula.response.name
    parameter = scale_parameter(factor.family)
    if parameter is None:
        raise ModelError(
            f"'{formula}': the {factor.family.name} model of {factor.variable!r} has no scale that could have a model: leave it "
            "out"
        )
    if asked != parameter.name:
        raise ModelError(
            f"'{formula}': the parameter of the {factor.family.name} model of {factor.variable!r} that can have a model is "
            f"{parameter.name} ({parameter.words}): write '{parameter.name} ~ …'"
        )
    rows = table.rows_of_level(factor.level)
    location = math.log(_typical(factor, table, rows)) - _mean_offset(formula, table, rows)
    scale, notices = assemble_part(
        factor,
        formula,
        cast(Family, LogScale()),
        table,
        given,
        parameter=parameter.name,
        words=parameter.name,
        location=location,
        spread=_SPREAD,
        prior_spread=_SPREAD if formula.intercept else _SPREAD * max(1.0, abs(location)),
        whitening_scale=1.0 / math.sqrt(_INFORMATION),
    )
    own = {name: prior for name, prior in factor.priors.scales.items() if name != parameter.name}
    return replace(factor, scale=scale, priors=replace(factor.priors, scales=own)), notices


def rough_residuals(factor: Factor, table: ModelTable) -> tuple[Floats, NDArray[np.intp]]:
    """Return residuals of the mean's own regression in the rows where all is known, and which units these are."""
    rows = table.rows_of_level(factor.level)
    response = factor.codes(table.values[factor.variable][rows])
    values = {name: table.values[name][rows] for name in factor.design.variables}
    with np.errstate(all="ignore"):
        matrix = np.column_stack([np.ones(len(rows)), factor.matrix(values, len(rows))])
        z = np.full(len(rows), np.nan)
        seen = np.isfinite(response)
        z[seen] = factor.family.to_kernel(response[seen])
    known = np.flatnonzero(np.isfinite(z) & np.isfinite(matrix).all(axis=1))
    x, y = matrix[known], z[known]
    if len(known) <= x.shape[1] + 1:
        return y - (y.mean() if y.size else 0.0), known
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return residual * math.sqrt(len(known) / (len(known) - x.shape[1])), known


def _typical(factor: Factor, table: ModelTable, rows: NDArray[np.intp]) -> float:
    """Rough size of the parameter: the residual sd, or what the family starts from."""
    assert factor.family.parameters
    name = factor.family.parameters[0].name
    start = float(factor.starts[name][0])
    if name != "sigma":
        return start
    residual, _ = rough_residuals(factor, table)
    size = float(np.sqrt(np.mean(residual**2))) if residual.size > 2 else 0.0
    return size if size > 1e-6 * start else start


def _mean_offset(formula: Formula, table: ModelTable, rows: NDArray[np.intp]) -> float:
    names = frozenset().union(*(part.variables for part in formula.offsets))
    offsets = fit_offsets(formula.offsets, table.variables(names))
    if not offsets.n_columns:
        return 0.0
    total = np.asarray(
        offsets.matrix({name: table.values[name][rows] for name in offsets.variables}).sum(axis=1)
    )
    seen = total[np.isfinite(total)]
    return float(seen.mean()) if seen.size else 0.0
