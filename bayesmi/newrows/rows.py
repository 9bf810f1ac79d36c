"""New rows as the model sees them: coded as at the fit, with what is known of their groups from the fit's own table.

Nothing of them moves a scale, a centre, a knot or a prior: factors stay those of the fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, Grouping, IncompleteFrame
from bayesmi.data.applicable import find_absent
from bayesmi.data.conditions import columns_of, parse_condition
from bayesmi.data.grouping import group_rows
from bayesmi.data.kinds import Kind
from bayesmi.data.levels import ROW, check_level, deduce
from bayesmi.data.table import Table
from bayesmi.data.wording import name_rows, plain, short_number
from bayesmi.errors import DataError, NotSupportedError
from bayesmi.mechanism import deltas_of
from bayesmi.model import Model
from bayesmi.model.constraints import count_columns, find_constraints, levels_of_parts
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable, mean_parts
from bayesmi.newrows.columns import coded_column, open_new

__all__ = ["NewRows", "read_new_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class NewRows:
    """Rows that were not there when the model was fitted, or that were not to inform it."""

    frame: IncompleteFrame
    table: ModelTable
    factors: tuple[Factor, ...]  # those whose variables are drawn, in the order of the product
    known: Mapping[str, Ints]  # grouping -> (groups,) group of the fit, -1: a new one
    carried: Mapping[
        str, NDArray[np.bool_]
    ]  # cluster variable -> rows whose value is that of the fit's own group

    @property
    def new(self) -> dict[str, NDArray[np.bool_]]:
        """By grouping, which of its groups the fit has not seen; groupings without any are left out."""
        return {name: codes < 0 for name, codes in self.known.items() if (codes < 0).any()}


def read_new_rows(
    model: Model, data: Any, *, factors: Sequence[Factor] | None = None, own_groups: bool = True
) -> NewRows:
    """Read new rows for a fitted model.

    Parameters
    ----------
    model : Model
        The fitted model.
    data : pandas.DataFrame or polars.DataFrame
        The new rows: columns that it lacks are missing in every row, columns that the fit does not know are carried along.
    factors : sequence of Factor, optional
        Those whose variables are drawn; by default all.
    own_groups : bool
        Whether groups that the fit has seen are these groups; otherwise every group is a new one, and every row where the
        column is not there.

    Raises
    ------
    DataError
        If a level, a missing predictor without a model, or a missing group stands in the way; the line names it.
    NotSupportedError
        If the model has parts that new rows cannot be read for.
    """
    _check_supported(model)
    chosen = tuple(model.factors if factors is None else factors)
    fitted = model.frame
    parents = frozenset().union(*(factor.parents for factor in chosen))
    needed = ({*parents, *(factor.variable for factor in chosen)} & set(fitted.columns)) | {
        one.name for one in model.derived
    }
    needed |= {one.variable for one in model.manifest.values()}
    conditions = model.to_dict()["not_applicable"]
    needed |= {
        *conditions,
        *(name for text in conditions.values() for name in columns_of(parse_condition(text))),
    }
    table = open_new(data, fitted, needed)
    names = [str(name) for name in table.names]
    columns: dict[str, Column] = {}
    labelled: set[str] = set()
    for position, name in enumerate(names):
        raw = table.read(position)
        labelled |= {name} if raw.codes is not None else set()
        if name in needed and name in fitted.columns:
            columns[name] = coded_column(raw, fitted.columns[name], table.index)
        else:
            nothing = np.zeros(len(raw.missing), dtype=bool)
            columns[name] = Column(
                name, Kind.IDENTIFIER, ROW, np.full(len(raw.missing), np.nan), raw.missing, nothing
            )
    for name, absent in find_absent(columns, table.index, None, conditions).items():
        columns[name] = replace(columns[name], absent=absent, missing=columns[name].missing & ~absent)
    groupings = {name: _grouping(name, table, names, fitted, own_groups) for name in model.table.groupings}
    known = {
        name: _known_groups(model.table.groupings[name], grouping, own_groups)
        for name, grouping in groupings.items()
    }
    deduced, carried = _cluster_cells(model, columns, groupings, known, table.index)
    frame = IncompleteFrame(
        table,
        columns,
        groupings,
        {n: d for n, d in deduced.items() if np.isfinite(d).any()},
        frozenset(labelled),
        (),
    )
    modelled = ModelTable.from_frame(frame, list(groupings))
    for name, mask in carried.items():  # a value of each draw takes their place
        typical = float(np.nanmean(model.table.values[name]))
        if model.factor(name).family.is_discrete:
            typical = model.factor(name).levels[0]
        modelled = _with_cells(modelled, name, mask, np.full(int(mask.sum()), typical))
    modelled = _with_means(modelled, model, known)
    observed = [one for one in model.derived if columns[one.name].observed.any()]
    if observed:
        levels = levels_of_parts(model.derived, modelled, count_columns(fitted, model.to_dict()["families"]))
        modelled, constraints = find_constraints(model.derived, modelled, levels)
        modelled = replace(modelled, constraints=constraints)
    _check_predictors(model, chosen, modelled, {str(name) for name in data.columns})
    return NewRows(frame, modelled, chosen, known, carried)


def _check_supported(model: Model) -> None:
    """Refuse models that need more of a row than its columns."""
    for name, one in model.mechanisms.items():
        if name not in {**deltas_of(model.mechanisms, "after"), **deltas_of(model.mechanisms, "conditional")}:
            raise NotSupportedError(
                f"new rows of a model in which {name!r} is not missing at random ({one.words}) are not supported: fit them with "
                "the others, or impute them from the fit without the mechanism"
            )
    if model.table.means:
        text, mean = next(iter(model.table.means.items()))
        raise NotSupportedError(
            f"new rows of a model with {text}, a mean of completed data, are not supported (ignore= neither): fit them with the "
            f"others, or use the latent mean, between({mean.variable})"
        )
    measured = [factor.variable for factor in model.factors if factor.is_observation]
    if measured:
        raise NotSupportedError(
            f"new rows of a model with measured variables ({', '.join(measured)}) are not supported: fit them with the others"
        )
    limited = [factor.variable for factor in model.factors if factor.limits]
    if limited:
        raise NotSupportedError(
            f"new rows of a model with censored, rounded or truncated variables ({', '.join(limited)}) are not supported: fit "
            "them with the others"
        )


def _grouping(
    name: str, table: Table, names: Sequence[str], fitted: IncompleteFrame, own_groups: bool
) -> Grouping:
    parts = [name] if name in names or name in fitted.columns else [part.strip() for part in name.split(":")]
    for part in parts:
        if part in names:
            continue
        if own_groups:
            raise DataError(
                f"newdata has no column {part!r}, which groups rows in this model: give every row its {part}, a new one where "
                "it is none of the fit's"
            )
        each = np.arange(len(table.index))
        return Grouping(name, each, tuple(each.tolist()), each, np.ones(len(each), dtype=np.intp))
    return group_rows(name, table.keys, names, table.index)


def _check_same_kind(fitted: Grouping, grouping: Grouping) -> None:
    """Refuse '3' where the fit's group is 3, or the reverse: it would be a new group."""
    there = set(fitted.labels)
    written = {str(label): label for label in fitted.labels}
    for label in grouping.labels:
        other = written.get(str(label), label)
        if label not in there and other in there:
            raise DataError(
                f"column {grouping.name!r} of newdata holds {plain(label)!r} where the fit has {plain(other)!r}: write its "
                "groups as at the fit, or they are new ones"
            )


