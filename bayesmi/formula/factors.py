"""Factors of a term on data: numbers (one column or a basis) and categories (a table row for each level)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.formula.affine import degree_in
from bayesmi.formula.basis import poly_columns, raw_poly_columns, spline_columns
from bayesmi.formula.contrasts import Contrast, contrast_matrix
from bayesmi.formula.evaluate import evaluate, is_symbolic
from bayesmi.formula.expression import Call, Expression, Flag, Items, Number
from bayesmi.formula.functions import number_of

__all__ = ["CategoricalFactor", "Factor", "NumericFactor", "basis_options"]

type Constants = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class NumericFactor:
    """A numeric expression, or a basis of one.

    Parameters
    ----------
    expression : Expression
        A column, arithmetic, `poly()` or `bs()`.
    width : int
        Number of columns.
    """

    expression: Expression
    width: int = 1

    @property
    def variables(self) -> frozenset[str]:
        """Columns of the table that are used."""
        return self.expression.variables

    def labels(self, full: bool) -> tuple[str | None, ...]:
        """Label of each column; None for a factor that is one number."""
        return (None,) if self.width == 1 else tuple(str(i + 1) for i in range(self.width))

    def columns(self, values: Mapping[str, Any], constants: Constants, full: bool) -> list[Any]:
        """Evaluate the factor."""
        call = self.expression
        if not isinstance(call, Call) or call.function not in ("poly", "bs"):
            return [evaluate(call, values, constants)]
        x = evaluate(call.args[0], values, constants)
        options = basis_options(call)
        if call.function == "bs":
            return spline_columns(x, constants[str(call)][1:], int(options["degree"]))
        if options["raw"]:
            return raw_poly_columns(x, int(options["degree"]))
        return poly_columns(x, constants[str(call)][1:])

    def degree(self, names: Collection[str]) -> int:
        """0 free of the named columns, 1 affine in them, 2 anything else."""
        return degree_in(self.expression, names)


@dataclass(frozen=True)
class CategoricalFactor:
    """A column whose levels have contrasts.

    Parameters
    ----------
    expression : Expression
        The column, or `C(...)` of it.
    column : str
        The column.
    keys : tuple of float
        Value of the column at each level: its code, or the number for `C()` of a number.
    level_labels : tuple of str
        Labels of the levels, in the same order.
    contrast : Treatment or Sum
        The contrast.
    base : int
        Position of the level without a column.
    """

    expression: Expression
    column: str
    keys: tuple[float, ...]
    level_labels: tuple[str, ...]
    contrast: Contrast
    base: int

    @property
    def variables(self) -> frozenset[str]:
        """The column, as a set."""
        return frozenset({self.column})

    def labels(self, full: bool) -> tuple[str | None, ...]:
        """Label of each column."""
        _, levels = contrast_matrix(self.contrast, len(self.keys), self.base, full)
        return tuple(self.level_labels[level] for level in levels)

    def columns(
        self, values: Mapping[str, Any], constants: Constants, full: bool
    ) -> list[NDArray[np.float64]]:
        """One vector a column; NaN where the value is NaN, negative or at no level."""
        given = values[self.column]
        if is_symbolic(given):
            raise TypeError(f"the values of the category {self.column!r} are codes in numpy, not symbolic")
        matrix, _ = contrast_matrix(self.contrast, len(self.keys), self.base, full)
        table = np.vstack([matrix, np.full(matrix.shape[1], np.nan)])
        rows = self._rows(np.asarray(given, dtype=float))
        return [table[:, column][rows] for column in range(matrix.shape[1])]

    def degree(self, names: Collection[str]) -> int:
        """0 free of the named columns, 2 otherwise."""
        return 2 if self.column in names else 0

    def _rows(self, given: NDArray[np.float64]) -> NDArray[np.intp]:
        """Level of every value; the number of levels where there is none."""
        order = np.argsort(self.keys)
        keys = np.asarray(self.keys)[order]
        at = np.searchsorted(keys, given)
        inside = np.minimum(at, len(keys) - 1)
        return np.where(keys[inside] == given, order[inside], len(keys))


type Factor = NumericFactor | CategoricalFactor


def basis_options(call: Call) -> dict[str, Any]:
    """Options of `poly()` and `bs()` as plain values, defaults filled in."""
    given: dict[str, Any] = {"degree": 3.0, "df": None, "knots": None, "raw": False}
    for name, value in [*zip(("degree",), call.args[1:], strict=False), *call.kwargs]:
        if isinstance(value, Flag | Number):
            given[name] = value.value
        elif isinstance(value, Items):
            given[name] = tuple(number_of(item) for item in value.values)
    return given
