"""delta_model: where a variable is missing its linear predictor has a delta added, a number or a coefficient with a prior.

A number is an offset that is known for each row; a prior makes one more coefficient, whose column says where the variable is
missing. Both are columns made for the model, zero in every row where the variable is observed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import name_rows
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families import Family
from bayesmi.formula import Formula
from bayesmi.formula.expression import Binary, Column, Expression
from bayesmi.formula.terms import Term
from bayesmi.mechanism import Delta
from bayesmi.mechanism.cell_shift import category_text, cell_shift, check_delta, rows_of_group, rows_where
from bayesmi.mechanism.quantiles import prior_quantile
from bayesmi.mechanism.value_shift import support_of
from bayesmi.model.factor import Factor
from bayesmi.model.limited import plainly_missing
from bayesmi.model.table import ModelTable
from bayesmi.priors import Prior

__all__ = [
    "NO_SHIFT",
    "ModelShift",
    "check_mechanisms",
    "check_shifts",
    "made_columns",
    "model_shift",
    "shift_notices",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ModelShift:
    """What a delta adds to the factor of its variable."""

    made: Mapping[str, Floats]  # columns made for the model, over rows
    offsets: tuple[Expression, ...] = ()
    terms: tuple[Term, ...] = ()
    priors: Mapping[str, Prior] = field(default_factory=dict)  # by name of the parameter
    names: Mapping[str, str] = field(default_factory=dict)  # term -> name in the posterior
    by_label: Mapping[str, str] = field(default_factory=dict)  # level with a linear predictor -> made column

    @property
    def columns(self) -> frozenset[str]:
        """Names of the design columns whose coefficient is a delta."""
        return frozenset(self.names.values())

    def formula(self, formula: Formula) -> Formula:
        """Return a formula with the delta in it."""
        return replace(
            formula, offsets=(*formula.offsets, *self.offsets), terms=(*formula.terms, *self.terms)
        )

    def factor(self, factor: Factor) -> Factor:
        """Return a factor with the delta of each of several linear predictors."""
        return replace(
            factor, shifts={f"{factor.variable}[{label}]": made for label, made in self.by_label.items()}
        )


NO_SHIFT = ModelShift({})


def made_columns(variables: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return those of the made columns that belong to deltas of some variables."""
    starts = tuple(f"{kind}({name})" for name in variables for kind in ("delta", "missing"))
    return [column for column in columns if column.startswith(starts)]