def _known_groups(fitted: Grouping, grouping: Grouping, own_groups: bool) -> Ints:
    """Return the fit's number of each group, -1 for those that it has not seen."""
    if not own_groups:
        return np.full(len(grouping.labels), -1, dtype=np.intp)
    _check_same_kind(fitted, grouping)
    place = {label: code for code, label in enumerate(fitted.labels)}
    return np.array([place.get(label, -1) for label in grouping.labels], dtype=np.intp)


def _cluster_cells(
    model: Model,
    columns: dict[str, Column],
    groupings: Mapping[str, Grouping],
    known: Mapping[str, Ints],
    index: pd.Index,
) -> tuple[dict[str, Floats], dict[str, NDArray[np.bool_]]]:
    """Give cluster variables their level and fill what the fit, or another new row, says of the cluster.

    Returns known values of missing cells by variable, and the cells whose value is drawn with the fit's own.
    """
    deduced: dict[str, Floats] = {}
    carried: dict[str, NDArray[np.bool_]] = {}
    for name, column in list(columns.items()):
        at = model.frame.columns[name].level if name in model.frame.columns else ROW
        if at == ROW or column.kind is Kind.IDENTIFIER:
            continue
        grouping = groupings[at]
        codes = known[at][grouping.codes]
        fitted = np.where(
            codes >= 0,
            model.table.values[name][model.table.groupings[at].first_row][np.maximum(codes, 0)],
            np.nan,
        )
        both = column.observed & np.isfinite(fitted)
        off = np.zeros(len(codes), dtype=bool)
        off[both] = fitted[both] != column.values[both]
        if off.any():
            first = int(np.flatnonzero(off)[0])
            label = grouping.labels[grouping.codes[first]]
            raise DataError(
                f"column {name!r} of newdata is another in {at} {label!r} than at the fit ({_shown(column, fitted[first])}) in "
                f"{name_rows(index, off)}: it has one value a {at}; correct it, or give the rows a new {at}"
            )
        check_level(name, at, column.values, {at: grouping}, column.categories)
        columns[name] = replace(column, level=at)
        filled = np.where(column.observed, column.values, fitted)
        deduced[name] = np.where(column.missing, deduce(filled, ~np.isfinite(filled), grouping), np.nan)
        deduced[name] = np.where(column.missing & np.isfinite(fitted), fitted, deduced[name])
        open_ = column.missing & ~np.isfinite(deduced[name]) & (codes >= 0)
        if open_.any() and any(factor.variable == name for factor in model.factors):
            carried[name] = open_
    return deduced, carried


