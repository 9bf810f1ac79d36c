"""Regression of one incomplete variable on others: fitted where observed, evaluated where missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.wording import name_rows
from bayesmi.errors import DataError, FormulaError, NotSupportedError
from bayesmi.explore.logistic import expit, fit_logistic, independent_columns
from bayesmi.explore.source import columns_of
from bayesmi.formula import Formula, Variable, fit_design, fit_offsets, parse

__all__ = ["Regression", "design_of", "fit_regression", "read_formula"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted regression, linear or (of two values) logistic.

    `expected` holds for each missing cell the mean, or the probability of the second value.
    """

    column: Column
    coefficients: pd.Series
    expected: Floats
    residual_sd: float | None
    n_fitted: int
    notes: tuple[str, ...]


def read_formula(text: str, what: str) -> tuple[Formula, str]:
    """Parse a formula with one untransformed column on its left and no group terms."""
    formula = parse(text)
    if formula.response is None:
        raise FormulaError(f"name {what} on the left: 'y {' '.join(text.split())}'")
    if formula.response.is_transformed or formula.response.trials is not None:
        raise FormulaError(f"{what} must be a column as it is, not {formula.response}")
    if formula.groups:
        raise NotSupportedError(
            f"{formula.groups[0]} is for multilevel models: use bmi.impute, or make it C(...) here"
        )
    return formula, formula.response.name


def design_of(frame: IncompleteFrame, formula: Formula) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Design with its intercept (n, k), offset (n,), and names; rows with a hole in a predictor are NaN."""
    used = sorted(set().union(*(t.variables for t in formula.terms), *(o.variables for o in formula.offsets)))
    columns = {column.name: column for column in columns_of(frame, used)}
    for column in columns.values():
        if column.kind == "identifier":
            raise DataError(f"column {column.name!r} is an identifier and cannot be a predictor")
    variables = {
        name: Variable(name, column.categories, column.values[column.observed])
        for name, column in columns.items()
    }
    values = {name: column.values for name, column in columns.items()}
    design = fit_design(formula.terms, formula.intercept, variables)
    n = frame.n_rows
    matrix = design.matrix(values) if values else np.zeros((n, 0))
    names = design.column_names
    if formula.intercept:
        matrix, names = np.column_stack([np.ones(n), matrix]), ("Intercept", *names)
    offset = np.zeros(n)
    if formula.offsets:
        offset = fit_offsets(formula.offsets, variables).matrix(values).sum(axis=1)
    return matrix, offset, names


def fit_regression(frame: IncompleteFrame, text: str) -> Regression:
    """Fit where the response and all predictors are observed."""
    formula, name = read_formula(text, "the variable to impute")
    column = columns_of(frame, name)[0]
    if not column.n_missing:
        raise DataError(f"column {name!r} has no missing cell: there is nothing to impute")
    if column.categories is not None and len(column.categories) != 2:
        raise NotSupportedError(
            f"column {name!r} is {column.kind.value}: regression imputation is for numbers and two values; use hot_deck or knn"
        )
    matrix, offset, names = design_of(frame, formula)
    known = np.isfinite(matrix).all(axis=1) & np.isfinite(offset)
    blocked = column.missing & ~known
    if blocked.any():
        raise DataError(
            f"column {name!r} cannot be predicted in {name_rows(frame.index, blocked)}: a predictor is missing there too; "
            "impute it first, or leave it out"
        )
    rows = column.observed & known
    kept = independent_columns(matrix[rows])
    notes = tuple(
        f"{names[j]} follows from other terms and is left out" for j in range(len(names)) if j not in kept
    )
    lost = int((column.observed & ~known).sum())
    notes += (
        (f"{lost} rows with {name!r} observed are not used in the fit: a predictor is missing",)
        if lost
        else ()
    )
    if rows.sum() <= len(kept):
        raise DataError(
            f"{int(rows.sum())} complete rows are too few for {len(kept)} coefficients: use fewer predictors"
        )
    x, holes = matrix[:, kept], column.missing
    kept_names = [names[j] for j in kept]
    if column.categories is None and column.support is None:
        y = column.values[rows] - offset[rows]
        b = np.linalg.lstsq(x[rows], y, rcond=None)[0]
        sd = float(np.sqrt(((y - x[rows] @ b) ** 2).sum() / (rows.sum() - len(kept))))
        return Regression(
            column, pd.Series(b, kept_names), x[holes] @ b + offset[holes], sd, int(rows.sum()), notes
        )
    if formula.offsets:
        raise NotSupportedError(f"offsets are for numbers, and {name!r} has two values: leave them out")
    fit = fit_logistic(x[rows], (column.values[rows] == _values_of(column)[1]).astype(float))
    if fit.penalised:
        notes += ("predictors separate the two values: Firth's penalised likelihood is used",)
    return Regression(
        column,
        pd.Series(fit.coefficients, kept_names),
        expit(x[holes] @ fit.coefficients),
        None,
        int(rows.sum()),
        notes,
    )


def _values_of(column: Column) -> tuple[float, float]:
    """Return the two values as numbers or codes."""
    first, second = (0.0, 1.0) if column.support is None else column.support
    return first, second
