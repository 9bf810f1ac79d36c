"""The table in numbers before anything is modelled: kinds, missing cells, patterns, flux, clusters."""

from bayesmi.describe.clusters import cluster_missingness, icc_anova
from bayesmi.describe.description import Description, describe
from bayesmi.describe.flux import flux
from bayesmi.describe.patterns import missing_patterns

__all__ = ["Description", "cluster_missingness", "describe", "flux", "icc_anova", "missing_patterns"]