def _shown(column: Column, value: float) -> str:
    return short_number(value) if column.categories is None else repr(column.categories[int(value)])


def _with_cells(table: ModelTable, name: str, mask: NDArray[np.bool_], cells: Floats) -> ModelTable:
    """Return the table with some cells of a column known."""
    values = table.values[name].copy()
    values[mask] = cells
    return replace(
        table,
        values={**table.values, name: values},
        unknown={**table.unknown, name: table.unknown[name] & ~mask},
    )


def _with_means(table: ModelTable, model: Model, known: Mapping[str, Ints]) -> ModelTable:
    """Return the table with the group means that the models use: the fit's of its groups, of new groups their rows'."""
    fitted = model.table
    made: dict[str, tuple[Floats, str]] = {}
    for text, one in model.manifest.items():
        codes, group = known[one.grouping], table.groupings[one.grouping]
        of_fit = fitted.groupings[one.grouping].means(fitted.values[one.variable])[np.maximum(codes, 0)]
        own = table.values[one.variable]
        means = np.where(codes >= 0, of_fit, group.means(own))[group.codes]
        made[text] = (one.values(own, means), "row" if one.is_within else one.grouping)
    for grouping, group in table.groupings.items():
        codes = known[grouping]
        for name in table.frame.columns:
            if table.frame.columns[name].kind is Kind.IDENTIFIER:
                continue
            for label, values in mean_parts(table, name, grouping).items():
                if label not in fitted.made or label in made:
                    continue
                own = group.means(values)
                of_fit = fitted.values[label][fitted.groupings[grouping].first_row][np.maximum(codes, 0)]
                made[label] = (np.where(codes >= 0, of_fit, own)[group.codes], grouping)
    return table.with_made(made)


def _check_predictors(
    model: Model, factors: Sequence[Factor], table: ModelTable, given: Collection[str]
) -> None:
    """Refuse missing cells of variables that have no model; `given` are the columns that came."""
    modelled = {factor.variable for factor in model.factors}
    for factor in factors:
        behind = {model.manifest[name].variable for name in factor.parents if name in model.manifest}
        for name in sorted(factor.parents | behind):
            if name in table.made:
                continue
            holes = table.unknown.get(name, np.ones(table.n_rows, dtype=bool))
            if name not in table.values or (name not in {*modelled, *given} and holes.all()):
                raise DataError(
                    f"newdata has no column {name!r}, which the model of {factor.variable!r} needs"
                )
            if name not in modelled and holes.any():
                whole = "every row" if holes.all() else name_rows(table.frame.index, holes)
                raise DataError(
                    f"column {name!r} of newdata is missing in {whole}; it was complete at the fit and has no model: give its "
                    "values, or fit a table in which it is missing somewhere"
                )
