"""What the user asked for, checked: the predictor matrix with its traps, methods, clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import counted, did_you_mean
from bayesmi.errors import ModelError
from bayesmi.formula import Formula
from bayesmi.mice.make import make_method
from bayesmi.mice.matrix import check_rows, find_clusters, read_matrix, read_texts
from bayesmi.mice.methods import Method, find_method
from bayesmi.mice.rows import Event, check_row, cluster_of, drop_empty, not_circular, used_rows
from bayesmi.model.derived import read_derived

__all__ = ["Request", "read_request"]


@dataclass(frozen=True, eq=False)
class Request:
    """A checked call of mice.

    Attributes
    ----------
    frame : IncompleteFrame
        The table, read with the clusters as groupings; every missing cell that applies is unknown.
    matrix : DataFrame of int
        Rows of imputed columns only; the diagonal is 0.
    names : tuple of str
        Columns to impute by a model, in table order.
    known : tuple of str
        Cluster-level columns whose cells are all known from other rows of their cluster.
    method : dict of str to str
        Names of methods of all columns, as given or proposed.
    methods : dict of str to Method
        Of the columns in `names`.
    cluster : dict of str to str or None
        Cluster of each of them; None where the method is single-level.
    texts : dict of str to Formula
        Conditionals given as formulas.
    passive : dict of str to str
        Derived columns and their expressions.
    parts : dict of str to frozenset of str
        The columns that each of them is computed from.
    events : tuple
        What is not done as asked, or worth knowing.
    """

    frame: IncompleteFrame
    matrix: pd.DataFrame
    names: tuple[str, ...]
    known: tuple[str, ...]
    method: dict[str, str]
    methods: dict[str, Method]
    cluster: dict[str, str | None]
    texts: dict[str, Formula]
    passive: dict[str, str]
    parts: dict[str, frozenset[str]]
    events: tuple[Event, ...]

    def level(self, name: str) -> str:
        """Level of a column."""
        return self.frame.columns[name].level

    def behind(self, name: str) -> frozenset[str]:
        """Imputed columns that a predictor stands for: itself, or the incomplete parts of a derived one."""
        return self.parts.get(name, frozenset([name])) & frozenset(self.names)


def read_request(
    data: Any,
    method: Any,
    predictorMatrix: Any,
    formulas: Mapping[str, str] | None,
    kinds: Mapping[str, str] | None,
    not_applicable: Mapping[str, str] | None,
) -> Request:
    """Check everything that was given, and read the table with its clusters.

    Raises
    ------
    ModelError
        One line that names row and column of the matrix, or the method.
    """
    frame = IncompleteFrame.from_table(data, kinds=kinds, not_applicable=not_applicable)
    names = list(frame.columns)
    events: list[Event] = []
    matrix = read_matrix(predictorMatrix, names, frame)
    texts = read_texts(formulas, matrix, names)
    clusters = find_clusters(matrix, frame)
    if clusters:
        frame = IncompleteFrame.from_table(data, kinds=kinds, not_applicable=not_applicable, groups=clusters)
    incomplete = [name for name in names if frame.columns[name].n_missing]
    chosen = _methods(method, frame, matrix, incomplete)
    passive = {name: _expression(text) for name, text in chosen.items() if text.startswith("~")}
    known = tuple(
        name
        for name in incomplete
        if name in frame.deduced
        and np.isfinite(frame.deduced[name][frame.columns[name].missing]).all()
        and chosen[name]
    )
    constant = [
        name
        for name in incomplete
        if chosen[name]
        and frame.columns[name].observed.any()
        and frame.columns[name].is_constant
        and name not in known
    ]
    left = {*known, *passive, *constant}
    active = tuple(name for name in incomplete if chosen[name] and name not in left)
    check_rows(predictorMatrix, [name for name in active if name not in texts])
    events += _left_empty(frame, [name for name in incomplete if not chosen[name] or name in constant])
    methods = {name: find_method(name, chosen[name]) for name in active}
    for name in active:
        if methods[name].known_only and not clusters:
            raise ModelError(f"method '2lonly.mean' of {name!r} needs a cluster: give its column the code -2")
        if methods[name].known_only:
            raise ModelError(
                f"method '2lonly.mean' of {name!r}: in some clusters no row has a value, so that there is nothing to copy; "
                "use '2lonly.norm' or '2lonly.pmm'"
            )
    parts = {one.name: one.parts for one in read_derived(passive, names)}
    matrix = used_rows(matrix, active, names, events)
    not_circular(matrix, parts, active, events)
    drop_empty(matrix, active, frame, predictorMatrix is None, events)
    cluster = {name: cluster_of(name, matrix, methods[name], frame, events) for name in active}
    for name in active:
        check_row(name, matrix, methods[name], cluster[name], frame, chosen, events)
    return Request(
        frame, matrix, active, known, chosen, methods, cluster, texts, passive, parts, tuple(events)
    )


def _left_empty(frame: IncompleteFrame, names: list[str]) -> list[Event]:
    """Say which incomplete columns stay as they are, and why where nobody asked for it."""
    events: list[Event] = []
    for name in names:
        column = frame.columns[name]
        why = "has no method"
        if column.kind == "identifier":
            why += " and values that are neither numbers nor few categories (numbers as text?)"
        elif column.is_constant:
            why = "is constant"
        stay = "stays" if column.n_missing == 1 else "stay"
        events.append(
            (name, "", f"{name!r} {why}: its {counted(column.n_missing, 'missing cell')} {stay} empty")
        )
    return events


def _expression(method: str) -> str:
    """Return what a passive method computes, R's power written as Python's."""
    text = method[1:].strip()
    if text.startswith("I(") and text.endswith(")"):
        text = text[2:-1]
    return text.strip().replace("^", "**")


def _methods(
    given: Any, frame: IncompleteFrame, matrix: pd.DataFrame, incomplete: list[str]
) -> dict[str, str]:
    """Return the method of each column; proposed where none is given."""
    names = list(frame.columns)
    chosen: dict[str, str] = {}
    for name in names:
        cluster = next((c for c in names if c != name and matrix.loc[name, c] == -2), None)
        chosen[name] = make_method(frame, cluster)[name] if name in incomplete else ""
    if given is None:
        return chosen
    if isinstance(given, str):
        return {name: given if name in incomplete else "" for name in names}
    if not isinstance(given, Mapping | pd.Series):
        listed = list(given)
        if len(listed) != len(names):
            raise ModelError(
                f"method has {len(listed)} entries for {len(names)} columns: name them, {{'age': 'pmm'}}"
            )
        given = dict(zip(names, listed, strict=True))
    for name, value in dict(given).items():
        if name not in names:
            raise ModelError(f"method names {name!r}, no column of the table: {did_you_mean(name, names)}")
        text = "" if value is None else str(value)
        if text and not text.startswith("~"):
            find_method(str(name), text)
        if name in incomplete or text.startswith("~"):
            chosen[str(name)] = text
    return chosen
