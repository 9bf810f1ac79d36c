"""Any analysis on every completed data set, and what it gave."""

from bayesmi.analyses.analyses import Analyses
from bayesmi.analyses.run import run_analyses

__all__ = ["Analyses", "run_analyses"]
