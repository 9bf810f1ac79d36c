"""Arguments of `mice` beside its own: those that a model takes, and those of R's mice that have another name or place here."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import bayesmi
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError, NotSupportedError

__all__ = ["model_options_of"]

_TAKEN = ("formula", "family", "families", "formulas", "order", "mechanisms", "derived")
_PASSED = ("priors", "auxiliary", "observations", "levels", "treatments")
# arguments of R's mice, and what to say in their place
_OF_R = {
    "meth": "write method=",
    "pred": "write predictorMatrix=",
    "print": "say progress=False",
    "printFlag": "say progress=False",
    "post": "shift missing values by bmi.impute(…, mechanisms={'x': bmi.Delta(-5)}); limits are kept by 'pmm', or said by "
    "observations={'x': bmi.truncated('x', below=0)}",
    "blocks": "one joint model imputes all columns together",
    "blots": "each column's model follows from its method",
    "parcel": "one joint model imputes all columns together",
    "calltype": "rows of predictorMatrix are replaced by formulas=",
    "defaultMethod": "change what bmi.make_method(data) proposes",
    "data_init": "a posterior has no starting imputations",
    "ls_meth": "nothing is fitted by least squares",
}


def model_options_of(frame: Any, kinds: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of Model that every component gets; cells that do not apply as masks over the columns they are in."""
    for name in sorted(given):
        if name in _TAKEN:
            raise ModelError(f"{name}= follows from method and predictorMatrix: use bmi.impute to say it")
        if name in _OF_R:
            raise NotSupportedError(f"{name}= of R's mice is not an argument here; {_OF_R[name]}")
        if name not in _PASSED:
            known = [
                *_PASSED,
                *list(signature(bayesmi.mice).parameters)[1:-1],
            ]  # without data and **model_options
            raise ModelError(f"mice() has no argument {name!r}: {did_you_mean(name, known)}")
    where = {name: c.missing for name, c in frame.columns.items() if c.absent.any()}
    return {"kinds": kinds, "where": where or None, **given}
