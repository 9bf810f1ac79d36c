"""Sampling, the gate, the summary and the checks."""

from bayesmi.fit.check import Check
from bayesmi.fit.fit import Fit
from bayesmi.fit.gate import Gate
from bayesmi.fit.run import fit_model

__all__ = ["Check", "Fit", "Gate", "fit_model"]
