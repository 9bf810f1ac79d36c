"""Data that ship, data that load by name, data that are simulated."""

from bayesmi.datasets.loading import describe, load, names
from bayesmi.datasets.simulation import SimulatedPupils, simulate_pupils

__all__ = ["SimulatedPupils", "describe", "load", "names", "simulate_pupils"]
