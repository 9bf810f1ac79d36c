"""From an incomplete table and m completed ones to Imputations: what was imputed is found by comparing them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame, Kind
from bayesmi.data.wording import counted, list_some, name_rows, plain
from bayesmi.errors import BayesmiNotice, DataError
from bayesmi.imputations import Imputations, Mids, StoredDraws
from bayesmi.mice.shifts import Shifts
from bayesmi.mice.tables import column as column_of

__all__ = ["assemble"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
# foreign programs store single precision, and CSV keeps 15 digits
_RTOL, _ATOL = 1e-6, 1e-9


def assemble(
    original: Any,
    completed: Sequence[Any],
    *,
    like: Imputations | None = None,
    kinds: Mapping[str, str] | None = None,
    mids: Mids | None = None,
    version: str = "",
    shifts: Shifts | None = None,
) -> Imputations:
    """Build Imputations from tables.

    Parameters
    ----------
    original : DataFrame
        The incomplete table, n rows.
    completed : sequence of DataFrame
        m tables with the same rows and columns in the same order of rows.
    like : Imputations, optional
        Gives method, predictor matrix, formulas, families, seed and gate; and the kinds of columns whose values it has.
    kinds : mapping, optional
        Kind of columns, as in `Model`.
    mids : Mids, optional
        Record to use instead of that of `like`.
    version : str
        Program that made the tables, where neither is given.
    shifts : Shifts, optional
        Deltas that the completed tables hold; its rows are those of `original`.

    Returns
    -------
    Imputations
        A cell is imputed where `original` lacks it and every completed table has it; cells that stay empty in all
        are left out (``where`` False).

    Raises
    ------
    DataError
        If the tables do not belong together; one line that names column, row and imputation.
    """
    names = [str(name) for name in original.columns]
    m, deltas = len(completed), {} if shifts is None else shifts.deltas
    if shifts is not None and deltas:
        completed = [*completed, *shifts.tables]
    for number, table in enumerate(completed, start=1):
        _check_shape(original, table, number, names)
    found = {name: _compare(original, completed, name) for name in names}
    wanted = dict(kinds or {})
    frame = _frame(original, found, wanted, like)
    columns = dict(frame.columns)
    values: dict[str, Floats] = {}
    whole: set[str] = set()
    for name, cells in found.items():
        if cells is None:
            continue
        if columns[name].kind is Kind.IDENTIFIER:
            raise DataError(
                f"column '{name}' has imputed cells, but dates and values that are neither numbers nor labels cannot be "
                "held: make it a number first, such as days since a date"
            )
        columns[name], numbers = _as_numbers(columns[name], cells, original)
        values[name] = numbers
        if columns[name].categories is None and (numbers[:m] == np.floor(numbers[:m])).all():
            whole.add(name)
    frame = replace(frame, _columns=columns)
    about: dict[str, Any] = {}
    origins = tuple((0, i) for i in range(m))
    if like is not None:
        about = {"formula": like.formula, "families": like.families, "seed": like.seed, "gate": like.gate}
        if like.m == m:
            origins = tuple((int(chain), int(draw)) for chain, draw in like.origin.to_numpy())
        mids = like.mids if mids is None else mids
    if mids is None:
        mids = Mids.unknown(frame, tuple(values), version)
    draws = StoredDraws({name: numbers[:m] for name, numbers in values.items()}, origins)
    if shifts is not None and deltas:
        draws = replace(
            draws,
            deltas=deltas,
            without={name: numbers[m:] for name, numbers in values.items()},
            moved={name: shifts.moved[name][columns[name].missing] for name in deltas},
        )
    return Imputations(
        frame,
        draws,
        integer_valued=whole,
        mids=mids.for_columns(names),
        **about,
    )


def _check_shape(original: Any, table: Any, number: int, names: list[str]) -> None:
    """Refuse other rows and other columns."""
    if len(table) != len(original):
        raise DataError(
            f"imputation {number} has {len(table)} rows, the incomplete table {len(original)}: every imputation must "
            "hold the same rows"
        )
    theirs = [str(name) for name in table.columns]
    for name in names:
        if name not in theirs:
            raise DataError(f"imputation {number} lacks column '{name}', which the incomplete table has")
    for name in theirs:
        if name not in names:
            raise DataError(
                f"imputation {number} has a column '{name}' that the incomplete table lacks: add it there too (.imp 0), "
                "empty where it depends on missing cells"
            )


def _compare(original: Any, completed: Sequence[Any], name: str) -> list[pd.Series] | None:
    """Values of the imputed cells of a column by imputation, or None where no cell is imputed."""
    before = column_of(original, name)
    holes = before.isna().to_numpy(dtype=bool)
    index = pd.RangeIndex(len(before))
    filled: Mask | None = None
    cells = []
    for number, table in enumerate(completed, start=1):
        after = column_of(table, name)
        empty = after.isna().to_numpy(dtype=bool)
        lost = empty & ~holes
        if lost.any():
            raise DataError(
                f"column '{name}': {name_rows(index, lost)} (counted from 0) observed in the incomplete table, but "
                f"missing in imputation {number}"
            )
        changed = ~holes & ~_same(before, after, holes)
        if changed.any():
            row = int(np.flatnonzero(changed)[0])
            raise DataError(
                f"column '{name}', row {row} (counted from 0): observed as {plain(before.iloc[row])!r}, but imputation "
                f"{number} has {plain(after.iloc[row])!r}; if it was imputed over the observed value, say so with where=, "
                "else the rows or the types do not belong together"
            )
        now = holes & ~empty
        if filled is not None and (now != filled).any():
            row = int(np.flatnonzero(now != filled)[0])
            raise DataError(
                f"column '{name}', row {row} (counted from 0) is imputed in some imputations and missing in others: "
                f"imputations 1 and {number} differ"
            )
        filled = now
        cells.append(after[now])
    return None if filled is None or not filled.any() else cells


def _same(before: pd.Series, after: pd.Series, holes: Mask) -> Mask:
    """Whether values agree, up to the precision of foreign files; True where missing."""
    agree = np.ones(len(before), dtype=bool)
    seen = ~holes & ~after.isna().to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(before.dtype) and pd.api.types.is_numeric_dtype(after.dtype):
        ours = before[seen].to_numpy(dtype=float)
        theirs = after[seen].to_numpy(dtype=float)
        agree[seen] = np.isclose(ours, theirs, rtol=_RTOL, atol=_ATOL)
        return agree
    pairs = zip(before[seen].astype(object), after[seen].astype(object), strict=True)
    agree[seen] = [a == b or str(a) == str(b) for a, b in pairs]
    return agree


def _frame(
    original: Any,
    found: Mapping[str, list[pd.Series] | None],
    kinds: dict[str, str],
    like: Imputations | None,
) -> IncompleteFrame:
    """Read the incomplete table with the kinds that its imputed values need."""
    for name, cells in found.items():
        if name in kinds:
            continue
        before = column_of(original, name)
        if (cells is not None and before.dtype == object) or str(before.dtype) == "str":
            labels = before.dropna()
            if cells is not None and all(isinstance(value, str) for value in labels):
                kinds[name] = "nominal"  # imputed text is no identifier, even if all observed values differ
            continue
        if like is not None and name in like.frame.columns:
            kind = like.frame.columns[name].kind
            if kind in (Kind.COUNT, Kind.ORDINAL, Kind.NOMINAL) and pd.api.types.is_numeric_dtype(
                before.dtype
            ):
                kinds[name] = str(kind)
                continue
        if cells is None or not pd.api.types.is_numeric_dtype(before.dtype) or before.dtype == bool:
            continue
        seen = np.unique(before.dropna().to_numpy(dtype=float))
        if len(seen) == 2 and any(~np.isin(part.to_numpy(dtype=float), seen).all() for part in cells):
            kinds[name] = "continuous"  # two observed values, but imputed ones between or beyond
    where = {}
    for name, cells in found.items():
        holes = column_of(original, name).isna().to_numpy(dtype=bool)
        if cells is not None and len(cells[0]) < holes.sum():
            mask = np.zeros(len(holes), dtype=bool)
            mask[cells[0].index] = True
            where[name] = mask
        elif cells is None and holes.any() and like is not None and name in like.frame.columns:
            absent = like.frame.columns[name].absent
            if len(absent) == len(holes) and absent.any():
                where[name] = holes & ~absent
    groups: tuple[str, ...] = ()
    if like is not None:
        groups = tuple(
            name
            for name in like.frame.groups
            if all(part in found for part in ([name] if name in found else name.split(":")))
        )
    try:
        return IncompleteFrame.from_table(original, kinds=kinds or None, groups=groups, where=where or None)
    except DataError as error:
        if not groups:
            raise
        warnings.warn(f"groupings are not carried over: {error}", BayesmiNotice, stacklevel=5)
        return IncompleteFrame.from_table(original, kinds=kinds or None, where=where or None)


def _as_numbers(column: Column, cells: list[pd.Series], original: Any) -> tuple[Column, Floats]:
    """Imputed cells as numbers or codes, shape (m, n_missing); labels not observed before are added to the column."""
    if column.n_missing != len(cells[0]):
        raise DataError(
            f"column '{column.name}' has {counted(column.n_missing, 'cell')} to impute, and values for {len(cells[0])}"
        )
    if column.categories is None:
        return column, np.array([part.to_numpy(dtype=float) for part in cells])
    numeric = all(isinstance(label, int | float) for label in column.categories)
    labels = [[_label(value, numeric) for value in part] for part in cells]
    known = set(column.categories)
    new = sorted({label for part in labels for label in part} - known, key=str)
    if new:
        column = _with_labels(column, new, original)
    code = {label: float(i) for i, label in enumerate(column.categories or ())}
    return column, np.array([[code[label] for label in part] for part in labels])


def _label(value: Any, numeric: bool) -> Any:
    """Return a value as the column names its labels: 3 rather than 3.0."""
    value = plain(value)
    if numeric and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _with_labels(column: Column, new: list[Any], original: Any) -> Column:
    """Return the column with labels that only imputations have, in the order of the dtype where it has one."""
    dtype = column_of(original, column.name).dtype
    old = list(column.categories or ())
    if isinstance(dtype, pd.CategoricalDtype):
        outside = [label for label in new if label not in dtype.categories]
        if outside:
            raise DataError(
                f"column '{column.name}' is imputed with {list_some(outside)}, which its categories in the incomplete "
                f"table do not hold ({list_some(dtype.categories)}): add them there"
            )
        order = [label for label in dtype.categories if label in {*old, *new}]
    elif all(isinstance(label, int | float) for label in [*old, *new]):
        order = sorted([*old, *new])
    else:
        order = [*old, *new]
    place = np.array([order.index(label) for label in old], dtype=float)
    values = np.full(len(column.values), np.nan)
    seen = np.isfinite(column.values)
    values[seen] = place[column.values[seen].astype(np.intp)]
    kind = column.kind if len(order) == 2 or column.kind is not Kind.BINARY else Kind.NOMINAL
    return replace(column, kind=kind, values=values, categories=tuple(order))
