"""The table as the model sees it: values with deduced cells filled, masks of what is unknown, group means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Column, Grouping, IncompleteFrame
from bayesmi.formula import Variable
from bayesmi.model.manifest import Manifest

if TYPE_CHECKING:
    from bayesmi.model.constraints import Constraint

__all__ = ["ModelTable", "manifest_means", "mean_parts"]


@dataclass(frozen=True)
class ModelTable:
    """Columns as arrays over rows, plus the columns made for the model (manifest group means)."""

    frame: IncompleteFrame
    groupings: Mapping[str, Grouping]
    values: Mapping[str, NDArray[np.float64]]  # (n,) numbers or codes; NaN where unknown or absent
    unknown: Mapping[str, NDArray[np.bool_]]  # (n,) missing and not deducible
    made: Mapping[str, str]  # made column -> how it was made, in words
    solved: frozenset[str] = frozenset()  # columns with cells that follow from an observed derived value
    stand_ins: Mapping[str, NDArray[np.float64]] = field(
        default_factory=dict
    )  # rough values of variables that are never observed themselves
    constraints: tuple[
        Constraint, ...
    ] = ()  # observed derived values that tie several missing parts together
    means: Mapping[str, Manifest] = field(
        default_factory=dict
    )  # made columns that are group means of completed variables

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return self.frame.n_rows

    def column(self, name: str) -> Column:
        """Return the column of the table."""
        return self.frame.columns[name]

    def level(self, name: str) -> str:
        """Return "row" or the grouping at which the variable varies."""
        if name in self.made:
            return self.made[name]
        return self.frame.columns[name].level

    def rows_of_level(self, level: str) -> NDArray[np.intp]:
        """Return the rows that stand for the units of a level: all rows, or the first row of each group."""
        if level == "row":
            return np.arange(self.n_rows, dtype=np.intp)
        return self.groupings[level].first_row

    def at(self, name: str, level: str) -> NDArray[np.float64]:
        """Return a variable's values at a level, (units,)."""
        return self.values[name][self.rows_of_level(level)]

    def unknown_at(self, name: str, level: str) -> NDArray[np.bool_]:
        """Return which of them are unknown."""
        return self.unknown[name][self.rows_of_level(level)]

    def is_incomplete(self, name: str) -> bool:
        """Whether any value is unknown."""
        return bool(self.unknown[name].any())

    def codes_at(self, grouping: str, level: str) -> NDArray[np.intp]:
        """Return the group of each unit of a level."""
        return self.groupings[grouping].codes[self.rows_of_level(level)]

    def contains(self, grouping: str, level: str) -> bool:
        """Whether each unit of `level` lies in one group of `grouping` (and is not that group itself)."""
        if level == "row":
            return True
        if level == grouping:
            return False
        outer, inner = self.groupings[grouping], self.groupings[level]
        return bool(np.all(outer.codes == outer.codes[inner.first_row][inner.codes]))

    def variable(self, name: str) -> Variable:
        """Return what a design needs to know of a column."""
        values = self.values[name]
        categories = None if name in self.made else self.frame.columns[name].categories
        observed = np.isfinite(values)
        return Variable(name=name, categories=categories, observed=values[observed])

    def variables(self, names: Sequence[str] | frozenset[str]) -> dict[str, Variable]:
        """Return several."""
        return {name: self.variable(name) for name in names}

    def levels_of(self, name: str) -> tuple[float, ...]:
        """Return the values of a binary, nominal or ordinal variable that occur or are named: two numbers, or codes."""
        column = self.frame.columns[name]
        if column.is_named:
            return tuple(float(code) for code in range(len(column.categories or ())))
        if column.categories is not None:
            return tuple(float(code) for code in np.unique(column.values[column.observed]))
        return tuple(float(value) for value in (column.support or ()))

    def level_labels(self, name: str) -> tuple[str, ...]:
        """Return the labels of those levels."""
        column = self.frame.columns[name]
        levels = self.levels_of(name)
        if column.categories is None:
            return tuple(f"{value:g}" for value in levels)
        return tuple(str(column.categories[int(code)]) for code in levels)

    def with_made(self, columns: Mapping[str, tuple[NDArray[np.float64], str]]) -> ModelTable:
        """Return the table with further made columns (values, level)."""
        nothing = np.zeros(self.n_rows, dtype=bool)
        return replace(
            self,
            values={**self.values, **{name: values for name, (values, _) in columns.items()}},
            unknown={**self.unknown, **dict.fromkeys(columns, nothing)},
            made={**self.made, **{name: level for name, (_, level) in columns.items()}},
        )

    def with_stand_ins(self, columns: Mapping[str, NDArray[np.float64]]) -> ModelTable:
        """Return the table with rough values of variables that are never observed themselves."""
        return replace(self, stand_ins={**self.stand_ins, **columns})

    def roughly(self) -> ModelTable:
        """Return the table with stand-ins for what is never observed: for scales and starting points, never for the density."""
        if not self.stand_ins:
            return self
        return replace(self, values={**self.values, **self.stand_ins})

    def rows_of_units(self, units: NDArray[np.intp], level: str) -> NDArray[np.bool_]:
        """Return which rows some units of a level have, (n,)."""
        inside = np.zeros(len(self.rows_of_level(level)), dtype=bool)
        inside[units] = True
        return inside if level == "row" else inside[self.groupings[level].codes]

    def units_of_rows(self, rows: NDArray[np.bool_], level: str) -> NDArray[np.bool_]:
        """Return which units of a level have one of the rows, (units,)."""
        if level == "row":
            return rows
        return self.groupings[level].any_of(rows)

    def with_values(self, columns: Mapping[str, NDArray[np.float64]]) -> ModelTable:
        """Return the table with other values (over rows) of some columns."""
        return replace(self, values=self.filled({**self.values, **columns}))

    def filled(self, values: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Return columns over rows with group means of completed variables as they follow from these."""
        means = {
            name: one.completed(values[one.variable], self.groupings[one.grouping])
            for name, one in self.means.items()
        }
        return {**values, **means}

    def with_means(self, means: Mapping[str, Manifest]) -> ModelTable:
        """Return the table with columns that are group means of completed variables, NaN where these are unknown."""
        if not means:
            return self
        own = {name: (self.values[one.variable], self.groupings[one.grouping]) for name, one in means.items()}
        levels = {name: "row" if one.is_within else one.grouping for name, one in means.items()}
        columns = {name: (one.completed(*own[name]), levels[name]) for name, one in means.items()}
        rough = {name: one.roughly(*own[name]) for name, one in means.items()}
        made = self.with_made(columns).with_stand_ins(rough)
        unknown = {name: ~np.isfinite(values) for name, (values, _) in columns.items()}
        return replace(made, means={**self.means, **means}, unknown={**made.unknown, **unknown})

    def with_known(self, columns: Mapping[str, NDArray[np.float64]]) -> ModelTable:
        """Return the table with some columns taken as known, with these values (over rows)."""
        nothing = np.zeros(self.n_rows, dtype=bool)
        values = self.filled({**self.values, **columns})
        unknown = {**self.unknown, **dict.fromkeys(columns, nothing)}
        unknown |= {name: ~np.isfinite(values[name]) for name in self.means}
        return replace(self, values=values, unknown=unknown)

    def with_solved(self, solved: Mapping[str, NDArray[np.float64]]) -> ModelTable:
        """Return the table with unknown cells that are known by now (finite in `solved`)."""
        if not solved:
            return self
        values, unknown = dict(self.values), dict(self.unknown)
        for name, found in solved.items():
            known = np.isfinite(found)
            values[name] = np.where(known, found, values[name])
            unknown[name] = unknown[name] & ~known
        return replace(self, values=values, unknown=unknown, solved=self.solved | frozenset(solved))

    @classmethod
    def from_frame(cls, frame: IncompleteFrame, groupings: Sequence[str]) -> ModelTable:
        """Fill deducible cells and mark the rest as unknown."""
        values: dict[str, NDArray[np.float64]] = {}
        unknown: dict[str, NDArray[np.bool_]] = {}
        for name, column in frame.columns.items():
            if column.kind == "identifier":
                continue
            filled, holes = column.values, column.missing
            deduced = frame.deduced.get(name)
            if deduced is not None:
                known = column.missing & np.isfinite(deduced)
                filled = np.where(known, deduced, filled)
                holes = column.missing & ~known
            values[name] = filled
            unknown[name] = holes
        return cls(frame, {name: frame.grouping(name) for name in groupings}, values, unknown, {})


def mean_parts(table: ModelTable, name: str, grouping: str) -> dict[str, NDArray[np.float64]]:
    """Return the columns over rows whose group means stand for a variable, by the name of the mean's column.

    A categorical variable gives one column a level but the first.
    """
    suffix = f"|{grouping}" if len(table.groupings) > 1 else ""
    column = table.column(name)
    if column.categories is None:
        return {f"between({name}{suffix})": table.values[name]}
    known = np.isfinite(table.values[name])
    return {
        f"between({name}[{label}]{suffix})": np.where(
            known, (table.values[name] == code).astype(float), np.nan
        )
        for code, label in enumerate(column.categories)
        if code > 0
    }


def manifest_means(table: ModelTable, name: str, grouping: str) -> dict[str, NDArray[np.float64]]:
    """Return the group means of a complete variable spread over rows, by made column's name; constants left out.

    A categorical variable gives one column a level but the first.
    """
    group = table.groupings[grouping]
    means = {}
    for label, values in mean_parts(table, name, grouping).items():
        size = float(np.abs(values).max())
        mean = group.means(values)
        if np.ptp(mean) > 1e-10 * size:
            means[label] = mean[group.codes]
    return means
