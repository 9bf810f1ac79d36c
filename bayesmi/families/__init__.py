"""Families by name. Adding one is one file and one line here; the contract tests pick it up."""

from __future__ import annotations

from typing import Any

from bayesmi.errors import NotSupportedError
from bayesmi.families.base import Family, FamilyParameter
from bayesmi.families.bernoulli import Bernoulli
from bayesmi.families.gaussian import Gaussian
from bayesmi.families.lognormal import LogNormal
from bayesmi.families.nominal import Nominal
from bayesmi.families.ordinal import Ordinal
from bayesmi.families.poisson import Poisson

__all__ = ["REGISTRY", "Family", "FamilyParameter", "family_for_kind", "get_family"]

_ALL: tuple[Any, ...] = (Gaussian(), Bernoulli(), Ordinal(), Nominal(), Poisson(), LogNormal())
REGISTRY: dict[str, Family] = {family.name: family for family in _ALL}

_OTHER_NAMES = {
    "normal": "gaussian",
    "logistic": "bernoulli",
    "logit": "bernoulli",
    "binary": "bernoulli",
    "cumulative": "ordinal",
    "cumulativelogit": "ordinal",
    "categorical": "nominal",
    "multinomial": "nominal",
    "softmax": "nominal",
}
# names a user would expect, with the nearest thing that is built
_NOT_YET = {
    "student": "gaussian",
    "gamma": "lognormal",
    "beta": "gaussian",
    "negativebinomial": "poisson",
    "binomial": "bernoulli",
    "probit": "bernoulli",
}
_OF_KIND = {
    "continuous": "gaussian",
    "binary": "bernoulli",
    "ordinal": "ordinal",
    "nominal": "nominal",
    "count": "poisson",
}


def get_family(name: str) -> Family:
    """Return the family of that name.

    Raises
    ------
    NotSupportedError
        If there is none; the message names the nearest one that is built.
    """
    key = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    key = _OTHER_NAMES.get(key, key)
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
        If there is none: identifiers are not modelled.
    """
    if kind in _OF_KIND:
        return REGISTRY[_OF_KIND[kind]]
    raise NotSupportedError(f"{role} {column!r} is {kind} and has no model: identifiers are not modelled")