def model_shift(
    name: str,
    delta: Delta,
    family: Family,
    table: ModelTable,
    before: Sequence[str] | None,
    prefix: str,
) -> ModelShift:
    """Return what delta adds to the factor of a variable.

    Parameters
    ----------
    name, delta, family, table
        The variable, its mechanism, its family, the table.
    before : sequence of str, optional
        Incomplete variables that stand before it in the product; None: all others.
    prefix : str
        Of its names in the posterior.

    Raises
    ------
    ModelError, NotSupportedError
        If amounts do not fit the family, or depend on what comes later in the product.
    """
    label, level = f"mechanisms[{name!r}]", table.level(name)
    rows = np.flatnonzero(plainly_missing(name, table))
    _check_categories(label, name, delta, family)
    made: dict[str, Floats] = {}
    offsets: list[Expression] = []
    terms: list[Term] = []
    priors: dict[str, Prior] = {}
    names: dict[str, str] = {}
    by_label: dict[str, str] = {}
    whole = rows_where(delta, table.frame, rows, label)
    fixed = [entry for entry in delta.entries if not isinstance(entry.amount, Prior)]
    symbolic = [
        entry for entry in fixed if isinstance(entry.amount, str) and _incomplete(delta, entry.amount, table)
    ]
    numbers = [entry for entry in fixed if entry not in symbolic]
    if numbers:
        part = _only(delta, numbers)
        levels = table.level_labels(name) if family.has_levels else ()
        amounts = cell_shift(part, table.frame, rows, table.values, np.zeros(0), levels).shift
        if amounts.ndim > 1:  # log odds of each level against the first
            against = amounts - amounts[:, :1]
            for k, one in enumerate(levels[1:], start=1):
                column = f"delta({name})[{one}]" if family.has_equations else f"delta({name})"
                made[column] = _spread(table, rows, against[:, k])
                if family.has_equations:
                    by_label[one] = column
                else:
                    offsets.append(Column(column))
        else:
            made[f"delta({name})"] = _spread(table, rows, amounts)
            offsets.append(Column(f"delta({name})"))
    for number, entry in enumerate(symbolic):
        assert isinstance(entry.amount, str)
        expression = delta.expressions[entry.amount]
        _check_earlier(label, expression, table, before, level, family)
        inside = whole & rows_of_group(delta, entry.group, table.frame, rows, label)
        column = f"missing({name}){f'[{number}]' if len(symbolic) > 1 else ''}"
        made[column] = _spread(table, rows, inside.astype(float))
        offsets.append(Binary("*", Column(column), expression))
    for entry in delta.entries:
        if not isinstance(entry.amount, Prior):
            continue
        if entry.amount.support == "correlation":
            raise ModelError(f"{label}: {entry.amount} is no prior of a number")
        if entry.amount.support != "real":
            raise NotSupportedError(
                f"{label}: a delta_model with the prior {entry.amount} is not supported; the nearest that is: a prior on the "
                "real line, such as Prior('Normal', -5, 2)"
            )
        own = "[" + ", ".join(str(one) for one in entry.group) + "]" if entry.group else ""
        inside = whole & rows_of_group(delta, entry.group, table.frame, rows, label)
        if not inside.any():
            raise ModelError(
                f"{label}: {name!r} is not missing in any row of {own or 'the table'}: leave the prior out"
            )
        column = f"missing({name}){own}"
        made[column] = _spread(table, rows, inside.astype(float))
        terms.append(Term((Column(column),)))
        names[column] = f"delta{own}"
        priors[f"{prefix}delta{own}"] = entry.amount
    for column in made:
        if column in table.frame.columns:
            raise ModelError(
                f"column {column!r} has the name of a column made for the delta of {name!r}: rename it"
            )
    if level != "row":
        _check_constant(label, table, level, made)
    return ModelShift(made, tuple(offsets), tuple(terms), priors, names, by_label)


def check_mechanisms(mechanisms: Mapping[str, Any], modelled: Collection[str], table: ModelTable) -> None:
    """Refuse mechanisms of variables that are not modelled or not missing, and amounts whose columns do not fit.

    Raises
    ------
    ModelError
        One line that names the variable.
    """
    for name, mechanism in mechanisms.items():
        nothing = "there is nothing to shift" if isinstance(mechanism, Delta) else "leave the mechanism out"
        if name not in modelled:
            raise ModelError(
                f"mechanisms[{name!r}]: {name!r} has no model of its own (it is complete, or not in the formula): {nothing}"
            )
        if not table.is_incomplete(name):
            raise ModelError(f"mechanisms[{name!r}]: {name!r} has no missing value: {nothing}")
        if isinstance(mechanism, Delta):
            check_delta(mechanism, name, table.frame, np.flatnonzero(plainly_missing(name, table)))


def shift_notices(mechanisms: Mapping[str, Any], table: ModelTable) -> tuple[str, ...]:
    """Say which deltas reach no missing value."""
    lines = []
    for name, delta in mechanisms.items():
        if not isinstance(delta, Delta) or delta.is_nothing:
            continue
        rows, label = np.flatnonzero(plainly_missing(name, table)), f"mechanisms[{name!r}]"
        groups = [entry.group for entry in delta.entries if entry.amount != 0.0]
        groups += [group for group, factor in delta.scales if factor != 1.0]
        inside = np.zeros(len(rows), dtype=bool)
        for group in dict.fromkeys(groups):
            inside |= rows_of_group(delta, group, table.frame, rows, label)
        if not (inside & rows_where(delta, table.frame, rows, label)).any():
            lines.append(
                f"{label}: no missing value of {name!r} is in the rows that {delta!r} is about: nothing is shifted"
            )
    return tuple(lines)


