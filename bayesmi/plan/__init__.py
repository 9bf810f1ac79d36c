"""What happens to each missing cell, decided before anything is built."""

from bayesmi.plan.cell_group import CellGroup
from bayesmi.plan.effects import EffectGroup
from bayesmi.plan.plan import Plan, make_plan

__all__ = ["CellGroup", "EffectGroup", "Plan", "make_plan"]
