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
from bayesmi.formula import Formula, parse
from bayesmi.mice.explain import CODES
from bayesmi.mice.make import make_method, make_predictor_matrix
from bayesmi.mice.methods import Method, find_method

__all__ = ["Event", "Request", "code_at", "read_request"]

SLOPES, MEANS = (2, 4), (3, 4)
type Event = tuple[str, str, str]  # column, method, what happens


def code_at(matrix: pd.DataFrame, row: str, column: str) -> int:
    """Return one code of a predictor matrix."""
    value: Any = matrix.loc[row, column]
    return int(value)


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
    events: tuple[Event, ...]

    def is_unknown(self, name: str) -> bool:
        """Whether the column is imputed by a model."""
        return name in self.names

    def level(self, name: str) -> str:
        """Level of a column."""
        return self.frame.columns[name].level


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
    matrix = _matrix(predictorMatrix, names, frame)
    texts = _texts(formulas, matrix, names)
    clusters = _clusters(matrix, frame)
    if clusters:
        frame = IncompleteFrame.from_table(data, kinds=kinds, not_applicable=not_applicable, groups=clusters)
    incomplete = [name for name in names if frame.columns[name].n_missing]
    chosen = _methods(method, frame, matrix, incomplete)
    passive = {
        name: text[1:].strip().removeprefix("I(").removesuffix(")")
        if text[1:].strip().startswith("I(")
        else text[1:].strip()
        for name, text in chosen.items()
        if text.startswith("~")
    }
    known = tuple(
        name
        for name in incomplete
        if name in frame.deduced
        and np.isfinite(frame.deduced[name][frame.columns[name].missing]).all()
        and chosen[name]
    )
    active = tuple(name for name in incomplete if chosen[name] and name not in known and name not in passive)
    methods = {name: find_method(name, chosen[name]) for name in active}
    for name in active:
        if methods[name].known_only:
            raise ModelError(
                f"method '2lonly.mean' of {name!r}: in some clusters no row has a value, so that there is nothing to copy; "
                "use '2lonly.norm' or '2lonly.pmm'"
            )
    matrix = _used_rows(matrix, active, names, events)
    _drop_empty(matrix, active, frame, predictorMatrix is None, events)
    cluster = {name: _cluster_of(name, matrix, methods[name], frame, events) for name in active}
    for name in active:
        _check_row(name, matrix, methods[name], cluster[name], frame, chosen, events)
    return Request(frame, matrix, active, known, chosen, methods, cluster, texts, passive, tuple(events))


def _matrix(given: Any, names: list[str], frame: IncompleteFrame) -> pd.DataFrame:
    """Return the matrix over all columns of the table."""
    if given is None:
        return make_predictor_matrix(frame)
    if isinstance(given, pd.DataFrame):
        table = given
        for axis, labels in (("row", table.index), ("column", table.columns)):
            for label in labels:
                if label not in names:
                    raise ModelError(
                        f"predictorMatrix has a {axis} {label!r}, no column of the table: {did_you_mean(label, names)}"
                    )
            if not labels.is_unique:
                raise ModelError(f"predictorMatrix names a {axis} twice")
        table = table.reindex(index=names, columns=names, fill_value=0)
    else:
        array = np.asarray(given)
        if array.shape != (len(names), len(names)):
            raise ModelError(
                f"predictorMatrix has shape {array.shape}; the table has {len(names)} columns: give a DataFrame with names, "
                "as make_predictor_matrix does"
            )
        table = pd.DataFrame(array, index=names, columns=names)
    for row in names:
        for column in names:
            code = table.loc[row, column]
            if code == -1:
                raise ModelError(
                    f"predictorMatrix[{row!r}, {column!r}] is -1, mitml's code for groups that are imputed apart: "
                    "split the table, impute each part and rbind() them"
                )
            if code not in CODES:
                raise ModelError(
                    f"predictorMatrix[{row!r}, {column!r}] is {code!r}: codes are 0, 1, 2, 3, 4, -2, and -3, -4 for Heckman's "
                    "method; explain() says them in words"
                )
    return table.astype(int)


