"""Names are looked up in the table and nowhere else."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from bayesmi.errors import FormulaError
from bayesmi.formula.expression import Column
from bayesmi.formula.terms import Formula

__all__ = ["check_variables", "closest"]


def check_variables(formula: Formula, columns: Collection[str]) -> None:
    """Refuse a formula that names something the table does not have.

    Parameters
    ----------
    formula : Formula
        A parsed formula.
    columns : collection of str
        Names of the table's columns.

    Raises
    ------
    FormulaError
        Names the first unknown column, where it stands, and the most similar column of the table.

    Examples
    --------
    >>> from bayesmi.formula import check_variables, parse
    >>> check_variables(parse("popular ~ texp + (1 | school)"), ["popular", "texp", "school"])
    """
    for name, where in _places(formula):
        if name not in columns:
            similar = closest(name, columns)
            hint = f"; did you mean `{similar}`?" if similar else f"; it has {_listed(columns)}"
            place = "" if where == str(Column(name)) else f" (in `{where}`)"
            raise FormulaError(f"the table has no column `{name}`{place}{hint}")


def closest(name: str, candidates: Collection[str]) -> str | None:
    """Most similar candidate, upper and lower case aside, or None."""
    texts = [candidate for candidate in candidates if isinstance(candidate, str)]
    for candidate in texts:
        if candidate.casefold() == name.casefold():
            return candidate
    folded = {candidate.casefold(): candidate for candidate in texts}
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _places(formula: Formula) -> list[tuple[str, str]]:
    """Every name with the part of the formula it stands in, from left to right."""
    places: list[tuple[str, str]] = []
    if formula.response is not None:
        places.append((formula.response.name, str(formula.response)))
        if isinstance(formula.response.trials, str):
            places.append((formula.response.trials, str(formula.response)))
    for part in (*formula.terms, *formula.offsets):
        places += [(name, str(part)) for name in sorted(part.variables)]
    for group in formula.groups:
        places += [(name, str(group)) for name in (*sorted(group.variables), *group.grouping_columns)]
    return places


def _listed(columns: Collection[str]) -> str:
    names = [str(Column(str(name))) for name in columns]
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:12])} and {len(names) - 12} more"
