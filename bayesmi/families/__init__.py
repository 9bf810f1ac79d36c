"""Families by name. Adding one is one file and one line here; the contract tests pick it up."""

from __future__ import annotations

from typing import Any

from bayesmi.errors import NotSupportedError
from bayesmi.families.base import Family
from bayesmi.families.bernoulli import Bernoulli
from bayesmi.families.gaussian import Gaussian

__all__ = ["REGISTRY", "Family", "family_for_kind", "get_family"]

_ALL: tuple[Any, ...] = (Gaussian(), Bernoulli())
REGISTRY: dict[str, Family] = {family.name: family for family in _ALL}

# names a user would expect, with the nearest thing that is built
_NOT_YET = {
    "student": "gaussian",
    "lognormal": "gaussian",
    "gamma": "gaussian",
    "beta": "gaussian",
    "poisson": "gaussian",
    "negativebinomial": "gaussian",
    "ordinal": "gaussian",
    "cumulative": "gaussian",
    "categorical": "bernoulli",
    "nominal": "bernoulli",
    "binomial": "bernoulli",
    "probit": "bernoulli",
}
_OF_KIND = {"continuous": "gaussian", "binary": "bernoulli"}
_NEAREST_KIND = {
    "count": "kinds={{{0!r}: 'continuous'}}, which models it as Gaussian",
    "ordinal": "its levels as numbers in a column of kind 'continuous', which is modelled as Gaussian",
    "nominal": "a variable of two levels (binary)",
    "identifier": "none, identifiers are not modelled",
}


def get_family(name: str) -> Family:
    """Return the family of that name.

    Raises
    ------
    NotSupportedError
        If there is none; the message names the nearest one that is built.
    """
    key = name.lower().replace("_", "").replace("-", "")
    key = {"normal": "gaussian", "logistic": "bernoulli", "logit": "bernoulli"}.get(key, key)
    if key in REGISTRY:
        return REGISTRY[key]
    nearest = _NOT_YET.get(key)
    hint = f"; the nearest that is: {nearest!r}" if nearest else ""
    raise NotSupportedError(f"family {name!r} is not supported yet (there are {', '.join(REGISTRY)}){hint}")


def family_for_kind(column: str, kind: str, role: str = "incomplete covariate") -> Family:
    """Return the default family of a column of this kind.

    Raises
    ------
    NotSupportedError
        If there is none yet; the message names the nearest thing that is.
    """
    if kind in _OF_KIND:
        return REGISTRY[_OF_KIND[kind]]
    hint = _NEAREST_KIND.get(kind, "").format(column)
    raise NotSupportedError(
        f"{role} {column!r} is {kind}: a model of it is not supported yet; the nearest that is: {hint}"
    )
