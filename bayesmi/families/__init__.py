"""Families by name. Adding one is one file and one line here; the contract tests pick it up."""

from __future__ import annotations

import re
from typing import Any

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families.base import Family, FamilyParameter
from bayesmi.families.bernoulli import Bernoulli
from bayesmi.families.beta import Beta
from bayesmi.families.binomial import Binomial
from bayesmi.families.exponential import Exponential
from bayesmi.families.gamma import Gamma
from bayesmi.families.gaussian import Gaussian
from bayesmi.families.lognormal import LogNormal
from bayesmi.families.negativebinomial import NegativeBinomial
from bayesmi.families.nominal import Nominal
from bayesmi.families.ordinal import Ordinal
from bayesmi.families.ordinalprobit import OrdinalProbit
from bayesmi.families.poisson import Poisson
from bayesmi.families.probit import Probit
from bayesmi.families.skewnormal import SkewNormal
from bayesmi.families.student import Student
from bayesmi.families.truncated import Bounded, Truncated
from bayesmi.families.weibull import Weibull
from bayesmi.families.zeros import (
    HurdleNegativeBinomial,
    HurdlePoisson,
    ZeroInflatedNegativeBinomial,
    ZeroInflatedPoisson,
)

__all__ = ["REGISTRY", "WITH_BOUNDS", "Family", "FamilyParameter", "family_for_kind", "get_family"]

_ALL: tuple[Any, ...] = (
    Gaussian(),
    Student(),
    SkewNormal(),
    LogNormal(),
    Gamma(),
    Exponential(),
    Weibull(),
    Beta(),
    Bernoulli(),
    Probit(),
    Binomial(),
    Ordinal(),
    OrdinalProbit(),
    Nominal(),
    Poisson(),
    NegativeBinomial(),
    ZeroInflatedPoisson(),
    ZeroInflatedNegativeBinomial(),
    HurdlePoisson(),
    HurdleNegativeBinomial(),
)
REGISTRY: dict[str, Family] = {family.name: family for family in _ALL}
# families that are named with their bounds: "truncated(0, 10)"
WITH_BOUNDS: dict[str, Any] = {"truncated": Truncated, "bounded": Bounded}

_OTHER_NAMES = {
    "normal": "gaussian",
    "t": "student",
    "studentt": "student",
    "logistic": "bernoulli",
    "logit": "bernoulli",
    "binary": "bernoulli",
    "bernoulliprobit": "probit",
    "cumulative": "ordinal",
    "cumulativelogit": "ordinal",
    "cumulativeprobit": "ordinalprobit",
    "orderedprobit": "ordinalprobit",
    "categorical": "nominal",
    "multinomial": "nominal",
    "softmax": "nominal",
    "negbinomial": "negativebinomial",
    "negbin": "negativebinomial",
    "zip": "zeroinflatedpoisson",
    "zinb": "zeroinflatednegativebinomial",
    "zeroinflatednegbinomial": "zeroinflatednegativebinomial",
    "hurdlenegbinomial": "hurdlenegativebinomial",
    "truncatednormal": "truncated",
    "truncatedgaussian": "truncated",
    "boundednormal": "bounded",
    "boundedgaussian": "bounded",
}
_CALL = re.compile(r"([A-Za-z _-]+?)\s*\(\s*([^\s,()]+)\s*,\s*([^\s,()]+)\s*\)")
_OF_KIND = {
    "continuous": "gaussian",
    "binary": "bernoulli",
    "ordinal": "ordinal",
    "nominal": "nominal",
    "count": "poisson",
}


def get_family(name: str) -> Family:
    """Return the family of that name, such as "student", "negative binomial" or "truncated(0, 10)".

    Raises
    ------
    NotSupportedError
        If there is none; the message names those that there are.
    ModelError
        If the bounds of a family with bounds are absent or not two numbers.
    """
    call = _CALL.fullmatch(name.strip())
    key = (call.group(1) if call else name).lower().replace("_", "").replace("-", "").replace(" ", "")
    key = _OTHER_NAMES.get(key, key)
    if key in WITH_BOUNDS:
        return _with_bounds(key, name, call)
    if key in REGISTRY and not call:
        return REGISTRY[key]
    if key in REGISTRY:
        raise ModelError(
            f"family {name!r}: {key!r} takes nothing in parentheses; its parameters are estimated"
        )
    known = ", ".join([*REGISTRY, *(f"{short}(low, high)" for short in WITH_BOUNDS)])
    raise NotSupportedError(f"family {name!r} is not known; there are {known}")


def _with_bounds(key: str, name: str, call: re.Match[str] | None) -> Family:
    wanted = f"family {name!r} needs its bounds: say '{key}(0, 10)' or '{key}(0, inf)'"
    if call is None:
        raise ModelError(wanted)
    try:
        low, high = float(call.group(2)), float(call.group(3))
    except ValueError:
        raise ModelError(wanted) from None
    family: Family = WITH_BOUNDS[key](low, high)
    return family


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
