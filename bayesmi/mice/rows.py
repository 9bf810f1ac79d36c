"""The rows of a predictor matrix, checked against methods and levels: the traps, and what is made of odd codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import counted
from bayesmi.errors import ModelError
from bayesmi.mice.methods import Method

__all__ = [
    "MEANS",
    "SLOPES",
    "Event",
    "check_row",
    "cluster_of",
    "code_at",
    "drop_empty",
    "not_circular",
    "used_rows",
]

SLOPES, MEANS = (2, 4), (3, 4)
type Event = tuple[str, str, str]  # column, method, what happens


def code_at(matrix: pd.DataFrame, row: str, column: str) -> int:
    """Return one code of a predictor matrix."""
    value: Any = matrix.loc[row, column]
    return int(value)


def used_rows(
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


def not_circular(
    matrix: pd.DataFrame, parts: Mapping[str, frozenset[str]], active: tuple[str, ...], events: list[Event]
) -> None:
    """Take out what is computed from the column that it would predict. In place."""
    for derived, own in parts.items():
        for name in active:
            if name in own and code_at(matrix, name, derived):
                matrix.loc[name, derived] = 0
                events.append(
                    (
                        name,
                        "",
                        f"cell [{name}, {derived}] is taken as 0: {derived!r} is computed from {name!r} and does not predict it",
                    )
                )


def drop_empty(
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
            if not column.is_constant:
                continue
            why = "is constant"
        matrix.loc[rows, name] = matrix.loc[rows, name].where(matrix.loc[rows, name] == -2, 0)
        events.append((name, "", f"{name!r} {why} and predicts nothing: taken out"))


def cluster_of(
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


def check_row(
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
        return f"{where}: Heckman's method knows 2 (both equations), -3 and -4; it is taken as an overall effect in both"
    if method.name == "2l.norm" and code == 1:
        return f"{where}: mice's 2l.norm ignores 1 (it wants 2); here it is an overall effect"
    return (
        f"{where}: mice's {method.name} does not know it, packages disagree; here as in 2l.pan (see explain)"
    )
