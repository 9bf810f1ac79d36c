"""Families by name. Adding one is one file and one line here; the contract tests pick it up."""

from __future__ import annotations

from bayesmi.errors import NotSupportedError
from bayesmi.families.base import Family
from bayesmi.families.bernoulli import Bernoulli
from bayesmi.families.gaussian import Gaussian

__all__ = ["REGISTRY", "Family", "family_for_kind", "get_family"]

REGISTRY: dict[str, Family] = {family.name: family for family in (Gaussian(), Bernoulli())}

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
    "count": "kinds={{{0!r}: 'continuous'}} models it as Gaussian",
    "ordinal": "a numeric code with kinds={{{0!r}: 'continuous'}} models it as Gaussian",
    "nominal": "two levels (a binary variable) are supported",
    "identifier": "identifiers cannot be modelled",
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


def family_for_kind(column: str, kind: str) -> Family:
    """Return the default family of a column of this kind."""
    if kind in _OF_KIND:
        return REGISTRY[_OF_KIND[kind]]
    hint = _NEAREST_KIND.get(kind, "").format(column)
    raise NotSupportedError(
        f"column {column!r} is {kind} and incomplete, or the response: not supported yet; {hint}"
    )
