"""Randomised trials with repeated outcomes: MMRM, reference-based imputation, delta, analysis by visit."""

from bayesmi.trial.ancova import Ancova
from bayesmi.trial.conditional_mean import ConditionalMean
from bayesmi.trial.events import Events, dropouts
from bayesmi.trial.expand import expand_visits
from bayesmi.trial.fit import TrialFit
from bayesmi.trial.imputations import TrialImputations
from bayesmi.trial.model import TrialModel
from bayesmi.trial.strategies import STRATEGIES, register_strategy

__all__ = [
    "STRATEGIES",
    "Ancova",
    "ConditionalMean",
    "Events",
    "TrialFit",
    "TrialImputations",
    "TrialModel",
    "dropouts",
    "expand_visits",
    "register_strategy",
]
