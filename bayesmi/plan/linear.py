"""Continuous cells must enter every predictor linearly: what does not is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import NotSupportedError
from bayesmi.formula import Term, fit_design
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["refuse_nonlinear"]


def refuse_nonlinear(
    factors: Sequence[Factor],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    latent: Mapping[str, NDArray[np.intp]],
) -> None:
    """Refuse predictors, slopes and offsets that are not jointly affine in the cells they meet.

    Parameters
    ----------
    factors : sequence of Factor
        The product.
    table : ModelTable
        The data.
    active : mapping
        Variable -> (units,) mask of the units whose factor is in the likelihood.
    latent : mapping
        Variable -> units whose cell is sampled or integrated out.

    Raises
    ------
    NotSupportedError
        Names the term, the columns and the nearest thing that is supported.
    """
    for factor in factors:
        inside = {
            name for name in factor.parents & latent.keys() if _meets(factor, name, table, active, latent)
        }
        designs = [factor.design, *(design for effect in factor.effects for design in effect.designs)]
        if not all(design.is_affine_in(inside) for design in designs):
            terms = [*factor.formula.terms, *(t for group in factor.formula.groups for t in group.terms)]
            for term in terms:
                _check_term(term, sorted(inside & term.variables), factor.variable, table)
        for offset in factor.formula.offsets:
            for name in sorted(inside & offset.variables):
                raise NotSupportedError(
                    f"offset({offset}) of the incomplete {name} is not supported yet (in the model of "
                    f"{factor.variable}); the nearest that is: {name} as a predictor"
                )


def _meets(
    factor: Factor,
    name: str,
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
    latent: Mapping[str, NDArray[np.intp]],
) -> bool:
    """Whether any unit of the factor that is in the likelihood needs a latent cell of the variable."""
    level = table.level(name)
    units = np.flatnonzero(active[factor.variable])
    if level != factor.level:
        units = table.codes_at(level, factor.level)[units]
    return bool(np.isin(units, latent[name]).any())


def _check_term(term: Term, inside: Sequence[str], variable: str, table: ModelTable) -> None:
    design = fit_design((term,), True, table.variables(term.variables))
    if design.is_affine_in(inside):
        return
    names = " and ".join(inside)
    nearest = f"{names} as it is"
    if len(inside) > 1:
        nearest = f"{names} without their product, or the product of one with a complete or binary variable"
    raise NotSupportedError(
        f"{term} of the incomplete {names} is not supported yet (in the model of {variable}), because cells enter "
        f"linearly or not at all; the nearest that is: {nearest}"
    )
