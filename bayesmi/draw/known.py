"""A model some of whose missing cells are taken as known: what else is missing, given them and given group effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan, make_plan
from bayesmi.plan.overrides import whole_variables

__all__ = ["Known", "knowing", "plan_of_known"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """Factors on a table with fewer unknown cells; what `make_plan` needs of a model."""

    factors: tuple[Factor, ...]
    table: ModelTable
    treatments: Mapping[str, str]  # of whole variables
    response: str

    def factor(self, variable: str) -> Factor:
        """Return the conditional of one variable."""
        return next(factor for factor in self.factors if factor.variable == variable)


def knowing(
    factors: tuple[Factor, ...],
    table: ModelTable,
    columns: Mapping[str, Floats],
    treatments: Mapping[str, str | Mapping[str, str]],
) -> Known:
    """Return the model with some columns known.

    Treatments of group effects, of what is known and of single groups of cells are left out.
    """
    response = next(factor.variable for factor in factors if factor.role == "analysis")
    names = {factor.variable for factor in factors}
    kept = {
        name: how
        for name, how in whole_variables(treatments).items()
        if name in names and name not in columns and how not in ("sample", "gibbs")
    }
    return Known(factors, table.with_known(columns), kept, response)


def plan_of_known(
    known: Known,
    *,
    finer: Mapping[str, float] | None = None,
    wider: Mapping[str, float] | None = None,
    scales: ModelTable | None = None,
) -> Plan:
    """Return the plan under which every unknown cell can be drawn, given group effects; options as `make_plan` has them.

    A cell that NUTS would sample is integrated out where it enters Gaussian means linearly, else it runs over a grid.
    """
    for name in [factor.variable for factor in known.factors]:
        plan = make_plan(cast(Any, known), finer=finer, wider=wider, scales=scales)
        if not plan.units(name, "sample").size:
            continue
        for how in ("integrate", "grid"):
            tried = Known(known.factors, known.table, {**known.treatments, name: how}, known.response)
            try:
                plan = make_plan(cast(Any, tried), finer=finer, wider=wider, scales=scales)
            except ModelError:
                continue
            if not plan.units(name, "sample").size:
                known = tried
                break
    plan = make_plan(cast(Any, known), finer=finer, wider=wider, scales=scales)
    if plan.holds:
        raise NotSupportedError(
            f"{plan.why_held}: that is supported for the rows of a fit only, not for new rows or once some cells are known"
        )
    return plan
