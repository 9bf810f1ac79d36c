"""Separate models by group: one model, one fit for each level of a column, one set of completed tables."""

from bayesmi.separate.fits import SeparateFits
from bayesmi.separate.models import SeparateModels

__all__ = ["SeparateFits", "SeparateModels"]
