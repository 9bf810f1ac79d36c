"""Design columns of a linear predictor, on values that may be numbers or symbolic."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import FormulaError
from bayesmi.formula.affine import Affine
from bayesmi.formula.contrasts import Coding
from bayesmi.formula.evaluate import is_symbolic
from bayesmi.formula.expression import Call, Column, Expression
from bayesmi.formula.factors import CategoricalFactor, Factor

__all__ = ["Block", "CodedTerm", "Design"]

_ANY_LEVEL = "*"  # label of a factor that a block of columns does not depend on


@dataclass(frozen=True)
class Block:
    """Columns of one term.

    Parameters
    ----------
    name : str
        The term's name.
    labels : tuple of str or None
        Label of each column: its level, for an interaction the levels joined by ", "; None for one number.
    start, stop : int
        The columns are `start:stop` of the design matrix.
    """

    name: str
    labels: tuple[str, ...] | None
    start: int
    stop: int

    @property
    def names(self) -> tuple[str, ...]:
        """Full name of each column: `x`, `race[white]`."""
        return (
            (self.name,) if self.labels is None else tuple(f"{self.name}[{label}]" for label in self.labels)
        )


@dataclass(frozen=True)
class CodedTerm:
    """A term with fitted factors; `parts` say which factors multiply, and whether in full."""

    factors: tuple[Factor, ...]
    parts: tuple[Coding, ...]

    def labels(self) -> tuple[str, ...] | None:
        """Label of each column; None if there is one column without levels."""
        labels: list[str] = []
        for part in self.parts:
            full = dict(part)
            each = [
                factor.labels(full[i]) if i in full else (_ANY_LEVEL,)
                for i, factor in enumerate(self.factors)
            ]
            for combination in product(*each):
                words = [word for word in combination if word is not None]
                if not words:
                    return None
                labels.append(", ".join(words))
        return tuple(labels)

    def columns(self, factor_columns: Any) -> Iterator[Any]:
        """Products of the factors' columns, the last factor varying fastest."""
        for part in self.parts:
            for combination in product(*(factor_columns(self.factors[i], full) for i, full in part)):
                column = combination[0]
                for other in combination[1:]:
                    column = column * other
                yield column


