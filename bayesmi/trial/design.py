"""Design rows of patients in any arm: what a patient's mean would be there, and averages over patients."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import list_some
from bayesmi.errors import BayesmiNotice, ModelError
from bayesmi.formula import Design, Formula, fit_design, parse
from bayesmi.model.table import ModelTable
from bayesmi.trial.layout import TrialData

__all__ = ["ArmDesign", "arm_design", "baseline_values"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ArmDesign:
    """Columns of the arm and baseline covariates, with an intercept first.

    Attributes
    ----------
    design : Design
        Without the intercept.
    arm : str
        Column of the arm.
    names : tuple of str
        Of the q columns.
    """

    design: Design
    arm: str
    names: tuple[str, ...]

    def matrix(self, values: Mapping[str, Floats], arm: int | None = None) -> Floats:
        """Return the design, (n, q), with every patient in one arm if that is given."""
        if arm is not None:
            values = {**values, self.arm: np.full(len(values[self.arm]), float(arm))}
        return np.column_stack([np.ones(len(values[self.arm])), self.design.matrix(values)])


def baseline_values(data: TrialData) -> tuple[ModelTable, dict[str, Floats]]:
    """Return the baseline as a table and as numbers or codes, (n,) each; NaN where missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        frame = IncompleteFrame.from_table(data.baseline, kinds=_kinds(data))
    table = ModelTable.from_frame(frame, ())
    unusable = [name for name in data.baseline.columns if name not in table.values]
    if unusable:
        raise ModelError(f"covariate {unusable[0]!r} is an identifier or a date: leave it out of the formula")
    return table, dict(table.values)


def arm_design(data: TrialData, formula: str | Formula | None = None) -> ArmDesign:
    """Return the design of a formula, by default the trial's own.

    Raises
    ------
    ModelError
        If the formula has another outcome, no arm, or a column that is no baseline covariate of the trial.
    """
    parsed = data.formula if formula is None else parse(formula) if isinstance(formula, str) else formula
    table, _ = baseline_values(data)
    if parsed.response is not None and parsed.response.name != data.outcome:
        raise ModelError(
            f"the analysis is of {parsed.response.name!r}, the trial's outcome is {data.outcome!r}"
        )
    if parsed.groups or parsed.offsets or not parsed.intercept:
        raise ModelError("an analysis of covariance has an intercept, the arm and covariates; nothing else")
    unknown = sorted(parsed.variables - set(data.baseline.columns))
    if unknown:
        raise ModelError(
            f"{unknown[0]!r} is not in the trial's formula; it has {list_some(data.baseline.columns)}"
        )
    if data.arm not in parsed.variables:
        raise ModelError(f"the formula lacks the arm: write '{data.outcome} ~ {data.arm} + …'")
    design = fit_design(parsed.terms, True, table.variables(parsed.variables))
    return ArmDesign(design, data.arm, ("Intercept", *design.column_names))


def _kinds(data: TrialData) -> dict[str, str]:
    """Return the kinds of the baseline as the long table has them."""
    kinds = {name: str(data.frame.columns[name].kind) for name in data.covariates}
    return {**kinds, data.arm: "nominal"}