def _texts(formulas: Mapping[str, str] | None, matrix: pd.DataFrame, names: list[str]) -> dict[str, Formula]:
    """Read formulas; their rows of the matrix are written anew, in place."""
    texts = {}
    for target, text in (formulas or {}).items():
        if target not in names:
            raise ModelError(
                f"formulas names {target!r}, no column of the table: {did_you_mean(target, names)}"
            )
        formula = parse(text if "~" in text else f"~ {text}")
        if formula.response is not None and formula.response.name != target:
            raise ModelError(f"formulas[{target!r}] has the response {formula.response.name!r}")
        used = formula.variables | formula.grouping_columns
        for name in used:
            if name not in names:
                raise ModelError(f"formulas[{target!r}] names {name!r}: {did_you_mean(name, names)}")
        slopes = {name for group in formula.groups for term in group.terms for name in term.variables}
        matrix.loc[target] = [
            -2 if name in formula.grouping_columns else 2 if name in slopes else int(name in used)
            for name in names
        ]
        texts[target] = formula
    return texts


def _clusters(matrix: pd.DataFrame, frame: IncompleteFrame) -> tuple[str, ...]:
    """Columns that any imputed row calls its cluster; they must be complete."""
    found = []
    for name in matrix.columns:
        rows = [
            row
            for row in matrix.index
            if row != name and frame.columns[row].n_missing and matrix.loc[row, name] == -2
        ]
        if not rows:
            continue
        if frame.columns[name].n_missing:
            raise ModelError(
                f"cluster {name!r} (-2) has {counted(frame.columns[name].n_missing, 'missing cell')}: every row must "
                "belong to a cluster"
            )
        found.append(name)
    return tuple(found)


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


def _used_rows(
    matrix: pd.DataFrame, active: tuple[str, ...], names: list[str], events: list[Event]
) -> pd.DataFrame:
    """Keep the rows of imputed columns, with a zero diagonal."""
    matrix = matrix.copy()
    ignored = [name for name in names if name not in active and matrix.loc[name].any()]
    if ignored:
        shown = ", ".join(ignored[:6]) + (f", … ({len(ignored)})" if len(ignored) > 6 else "")
        events.append((ignored[0], "", f"rows of {shown} are not used: nothing is imputed there by a model"))
        matrix.loc[ignored] = 0
    for name in active:
        code = code_at(matrix, name, name)
        if code == -2:
            raise ModelError(f"predictorMatrix[{name!r}, {name!r}] is -2: a variable is not its own cluster")
        if code:
            events.append((name, "", f"the diagonal is 0: {name!r} (code {code}) does not predict itself"))
            matrix.loc[name, name] = 0
    return matrix


def _drop_empty(
    matrix: pd.DataFrame, active: tuple[str, ...], frame: IncompleteFrame, proposed: bool, events: list[Event]
) -> None:
    """Take constant predictors out, as mice does; and identifiers, where nobody asked for them. In place."""
    rows = list(active)
    for name, column in frame.columns.items():
        if not rows or not ((matrix.loc[rows, name] != 0) & (matrix.loc[rows, name] != -2)).any():
            continue
        if column.kind == "identifier":
            if not proposed:
                continue
            why = "is an identifier"
        else:
            seen = column.values[column.observed]
            if seen.size and np.ptp(seen) > 0:
                continue
            why = "is constant"
        matrix.loc[rows, name] = matrix.loc[rows, name].where(matrix.loc[rows, name] == -2, 0)
        events.append((name, "", f"{name!r} {why} and predicts nothing: taken out"))


