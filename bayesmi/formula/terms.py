"""What a formula says, as frozen values: response, terms, offsets and group terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bayesmi.formula.expression import Call, Column, Expression

__all__ = ["Formula", "GroupTerm", "Response", "Term"]


@dataclass(frozen=True)
class Term:
    """One term of a linear predictor: a factor, or the interaction of several.

    Parameters
    ----------
    factors : tuple of Expression
        Columns and function calls, in the order in which they were written.
    """

    factors: tuple[Expression, ...]

    @property
    def name(self) -> str:
        """Canonical name, as Bambi and formulae spell it: `x`, `x:z`, `I(x ** 2)`; columns without backticks."""
        return ":".join(factor.name if isinstance(factor, Column) else str(factor) for factor in self.factors)

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns used."""
        return _variables(self.factors)

    def __str__(self) -> str:
        return ":".join(map(str, self.factors))


@dataclass(frozen=True)
class Response:
    """The left-hand side.

    Parameters
    ----------
    name : str
        The column.
    expression : Expression
        What is modelled: the column itself, or a function of it such as `log(y)`.
    trials : str, int or None
        Column or number in `y | trials(n)`.
    """

    name: str
    expression: Expression
    trials: str | int | None = None

    @property
    def is_transformed(self) -> bool:
        """Whether the response is a function of its column."""
        return self.expression != Column(self.name)

    def __str__(self) -> str:
        if self.trials is None:
            return str(self.expression)
        trials = Column(self.trials) if isinstance(self.trials, str) else self.trials
        return f"{self.expression} | trials({trials})"


@dataclass(frozen=True)
class GroupTerm:
    """Effects that vary over the groups of one grouping factor, `(1 + x | g)`.

    Parameters
    ----------
    grouping : str
        Name of the grouping: `"school"`, or `"a:b"` for the combinations of two columns.
    grouping_columns : tuple of str
        The columns that make up the grouping.
    intercept : bool
        Whether the intercept varies.
    terms : tuple of Term
        Terms whose coefficients vary.
    correlated : bool
        False for `||`: every effect is independent of the others.
    """

    grouping: str
    grouping_columns: tuple[str, ...]
    intercept: bool
    terms: tuple[Term, ...] = ()
    correlated: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Bambi's names of the effects: `("1|school", "sex|school")`."""
        effects = ["1"] * self.intercept + [term.name for term in self.terms]
        return tuple(f"{effect}|{self.grouping}" for effect in effects)

    @property
    def variables(self) -> frozenset[str]:
        """Names of the columns whose coefficients vary; the grouping columns are not among them."""
        return _variables(self.terms)

    def __str__(self) -> str:
        effects = " + ".join(["1" if self.intercept else "0", *map(str, self.terms)])
        grouping = ":".join(str(Column(name)) for name in self.grouping_columns)
        return f"({effects} {'|' if self.correlated else '||'} {grouping})"


@dataclass(frozen=True)
class Formula:
    """A parsed formula. `str()` is canonical and parses back to an equal formula.

    Parameters
    ----------
    response : Response or None
        None for a one-sided formula `~ x + w`.
    intercept : bool
        Whether there is a common intercept.
    terms : tuple of Term
        Common terms, in the order in which they were written.
    offsets : tuple of Expression
        What stood in `offset()`.
    groups : tuple of GroupTerm
        Group terms; `(1 | g) + (0 + x | g)` are two and not the same as `(1 + x | g)`.

    Examples
    --------
    >>> from bayesmi.formula import parse
    >>> formula = parse("popular ~ texp*sex + (sex|school)")
    >>> str(formula)
    'popular ~ texp + sex + texp:sex + (1 + sex | school)'
    >>> formula.groups[0].names
    ('1|school', 'sex|school')
    """

    response: Response | None
    intercept: bool = True
    terms: tuple[Term, ...] = ()
    offsets: tuple[Expression, ...] = ()
    groups: tuple[GroupTerm, ...] = ()

    @property
    def all_terms(self) -> tuple[Term, ...]:
        """Common terms and those that vary by group."""
        return (*self.terms, *(term for group in self.groups for term in group.terms))

    @property
    def variables(self) -> frozenset[str]:
        """Columns of the right-hand side, varying slopes included, grouping columns not."""
        return _variables(self.terms) | _variables(self.offsets) | _variables(self.groups)

    @property
    def grouping_columns(self) -> frozenset[str]:
        """Columns that say which group a row belongs to."""
        return frozenset(name for group in self.groups for name in group.grouping_columns)

    @property
    def columns(self) -> frozenset[str]:
        """Every column of the table that the formula names, response, trials and groupings included."""
        left: set[str] = set()
        if self.response is not None:
            left |= {self.response.name} | self.response.expression.variables
            left |= {self.response.trials} if isinstance(self.response.trials, str) else set()
        return self.variables | self.grouping_columns | left

    def __str__(self) -> str:
        parts = [str(term) for term in self.terms]
        parts += [str(Call("offset", (offset,))) for offset in self.offsets]
        if not self.intercept:
            parts.insert(0, "0")
        elif not parts:
            parts.insert(0, "1")
        parts += [str(group) for group in self.groups]
        left = "" if self.response is None else f"{self.response} "
        return f"{left}~ {' + '.join(parts)}"


def _variables(parts: Iterable[Expression | Term | GroupTerm]) -> frozenset[str]:
    return frozenset().union(*(part.variables for part in parts))
