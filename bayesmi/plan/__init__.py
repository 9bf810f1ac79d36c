"""What happens to each missing cell, decided before anything is built."""

from bayesmi.plan.plan import CellGroup, EffectGroup, Plan, make_plan

__all__ = ["CellGroup", "EffectGroup", "Plan", "make_plan"]
