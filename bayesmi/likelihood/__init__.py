"""Log-likelihood of the observed values for every posterior draw, by row or by group, for LOO and model comparison."""

from bayesmi.likelihood.of_fit import log_likelihood, with_log_likelihood
from bayesmi.likelihood.part import Part, joint_part, without
from bayesmi.likelihood.units import unit_log_likelihood

__all__ = [
    "Part",
    "joint_part",
    "log_likelihood",
    "unit_log_likelihood",
    "with_log_likelihood",
    "without",
]
