"""Cells and group effects drawn back from their exact conditionals, for chosen posterior draws."""

from bayesmi.draw.cells import complete_cells
from bayesmi.draw.conditional import Conditional, conditional
from bayesmi.draw.draws import FitDraws
from bayesmi.draw.effects import draw_back_effects
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.draw.predictor import linear_predictor, log_density
from bayesmi.draw.weights import unit_log_weights

__all__ = [
    "Conditional",
    "FactorDraws",
    "FitDraws",
    "PosteriorDraws",
    "complete_cells",
    "conditional",
    "draw_back_effects",
    "linear_predictor",
    "log_density",
    "unit_log_weights",
]
