"""What a joint model is made from, as it was read from the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bayesmi.formula import Expression, Formula
from bayesmi.model.effect_terms import EffectTerm
from bayesmi.model.factor import Contextual
from bayesmi.observation import Limited, Observation

__all__ = ["JointSpec"]


@dataclass(frozen=True)
class JointSpec:
    """What a joint model is made from, beside the table."""

    formula: Formula  # of the analysis, with derived variables as their expressions
    scale: Formula | None  # of its scale
    names: Mapping[str, str]  # term -> name in the posterior
    given: Mapping[str, Any]  # families, formulas, priors, auxiliary, order as the user gave them
    measured: Mapping[str, Observation]
    mechanisms: Mapping[str, Any]
    separate_levels: bool
    latent: tuple[Contextual, ...] = ()  # group means in the analysis model
    behind: tuple[str, ...] = ()  # variables whose manifest means are in it
    elsewhere: tuple[str, ...] = ()  # incomplete in rows that inform no parameter
    limits: Mapping[str, Limited] = field(default_factory=dict)
    effects: tuple[EffectTerm, ...] = ()  # group effects of other variables in the analysis model
    derived: Mapping[str, Expression] = field(default_factory=dict)  # what derived columns stand for

    @property
    def response(self) -> str:
        """Name of the response."""
        assert self.formula.response is not None
        return self.formula.response.name
