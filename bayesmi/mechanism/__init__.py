"""Why values are missing, where it is because of what they are: `mechanisms=` of a model."""

from bayesmi.mechanism.delta import Delta, DeltaEntry
from bayesmi.mechanism.read import deltas_of, read_mechanisms

__all__ = ["Delta", "DeltaEntry", "deltas_of", "read_mechanisms"]