def check_shifts(mechanisms: Mapping[str, Any], factors: Sequence[Factor], table: ModelTable) -> None:
    """Refuse amounts that do not fit the family of a drawn value: delta_after and delta_conditional."""
    for factor in factors:
        delta, name = mechanisms.get(factor.variable), factor.variable
        if not isinstance(delta, Delta) or delta.kind == "model":
            continue
        label, family = f"mechanisms[{name!r}]", factor.family
        if delta.kind == "conditional" and table.means:
            text, mean = next(iter(table.means.items()))
            raise NotSupportedError(
                f"{label}: a delta_conditional beside {text}, a mean of completed data, is not supported: what is missing in "
                f"other rows of the group would have to be drawn anew; the nearest that is: kind='after', or the latent mean, "
                f"between({mean.variable})"
            )
        for prior in delta.priors:
            prior_quantile(prior, 0.5)
        if not family.is_discrete:
            if delta.has_categories:
                raise ModelError(f"{label}: {name!r} has no categories in its model: give a number")
            try:
                support_of(delta.on, family.support)
            except ModelError as problem:
                raise ModelError(f"{label}: {problem}") from None
        else:
            if delta.scaled or delta.on != "value":
                raise ModelError(
                    f"{label}: scale= and on= are of numbers; {name!r} is {family.name}: give its log odds"
                )
            check_categories(label, name, delta, factor, table)
        for one in sorted(delta.variables - {name}):
            if delta.kind == "conditional" and one in table.values and table.is_incomplete(one):
                raise ModelError(
                    f"{label}: the expression uses the incomplete {one!r}: a delta_conditional can depend on complete columns "
                    f"and on {name!r} itself; kind='after' and kind='model' can use others"
                )


def _spread(table: ModelTable, rows: NDArray[np.intp], amounts: Floats) -> Floats:
    out = np.zeros(table.n_rows)
    out[rows] = amounts
    return out


def _only(delta: Delta, entries: Sequence[object]) -> Delta:
    """Return a delta with some of its entries."""
    out = object.__new__(Delta)
    for key in ("scales", "kind", "on", "by", "where"):
        object.__setattr__(out, key, getattr(delta, key))
    object.__setattr__(out, "entries", tuple(entries))
    return out


def _incomplete(delta: Delta, text: str, table: ModelTable) -> bool:
    return any(table.is_incomplete(one) for one in delta.expressions[text].variables)


def check_categories(label: str, name: str, delta: Delta, factor: Factor, table: ModelTable) -> None:
    """Refuse amounts that do not fit the levels of a discrete variable."""
    _check_categories(label, name, delta, factor.family)
    known = table.level_labels(name)
    for entry in delta.entries:
        if entry.category is not None and category_text(entry.category, known) not in known:
            raise ModelError(f"{label}: {entry.category!r} never occurs in {name!r}: it has no model")


def _check_categories(label: str, name: str, delta: Delta, family: Family) -> None:
    nominal = family.has_equations
    for entry in delta.entries:
        is_prior = isinstance(entry.amount, Prior)
        if nominal and entry.category is None and not (is_prior and delta.kind == "model"):
            raise ModelError(
                f"{label}: {name!r} has no order: give the log odds of its categories, such as {{'none': 0.5}}"
            )
        if is_prior and entry.category is not None and delta.kind == "model":
            raise ModelError(
                f"{label}: a prior is given for the variable as a whole (every category but the first gets its own delta): leave "
                "the category out"
            )
        if entry.category is not None and not family.has_levels:
            raise ModelError(f"{label}: {name!r} has no categories in its model: give a number")
        if entry.category is not None and "ordinal" in family.form:
            raise ModelError(
                f"{label}: {name!r} is ordered: give one number, the cumulative log odds of its higher levels"
            )


def _check_earlier(
    label: str,
    expression: Expression,
    table: ModelTable,
    before: Sequence[str] | None,
    level: str,
    family: Family,
) -> None:
    if level != "row" or family.has_equations:
        raise NotSupportedError(
            f"{label}: an expression in incomplete columns is supported for variables of rows with one linear predictor; the "
            "nearest that is: an expression in complete columns"
        )
    for one in sorted(expression.variables):
        if one in table.values and table.is_incomplete(one) and before is not None and one not in before:
            raise ModelError(
                f"{label}: the expression uses {one!r}, which is incomplete and comes later in the product (or is the response): "
                "use earlier or complete columns, or give order="
            )


def _check_constant(label: str, table: ModelTable, level: str, made: Mapping[str, Floats]) -> None:
    group = table.groupings[level]
    for values in made.values():
        off = values != values[group.first_row][group.codes]
        off &= values != 0.0
        if off.any():
            raise ModelError(
                f"{label}: its delta differs within a {level} ({name_rows(table.frame.index, off)}), of which the variable has "
                f"one value: let it depend on {level} variables"
            )
