"""Indicators of missingness as variables of the joint model: what a mechanism adds to the specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayesmi.errors import ModelError
from bayesmi.mechanism import SharedEffects, indicator_name, indicators_of
from bayesmi.model.factor import EffectLink, Factor

__all__ = ["indicators_after", "shared_links", "with_indicators"]

_TYPICAL = 0.5  # of the prior's scale of a group sd: rough size of the effects that a link is on


def with_indicators(spec: Mapping[str, Any], mechanisms: Mapping[str, Any]) -> dict[str, Any]:
    """Return the specification with a model of each indicator, given the analysis variables."""
    out = dict(spec)
    for name, own in indicators_of(mechanisms).items():
        column = indicator_name(name)
        out["auxiliary"] = [*out["auxiliary"], column]
        out["families"] = {**out["families"], column: own.family}
        out["formulas"] = {column: own.formula_of(name), **out["formulas"]}
        out["priors"] = {**own.priors_of(name), **out["priors"]}
    return out


def indicators_after(order: Sequence[str], mechanisms: Mapping[str, Any]) -> list[str]:
    """Return auxiliary variables with each indicator behind those that its formula names."""
    out = list(order)
    for name, own in indicators_of(mechanisms).items():
        column = indicator_name(name)
        if own.selection.variables & set(out):
            out.remove(column)
            out.append(column)
    return out


def shared_links(
    column: str, mechanisms: Mapping[str, Any], factors: Sequence[Factor]
) -> tuple[tuple[EffectLink, ...], tuple[float, ...]]:
    """Return the links of an indicator to the group effects of its variable, and rough sds of these.

    Raises
    ------
    ModelError
        If the variable's model has no effects of the grouping.
    """
    for name, own in indicators_of(mechanisms).items():
        if indicator_name(name) != column or not isinstance(own, SharedEffects):
            continue
        factor = next(one for one in factors if one.variable == name)
        effect = next((one for one in factor.effects if one.grouping == own.grouping), None)
        if effect is None:
            raise ModelError(
                f"mechanisms[{name!r}]: the model of {name!r} has no effects of {own.grouping!r} to share; it has "
                f"{', '.join(one.grouping for one in factor.effects) or 'none'}"
            )
        links, sds = [], []
        for position, effect_name in enumerate(effect.names):
            for label in factor.labels or ("",):
                slope = "" if effect_name == "1" else effect_name
                links.append(EffectLink(name, own.grouping, position, label, slope))
                scale = next(iter(factor.priors.group_sds[own.grouping][position].parameters.values()), 1.0)
                sds.append(_TYPICAL * scale)
        return tuple(links), tuple(sds)
    return (), ()
