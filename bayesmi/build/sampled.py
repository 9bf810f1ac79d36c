"""What is sampled: cells summed out, Gaussian group effects integrated out, as a program for the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.program import Program
from bayesmi.build.tables import Tables, make_tables
from bayesmi.build.write_program import write_program
from bayesmi.gibbs.state import start_table
from bayesmi.model.model import Model
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["BuiltModel", "build_sampled"]


@dataclass(frozen=True)
class BuiltModel:
    """A model laid out for sampling."""

    model: Model
    plan: Plan
    tables: Tables
    program: Program

    def log_density(self, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return log density and gradient at an unconstrained point, Jacobians included."""
        from bayesmi.kernel import evaluate

        return evaluate(self.program.buffer, x)

    def to_pymc(self) -> pm.Model:
        """Return a pm.Model of one flat vector whose density is the kernel's: for PyMC's own samplers."""
        from bayesmi.build.flat import flat_model

        return flat_model(self.program)


def build_sampled(model: Model, plan: Plan | None = None, table: ModelTable | None = None) -> BuiltModel:
    """Lay out tables and write the program; `table` has held cells at values, which are drawn from the observed ones without."""
    plan = model.plan() if plan is None else plan
    if table is None:
        table = start_table(model.factors, model.table, plan)
    tables = make_tables(model.factors, table, plan)
    return BuiltModel(model, plan, tables, write_program(model.factors, plan, tables))
