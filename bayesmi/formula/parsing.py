"""Text to `Formula`."""

from __future__ import annotations

from bayesmi.errors import FormulaError
from bayesmi.formula.algebra import expand
from bayesmi.formula.expression import Binary, Call, Column, Expression, Items, Number
from bayesmi.formula.functions import function_name
from bayesmi.formula.syntax import arithmetic, call, unwrapped
from bayesmi.formula.terms import Formula, GroupTerm, Response, Term

__all__ = ["parse", "parse_calculation"]

_NOT_ON_THE_LEFT = ("C", "offset", "poly", "bs", "center", "scale", "between", "within")


def parse(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        `outcome ~ predictors + (effects | group)`, or `~ predictors` without an outcome. Operators: `+ - * : / **`
        and brackets; functions: I, log, log2, log10, log1p, exp, expm1, sqrt, abs, center, scale, poly, bs, C,
        offset, between, within. `{x + z}` is `I(x + z)`. Names that are not plain words go into backticks.

    Returns
    -------
    Formula
        Frozen; `str()` of it is canonical.

    Raises
    ------
    FormulaError
        In one line, with the token that cannot be read. Nothing of the text is ever left out silently.

    Examples
    --------
    >>> from bayesmi.formula import parse
    >>> str(parse("bmi ~ age*hyp - age + I(chl**2)"))
    'bmi ~ hyp + age:hyp + I(chl ** 2)'
    >>> parse("y ~ x + (1 + x || g)").groups[0].correlated
    False
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is a text such as 'y ~ x + (1 | g)', not {type(text).__name__}")
    if not text.strip():
        raise FormulaError("the formula is empty; write `outcome ~ predictors`")
    from bayesmi.formula.formulae_tree import (
        NO_RESPONSE,
        tree,
    )  # imports formulae, and with it pandas and scipy

    try:
        return _formula(tree(text), NO_RESPONSE)
    except RecursionError:
        raise FormulaError("the formula is nested too deeply") from None
    except FormulaError as error:
        shown = " ".join(text.split())
        shown = shown if len(shown) <= 120 else shown[:117] + "..."
        raise FormulaError(f"{error} (in the formula {shown})") from None


def parse_calculation(text: str) -> Expression:
    """Read a calculation in columns, such as ``"weight / height**2"``: what may stand inside I().

    Parameters
    ----------
    text : str
        Arithmetic, comparisons and functions of columns; names that are not plain words go into backticks.

    Returns
    -------
    Expression
        Frozen; uses at least one column.

    Raises
    ------
    FormulaError
        In one line, with the token that cannot be read.

    Examples
    --------
    >>> from bayesmi.formula import parse_calculation
    >>> sorted(parse_calculation("weight / height**2").variables)
    ['height', 'weight']
    """
    from bayesmi.formula.formulae_tree import calculation_tree

    try:
        expression = arithmetic(calculation_tree(text))
    except RecursionError:
        raise FormulaError("it is nested too deeply") from None
    if not expression.variables:
        raise FormulaError(f"`{text}` uses no column")
    return expression


def _formula(root: Expression, no_response: Expression) -> Formula:
    if not isinstance(root, Binary) or root.op != "~":
        raise FormulaError("there is no `~` outside brackets; write `outcome ~ predictors`")
    response = None if root.left == no_response else _response(root.left)
    right = expand(root.right)
    formula = Formula(response, right.intercept is not False, right.terms, right.offsets, right.groups)
    _check_names(formula.terms)
    _check_groups(formula.groups)
    if response is not None:
        _check_sides(formula, response.name)
    return formula


def _response(node: Expression) -> Response:
    """Read the left-hand side: `y`, `log(y)` or `y | trials(n)`."""
    node = unwrapped(node)
    trials: str | int | None = None
    if isinstance(node, Binary) and node.op == "|":
        trials = _trials(node.right, node)
        node = unwrapped(node.left)
    if isinstance(node, Call) and node.function == "cbind":
        raise FormulaError(f"`{node}`: one outcome a formula; for successes out of n write `y | trials(n)`")
    if isinstance(node, Binary) and node.op in ("+", "|", ":", "||"):
        raise FormulaError(
            f"`{node}` on the left: one outcome a formula, written `y ~ ...` or `y | trials(n) ~ ...`"
        )
    if isinstance(node, Column):
        return Response(node.name, node, trials)
    if isinstance(node, Items):
        raise FormulaError(f"`{node}` on the left: one outcome a formula")
    if not isinstance(node, Call):
        raise FormulaError(f"`{node}` is not an outcome; to model a calculation write I({node})")
    if function_name(node.function) in _NOT_ON_THE_LEFT:
        raise FormulaError(f"`{node}`: {function_name(node.function)}() has no place on the left of `~`")
    expression = call(node)
    if len(expression.variables) != 1:
        raise FormulaError(
            f"`{expression}` on the left uses several columns; put it into the table as one column"
        )
    return Response(next(iter(expression.variables)), expression, trials)


def _trials(node: Expression, whole: Expression) -> str | int:
    node = unwrapped(node)
    if not isinstance(node, Call) or node.function != "trials":
        what = f"`{node.function}()` is not known there" if isinstance(node, Call) else f"`{whole}`"
        raise FormulaError(f"{what}: on the left only `y | trials(n)` may follow the `|`")
    size = unwrapped(node.args[0]) if len(node.args) == 1 and not node.kwargs else None
    if isinstance(size, Column):
        return size.name
    if isinstance(size, Number) and size.value == int(size.value) and size.value >= 1:
        return int(size.value)
    raise FormulaError(f"`{node}`: trials() takes one column or one whole number of at least 1")


def _check_names(terms: tuple[Term, ...]) -> None:
    seen: dict[str, Term] = {}
    for term in terms:
        other = seen.setdefault(term.name, term)
        if other != term:
            raise FormulaError(
                f"the terms `{other}` and `{term}` would have the same name; rename the column"
            )


def _check_groups(groups: tuple[GroupTerm, ...]) -> None:
    """No effect may vary over the same groups twice."""
    seen: dict[tuple[frozenset[str], frozenset[Expression]], GroupTerm] = {}
    for group in groups:
        _check_names(group.terms)
        effects = [frozenset[Expression]()] * group.intercept + [
            frozenset(term.factors) for term in group.terms
        ]
        for effect in effects:
            other = seen.setdefault((frozenset(group.grouping_columns), effect), group)
            if other is group:
                continue
            if other == group:
                raise FormulaError(f"the group term `{group}` is there twice")
            what = "the intercept" if not effect else f"`{':'.join(map(str, effect))}`"
            hint = "; write (0 + x | g) for a slope alone" if not effect else ""
            raise FormulaError(
                f"{what} varies twice over `{group.grouping}`, in `{other}` and `{group}`{hint}"
            )


def _check_sides(formula: Formula, response: str) -> None:
    if response in formula.variables:
        raise FormulaError(f"`{response}` is on both sides of the formula")
    if response in formula.grouping_columns:
        raise FormulaError(f"`{response}` is both the outcome and a grouping")
    if formula.response is not None and formula.response.trials == response:
        raise FormulaError(f"`{response}` is both the outcome and its number of trials")
