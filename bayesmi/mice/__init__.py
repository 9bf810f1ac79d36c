"""mice's vocabulary: completed data in and out, predictor matrices, methods, predictive mean matching."""

from bayesmi.mice.as_mids import as_mids
from bayesmi.mice.combine import cbind, ibind, rbind
from bayesmi.mice.foreign import from_statsmodels
from bayesmi.mice.pmm import pmm
from bayesmi.mice.read_mids import read_mids

__all__ = ["as_mids", "cbind", "from_statsmodels", "ibind", "pmm", "rbind", "read_mids"]
