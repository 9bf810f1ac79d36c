"""Looking at what is missing, and at what goes with it, before anything is imputed."""

from bayesmi.explore.by_group import missing_by_group
from bayesmi.explore.correlation import Correlations, pairwise_correlations
from bayesmi.explore.influence import fico, flux
from bayesmi.explore.mcar import McarTest, mcar_test
from bayesmi.explore.missingness import MissingnessModel, missingness_model
from bayesmi.explore.pairs import MissingPairs, md_pairs
from bayesmi.explore.predictors import quickpred
from bayesmi.explore.selection_weights import SelectionWeights, selection_weights
from bayesmi.explore.welch import missingness_t_tests

__all__ = [
    "Correlations",
    "McarTest",
    "MissingPairs",
    "MissingnessModel",
    "SelectionWeights",
    "fico",
    "flux",
    "mcar_test",
    "md_pairs",
    "missing_by_group",
    "missingness_model",
    "missingness_t_tests",
    "pairwise_correlations",
    "quickpred",
    "selection_weights",
]
