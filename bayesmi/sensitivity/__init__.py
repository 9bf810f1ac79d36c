"""How an answer depends on what no data tell: estimates over a grid of deltas, and where the conclusion turns."""

from bayesmi.sensitivity.deltas import delta_posterior
from bayesmi.sensitivity.run import run_sensitivity
from bayesmi.sensitivity.sensitivity import Sensitivity
from bayesmi.sensitivity.tipping import TippingPoint

__all__ = ["Sensitivity", "TippingPoint", "delta_posterior", "run_sensitivity"]
