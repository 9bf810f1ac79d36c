"""Cells that are not to be imputed: structural holes (`not_applicable=`) and cells outside `where=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.column import Column
from bayesmi.data.conditions import parse_condition
from bayesmi.data.polars_table import is_polars
from bayesmi.data.truth import evaluate
from bayesmi.data.wording import did_you_mean, name_rows
from bayesmi.errors import DataError, NotSupportedError

Mask = NDArray[np.bool_]


def find_absent(
    columns: Mapping[str, Column], index: pd.Index, where: Any, not_applicable: Mapping[str, str] | None
) -> dict[str, Mask]:
    """Per column that has any: the missing cells that are never imputed.

    A cell that `not_applicable` leaves undecided, because its condition meets an unobserved cell, is decided
    by a mask in `where=`, and refused when there is none.
    """
    masks, conditions = _split(where, columns, index)
    absent: dict[str, Mask] = {}
    nothing: Mask = np.zeros(len(index), dtype=bool)
    for name, mask in masks.items():
        column = columns[name]
        over = mask & ~column.missing
        if over.any():
            raise NotSupportedError(
                f"where= asks to impute observed cells of column {name!r} ({name_rows(index, over)}), which"
                " is not supported: set them to missing first; bmi.overimpute holds observed cells out to check a model"
            )
        absent[name] = column.missing & ~mask
    for name, text in conditions.items():
        column = columns[name]
        truth = evaluate(parse_condition(text), columns)
        _refuse_unknown(name, text, "where", truth.unknown & column.missing, index)
        absent[name] = column.missing & truth.false
    for name, text in (not_applicable or {}).items():
        column = _known(name, columns, "not_applicable")
        truth = evaluate(parse_condition(text), columns)
        seen = truth.true & ~column.missing
        if seen.any():
            raise DataError(
                f"column {name!r} does not apply where {text}, but is observed there in"
                f" {name_rows(index, seen)}: correct the data or the condition"
            )
        undecided = truth.unknown & column.missing
        if name not in masks:
            outside = absent.get(name, nothing)
            _refuse_unknown(name, text, "not_applicable", undecided & ~outside, index)
        absent[name] = absent.get(name, nothing) | (truth.true & column.missing)
    return {name: mask for name, mask in absent.items() if mask.any()}


def _refuse_unknown(name: str, text: str, argument: str, unknown: Mask, index: pd.Index) -> None:
    """Never guess whether a cell applies."""
    if unknown.any():
        raise DataError(
            f"{argument}: {text!r} cannot be decided for the missing cells of column {name!r} in"
            f" {name_rows(index, unknown)}, because it meets missing values; decide with a boolean mask:"
            f" where={{{name!r}: mask}}, True = impute"
        )


def _split(
    where: Any, columns: Mapping[str, Column], index: pd.Index
) -> tuple[dict[str, Mask], dict[str, str]]:
    """Split `where=` into masks and conditions by column."""
    names = list(columns)
    if where is None:
        return {}, {}
    if isinstance(where, pd.DataFrame):
        return {_known(c, columns, "where").name: _mask(c, where[c], index) for c in where.columns}, {}
    if is_polars(where):
        return {
            _known(c, columns, "where").name: _mask(c, where[c].to_numpy(), index) for c in where.columns
        }, {}
    if isinstance(where, Mapping):
        masks, conditions = {}, {}
        for name, given in where.items():
            _known(name, columns, "where")
            if isinstance(given, str):
                conditions[name] = given
            else:
                masks[name] = _mask(name, given, index)
        return masks, conditions
    array = np.asarray(where)
    if array.shape != (len(index), len(names)):
        shape = f"{len(index)} rows x {len(names)} columns"
        raise DataError(f"where= has shape {array.shape}, the table has {shape}; or give {{column: mask}}")
    return {name: _mask(name, array[:, j], index) for j, name in enumerate(names)}, {}


def _known(name: Any, columns: Mapping[str, Column], argument: str) -> Column:
    """Return a column of the table by its name."""
    if name not in columns:
        known: Sequence[str] = list(columns)
        raise DataError(f"{argument}= names {name!r}, which is not in the table: {did_you_mean(name, known)}")
    return columns[name]


def _mask(name: str, given: Any, index: pd.Index) -> Mask:
    """Check a mask: booleans, one a row, no holes, the table's own row labels."""
    if isinstance(given, pd.Series) and not given.index.equals(index):
        raise DataError(f"where={{{name!r}: …}} has other row labels than the table: give it the same index")
    array = np.asarray(given.to_numpy() if hasattr(given, "to_numpy") else given)
    if array.shape != (len(index),):
        raise DataError(f"where={{{name!r}: …}} has {array.size} entries, the table has {len(index)} rows")
    if array.dtype == object and all(isinstance(v, (bool, np.bool_)) for v in array):
        array = array.astype(bool)
    if array.dtype != bool:
        raise DataError(
            f"where={{{name!r}: …}} is not boolean: True = impute, False = leave out, no missing values"
        )
    return array
