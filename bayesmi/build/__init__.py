"""From the model and the plan to what is sampled, and to the plain pm.Model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmi.build.expansion import Expansion
from bayesmi.build.factor_table import FactorTable
from bayesmi.build.program import Program
from bayesmi.build.sampled import BuiltModel, build_sampled
from bayesmi.build.tables import Tables, make_tables

if TYPE_CHECKING:
    import pymc as pm

    from bayesmi.model.model import Model

__all__ = [
    "BuiltModel",
    "Expansion",
    "FactorTable",
    "Program",
    "Tables",
    "build_plain",
    "build_sampled",
    "make_tables",
]


def build_plain(model: Model) -> pm.Model:
    """Return the plain pm.Model; PyMC is imported here."""
    from bayesmi.build.plain import build_plain as build

    return build(model)
