"""A second equation of a factor, with a design, coefficients and group effects of its own: of its scale, of its being seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bayesmi.families import Family
from bayesmi.formula import Formula, fit_design, fit_offsets
from bayesmi.model.assemble import effect_sds, group_effects, read_columns
from bayesmi.model.default_priors import choose_priors
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.model.whitening import said_of_dependent, whitening_of
from bayesmi.priors import Prior

__all__ = ["assemble_part"]


def assemble_part(
    factor: Factor,
    formula: Formula,
    family: Family,
    table: ModelTable,
    given: Mapping[str, Prior],
    *,
    parameter: str,
    words: str,
    location: float,
    spread: float,
    prior_spread: float,
    whitening_scale: float,
) -> tuple[Factor, tuple[str, ...]]:
    """Return the equation as a factor on the units of `factor`, and notices about it.

    Parameters
    ----------
    factor : Factor
        Whose equation it is.
    formula, family
        Its predictors; the family stands for its link and priors.
    table : ModelTable
        The data.
    given : mapping
        Priors of the user.
    parameter, words : str
        Prefix of its names; what messages call it ("sigma", "the selection").
    location, spread, prior_spread : float
        Where its intercept lies and how far it reaches; the scale of its default priors.
    whitening_scale : float
        Sd of the residual that its coefficients' geometry is like.

    Raises
    ------
    ModelError
        If a predictor is constant or wholly missing.
    """
    rows = table.rows_of_level(factor.level)
    names = frozenset().union(*(term.variables for term in formula.terms))
    design = fit_design(formula.terms, formula.intercept, table.variables(names))
    in_offsets = frozenset().union(*(part.variables for part in formula.offsets))
    offsets = fit_offsets(formula.offsets, table.variables(in_offsets))
    matrix, observed, columns = read_columns(f"{words} of {factor.variable}", design, table, rows)
    means = np.array([matrix[observed[:, j], j].mean() for j in range(len(columns))])
    sds = np.array([matrix[observed[:, j], j].std(ddof=1) for j in range(len(columns))])
    centers = means if design.intercept else np.zeros_like(means)
    effects = group_effects(formula, table)
    shell = Factor(
        variable=factor.variable,
        role=factor.role,
        family=family,
        level=factor.level,
        formula=formula,
        design=design,
        offsets=offsets,
        effects=effects,
        links=(),
        column_names=tuple(column for _, column in columns),
        centers=centers,
        whitening=np.zeros((0, 0)),
        location=location,
        spread=spread,
        priors=factor.priors,
        parameter=parameter,
    )
    priors = choose_priors(
        shell.prefix,
        shell.family,
        intercept=design.intercept,
        columns=columns,
        column_sds=sds,
        effects=effects,
        effect_sds={effect.grouping: effect_sds(effect, table, rows) for effect in effects},
        location=location,
        spread=prior_spread,
        given=given,
    )
    complete = np.all(observed, axis=1)
    whitening, dependent = whitening_of(matrix[complete] - centers, sds, whitening_scale)
    notices = said_of_dependent([columns[j][1] for j in dependent], f"{words} of {factor.variable!r}")
    return replace(shell, whitening=whitening, priors=priors), (*design.notices, *notices)
