"""Simple methods, for comparison and teaching: each says what it is, and what is wrong with it."""

from bayesmi.simple.averages import mean
from bayesmi.simple.cases import CompleteCases, complete_cases
from bayesmi.simple.cluster_strategies import ClusterStrategies, cluster_strategies
from bayesmi.simple.deck import hot_deck
from bayesmi.simple.hazard import nelson_aalen
from bayesmi.simple.matching import pmm
from bayesmi.simple.neighbours import knn
from bayesmi.simple.regressions import regression, stochastic_regression
from bayesmi.simple.result import SimpleImputation
from bayesmi.simple.weighting import (
    ObservationWeights,
    WeightedMean,
    inverse_probability_weights,
    weighted_mean,
)

__all__ = [
    "ClusterStrategies",
    "CompleteCases",
    "ObservationWeights",
    "SimpleImputation",
    "WeightedMean",
    "cluster_strategies",
    "complete_cases",
    "hot_deck",
    "inverse_probability_weights",
    "knn",
    "mean",
    "nelson_aalen",
    "pmm",
    "regression",
    "stochastic_regression",
    "weighted_mean",
]
