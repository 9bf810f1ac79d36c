"""What is asked of fits once they are there: nested models, predictions, marginal effects, multilevel R-squared, posteriors."""

from bayesmi.posthoc.anova import Anova, anova
from bayesmi.posthoc.bootstrap import bootstrapped
from bayesmi.posthoc.marginal_effects import marginal_effects
from bayesmi.posthoc.multilevel_r_squared import multilevel_r_squared
from bayesmi.posthoc.predictions import predictions
from bayesmi.posthoc.stacked_posteriors import StackedPosteriors, stack_posteriors

__all__ = [
    "Anova",
    "StackedPosteriors",
    "anova",
    "bootstrapped",
    "marginal_effects",
    "multilevel_r_squared",
    "predictions",
    "stack_posteriors",
]