@dataclass(frozen=True)
class Design:
    """Columns of a linear predictor, with every constant frozen. Made by `fit_design`.

    Parameters
    ----------
    intercept : bool
        Whether the predictor has an intercept; it has no column here.
    blocks : tuple of Block
        One a term, in the order of the terms.
    n_columns : int
        Number of columns, without the intercept.
    variables : frozenset of str
        Columns of the table that are needed.
    constants : tuple of str
        The frozen constants in words.
    codings : tuple of str
        The levels of each category and the one they are set against, in words.
    notices : tuple of str
        What is worth knowing, such as a level that never occurs.

    Notes
    -----
    `fit_design(..., constants=design.frozen)` makes the same design again, whatever the data.
    """

    intercept: bool
    blocks: tuple[Block, ...]
    n_columns: int
    variables: frozenset[str]
    constants: tuple[str, ...]
    codings: tuple[str, ...]
    notices: tuple[str, ...]
    _terms: tuple[CodedTerm, ...]
    _frozen: tuple[tuple[str, tuple[float, ...]], ...]

    @property
    def frozen(self) -> dict[str, tuple[float, ...]]:
        """The frozen constants by canonical text, plain numbers that JSON can hold."""
        return dict(self._frozen)

    @property
    def categorical(self) -> frozenset[str]:
        """Columns of the table that enter as categories."""
        factors = (factor for term in self._terms for factor in term.factors)
        return frozenset(factor.column for factor in factors if isinstance(factor, CategoricalFactor))

    def spline_ends(self, name: str) -> tuple[tuple[float, float], ...]:
        """Boundary knots of each `bs()` of a column of the table itself."""
        constants = self.frozen
        calls = (factor.expression for term in self._terms for factor in term.factors)
        own = [call for call in calls if isinstance(call, Call) and call.function == "bs"]
        knots = [constants[str(call)][1:] for call in own if call.args[0] == Column(name)]
        return tuple((every[0], every[-1]) for every in knots)

    @property
    def term_variables(self) -> tuple[frozenset[str], ...]:
        """Columns of the table that each term needs; one a block."""
        return tuple(frozenset().union(*(own.variables for own in term.factors)) for term in self._terms)

    def joins(self, one: str, other: str) -> bool:
        """Whether two columns of the table stand in one term."""
        return any(one in names and other in names for names in self.term_variables)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Full name of every column."""
        return tuple(name for block in self.blocks for name in block.names)

    def columns(self, values: Mapping[str, Any]) -> list[Any]:
        """Evaluate the columns.

        Parameters
        ----------
        values : mapping of str to ndarray or TensorVariable, shape (n,)
            Numbers, or codes for categories (always numpy). NaN and, in codes, -1 make their rows NaN.

        Returns
        -------
        list of `n_columns` vectors of shape (n,)
            A vector is symbolic only if a variable in its term is.

        Raises
        ------
        FormulaError
            If a variable has no values.
        """
        given = self._given(values, self.variables)
        with np.errstate(all="ignore"):
            return self._evaluated(given)

    def matrix(self, values: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Design matrix, shape (n, n_columns), of numbers; see `columns`."""
        columns = self.columns(values)
        out = np.empty((_n_rows(values), self.n_columns))
        for position, column in enumerate(columns):
            out[:, position] = column
        return out

    def is_affine_in(self, names: Collection[str]) -> bool:
        """Whether the columns are jointly affine in these columns of the table.

        True if the named columns appear in each term at most once and linearly: `x`, `x:w`, `center(x)` and
        `I(2 * x + 1)` are affine in x; `log(x)`, `I(x ** 2)` and `x:z` (with z named too) are not. A named
        category is never affine.
        """
        return not self.terms_not_affine_in(names)

    def terms_not_affine_in(self, names: Collection[str]) -> tuple[str, ...]:
        """Names of the terms that are not, see `is_affine_in`."""
        return tuple(
            block.name
            for block, term in zip(self.blocks, self._terms, strict=True)
            if sum(factor.degree(names) for factor in term.factors) > 1
        )

    def affine(
        self, values: Mapping[str, NDArray[np.float64]], names: Collection[str]
    ) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """Write the design matrix as base and coefficients of the named columns, in which it is affine.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
            Values of the other columns. Values of the named ones are ignored, except to count rows.
        names : collection of str
            Columns in which the design is affine.

        Returns
        -------
        base : ndarray, shape (n, n_columns)
            The matrix where the named columns are 0.
        coefficients : dict of str to ndarray, shape (n, n_columns)
            matrix = base + sum over v of coefficients[v] * x_v.

        Raises
        ------
        ValueError
            If the design is not affine in the named columns.
        """
        if not self.is_affine_in(names):
            raise ValueError(f"the design is not affine in {', '.join(sorted(names))}")
        given: dict[str, Any] = dict(self._given(values, self.variables - set(names)))
        given |= {name: Affine(0.0, {name: 1.0}) for name in names}
        with np.errstate(all="ignore"):
            columns = self._evaluated(given)
        shape = (_n_rows(values), self.n_columns)
        base = np.zeros(shape)
        coefficients = {name: np.zeros(shape) for name in names}
        for position, column in enumerate(columns):
            base[:, position] = column.base if isinstance(column, Affine) else column
            if isinstance(column, Affine):
                for name, coefficient in column.coefficients.items():
                    coefficients[name][:, position] = coefficient
        return base, coefficients

    def check_finite(self, values: Mapping[str, NDArray[np.float64]]) -> None:
        """Refuse values that are known but give no finite column, such as the log of a negative number.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
            Numbers and codes; rows with NaN or -1 in a term's variables are passed over for that term.

        Raises
        ------
        FormulaError
            Names the term, the number of rows and the first of them, counted from 0.
        """
        columns = self.columns(values)
        for term, block in zip(self._terms, self.blocks, strict=True):
            known = np.ones(_n_rows(values), dtype=bool)
            for factor in term.factors:
                for name in factor.variables:
                    given = np.asarray(values[name], dtype=float)
                    known &= ~np.isnan(given)
                    if isinstance(factor, CategoricalFactor):
                        known &= np.isin(given, factor.keys)
            for column in columns[block.start : block.stop]:
                bad = known & ~np.isfinite(column)
                if bad.any():
                    raise FormulaError(
                        f"`{block.name}` has no finite value in {bad.sum()} rows, the first being row {bad.argmax()};"
                        " correct the values there, or leave the term out"
                    )

    def _evaluated(self, given: Mapping[str, Any]) -> list[Any]:
        frozen = self.frozen
        done: dict[tuple[Expression, bool], list[Any]] = {}

        def factor_columns(factor: Factor, full: bool) -> list[Any]:
            key = (factor.expression, full)
            if key not in done:
                done[key] = factor.columns(given, frozen, full)
            return done[key]

        return [column for term in self._terms for column in term.columns(factor_columns)]

    def _given(self, values: Mapping[str, Any], needed: Collection[str]) -> dict[str, Any]:
        missing = sorted(set(needed) - set(values))
        if missing:
            raise FormulaError(f"the design needs values of {', '.join(map(repr, missing))}")
        return {
            name: values[name] if is_symbolic(values[name]) else np.asarray(values[name], dtype=float)
            for name in needed
        }


def _n_rows(values: Mapping[str, Any]) -> int:
    """Rows of the given values."""
    for value in values.values():
        return len(value)
    raise FormulaError("the number of rows is unknown: no values were given")
