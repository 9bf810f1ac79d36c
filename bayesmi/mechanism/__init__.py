"""Why values are missing, where it is because of what they are: `mechanisms=` of a model."""

from bayesmi.mechanism.delta import Delta, DeltaEntry
from bayesmi.mechanism.heckman import Heckman, heckmans_of
from bayesmi.mechanism.read import deltas_of, read_mechanisms

__all__ = ["Delta", "DeltaEntry", "Heckman", "deltas_of", "heckmans_of", "read_mechanisms"]
