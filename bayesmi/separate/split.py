"""One table cut into a table for each level of a column, each read with the kinds and levels of the whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import did_you_mean, name_rows
from bayesmi.errors import DataError, ModelError

__all__ = ["Stratum", "check_by", "split_frame"]

_MOST_GROUPS = 100


@dataclass(frozen=True)
class Stratum:
    """The rows of one level."""

    label: Any
    rows: NDArray[np.intp]  # positions in the whole table
    frame: IncompleteFrame


def check_by(by: Any, frame: IncompleteFrame, named: Mapping[str, str]) -> None:
    """Refuse a column that cannot separate models.

    Parameters
    ----------
    by : str
        The column.
    frame : IncompleteFrame
        The whole table.
    named : mapping
        Columns that the model uses, and where.
    """
    if not isinstance(by, str):
        raise ModelError(f"by= names one column, such as by='arm', not {by!r}")
    if by not in frame.columns:
        raise ModelError(
            f"by= names {by!r}, which is not a column of the table: {did_you_mean(by, list(frame.columns))}"
        )
    if by in named:
        raise ModelError(
            f"by={by!r} is constant in each of the separate models, and {named[by]} names it: leave it out there"
        )
    column = frame.columns[by]
    holes = column.missing | column.absent
    if holes.any():
        raise ModelError(
            f"by={by!r} is missing in {name_rows(frame.index, holes)}: a row needs a group for its model; complete it, or "
            "take it into the model instead"
        )


def split_frame(frame: IncompleteFrame, by: str, used: Collection[str]) -> tuple[Stratum, ...]:
    """Cut a table by the levels of a column, in the order of the levels.

    Parameters
    ----------
    frame : IncompleteFrame
        The whole table.
    by : str
        A complete column.
    used : collection of str
        Columns of the model: these keep the kind and the level that they have in the whole table.

    Raises
    ------
    ModelError
        If there is one level only, a level in which a used variable is never observed, or a cluster whose missing cell
        several models would impute.
    """
    labels, codes = _levels(frame, by)
    if len(labels) == 1:
        raise ModelError(f"by={by!r} has one level only, {labels[0]!r}: leave by= out")
    if len(labels) > _MOST_GROUPS:
        raise ModelError(
            f"by={by!r} has {len(labels):,} levels, each of which would get a model of its own: for clusters write "
            f"(1 | {by})"
        )
    for name in used:
        column = frame.columns[name]
        for g, label in enumerate(labels):
            if not column.observed[codes == g].any():
                raise ModelError(
                    f"{name!r} has no observed value where {by} is {label!r}: there is nothing to learn its model from; take "
                    "these rows out, or leave by= out"
                )
    _refuse_shared_cells(frame, by, labels, codes, used)
    table, known = _with_deduced(frame, used)
    out = []
    for g, label in enumerate(labels):
        rows = np.flatnonzero(codes == g)
        kinds: dict[str, Any] = {}
        levels = {}
        for name in used:
            column = frame.columns[name]
            distinct = len(np.unique(column.values[rows][column.observed[rows]]))
            if column.kind != "binary" or distinct == 2:
                kinds[name] = column.plain_kind
            levels[name] = column.level
        where = {
            name: column.missing[rows] & ~known.get(name, np.zeros(frame.n_rows, dtype=bool))[rows]
            for name, column in frame.columns.items()
            if column.absent.any()
        }
        part = IncompleteFrame.from_table(
            _take(table, rows), kinds=kinds, groups=tuple(frame.groups), levels=levels, where=where or None
        )
        out.append(Stratum(label, rows, part))
    return tuple(out)


def _levels(frame: IncompleteFrame, by: str) -> tuple[list[Any], NDArray[np.intp]]:
    """Labels of the levels, and the level of each row."""
    column = frame.columns[by]
    if np.isfinite(column.values).all():
        distinct, codes = np.unique(column.values, return_inverse=True)
        if column.categories is not None:
            labels: list[Any] = [column.categories[int(code)] for code in distinct]
        else:
            labels = [int(value) if float(value).is_integer() else float(value) for value in distinct]
        return labels, codes.reshape(-1)
    raise DataError(f"by={by!r} is an identifier: its values all differ, so that no group could have a model")


def _refuse_shared_cells(
    frame: IncompleteFrame, by: str, labels: list[Any], codes: NDArray[np.intp], used: Collection[str]
) -> None:
    """Refuse a missing value of a cluster that lies in several groups: each model would impute its own."""
    for name in used:
        column = frame.columns[name]
        if column.level == "row":
            continue
        grouping = frame.groups[column.level]
        deduced = frame.deduced.get(name)
        open_ = column.missing if deduced is None else column.missing & ~np.isfinite(deduced)
        for g in np.unique(grouping.codes[open_]):
            inside = np.unique(codes[grouping.codes == g])
            if len(inside) > 1:
                where = " and ".join(repr(labels[i]) for i in inside)
                raise ModelError(
                    f"{name!r} is missing for {column.level} {grouping.labels[g]!r}, which has rows where {by} is {where}: "
                    f"separate models would impute it twice; leave {name!r} or by= out"
                )


def _with_deduced(frame: IncompleteFrame, used: Collection[str]) -> tuple[Any, dict[str, NDArray[np.bool_]]]:
    """Return the table with cells filled that another row of their cluster has, be it in another group; and which."""
    known = {
        name: frame.columns[name].missing & np.isfinite(values)
        for name, values in frame.deduced.items()
        if name in used
    }
    known = {name: cells for name, cells in known.items() if cells.any()}
    if not known:
        return frame.original(), {}
    kinds = {name: frame.columns[name].plain_kind for name in used}
    part = IncompleteFrame.from_table(frame.original(), kinds=kinds, where=known)
    values = {name: frame.deduced[name][cells] for name, cells in known.items()}
    whole = [name for name, own in values.items() if bool((own == np.floor(own)).all())]
    return part.fill(values, integer_valued=whole), known


def _take(table: Any, rows: NDArray[np.intp]) -> Any:
    if type(table).__module__.startswith("polars"):
        return table[rows]
    return table.iloc[rows]
