"""mice's vocabulary: completed data in and out, predictor matrices, methods, predictive mean matching."""

from bayesmi.mice.as_mids import as_mids
from bayesmi.mice.combine import cbind, ibind, rbind
from bayesmi.mice.explain import explain
from bayesmi.mice.foreign import from_statsmodels
from bayesmi.mice.make import make_method, make_predictor_matrix
from bayesmi.mice.mice import mice, translate_mice
from bayesmi.mice.pmm import pmm
from bayesmi.mice.read_mids import read_mids

__all__ = [
    "as_mids",
    "cbind",
    "explain",
    "from_statsmodels",
    "ibind",
    "make_method",
    "make_predictor_matrix",
    "mice",
    "pmm",
    "rbind",
    "read_mids",
    "translate_mice",
]
