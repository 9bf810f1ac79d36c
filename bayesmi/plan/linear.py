"""Sampled cells must enter every predictor linearly: what does not is refused by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bayesmi.errors import NotSupportedError
from bayesmi.formula import Term, fit_design
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["refuse_nonlinear"]


def refuse_nonlinear(factors: Sequence[Factor], table: ModelTable, sampled: Collection[str]) -> None:
    """Refuse predictors, slopes and offsets that are not affine in the variables whose cells NUTS samples.

    Raises
    ------
    NotSupportedError
        Names the term, the columns and the nearest thing that is supported.
    """
    for factor in factors:
        inside = frozenset(sampled) & factor.parents
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


def _check_term(term: Term, inside: Sequence[str], variable: str, table: ModelTable) -> None:
    design = fit_design((term,), True, table.variables(term.variables))
    if design.is_affine_in(inside):
        return
    names = " and ".join(inside)
    nearest = f"{names} as it is"
    if len(inside) > 1:
        nearest = f"{names} without their product, or the product of one with a complete or binary variable"
    raise NotSupportedError(
        f"{term} of the incomplete {names} is not supported yet (in the model of {variable}), because sampled cells "
        f"must enter linearly; the nearest that is: {nearest}"
    )
