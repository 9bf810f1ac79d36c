"""Why values are missing, where it is because of what they are: `mechanisms=` of a model."""

from bayesmi.mechanism.delta import Delta, DeltaEntry
from bayesmi.mechanism.heckman import Heckman, heckmans_of
from bayesmi.mechanism.indicator import (
    SelfMasking,
    SharedEffects,
    indicator_masks,
    indicator_name,
    indicators_of,
    with_indicator_columns,
)
from bayesmi.mechanism.read import deltas_of, mechanism_objects, read_mechanisms

__all__ = [
    "Delta",
    "DeltaEntry",
    "Heckman",
    "SelfMasking",
    "SharedEffects",
    "deltas_of",
    "heckmans_of",
    "indicator_masks",
    "indicator_name",
    "indicators_of",
    "mechanism_objects",
    "read_mechanisms",
    "with_indicator_columns",
]
