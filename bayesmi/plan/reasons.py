"""Why continuous cells are treated as they are, in the words of the model at hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bayesmi.mechanism import indicator_name
from bayesmi.model.factor import Factor
from bayesmi.plan.cells import children_of

__all__ = ["reason_for"]

_MOST = 2  # reasons that are said
_HOW = {
    "integrate": "linear in the means of Gaussian variables: integrated out in closed form",
    "solve": "follows from an observed derived value and its other parts",
    "grid": "summed over a grid",
    "sample": "a latent for NUTS",
}


def reason_for(
    factor: Factor, treatment: str, factors: Sequence[Factor], *, asked: str | None, averaged: bool
) -> str:
    """Return why a variable's cells are integrated out, summed over a grid, sampled or solved.

    Parameters
    ----------
    factor : Factor
        The variable's.
    treatment : str
        Of the cells.
    factors : sequence of Factor
        All of the joint model.
    asked : str or None
        The treatment that was asked for, if any.
    averaged : bool
        Whether group means of completed data of the variable are predictors.
    """
    if treatment not in ("grid", "sample"):
        return _HOW[treatment]
    why = _why(factor, factors)
    if averaged and treatment == "sample":
        why = ["its group mean is a predictor of every row of the group"]
    elif asked in (treatment, "gibbs"):
        why = ["asked for"]
    if not why:
        why = ["continuous"]
    more = f" and {len(why) - _MOST} more" if len(why) > _MOST else ""
    return f"{', '.join(why[:_MOST])}{more}: {_HOW[treatment]}"


def _why(factor: Factor, factors: Sequence[Factor]) -> list[str]:
    """Return what keeps cells of a variable from being integrated out."""
    name = factor.variable
    out = [] if factor.family.is_gaussian_identity else [f"a {factor.family.name} variable"]
    incomplete = {other.variable for other in factors} - {name}
    for child in children_of(name, factors):
        if child.is_observation:
            continue
        if child.variable == indicator_name(name):
            out.append("its being missing depends on it")
            continue
        if name in child.scale_parents:
            out.append(f"in the model of the scale of {child.variable}")
        terms = _terms(name, child, {name})
        products = _terms(name, child, {name, *incomplete})
        if terms:
            out.append(f"{_few(terms)} in the model of {child.variable}")
        elif not child.family.is_gaussian_identity:
            out.append(f"in the {child.family.name} model of {child.variable}")
        elif products:
            out.append(f"{_few(products)}, both missing, in the model of {child.variable}")
    return list(dict.fromkeys(out))


def _terms(name: str, child: Factor, together: Collection[str]) -> list[str]:
    """Return the terms of a variable that are not affine in it together with others."""
    out = []
    for design in child.designs:
        bent = design.terms_not_affine_in(together)
        for block, variables in zip(design.blocks, design.term_variables, strict=True):
            if block.name in bent and name in variables:
                out.append(block.name)
    return list(dict.fromkeys(out))


def _few(terms: Sequence[str]) -> str:
    """Return the terms in words, the first two of many."""
    if len(terms) <= _MOST:
        return " and ".join(terms)
    return f"{', '.join(terms[:_MOST])} and {len(terms) - _MOST} more"
