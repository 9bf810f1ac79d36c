"""From terms and observed values to a design: which columns each term has, with every constant frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bayesmi.errors import FormulaError
from bayesmi.formula.contrasts import Coding, Contrast, codings
from bayesmi.formula.design import Block, CodedTerm, Design
from bayesmi.formula.expression import Expression
from bayesmi.formula.factors import CategoricalFactor, Factor
from bayesmi.formula.fitting import Fitting, Variable
from bayesmi.formula.terms import Term

__all__ = ["fit_design", "fit_offsets"]


def fit_design(
    terms: Sequence[Term],
    intercept: bool,
    variables: Mapping[str, Variable],
    contrasts: Mapping[str, Contrast] | None = None,
    *,
    constants: Mapping[str, Sequence[float]] | None = None,
) -> Design:
    """Freeze constants, levels and codings of terms on the observed values.

    Parameters
    ----------
    terms : sequence of Term
        Terms of one linear predictor.
    intercept : bool
        Whether it has an intercept; decides how categories are coded.
    variables : mapping of str to Variable
        What is observed of each column.
    contrasts : mapping of str to Treatment or Sum, optional
        Contrast by column, where the formula says none with `C()`. Treatment against the first level otherwise.
    constants : mapping of str to sequence of float, optional
        `Design.frozen` of an earlier design; constants found there are not taken from the data again.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError
        Names the term and column: unknown names, calculations with categories, single-level categories, values
        outside a function's domain, knots that do not lie apart.

    Notes
    -----
    A category is coded as in R (treatment contrasts, full rank): with all its levels where the term without it is not
    in the model. Where R would repeat a dimension (`1 + a:b`), the term gets one block of columns more instead, and
    a factor that a column does not depend on is labelled "*".

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmi.formula import Variable, fit_design, parse
    >>> variables = {
    ...     "age": Variable("age", None, np.array([20.0, 30.0, 40.0])),
    ...     "sex": Variable("sex", ("f", "m"), np.array([0.0, 1.0, 1.0])),
    ... }
    >>> design = fit_design(parse("~ center(age)*sex").terms, True, variables)
    >>> design.column_names
    ('center(age)', 'sex[m]', 'center(age):sex[m]')
    >>> design.constants
    ('center(age): mean 30 of 3 observed values',)
    >>> design.matrix({"age": np.array([20.0, 35.0]), "sex": np.array([0.0, 1.0])})
    array([[-10.,   0.,  -0.],
           [  5.,   1.,   5.]])
    """
    given = {key: tuple(float(value) for value in numbers) for key, numbers in (constants or {}).items()}
    fitting = Fitting(variables, contrasts or {}, given)
    factors = [tuple(fitting.factor(factor) for factor in term.factors) for term in terms]
    kinds = []
    for fitted in factors:
        categorical = [factor for factor in fitted if isinstance(factor, CategoricalFactor)]
        numeric = frozenset(factor for factor in fitted if not isinstance(factor, CategoricalFactor))
        kinds.append((numeric, categorical))
    coded = [
        CodedTerm(fitted, tuple(_with_numbers(part, fitted) for part in parts))
        for fitted, parts in zip(factors, codings(kinds, intercept), strict=True)
    ]
    blocks: list[Block] = []
    start = 0
    for term, coded_term in zip(terms, coded, strict=True):
        labels = coded_term.labels()
        stop = start + (1 if labels is None else len(labels))
        blocks.append(Block(term.name, labels, start, stop))
        start = stop
    return Design(
        intercept=intercept,
        blocks=tuple(blocks),
        n_columns=start,
        variables=frozenset().union(*(term.variables for term in terms)),
        constants=tuple(fitting.words),
        codings=tuple(fitting.codings),
        notices=tuple(fitting.notices),
        _terms=tuple(coded),
        _frozen=tuple(sorted((key, fitting.constants[key]) for key in fitting.used)),
    )


def fit_offsets(
    offsets: Sequence[Expression],
    variables: Mapping[str, Variable],
    *,
    constants: Mapping[str, Sequence[float]] | None = None,
) -> Design:
    """Design whose columns are the offsets of a formula: add them up, they have no coefficients.

    Parameters
    ----------
    offsets : sequence of Expression
        `Formula.offsets`.
    variables : mapping of str to Variable
        What is observed of each column.
    constants : mapping of str to sequence of float, optional
        As in `fit_design`.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError
        If an offset is a category, and as in `fit_design`.
    """
    design = fit_design([Term((offset,)) for offset in offsets], False, variables, constants=constants)
    if design.categorical:
        raise FormulaError(f"offset() takes numbers, and {min(design.categorical)!r} is a category")
    return design


def _with_numbers(part: Coding, factors: Sequence[Factor]) -> Coding:
    """Positions of the categorical factors among all factors, with the numeric factors, which always take part."""
    categorical = [i for i, factor in enumerate(factors) if isinstance(factor, CategoricalFactor)]
    full = {categorical[i]: is_full for i, is_full in part}
    full |= {i: True for i in range(len(factors)) if i not in categorical}
    return tuple(sorted(full.items()))
