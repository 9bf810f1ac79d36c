"""A predictor matrix as it was given: its shape, names and codes, the rows that formulas replace, its clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import counted, did_you_mean, plain, unknown_name
from bayesmi.errors import ModelError
from bayesmi.formula import Formula, parse
from bayesmi.mice.explain import CODES
from bayesmi.mice.make import make_predictor_matrix

__all__ = ["find_clusters", "read_matrix", "read_texts"]


def read_matrix(given: Any, names: list[str], frame: IncompleteFrame) -> pd.DataFrame:
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
            code = plain(table.loc[row, column])
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


def check_rows(given: Any, names: Sequence[str]) -> None:
    """Refuse a matrix that lacks the row of a column to impute.

    Raises
    ------
    ModelError
    """
    lost = [name for name in names if isinstance(given, pd.DataFrame) and name not in given.index]
    if lost:
        raise ModelError(
            f"predictorMatrix has no row for {', '.join(map(repr, lost))}, to be imputed: add it, of zeros if nothing predicts it"
        )


def read_texts(
    formulas: Mapping[str, str] | None, matrix: pd.DataFrame, names: list[str]
) -> dict[str, Formula]:
    """Read formulas; their rows of the matrix are written anew, in place."""
    texts = {}
    if formulas is not None and not isinstance(formulas, Mapping):
        raise ModelError(
            f"formulas= is a mapping such as {{'bmi': '~ age + chl'}}, not a {type(formulas).__name__}"
        )
    for target, text in (formulas or {}).items():
        if not isinstance(text, str):
            raise ModelError(f"formulas[{target!r}] must be a text such as '~ age + chl', not {text!r}")
        if target not in names:
            raise ModelError(
                f"formulas names {target!r}, no column of the table: {did_you_mean(target, names)}"
            )
        formula = parse(text if "~" in text else f"~ {text}")
        if formula.response is not None and formula.response.name != target:
            raise ModelError(f"formulas[{target!r}] has the response {formula.response.name!r}")
        used = formula.variables | formula.grouping_columns
        if problem := unknown_name(f"formulas[{target!r}]", used, names):
            raise ModelError(problem)
        slopes = {name for group in formula.groups for term in group.terms for name in term.variables}
        matrix.loc[target] = [
            -2 if name in formula.grouping_columns else 2 if name in slopes else int(name in used)
            for name in names
        ]
        texts[target] = formula
    return texts


def find_clusters(matrix: pd.DataFrame, frame: IncompleteFrame) -> tuple[str, ...]:
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