def _cluster_of(
    name: str, matrix: pd.DataFrame, method: Method, frame: IncompleteFrame, events: list[Event]
) -> str | None:
    """Cluster of a row: required by two-level methods, unused by single-level ones."""
    found = [column for column in matrix.columns if matrix.loc[name, column] == -2]
    if len(found) > 1:
        raise ModelError(
            f"row {name!r} of predictorMatrix names two clusters ({', '.join(found)}): one is possible; for crossed or nested "
            "clusters use bmi.Model"
        )
    if method.level == "single":
        if found:
            events.append(
                (
                    name,
                    method.name,
                    f"{method.name!r} is single-level: cluster {found[0]!r} is not used for {name!r} (mice would take its "
                    f"number for a measurement); '2l.…' methods use it",
                )
            )
        return None
    if not found:
        if method.heckman:
            events.append((name, method.name, f"no cluster in row {name!r}: single-level Heckman model"))
            return None
        raise ModelError(
            f"method {method.name!r} of {name!r} needs a cluster: set predictorMatrix.loc[{name!r}, '<cluster>'] = -2"
        )
    level = frame.columns[name].level
    if method.level == "cluster" and level != found[0]:
        raise ModelError(
            f"method {method.name!r} of {name!r} imputes one value a cluster, but {name!r} varies within {found[0]!r}: use "
            f"'2l.{method.name[7:]}'"
        )
    if method.level == "two" and level == found[0]:
        events.append(
            (
                name,
                method.name,
                f"{name!r} is constant within {found[0]!r}: one value a cluster is imputed (2lonly)",
            )
        )
    return found[0]


def _check_row(
    name: str,
    matrix: pd.DataFrame,
    method: Method,
    cluster: str | None,
    frame: IncompleteFrame,
    chosen: Mapping[str, str],
    events: list[Event],
) -> None:
    """Check the codes of one row against its method."""
    row = matrix.loc[name]
    if not any(code not in (0, -2) for code in row):
        events.append(
            (name, method.name, f"{name!r} has no predictor: it is drawn from its own distribution")
        )
    odd: dict[int, list[str]] = {}
    for column in map(str, matrix.columns):
        code, other = code_at(matrix, name, column), frame.columns[column]
        if code in (0, -2):
            continue
        if code in (-3, -4) and not method.heckman:
            raise ModelError(
                f"predictorMatrix[{name!r}, {column!r}] is {code}, a code of Heckman's method, but the method is "
                f"{method.name!r}: set method[{name!r}] = '2l.2stage.heckman', or the cell to 1 or 0"
            )
        if code in (2, 3, 4) and cluster is None and not method.heckman:
            if method.level != "single":
                raise ModelError(f"predictorMatrix[{name!r}, {column!r}] is {code} without a cluster (-2)")
            odd.setdefault(code, []).append(column)
        elif code not in method.codes:
            odd.setdefault(code, []).append(column)
        if other.n_missing and not chosen[column]:
            raise ModelError(
                f"{column!r} predicts {name!r} but has {counted(other.n_missing, 'missing cell')} and method '': give it a "
                "method, or set the cell to 0"
            )
        if other.kind == "identifier":
            raise ModelError(
                f"predictorMatrix[{name!r}, {column!r}] is {code}, but {column!r} is an identifier: set it to 0"
            )
    for code, columns in odd.items():
        events.append((name, method.name, _odd_code(name, method, code, columns)))


def _odd_code(name: str, method: Method, code: int, columns: list[str]) -> str:
    """Say what is made of a code that R's method of this name does not know."""
    listed = ", ".join(columns)
    where = f"code {code} of {listed} for {name!r}"
    if method.level == "single":
        return f"{where}: {method.name!r} is single-level, so it is an overall effect (1)"
    if method.level == "cluster":
        return f"{where}: for one value a cluster every predictor enters by its cluster mean (1)"
    if method.heckman:
        return f"{where}: Heckman's method knows 2 (both equations), -3 and -4; it is taken as 2"
    if method.name == "2l.norm" and code == 1:
        return f"{where}: mice's 2l.norm ignores 1 (it wants 2); here it is an overall effect"
    return (
        f"{where}: mice's {method.name} does not know it, packages disagree; here as in 2l.pan (see explain)"
    )
