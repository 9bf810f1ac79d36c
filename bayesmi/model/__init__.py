"""The joint model: conditionals in order, each with family, predictors, group effects and priors."""

from bayesmi.model.factor import EffectLink, Factor, FactorPriors, GroupEffect
from bayesmi.model.model import Model
from bayesmi.model.table import ModelTable

__all__ = ["EffectLink", "Factor", "FactorPriors", "GroupEffect", "Model", "ModelTable"]
